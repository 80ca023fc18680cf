//! Content ids, put together from the formats' descriptions.

use sha2::{Digest, Sha256};

/// The alphabet of base58btc.
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A field of a protocol buffers message.
pub enum Field<'a> {
    /// A number.
    Number(u64),
    /// Bytes, a text, or a message.
    Bytes(&'a [u8]),
}

/// A protocol buffers message of these fields, in this order.
pub fn message(fields: &[(u64, Field<'_>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, field) in fields {
        match field {
            Field::Number(number) => {
                variable(&mut bytes, tag * 8);
                variable(&mut bytes, *number);
            }
            Field::Bytes(content) => {
                variable(&mut bytes, tag * 8 + 2);
                variable(&mut bytes, content.len() as u64);
                bytes.extend_from_slice(content);
            }
        }
    }
    bytes
}

/// Appends a number in groups of seven bits, least first.
fn variable(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let group = (number % 128) as u8;
        number /= 128;
        bytes.push(if number > 0 { group + 128 } else { group });
        if number == 0 {
            return;
        }
    }
}

/// The multihash of a block: what it is, how long it is, the digest.
pub fn multihash(block: &[u8]) -> Vec<u8> {
    let mut hash = vec![0x12, 0x20];
    hash.extend(Sha256::digest(block));
    hash
}

/// The content id of a record: its JSON is the data of a node without links.
pub fn of_record(json: &str) -> String {
    base58(&multihash(&message(&[(1, Field::Bytes(json.as_bytes()))])))
}

/// Base58, by long division.
pub fn base58(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut remainder = 0;
        for byte in &mut number {
            let value = remainder * 256 + u32::from(*byte);
            *byte = (value / 58) as u8;
            remainder = value % 58;
        }
        digits.push(ALPHABET[remainder as usize]);
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    digits.extend(std::iter::repeat_n(ALPHABET[0], zeros));
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// Whether `text` is a CIDv0, by long multiplication.
pub fn is_content_id(text: &str) -> bool {
    let mut number = [0u8; 34];
    for character in text.bytes() {
        let Some(digit) = ALPHABET.iter().position(|letter| *letter == character) else { return false };
        let mut carry = digit as u32;
        for byte in number.iter_mut().rev() {
            let value = u32::from(*byte) * 58 + carry;
            *byte = value as u8;
            carry = value >> 8;
        }
        if carry > 0 {
            return false;
        }
    }
    number[..2] == [0x12, 0x20] && base58(&number) == text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_ids_come_out() {
        assert_eq!(base58(b"\0\0Hello World!"), "112NEpo7TZRRrLZSi2U");
        let module = r#"{"name":"","repo":"https://github.com/Lilypad-Tech/lilypad-module-cowsay","hash":"v0.0.4","path":"/lilypad_module.json.tmpl"}"#;
        assert_eq!(of_record(module), "QmX9UaY3mYb34R7R5tjRGSDTsEgpkCvLajd5oneWi9uzBi");
        assert!(is_content_id("QmX9UaY3mYb34R7R5tjRGSDTsEgpkCvLajd5oneWi9uzBi"));
        assert!(!is_content_id("1QmX9UaY3mYb34R7R5tjRGSDTsEgpkCvLajd5oneWi9uzB"));
    }
}
