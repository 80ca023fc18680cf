//! One block: the dag-pb bytes of a node, its digest and its size.

use sha2::{Digest, Sha256};

use crate::protocol::DataId;
use crate::protocol::content_id::cid_v0;

/// The first two bytes of a binary CIDv0: the multihash is sha2-256, 32 bytes long.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// What a UnixFS node is, as the wire numbers it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A folder whose links are all in one block.
    Directory = 1,
    /// A file, or a piece of one.
    File = 2,
    /// A symbolic link.
    Symlink = 4,
    /// A piece of a folder that is spread over many blocks.
    Shard = 5,
}

/// A file, folder or link that has been hashed: enough to name it and to link to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The sha2-256 of its block.
    digest: [u8; 32],
    /// The bytes of its block and of every block below it, which links carry along.
    size: u64,
}

impl Node {
    /// The content id.
    pub fn cid(&self) -> DataId {
        cid_v0(self.digest).parse().expect("a sha2-256 digest written as CIDv0 is a content id")
    }

    /// The size of all blocks together. A little more than the bytes of the files, as the blocks have frames.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({}, {} bytes)", self.cid(), self.size)
    }
}

/// A symbolic link to `target`, which need not exist.
pub fn symlink(target: &[u8]) -> Node {
    let mut data = vec![0x08, Kind::Symlink as u8];
    put_bytes(&mut data, 0x12, target);
    branch(std::iter::empty(), &data)
}

/// A block with links to `children` and `data`, the UnixFS message.
pub(super) fn branch<'a>(children: impl Iterator<Item = (&'a [u8], &'a Node)>, data: &[u8]) -> Node {
    let mut block = Vec::new();
    let mut below = 0;
    for (name, child) in children {
        let mut link = Vec::with_capacity(48 + name.len());
        link.extend_from_slice(&[0x0a, 34]);
        link.extend_from_slice(&SHA2_256);
        link.extend_from_slice(&child.digest);
        // The name is written even when it is empty, as Go does: the id depends on it.
        put_bytes(&mut link, 0x12, name);
        put_number(&mut link, 0x18, child.size);
        put_bytes(&mut block, 0x12, &link);
        below += child.size;
    }
    put_bytes(&mut block, 0x0a, data);
    Node { digest: Sha256::digest(&block).into(), size: block.len() as u64 + below }
}

/// A block that holds one chunk of a file. Hashed in place: the chunk is never copied.
pub(super) fn leaf(chunk: &[u8]) -> Node {
    let mut before = vec![0x08, Kind::File as u8];
    if !chunk.is_empty() {
        put_number(&mut before, 0x12, chunk.len() as u64);
    }
    let mut after = Vec::new();
    put_number(&mut after, 0x18, chunk.len() as u64);
    let mut frame = Vec::new();
    put_number(&mut frame, 0x0a, (before.len() + chunk.len() + after.len()) as u64);

    let mut sha = Sha256::new();
    for part in [&frame, &before, chunk, &after] {
        sha.update(part);
    }
    Node { digest: sha.finalize().into(), size: (frame.len() + before.len() + chunk.len() + after.len()) as u64 }
}

/// Appends a protobuf field that holds bytes.
pub(super) fn put_bytes(message: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    put_number(message, tag, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

/// Appends a protobuf field that holds a number.
pub(super) fn put_number(message: &mut Vec<u8>, tag: u8, mut number: u64) {
    message.push(tag);
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}
