//! The id of a file, from its bytes as they come.

use super::block::{self, Kind, Node};

/// How many bytes of a file one leaf holds.
const CHUNK: usize = 262_144;
/// How many links a block of a file has at most.
const WIDTH: usize = 174;

/// Hashes a file from its bytes, however they are cut, in constant memory.
///
/// ```
/// use lilypad_sdk::result::unixfs::FileHasher;
///
/// let mut file = FileHasher::default();
/// file.update(b"hello ");
/// file.update(b"world\n");
/// assert_eq!(file.finish().cid().as_str(), "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o");
/// ```
#[derive(Debug, Default)]
pub struct FileHasher {
    /// Bytes that do not fill a chunk yet.
    pending: Vec<u8>,
    /// The unfinished right edge of the tree, leaves first: at each height, the parts that have no parent yet.
    edge: Vec<Vec<Part>>,
}

/// A piece of the file that is hashed already.
#[derive(Debug)]
struct Part {
    /// Its block.
    node: Node,
    /// How many bytes of the file it holds.
    bytes: u64,
}

impl FileHasher {
    /// Takes the next bytes of the file.
    pub fn update(&mut self, mut bytes: &[u8]) {
        if !self.pending.is_empty() {
            let room = CHUNK - self.pending.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if self.pending.len() < CHUNK {
                return;
            }
            let chunk = std::mem::take(&mut self.pending);
            self.push_chunk(&chunk);
            self.pending = chunk;
            self.pending.clear();
        }
        let mut chunks = bytes.chunks_exact(CHUNK);
        for chunk in &mut chunks {
            self.push_chunk(chunk);
        }
        self.pending.extend_from_slice(chunks.remainder());
    }

    /// The file's node, when all of its bytes have been taken.
    pub fn finish(mut self) -> Node {
        // An empty file is one empty leaf.
        if !self.pending.is_empty() || self.edge.is_empty() {
            let chunk = std::mem::take(&mut self.pending);
            self.push_chunk(&chunk);
        }
        let mut edge = self.edge.into_iter();
        let mut parts = edge.next().expect("a chunk was pushed above, or before");
        for mut above in edge {
            above.push(join(&parts));
            parts = above;
        }
        while parts.len() > 1 {
            parts = vec![join(&parts)];
        }
        parts[0].node
    }

    /// Hangs the next chunk on the tree.
    fn push_chunk(&mut self, chunk: &[u8]) {
        let mut part = Part { node: block::leaf(chunk), bytes: chunk.len() as u64 };
        for parts in &mut self.edge {
            if parts.len() < WIDTH {
                parts.push(part);
                return;
            }
            // A full row gets its parent only when more is known to follow: a file of exactly 174 chunks is one row high.
            let full = join(parts);
            parts.clear();
            parts.push(part);
            part = full;
        }
        self.edge.push(vec![part]);
    }
}

/// The parent of `parts`.
fn join(parts: &[Part]) -> Part {
    let bytes = parts.iter().map(|part| part.bytes).sum();
    let mut data = vec![0x08, Kind::File as u8];
    block::put_number(&mut data, 0x18, bytes);
    for part in parts {
        block::put_number(&mut data, 0x20, part.bytes);
    }
    Part { node: block::branch(parts.iter().map(|part| (&b""[..], &part.node)), &data), bytes }
}
