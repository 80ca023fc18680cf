//! Unpacking an archive into an empty folder, hashing on the way: one pass, in memory that does not grow with the files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use super::archive::{Entry, Kind, Reader, refuse};
use super::contents::Contents;
use super::limits::{Budget, UnpackLimits};
use super::staging::Staging;
use super::unixfs::{DirectoryBuilder, FileHasher, NamesCollide, Node};
use super::walk::Hidden;
use crate::error::{Error, Result};

/// How many bytes of an archive are read at once, where it does not come in pieces of its own.
const READ: usize = 256 * 1024;

/// Unpacks an archive that no content id vouches for, such as a job's input files, into the new folder `destination`.
///
/// It appears there complete or not at all; whatever is there already is left alone. Names that start with a dot are kept. Refuses
/// whatever a result's archive would be refused for. Blocks the thread.
///
/// # Errors
///
/// Of kind [`Integrity`](crate::error::ErrorKind::Integrity) when the archive is damaged or tries something, naming the entry; of
/// kind [`Io`](crate::error::ErrorKind::Io) when the destination exists or cannot be written.
pub fn unpack_directory(archive: impl Read, destination: impl AsRef<Path>, limits: &UnpackLimits) -> Result<()> {
    let operation = "unpack files";
    let staging = Staging::beside(destination.as_ref(), operation)?;
    let archive = BufReader::with_capacity(READ, archive);
    Unpacker::new(staging.path(), Hidden::Keep, limits, operation).run(archive)?;
    staging.commit()?;
    Ok(())
}

/// Unpacks one archive into one folder.
pub(super) struct Unpacker<'a> {
    /// The empty folder that it fills.
    root: &'a Path,
    /// What to do with names that start with a dot.
    hidden: Hidden,
    /// What errors say was being done.
    operation: &'static str,
    /// What the archive may still bring.
    budget: Budget,
    /// What has been unpacked.
    tree: Folder,
    /// What has been left out.
    skipped: Vec<String>,
}

/// A folder that is being unpacked.
#[derive(Default)]
struct Folder {
    /// Its children, by lower-case name: two names that case alone tells apart cannot both exist on many machines.
    children: BTreeMap<String, Child>,
    /// Whether it had an entry of its own.
    announced: bool,
}

/// Something in a folder.
struct Child {
    /// Its name.
    name: String,
    /// What it is.
    what: What,
}

/// What a child is.
enum What {
    /// A file, unpacked and hashed.
    File {
        /// Its node.
        node: Node,
        /// Its bytes.
        size: u64,
    },
    /// A folder.
    Folder(Folder),
}

impl<'a> Unpacker<'a> {
    /// Prepares to unpack into `root`, an empty folder that nobody else writes to.
    pub(super) fn new(root: &'a Path, hidden: Hidden, limits: &UnpackLimits, operation: &'static str) -> Self {
        let budget = Budget::new(limits.clone(), operation);
        Self { root, hidden, operation, budget, tree: Folder::default(), skipped: Vec::new() }
    }

    /// Unpacks `archive` to its end. Gives what was unpacked, and the folder's node.
    pub(super) fn run(mut self, archive: impl BufRead) -> Result<(Contents, Node)> {
        let mut reader = Reader::new(archive, self.operation);
        while let Some(entry) = reader.next_entry()? {
            self.budget.spend(&entry)?;
            match entry.path.names().position(|name| self.hidden.leaves_out(name.as_bytes())) {
                // Its content is passed over with the next entry. The folders around it are there all the same.
                Some(at) => {
                    self.skipped.push(entry.path.names().take(at + 1).collect::<Vec<_>>().join("/"));
                    self.unpack(&entry, Some(at), &mut reader)?;
                }
                None => self.unpack(&entry, None, &mut reader)?,
            }
        }
        let mut contents = Contents { skipped: self.skipped, ..Contents::default() };
        let node = self
            .tree
            .finish("", &mut contents)
            .map_err(|collision| refuse(self.operation, collision.second.as_bytes(), &collision))?;
        contents.sort();
        Ok((contents, node))
    }

    /// Unpacks one entry; of one that is left out, only this many folders `around` it.
    fn unpack<R: BufRead>(&mut self, entry: &Entry, around: Option<usize>, reader: &mut Reader<R>) -> Result<()> {
        let operation = self.operation;
        let refuse = |reason: &str| Err(refuse(operation, entry.path.as_str().as_bytes(), reason));
        let mut folder = &mut self.tree;
        let mut on_disk = self.root.to_owned();
        let mut names = entry.path.names().take(around.unwrap_or(usize::MAX)).peekable();
        while let Some(name) = names.next() {
            on_disk.push(name);
            let is_last = around.is_none() && names.peek().is_none();
            let is_file = entry.kind == Kind::File && is_last;
            let child = match folder.children.entry(name.to_lowercase()) {
                Slot::Occupied(slot) => {
                    let child = slot.into_mut();
                    match &child.what {
                        _ if child.name != name => {
                            let reason = format!("has `{name}` beside `{}`: case alone tells them apart", child.name);
                            return refuse(&reason);
                        }
                        What::File { .. } if !is_last => {
                            return refuse(&format!("is inside `{name}`, which is a file"));
                        }
                        What::Folder(_) if !is_file => child,
                        _ => return refuse("is in the archive twice"),
                    }
                }
                Slot::Vacant(slot) => {
                    let what = if is_file {
                        What::File { node: write_file(&on_disk, entry, reader, operation)?, size: entry.size }
                    } else {
                        if !is_last {
                            self.budget.spend_entry(&entry.path)?;
                        }
                        std::fs::create_dir(&on_disk).map_err(|error| not_made(error, entry, &on_disk, operation))?;
                        What::Folder(Folder::default())
                    };
                    slot.insert(Child { name: name.to_owned(), what })
                }
            };
            match &mut child.what {
                What::Folder(inner) => folder = inner,
                What::File { .. } => return Ok(()),
            }
        }
        if around.is_none() && std::mem::replace(&mut folder.announced, true) {
            return refuse("is in the archive twice");
        }
        Ok(())
    }
}

impl Folder {
    /// The folder's node. Adds what is in it to `contents`; `path` is its own place.
    ///
    /// It recurses no deeper than an entry's path can be.
    fn finish(self, path: &str, contents: &mut Contents) -> Result<Node, NamesCollide> {
        let mut builder = DirectoryBuilder::default();
        for Child { name, what } in self.children.into_values() {
            let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let node = match what {
                What::File { node, size } => {
                    contents.files.push((below, size));
                    node
                }
                What::Folder(folder) => {
                    let node = folder.finish(&below, contents)?;
                    contents.folders.push(below);
                    node
                }
            };
            builder.add(name.as_bytes(), node);
        }
        builder.finish()
    }
}

/// Writes the content of `entry` to a new file, hashing it on the way.
fn write_file<R: BufRead>(path: &Path, entry: &Entry, reader: &mut Reader<R>, operation: &'static str) -> Result<Node> {
    let mut options = OpenOptions::new();
    // Always a new file: nothing is written through what is there already, be it a link or a name that looks the same.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Modes are not covered by the id, so the archive has no say in them.
        options.mode(0o644);
    }
    let mut file = options.open(path).map_err(|error| not_made(error, entry, path, operation))?;
    let mut hasher = FileHasher::default();
    reader.content(|piece| {
        hasher.update(piece);
        file.write_all(piece).map_err(|error| Error::io(operation, path, error))
    })?;
    Ok(hasher.finish())
}

/// The error for a file or folder that could not be made.
fn not_made(error: io::Error, entry: &Entry, path: &Path, operation: &'static str) -> Error {
    if error.kind() == io::ErrorKind::AlreadyExists {
        let reason = "has a name that this file system takes for that of another entry";
        return refuse(operation, entry.path.as_str().as_bytes(), reason);
    }
    Error::io(operation, path, error)
}
