//! Going through a folder on disk in the order of archives and ids: names sorted bytewise, a folder before its content.

use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// What happens to names that start with a dot. They are not part of a result's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    /// Left out, with all that is below.
    Skip,
    /// Treated as any other name.
    Keep,
}

impl Hidden {
    /// Whether an entry of this name is left out.
    pub(super) fn leaves_out(self, name: &[u8]) -> bool {
        self == Self::Skip && name.starts_with(b".")
    }
}

/// One step of a walk.
#[derive(Debug)]
pub(super) enum Step {
    /// A folder; its content follows.
    Enter(Found),
    /// A regular file.
    File(Found),
    /// A symbolic link; never followed.
    Link(Found),
    /// The content of the folder at this path has been gone through.
    Leave(PathBuf),
}

/// Something on disk.
#[derive(Debug)]
pub(super) struct Found {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its place in the tree: `outputs/a.txt`, with the separators of this machine, empty for the root.
    pub(super) relative: PathBuf,
    /// What the file system says about it, links not followed.
    pub(super) metadata: Metadata,
}

impl Found {
    /// Its last name, as bytes. Empty for the root.
    pub(super) fn name(&self) -> &[u8] {
        self.relative.file_name().unwrap_or_default().as_encoded_bytes()
    }

    /// Its place in the tree as it is written in archives: `outputs/a.txt`, empty for the root. `None` when a name is not UTF-8.
    pub(super) fn slashed(&self) -> Option<String> {
        let names: Option<Vec<_>> = self.relative.iter().map(|name| name.to_str()).collect();
        Some(names?.join("/"))
    }
}

/// Goes through all that is at and below a path. It holds the names of the folders that it is in, not of the whole tree, and does
/// not recurse: a deep tree costs no stack.
#[derive(Debug)]
pub(super) struct Walk {
    /// The root, until the first step.
    start: Option<Found>,
    /// The folders that the walk is in.
    open: Vec<Level>,
    /// What to do with names that start with a dot.
    hidden: Hidden,
    /// What errors say was being done.
    operation: &'static str,
}

/// A folder that the walk is in.
#[derive(Debug)]
struct Level {
    /// Where it is.
    path: PathBuf,
    /// Its place in the tree.
    relative: PathBuf,
    /// The names in it that are still to come.
    names: std::vec::IntoIter<OsString>,
}

impl Walk {
    /// Starts at `root`, which may be a file or a link too. `operation` is what errors say was being done.
    pub(super) fn new(root: &Path, hidden: Hidden, operation: &'static str) -> Result<Self> {
        let metadata = root.symlink_metadata().map_err(|error| Error::io(operation, root, error))?;
        let start = Found { path: root.to_owned(), relative: PathBuf::new(), metadata };
        Ok(Self { start: Some(start), open: Vec::new(), hidden, operation })
    }

    /// Turns what was found into a step, and lists it when it is a folder.
    fn step(&mut self, found: Found) -> Result<Step> {
        let kind = found.metadata.file_type();
        if kind.is_dir() {
            let names = self.names(&found.path).map_err(|error| Error::io(self.operation, &found.path, error))?;
            self.open.push(Level { path: found.path.clone(), relative: found.relative.clone(), names });
            return Ok(Step::Enter(found));
        }
        if kind.is_symlink() {
            return Ok(Step::Link(found));
        }
        if kind.is_file() {
            return Ok(Step::File(found));
        }
        Err(Error::new(ErrorKind::InvalidInput, self.operation)
            .with_message(format_args!("{} is neither a file, a folder nor a link", found.path.display()))
            .with_help("remove pipes, sockets and devices from the folder"))
    }

    /// The names in a folder, sorted.
    fn names(&self, folder: &Path) -> std::io::Result<std::vec::IntoIter<OsString>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name();
            if !self.hidden.leaves_out(name.as_encoded_bytes()) {
                names.push(name);
            }
        }
        names.sort_unstable_by(|a, b| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
        Ok(names.into_iter())
    }
}

impl Iterator for Walk {
    type Item = Result<Step>;

    fn next(&mut self) -> Option<Result<Step>> {
        if let Some(root) = self.start.take() {
            return Some(self.step(root));
        }
        let level = self.open.last_mut()?;
        let Some(name) = level.names.next() else {
            return self.open.pop().map(|level| Ok(Step::Leave(level.path)));
        };
        let (path, relative) = (level.path.join(&name), level.relative.join(&name));
        let found = match path.symlink_metadata() {
            Ok(metadata) => Found { path, relative, metadata },
            Err(error) => return Some(Err(Error::io(self.operation, &path, error))),
        };
        Some(self.step(found))
    }
}
