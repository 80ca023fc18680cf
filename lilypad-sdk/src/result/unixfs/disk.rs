//! The id of what is on a disk.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{DirectoryBuilder, FileHasher, Node, symlink};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::DataId;
use crate::result::walk::{Hidden, Step, Walk};

/// What errors say was being done.
const OPERATION: &str = "compute content id";
/// How many bytes of a file are read at once.
const READ: usize = 256 * 1024;

/// The content id of the file or folder at `path`, the same as `ipfs add -Qrn PATH` prints.
///
/// Symbolic links are hashed as links, also `path` itself. Names that start with a dot are left out, except `path` itself. Blocks
/// the thread while it reads.
///
/// # Errors
///
/// When something cannot be read, or is neither file, folder nor link.
pub fn cid_of_path(path: impl AsRef<Path>) -> Result<DataId> {
    let path = path.as_ref();
    let mut buffer = vec![0; READ];
    // The folders that the walk is in, outermost first, each with the name it has in the one around it.
    let mut open: Vec<(Vec<u8>, DirectoryBuilder)> = Vec::new();
    for step in Walk::new(path, Hidden::Skip, OPERATION)? {
        let (name, node) = match step? {
            Step::Enter(found) => {
                open.push((found.name().to_vec(), DirectoryBuilder::default()));
                continue;
            }
            Step::File(found) => (found.name().to_vec(), hash_file(&found.path, &mut buffer)?),
            Step::Link(found) => {
                let target =
                    std::fs::read_link(&found.path).map_err(|error| Error::io(OPERATION, &found.path, error))?;
                (found.name().to_vec(), symlink(target.as_os_str().as_encoded_bytes()))
            }
            Step::Leave(folder) => {
                let (name, builder) = open.pop().expect("every folder that is left was entered");
                let node = builder.finish().map_err(|collision| {
                    Error::new(ErrorKind::InvalidInput, OPERATION)
                        .with_message(format_args!("{}: {collision}", folder.display()))
                })?;
                (name, node)
            }
        };
        match open.last_mut() {
            Some((_, around)) => around.add(&name, node),
            None => return Ok(node.cid()),
        }
    }
    unreachable!("a walk ends with the step that closes its root")
}

/// Hashes the file at `path`.
fn hash_file(path: &Path, buffer: &mut [u8]) -> Result<Node> {
    let failed = |error| Error::io(OPERATION, path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = FileHasher::default();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}
