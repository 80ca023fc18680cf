//! How much a program may write.

use super::{Failure, Limits};

/// Counts what a program has written, and ends it when it is too much.
///
/// A full disk is something that programs handle in ways of their own, often by ending with half of an output and exit code 0. A
/// job that outgrows its limits therefore fails as a whole, with the limit in its reason.
#[derive(Debug)]
pub(super) struct Quota {
    bytes: u64,
    files: u32,
    byte_limit: u64,
    file_limit: u32,
}

impl Quota {
    /// Nothing written yet.
    pub(super) fn new(limits: &Limits) -> Self {
        Self { bytes: 0, files: 0, byte_limit: limits.output_bytes, file_limit: limits.files }
    }

    /// Takes `bytes` more.
    pub(super) fn take_bytes(&mut self, bytes: u64) -> Result<(), Failure> {
        match self.bytes.checked_add(bytes) {
            Some(total) if total <= self.byte_limit => self.bytes = total,
            _ => return Err(Failure::OutputBytes { limit: self.byte_limit }),
        }
        Ok(())
    }

    /// Gives back what a removed or shortened file held.
    pub(super) fn return_bytes(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Takes one more file or folder.
    pub(super) fn take_file(&mut self) -> Result<(), Failure> {
        if self.files >= self.file_limit {
            return Err(Failure::Files { limit: self.file_limit });
        }
        self.files += 1;
        Ok(())
    }

    /// Gives back a file or folder that is gone.
    pub(super) fn return_file(&mut self) {
        self.files = self.files.saturating_sub(1);
    }
}
