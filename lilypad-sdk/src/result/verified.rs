//! The one place where a result becomes a verified one.

use std::ops::Deref;

use super::files::ResultFiles;
use super::receive::Unpacked;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::DataId;

/// Bytes on disk that are what a content id promised.
///
/// Only this module makes one, and only after comparing: what takes a `Verified` (accepting and so paying for a result, above all)
/// cannot be handed anything else.
#[derive(Debug, Clone)]
pub(crate) struct Verified<T>(T);

impl Verified<Unpacked> {
    /// Compares what was unpacked with what was promised.
    pub(super) fn check(unpacked: Unpacked, expected: &DataId) -> Result<Self> {
        compare(&unpacked.node.cid(), expected, "unpack result")?;
        Ok(Self(unpacked))
    }

    /// Moves the folder into place.
    pub(super) fn place(self) -> Result<Verified<ResultFiles>> {
        self.0.place().map(Verified)
    }
}

impl Verified<ResultFiles> {
    /// Compares files whose id was just computed with what was promised.
    pub(super) fn check_files(files: ResultFiles, expected: &DataId) -> Result<Self> {
        compare(files.data_id(), expected, "look for the result")?;
        Ok(Self(files))
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Whether content with the id `actual` is what was promised.
pub(super) fn compare(actual: &DataId, expected: &DataId, operation: &'static str) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Integrity, operation)
        .with_message(format_args!("its content id is {actual}, but the result record promised {expected}"))
        .with_help("do not use it: its bytes are not those that the provider vouched for"))
}
