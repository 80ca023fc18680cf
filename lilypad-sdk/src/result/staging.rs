//! A folder that is made out of sight and appears all at once.

use std::fs::File;
use std::io::{self, ErrorKind as Io};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Error, ErrorKind, Result};

/// What the folder's name starts with while it is being made, so that people recognise what a crash left behind.
const PREFIX: &str = ".lilypad-partial-";

/// Finds out whether a result could be put into `folder`, so that nobody pays for one that cannot. Leaves nothing behind but the folders
/// around it. Blocks.
///
/// # Errors
/// [`ErrorKind::Io`] if it exists and is not empty, or cannot be written.
pub fn check_destination(folder: impl AsRef<Path>) -> Result<()> {
    Staging::beside(folder.as_ref(), "prepare the result's folder").map(drop)
}

/// A temporary folder on the file system of its destination. Removed when it is dropped before [`commit`](Self::commit).
#[derive(Debug)]
pub(super) struct Staging {
    /// The folder being made.
    temporary: TempDir,
    /// Where it will be.
    destination: PathBuf,
    /// What errors say was being done.
    operation: &'static str,
    /// The folder, open from the beginning: a failed write in the background is told only to those who were there.
    #[cfg(target_os = "linux")]
    opened: File,
}

impl Staging {
    /// Starts a folder that will be `destination`. Folders around it are made as needed.
    pub(super) fn beside(destination: &Path, operation: &'static str) -> Result<Self> {
        if destination.file_name().is_none() {
            return Err(Error::new(ErrorKind::InvalidInput, operation)
                .with_message(format_args!("`{}` is not the name of a new folder", destination.display()))
                .with_help("name a folder that does not exist yet"));
        }
        // Asked before any work, to spare a long download; what decides is the rename at the end.
        if is_taken(destination).map_err(|error| Error::io(operation, destination, error))? {
            return Err(taken(destination, operation));
        }
        let around = match destination.parent() {
            Some(around) if !around.as_os_str().is_empty() => around,
            _ => Path::new("."),
        };
        let temporary = std::fs::create_dir_all(around)
            .and_then(|()| new_folder().tempdir_in(around))
            .map_err(|error| Error::io(operation, around, error))?;
        Ok(Self {
            #[cfg(target_os = "linux")]
            opened: File::open(temporary.path()).map_err(|error| Error::io(operation, temporary.path(), error))?,
            temporary,
            destination: destination.to_owned(),
            operation,
        })
    }

    /// Where the folder is while it is being made.
    pub(super) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Writes everything through to the disk, so that the folder survives a loss of power once it is in place.
    #[cfg(target_os = "linux")]
    pub(super) fn sync(&self) -> Result<()> {
        // The whole file system at once: file by file, thousands of small files take half a minute instead of an instant.
        rustix::fs::syncfs(&self.opened).map_err(|error| Error::io(self.operation, self.path(), error.into()))
    }

    /// Writes everything through to the disk, so that the folder survives a loss of power once it is in place.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn sync(&self) -> Result<()> {
        use super::walk::{Hidden, Step, Walk};
        for step in Walk::new(self.path(), Hidden::Keep, self.operation)? {
            let (path, outcome) = match step? {
                Step::File(found) => {
                    let outcome = File::options().write(true).open(&found.path).and_then(|file| file.sync_all());
                    (found.path, outcome)
                }
                Step::Leave(path) => {
                    let outcome = sync_folder(&path);
                    (path, outcome)
                }
                Step::Enter(_) | Step::Link(_) => continue,
            };
            outcome.map_err(|error| Error::io(self.operation, &path, error))?;
        }
        Ok(())
    }

    /// Moves the folder into place. Never replaces anything but an empty folder: a rename does not.
    pub(super) fn commit(self) -> Result<PathBuf> {
        let Self { temporary, destination, operation, .. } = self;
        match std::fs::rename(temporary.path(), &destination) {
            Ok(()) => {}
            Err(_) if is_taken(&destination).unwrap_or(false) => return Err(taken(&destination, operation)),
            Err(error) => return Err(Error::io(operation, &destination, error)),
        }
        // It has moved: there is nothing left to remove.
        let _ = temporary.keep();
        if let Some(around) = destination.parent().filter(|around| !around.as_os_str().is_empty()) {
            // The folder is in place and complete. That a file system cannot sync its parent is no reason to say otherwise.
            let _ = sync_folder(around);
        }
        Ok(destination)
    }
}

/// How a folder is made that will stay: its owner writes, others read, as far as the process's mask lets them.
fn new_folder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o755));
    }
    builder
}

/// Whether something other than an empty folder is at `path`.
fn is_taken(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(path.read_dir()?.next().is_some()),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == Io::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The error for a destination that is in use.
pub(super) fn taken(path: &Path, operation: &'static str) -> Error {
    Error::new(ErrorKind::Io, operation)
        .with_message(format_args!("{} exists already", path.display()))
        .with_help("nothing was overwritten: remove it, or choose another name")
}

/// Writes a folder's list of names through to the disk.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Writes a folder's list of names through to the disk. There is no way to ask for it here.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Copies the file `from` to `to`, which must not exist. It appears there complete or not at all.
pub(super) fn persist_file(from: &Path, to: &Path, operation: &'static str) -> Result<()> {
    if to.symlink_metadata().is_ok() {
        return Err(taken(to, operation));
    }
    let around = match to.parent() {
        Some(around) if !around.as_os_str().is_empty() => around,
        _ => Path::new("."),
    };
    let mut source = File::open(from).map_err(|error| Error::io(operation, from, error))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    let mut copy = std::fs::create_dir_all(around)
        .and_then(|()| builder.tempfile_in(around))
        .map_err(|error| Error::io(operation, around, error))?;
    io::copy(&mut source, copy.as_file_mut())
        .and_then(|_| copy.as_file().sync_all())
        .map_err(|error| Error::io(operation, to, error))?;
    match copy.persist_noclobber(to) {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == Io::AlreadyExists => Err(taken(to, operation)),
        Err(failed) => Err(Error::io(operation, to, failed.error)),
    }
}
