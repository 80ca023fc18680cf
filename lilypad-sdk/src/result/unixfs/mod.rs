//! Content ids of files and folders, the same as `ipfs add -Qrn PATH` prints.
//!
//! A file is cut into chunks of 262144 bytes, which hang on a balanced tree 174 links wide; a folder links its entries by name, and
//! spreads them over a tree of shards when it is large. Every block is dag-pb, every id a CIDv0. Modes and times are not part of an
//! id, nor is anything whose name starts with a dot.
//!
//! [`FileHasher`] and [`DirectoryBuilder`] never see a disk; [`cid_of_path`] does.

mod block;
mod directory;
mod disk;
mod file;
mod shard;

pub use block::{Node, symlink};
pub use directory::{DirectoryBuilder, NamesCollide};
pub use disk::cid_of_path;
pub use file::FileHasher;

#[cfg(test)]
mod tests;
