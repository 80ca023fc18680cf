//! SHA-256, as FIPS 180-4 describes it.

/// The checksum of `bytes` in hexadecimal, as `sha256sum` prints it.
pub fn sha256(bytes: &[u8]) -> String {
    let primes: Vec<u32> = (2..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0)).take(64).collect();
    // The first 32 bits behind the point: of the primes' cube roots, and of the first eight primes' square roots.
    let keys: Vec<u32> = primes.iter().map(|prime| fraction(*prime, 3)).collect();
    let mut state: Vec<u32> = primes[..8].iter().map(|prime| fraction(*prime, 2)).collect();

    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        compress(&mut state, &keys, block);
    }
    state.iter().map(|word| format!("{word:08x}")).collect()
}

/// The first 32 bits behind the point of `number`'s root: the largest `root` whose power is not above `number << (32 * power)`.
fn fraction(number: u32, power: u32) -> u32 {
    let target = u128::from(number) << (32 * power);
    let mut root = 0u128;
    for bit in (0..40).rev() {
        let candidate = root | 1 << bit;
        if candidate.pow(power) <= target {
            root = candidate;
        }
    }
    root as u32
}

fn compress(state: &mut [u32], keys: &[u32], block: &[u8]) {
    let mut words: Vec<u32> =
        block.chunks_exact(4).map(|word| word.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))).collect();
    for i in 16..64 {
        let (a, b) = (words[i - 15], words[i - 2]);
        let a = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
        let b = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
        words.push(words[i - 16].wrapping_add(a).wrapping_add(words[i - 7]).wrapping_add(b));
    }
    let mut turn = [0u32; 8];
    turn.copy_from_slice(state);
    for (key, word) in keys.iter().zip(&words) {
        let [a, b, c, d, e, f, g, h] = turn;
        let choice = e & f ^ !e & g;
        let majority = a & b ^ a & c ^ b & c;
        let rotated_e = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let rotated_a = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let first = h.wrapping_add(rotated_e).wrapping_add(choice).wrapping_add(*key).wrapping_add(*word);
        let second = rotated_a.wrapping_add(majority);
        turn = [first.wrapping_add(second), a, b, c, d.wrapping_add(first), e, f, g];
    }
    for (sum, value) in state.iter_mut().zip(turn) {
        *sum = sum.wrapping_add(value);
    }
}
