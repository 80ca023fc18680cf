//! Large folders: a tree of shards 256 wide, ordered by the hashes of the names.

use super::block::{self, Kind, Node};
use super::directory::NamesCollide;

/// Bits of a name's hash that one level of the tree takes.
const BITS: u32 = 8;
/// The multihash code of murmur3-x64-64, by which names are spread.
const MURMUR3: u64 = 0x22;
/// How many links a shard has at most.
const FANOUT: u64 = 256;

/// An entry of the folder with the hash of its name.
struct Hashed {
    /// The hash; its first bits choose the slot in the root.
    hash: u64,
    /// The name.
    name: Box<[u8]>,
    /// The entry.
    node: Node,
}

/// The root of a folder's shards.
pub(super) fn root(entries: Vec<(Box<[u8]>, Node)>) -> Result<Node, NamesCollide> {
    let mut entries: Vec<_> =
        entries.into_iter().map(|(name, node)| Hashed { hash: murmur3(&name), name, node }).collect();
    // Sorted by hash, the entries of one slot stand together, at every level.
    entries.sort_unstable_by(|a, b| (a.hash, &a.name).cmp(&(b.hash, &b.name)));
    if let Some([first, second]) = entries.array_windows().find(|[first, second]| first.hash == second.hash) {
        let text = |entry: &Hashed| String::from_utf8_lossy(&entry.name).into_owned();
        return Err(NamesCollide { first: text(first), second: text(second) });
    }
    Ok(shard(&entries, 0))
}

/// The shard of `entries`, whose hashes agree in all bits before `level`.
fn shard(entries: &[Hashed], level: u32) -> Node {
    let slot_of = |entry: &Hashed| (entry.hash >> (u64::BITS - BITS * (level + 1))) as u8;
    // Go keeps the set of used slots as one big-endian number without leading zeros.
    let mut used = [0u8; FANOUT as usize / 8];
    let mut links = Vec::new();
    for group in entries.chunk_by(|a, b| slot_of(a) == slot_of(b)) {
        let slot = slot_of(&group[0]);
        used[used.len() - 1 - usize::from(slot / 8)] |= 1 << (slot % 8);
        let mut name = format!("{slot:02X}").into_bytes();
        let node = match group {
            [entry] => {
                name.extend_from_slice(&entry.name);
                entry.node
            }
            // Ends at the eighth level at the latest, as no two hashes are the same.
            _ => shard(group, level + 1),
        };
        links.push((name, node));
    }
    let first_used = used.iter().position(|byte| *byte != 0).unwrap_or(used.len());
    let mut data = vec![0x08, Kind::Shard as u8];
    block::put_bytes(&mut data, 0x12, &used[first_used..]);
    block::put_number(&mut data, 0x28, MURMUR3);
    block::put_number(&mut data, 0x30, FANOUT);
    block::branch(links.iter().map(|(name, node)| (&name[..], node)), &data)
}

/// The first half of murmur3's 128-bit hash for 64-bit machines, with seed 0.
fn murmur3(bytes: &[u8]) -> u64 {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;
    let scramble_1 = |word: u64| word.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let scramble_2 = |word: u64| word.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    // The two little-endian words of a block of up to 16 bytes.
    let words = |block: &[u8]| {
        let mut padded = [0; 16];
        padded[..block.len()].copy_from_slice(block);
        let both = u128::from_le_bytes(padded);
        (both as u64, (both >> 64) as u64)
    };

    let (mut h1, mut h2) = (0u64, 0u64);
    let mut blocks = bytes.chunks_exact(16);
    for block in &mut blocks {
        let (k1, k2) = words(block);
        h1 = (h1 ^ scramble_1(k1)).rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 = (h2 ^ scramble_2(k2)).rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    // Missing bytes are zero, and zero words scramble to zero: the tail needs no case of its own.
    let (k1, k2) = words(blocks.remainder());
    h2 ^= scramble_2(k2);
    h1 ^= scramble_1(k1);

    let length = bytes.len() as u64;
    h1 ^= length;
    h2 ^= length;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    let finish = |mut hash: u64| {
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    };
    finish(h1).wrapping_add(finish(h2))
}

#[cfg(test)]
mod tests {
    use super::murmur3;

    #[test]
    fn murmur3_gives_the_published_values() {
        for (text, hash) in [
            ("", 0),
            ("hello", 0xcbd8_a7b3_41bd_9b02),
            ("hello, world", 0x342f_ac62_3a5e_bc8e),
            ("19 Jan 2038 at 3:14:07 AM", 0xb89e_5988_b737_affc),
            ("The quick brown fox jumps over the lazy dog.", 0xcd99_481f_9ee9_02c9),
        ] {
            assert_eq!(murmur3(text.as_bytes()), hash, "{text}");
        }
    }
}
