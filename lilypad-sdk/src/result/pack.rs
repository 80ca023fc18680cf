//! Packing a folder into the tar that travels: results on their way from a provider, input files on their way to one.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use super::archive::{self, Kind};
use super::walk::{Found, Hidden, Step, Walk};
use crate::error::{Error, ErrorKind, Result};

/// What errors say was being done.
const OPERATION: &str = "pack folder";
/// How many bytes of a file are read at once.
const READ: usize = 256 * 1024;

/// Writes `folder` to `writer` as the reference packs results and input files: an entry `.`, then names sorted, every folder before
/// its content, modes 644 and 755. Owners and times are left out, so that the same folder always gives the same bytes.
///
/// Names that start with a dot travel too, although they are not part of a result's id. Blocks the thread; memory does not grow
/// with the files.
///
/// # Errors
///
/// When something cannot be read or written, is neither a file nor a folder (links do not travel), has a name that is not UTF-8, or
/// changes its size meanwhile.
pub fn pack_directory(folder: impl AsRef<Path>, mut writer: impl Write) -> Result<()> {
    let folder = folder.as_ref();
    for step in Walk::new(folder, Hidden::Keep, OPERATION)? {
        match step? {
            Step::Enter(found) => {
                let header = archive::entry_header(&entry_name(&found)?, Kind::Folder, false, 0);
                writer.write_all(&header).map_err(write_failed)?;
            }
            Step::File(found) if found.relative.as_os_str().is_empty() => {
                return Err(refuse(&found.path, "is a file, not a folder"));
            }
            Step::File(found) => pack_file(&found, &mut writer)?,
            Step::Link(found) => {
                return Err(refuse(&found.path, "is a symbolic link").with_help("put the file itself in its place"));
            }
            Step::Leave(_) => {}
        }
    }
    writer.write_all(&archive::END).and_then(|()| writer.flush()).map_err(write_failed)
}

/// Writes one file with its header.
fn pack_file(found: &Found, writer: &mut impl Write) -> Result<()> {
    let failed = |error| Error::io(OPERATION, &found.path, error);
    let file = File::open(&found.path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let size = metadata.len();
    writer
        .write_all(&archive::entry_header(&entry_name(found)?, Kind::File, is_executable(&metadata), size))
        .map_err(write_failed)?;

    let mut content = BufReader::with_capacity(READ, Watched { file, failed: false });
    let copied = match io::copy(&mut content.by_ref().take(size), writer) {
        Ok(copied) => copied,
        Err(error) if content.get_ref().failed => return Err(failed(error)),
        Err(error) => return Err(write_failed(error)),
    };
    let mut more = [0];
    // The size is in the header already: a file that grew or shrank can no longer be told truly.
    if copied != size || content.read(&mut more).map_err(failed)? != 0 {
        return Err(refuse(&found.path, "changed while it was packed"));
    }
    writer.write_all(&[0; archive::BLOCK][..archive::padding(size)]).map_err(write_failed)
}

/// A file that remembers whether it was reading that failed, for a copy that reads and writes.
struct Watched {
    /// The file.
    file: File,
    /// Whether a read failed.
    failed: bool,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let outcome = self.file.read(buffer);
        self.failed = outcome.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        outcome
    }
}

/// The name of what was found, as it stands in the archive.
fn entry_name(found: &Found) -> Result<String> {
    match found.slashed() {
        Some(root) if root.is_empty() => Ok(".".to_owned()),
        Some(name) => Ok(name),
        None => Err(refuse(&found.path, "has a name that is not UTF-8").with_help("rename it")),
    }
}

/// Whether the owner may run the file.
#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

/// Whether the owner may run the file. Nothing says so here.
#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}

/// The error for something that does not travel.
fn refuse(path: &Path, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, OPERATION).with_message(format_args!("{} {reason}", path.display()))
}

/// The error for a writer that does not take the archive.
fn write_failed(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, OPERATION).with_source(error)
}
