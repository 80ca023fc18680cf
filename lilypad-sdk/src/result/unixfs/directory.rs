//! The id of a folder, from the nodes of its entries.

use std::fmt;

use super::block::{self, Kind, Node};
use super::shard;

/// Names and ids of a folder's entries add up to this many bytes: the folder is sharded.
const SHARD_FROM: usize = 256 * 1024;
/// The bytes of a CIDv0.
const ID_LENGTH: usize = 34;

/// Makes a folder's node from the nodes of its entries, in any order.
///
/// Names are bytes, as file systems have them. It takes what it is given: leaving out names that start with a dot, and refusing
/// the same name twice, is up to the caller.
#[derive(Debug, Default)]
pub struct DirectoryBuilder {
    /// The entries so far.
    entries: Vec<(Box<[u8]>, Node)>,
    /// The bytes of their names and ids.
    estimate: usize,
}

impl DirectoryBuilder {
    /// Adds an entry.
    pub fn add(&mut self, name: &[u8], node: Node) {
        self.estimate += name.len() + ID_LENGTH;
        self.entries.push((name.into(), node));
    }

    /// The folder's node.
    ///
    /// # Errors
    ///
    /// When the folder is large and two of its names have the same 64-bit hash, which happens only on purpose: no such folder has
    /// an id.
    pub fn finish(mut self) -> Result<Node, NamesCollide> {
        if self.estimate >= SHARD_FROM {
            return shard::root(self.entries);
        }
        self.entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(block::branch(self.entries.iter().map(|(name, node)| (&**name, node)), &[0x08, Kind::Directory as u8]))
    }
}

/// Two names that a large folder cannot hold together: their hashes are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesCollide {
    /// One of them.
    pub first: String,
    /// The other.
    pub second: String,
}

impl fmt::Display for NamesCollide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` and `{}` have the same hash, so a large folder cannot hold both", self.first, self.second)
    }
}

impl std::error::Error for NamesCollide {}
