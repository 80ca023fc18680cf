//! How much an archive may hold.

use super::archive::{Entry, EntryPath, refuse};
use crate::error::Result;

/// How many bytes the paths of an archive may have altogether, so that names alone cannot fill the memory.
const PATHS_LIMIT: u64 = 32 * 1024 * 1024;

/// How much an archive may hold. The defaults suit the results and input files of any honest job.
///
/// A path may have 4096 bytes and 256 folders, a name 255 bytes, and all paths together 32 MiB; these do not change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnpackLimits {
    /// The most bytes that the files may have together. 64 GiB.
    pub max_bytes: u64,
    /// The most files and folders. 100,000.
    pub max_entries: u64,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { max_bytes: 64 * 1024 * 1024 * 1024, max_entries: 100_000 }
    }
}

/// What is left of the limits while an archive is read.
#[derive(Debug)]
pub(super) struct Budget {
    /// The limits.
    limits: UnpackLimits,
    /// What errors say was being done.
    operation: &'static str,
    /// Files and folders so far, folders that no entry announced included.
    entries: u64,
    /// Bytes of the paths so far.
    path_bytes: u64,
    /// Bytes of content so far.
    bytes: u64,
}

impl Budget {
    /// Starts with nothing spent.
    pub(super) fn new(limits: UnpackLimits, operation: &'static str) -> Self {
        Self { limits, operation, entries: 0, path_bytes: 0, bytes: 0 }
    }

    /// Spends what an entry says that it needs, before anything of it is read.
    pub(super) fn spend(&mut self, entry: &Entry) -> Result<()> {
        let name = entry.path.as_str().as_bytes();
        self.path_bytes += name.len() as u64;
        if self.path_bytes > PATHS_LIMIT {
            let reason = format_args!("brings the paths of the archive over {PATHS_LIMIT} bytes");
            return Err(refuse(self.operation, name, reason));
        }
        self.spend_entry(&entry.path)?;
        match self.bytes.checked_add(entry.size) {
            Some(bytes) if bytes <= self.limits.max_bytes => self.bytes = bytes,
            _ => {
                let reason = format_args!("brings the archive over {} bytes", self.limits.max_bytes);
                return Err(refuse(self.operation, name, reason)
                    .with_help("nothing of it was kept; raise `max_bytes` if so much is expected"));
            }
        }
        Ok(())
    }

    /// Spends one file or folder, which `path` brought.
    pub(super) fn spend_entry(&mut self, path: &EntryPath) -> Result<()> {
        self.entries += 1;
        if self.entries <= self.limits.max_entries {
            return Ok(());
        }
        let reason = format_args!("brings the archive over {} files and folders", self.limits.max_entries);
        Err(refuse(self.operation, path.as_str().as_bytes(), reason)
            .with_help("nothing of it was kept; raise `max_entries` if so many are expected"))
    }
}
