//! The tar format, as strictly as strangers deserve: written as the reference writes it, read without following a single trick.
//!
//! Only regular files and folders exist here. Whatever could make two readers see different archives (links, sparse files, global
//! headers, names or sizes given twice, bytes after the end) is refused rather than interpreted.

mod header;
mod name;
mod pax;
mod reader;
mod writer;

pub(super) use name::EntryPath;
pub(super) use reader::{Entry, Reader, refuse};
pub(super) use writer::{END, entry_header};

/// Everything in a tar is a multiple of this many bytes long.
pub(super) const BLOCK: usize = 512;

/// How many bytes of zeros follow `size` bytes of content, up to the next block.
pub(super) fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK as u64) - size) as usize
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}
