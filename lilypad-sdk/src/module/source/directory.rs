//! A plain folder, read as it is at the moment of reading.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{FILE_LIMIT, InnerPath, too_large};
use crate::error::{Error, Result};

/// A folder of this machine that holds a module.
///
/// Symbolic links are followed: people link the program they just built, and only they can name a folder.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Where it is.
    root: PathBuf,
}

impl Directory {
    /// The folder at `root`.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Reads a file. `None` if there is none at that path.
    pub(super) fn read(&self, path: &InnerPath) -> Result<Option<Vec<u8>>> {
        let full = path.segments().iter().fold(self.root.clone(), |full, segment| full.join(segment));
        let read = std::fs::File::open(&full).and_then(|file| {
            let mut content = Vec::new();
            // One byte past the limit tells a file that is too large from one that just fits.
            file.take(FILE_LIMIT as u64 + 1).read_to_end(&mut content)?;
            Ok(content)
        });
        match read {
            Ok(content) if content.len() > FILE_LIMIT => Err(too_large(path)),
            Ok(content) => Ok(Some(content)),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(Error::io("read module", &full, error)),
        }
    }
}
