//! Ids of files and folders, built top-down from the whole content.

use std::collections::BTreeMap;

use super::content_id::{Field, base58, message, multihash};

/// Bytes of a leaf.
pub const CHUNK: usize = 256 * 1024;
/// Links of a block of a file.
pub const WIDTH: usize = 174;
/// Names and ids of this many bytes make a folder a tree of shards.
const SHARDED: usize = 256 * 1024;

/// A block: its multihash, the bytes of everything below it, and how much of a file it holds.
#[derive(Debug, Clone)]
pub struct Block {
    /// The multihash.
    hash: Vec<u8>,
    /// Bytes of this block and all below it.
    total: u64,
    /// Bytes of the file that it holds.
    content: u64,
}

impl Block {
    /// Its content id.
    pub fn id(&self) -> String {
        base58(&self.hash)
    }

    /// A block with these links, by name, and this data.
    fn new(links: &[(Vec<u8>, Block)], data: &[u8], content: u64) -> Self {
        let encoded: Vec<_> = links
            .iter()
            .map(|(name, block)| {
                message(&[(1, Field::Bytes(&block.hash)), (2, Field::Bytes(name)), (3, Field::Number(block.total))])
            })
            .collect();
        // Links come before the data, though their number is higher.
        let mut fields: Vec<_> = encoded.iter().map(|link| (2, Field::Bytes(link))).collect();
        fields.push((1, Field::Bytes(data)));
        let bytes = message(&fields);
        let below: u64 = links.iter().map(|(_, block)| block.total).sum();
        Self { hash: multihash(&bytes), total: bytes.len() as u64 + below, content }
    }
}

/// The block of a file.
pub fn file(bytes: &[u8]) -> Block {
    let mut rows = 1;
    while CHUNK * WIDTH.pow(rows - 1) < bytes.len() {
        rows += 1;
    }
    part(bytes, rows - 1)
}

/// The block of a part of a file, with this many rows of blocks below it.
fn part(bytes: &[u8], below: u32) -> Block {
    if below == 0 {
        let size = bytes.len() as u64;
        let mut fields = vec![(1, Field::Number(2))];
        if !bytes.is_empty() {
            fields.push((2, Field::Bytes(bytes)));
        }
        fields.push((3, Field::Number(size)));
        return Block::new(&[], &message(&fields), size);
    }
    let parts = bytes.chunks(CHUNK * WIDTH.pow(below - 1));
    let links: Vec<_> = parts.map(|bytes| (Vec::new(), part(bytes, below - 1))).collect();
    let mut fields = vec![(1, Field::Number(2)), (3, Field::Number(bytes.len() as u64))];
    fields.extend(links.iter().map(|(_, block)| (4, Field::Number(block.content))));
    Block::new(&links, &message(&fields), bytes.len() as u64)
}

/// The block of a folder.
pub fn folder(entries: &BTreeMap<Vec<u8>, Block>) -> Block {
    if entries.iter().map(|(name, block)| name.len() + block.hash.len()).sum::<usize>() >= SHARDED {
        let mut root = Shard::default();
        for (name, block) in entries {
            root.insert(hash(name), name.clone(), block.clone(), 0);
        }
        return root.block();
    }
    let links: Vec<_> = entries.iter().map(|(name, block)| (name.clone(), block.clone())).collect();
    Block::new(&links, &message(&[(1, Field::Number(1))]), 0)
}

/// A piece of a large folder, into which entries are put one by one.
#[derive(Default)]
struct Shard(BTreeMap<u8, Slot>);

/// What one of the 256 slots of a shard holds.
enum Slot {
    /// One entry, with the bytes of its name's hash.
    Entry([u8; 8], Vec<u8>, Block),
    /// Those entries whose hashes agree so far.
    Shard(Shard),
}

impl Shard {
    /// Puts an entry in, the first `depth` bytes of its hash being spent.
    fn insert(&mut self, hash: [u8; 8], name: Vec<u8>, block: Block, depth: usize) {
        match self.0.remove(&hash[depth]) {
            None => drop(self.0.insert(hash[depth], Slot::Entry(hash, name, block))),
            Some(Slot::Entry(other_hash, other_name, other_block)) => {
                let mut shard = Self::default();
                shard.insert(other_hash, other_name, other_block, depth + 1);
                shard.insert(hash, name, block, depth + 1);
                self.0.insert(hash[depth], Slot::Shard(shard));
            }
            Some(Slot::Shard(mut shard)) => {
                shard.insert(hash, name, block, depth + 1);
                self.0.insert(hash[depth], Slot::Shard(shard));
            }
        }
    }

    /// Its block.
    fn block(&self) -> Block {
        let links: Vec<_> = self
            .0
            .iter()
            .map(|(at, slot)| match slot {
                Slot::Entry(_, name, block) => ([format!("{at:02X}").as_bytes(), name].concat(), block.clone()),
                Slot::Shard(shard) => (format!("{at:02X}").into_bytes(), shard.block()),
            })
            .collect();
        // Bit n of the number stands for slot n; the number is written with its highest byte first.
        let highest = self.0.keys().next_back().map_or(0, |at| usize::from(*at));
        let used: Vec<u8> = (0..=highest / 8)
            .rev()
            .map(|byte| (0..8u8).filter(|bit| self.0.contains_key(&(byte as u8 * 8 + bit))).map(|bit| 1 << bit).sum())
            .collect();
        let data = message(&[
            (1, Field::Number(5)),
            (2, Field::Bytes(&used)),
            (5, Field::Number(0x22)),
            (6, Field::Number(256)),
        ]);
        Block::new(&links, &data, 0)
    }
}

/// The first eight bytes of a name's murmur3 (x64, 128 bits, seed 0), which choose its slots.
fn hash(name: &[u8]) -> [u8; 8] {
    const FIRST: u64 = 0x87c3_7b91_1142_53d5;
    const SECOND: u64 = 0x4cf5_ad43_2745_937f;
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    let mut state = [0u64; 2];
    let full = name.len() / 16 * 16;
    for block in name[..full].chunks(16) {
        let (low, high) = (word(&block[..8]), word(&block[8..]));
        state[0] ^= low.wrapping_mul(FIRST).rotate_left(31).wrapping_mul(SECOND);
        state[0] = state[0].rotate_left(27).wrapping_add(state[1]).wrapping_mul(5).wrapping_add(1_390_208_809);
        state[1] ^= high.wrapping_mul(SECOND).rotate_left(33).wrapping_mul(FIRST);
        state[1] = state[1].rotate_left(31).wrapping_add(state[0]).wrapping_mul(5).wrapping_add(944_331_445);
    }
    let tail = &name[full..];
    if tail.len() > 8 {
        state[1] ^= word(&tail[8..]).wrapping_mul(SECOND).rotate_left(33).wrapping_mul(FIRST);
    }
    if !tail.is_empty() {
        state[0] ^= word(&tail[..tail.len().min(8)]).wrapping_mul(FIRST).rotate_left(31).wrapping_mul(SECOND);
    }
    state = state.map(|half| half ^ name.len() as u64);
    state[0] = state[0].wrapping_add(state[1]);
    state[1] = state[1].wrapping_add(state[0]);
    let [first, second] = state.map(|mut half| {
        for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
            half = (half ^ half >> 33).wrapping_mul(factor);
        }
        half ^ half >> 33
    });
    first.wrapping_add(second).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_ids_come_out() {
        // What `ipfs add` prints for these.
        assert_eq!(file(b"hello world\n").id(), "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o");
        assert_eq!(file(b"").id(), "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH");
        assert_eq!(folder(&BTreeMap::new()).id(), "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
        assert_eq!(hash(b"hello, world"), 0x342f_ac62_3a5e_bc8e_u64.to_be_bytes());
        let mut large: BTreeMap<Vec<u8>, Block> = (0..6552).map(|at| (format!("f{at:05}").into(), file(b""))).collect();
        large.insert("l".repeat(30).into(), file(b"last"));
        assert_eq!(folder(&large).id(), "QmfKCyCcS1QL8h4imFVzv97su4bk8ar6UjSinFejbAHzdg");
    }
}
