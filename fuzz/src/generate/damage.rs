//! Valid bytes, damaged.

use super::Random;

/// Damages `bytes` in one place or some. `tokens` are what the format is made of.
pub fn damage(random: &mut Random, bytes: &mut Vec<u8>, tokens: &[&str]) {
    for _ in 0..=random.few(4) {
        damage_once(random, bytes, tokens);
    }
}

/// Damages `bytes` in one place.
fn damage_once(random: &mut Random, bytes: &mut Vec<u8>, tokens: &[&str]) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.few(40)).min(bytes.len());
    match random.below(9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.byte(),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        5 => {
            let token = random.pick(tokens).as_bytes();
            bytes.splice(at..end, token.iter().copied());
        }
        6 => {
            let token = random.pick(tokens).repeat(1 + random.few(4));
            bytes.splice(at..at, token.bytes());
        }
        7 => {
            let text = random.text();
            bytes.splice(at..at, text.bytes());
        }
        _ => {
            let to = random.below(bytes.len() + 1);
            let (low, high) = (at.min(to), at.max(to));
            bytes[low..high].rotate_left(if high > low { random.below(high - low) } else { 0 });
        }
    }
}

/// A soup of tokens.
pub fn soup(random: &mut Random, tokens: &[&str], most: usize) -> String {
    let mut text = String::new();
    for _ in 0..random.few(most) {
        text.push_str(random.pick(tokens));
        if random.once_in(4) {
            text.push(' ');
        }
    }
    text
}
