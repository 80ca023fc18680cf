//! Compression as zlib does it, in its simplest useful form: one block, the fixed code of RFC 1951, the latest match.

/// Bytes that a match has at least, and at most.
const MATCH: std::ops::RangeInclusive<usize> = 3..=258;
/// How far back a match can be.
const WINDOW: usize = 32768;
/// Places of the table that remembers where three bytes were last seen.
const SLOTS: usize = 1 << 15;

/// `bytes`, compressed, with zlib's frame (RFC 1950).
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut bits = Bits { bytes: vec![0x78, 0x01], buffer: 0, used: 0 };
    // The last block, with the fixed code.
    bits.put(1, 1);
    bits.put(1, 2);
    // Where the last three bytes with this hash began, plus 1; 0 for nowhere.
    let mut seen = vec![0u32; SLOTS];
    let mut position = 0;
    while position < bytes.len() {
        let found = match bytes.get(position..position + MATCH.start()) {
            Some(key) => {
                let key = key.iter().fold(0u32, |key, byte| key << 8 | u32::from(*byte));
                let slot = (key.wrapping_mul(0x9e37_79b1) >> 17) as usize;
                std::mem::replace(&mut seen[slot], position as u32 + 1) as usize
            }
            None => 0,
        };
        let distance = position + 1 - found;
        let length = if found > 0 && distance <= WINDOW { common(&bytes[found - 1..], &bytes[position..]) } else { 0 };
        if MATCH.contains(&length) {
            bits.put_length(length as u32);
            bits.put_distance(distance as u32);
            position += length;
        } else {
            bits.put_symbol(u32::from(bytes[position]));
            position += 1;
        }
    }
    // The end of the block.
    bits.put_symbol(256);
    let mut file = bits.finish();
    file.extend_from_slice(&adler32(bytes).to_be_bytes());
    file
}

/// How many bytes are the same, up to the longest match.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take(*MATCH.end()).take_while(|(a, b)| a == b).count()
}

/// A file that is written bit by bit, lowest bit first.
struct Bits {
    bytes: Vec<u8>,
    buffer: u32,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.buffer |= value << self.used;
        self.used += count;
        while self.used >= 8 {
            self.bytes.push(self.buffer as u8);
            self.buffer >>= 8;
            self.used -= 8;
        }
    }

    /// Codes go highest bit first.
    fn put_code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    /// A byte, the end, or the first part of a length, in the fixed code.
    fn put_symbol(&mut self, symbol: u32) {
        match symbol {
            0..=143 => self.put_code(0x30 + symbol, 8),
            144..=255 => self.put_code(0x190 + symbol - 144, 9),
            256..=279 => self.put_code(symbol - 256, 7),
            _ => self.put_code(0xc0 + symbol - 280, 8),
        }
    }

    /// Lengths come in groups of four symbols, each group with one extra bit more; the longest has a symbol of its own.
    fn put_length(&mut self, length: u32) {
        match length {
            258 => self.put_symbol(285),
            3..=10 => self.put_symbol(254 + length),
            _ => {
                let rest = length - 3;
                let extra = rest.ilog2() - 2;
                self.put_symbol(257 + 4 * extra + (rest >> extra));
                self.put(rest & ((1 << extra) - 1), extra);
            }
        }
    }

    /// Distances come in pairs, each pair with one extra bit more.
    fn put_distance(&mut self, distance: u32) {
        let rest = distance - 1;
        if rest < 4 {
            self.put_code(rest, 5);
            return;
        }
        let extra = rest.ilog2() - 1;
        self.put_code(2 * extra + (rest >> extra), 5);
        self.put(rest & ((1 << extra) - 1), extra);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.used > 0 {
            self.bytes.push(self.buffer as u8);
        }
        self.bytes
    }
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    // The longest run after which the sums still fit into 32 bits.
    for run in bytes.chunks(5552) {
        for byte in run {
            a += u32::from(*byte);
            b += a;
        }
        (a, b) = (a % 65521, b % 65521);
    }
    b << 16 | a
}
