//! One header block of a tar.

use super::BLOCK;

/// What a header block says, without what nobody here needs: modes, owners and times are not part of a result.
#[derive(Debug)]
pub(super) struct Header {
    /// What kind of entry follows: a letter or digit, or zero.
    pub(super) kind: u8,
    /// The name, as bytes, with the prefix where the format has one.
    pub(super) name: Vec<u8>,
    /// How many bytes of content follow.
    pub(super) size: u64,
}

impl Header {
    /// Reads a block that is not all zeros. The error says what is wrong with it.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, &'static str> {
        // The sum is taken with the field that holds it filled with spaces.
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
            .sum();
        if octal(&block[148..156]) != Some(sum) {
            return Err("has a header whose checksum does not hold");
        }
        let mut name = text(&block[..100])?.to_vec();
        match &block[257..265] {
            b"ustar\x0000" => {
                let prefix = text(&block[345..500])?;
                if !prefix.is_empty() {
                    name = [prefix, b"/", &name].concat();
                }
            }
            // GNU's own format keeps times where the prefix would be.
            b"ustar  \0" => {}
            _ => return Err("has a header in a format older than ustar"),
        }
        let size = number(&block[124..136]).ok_or("has a size that is not a number")?;
        Ok(Self { kind: block[156], name, size })
    }
}

/// A text field: up to the first zero byte, or all of it.
fn text(field: &[u8]) -> Result<&[u8], &'static str> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let (text, rest) = field.split_at(end);
    // Readers disagree on whether such bytes belong to the name.
    if rest.iter().any(|byte| *byte != 0) {
        return Err("has bytes hidden behind the end of its name");
    }
    Ok(text)
}

/// A number field: octal digits, or GNU's binary form for what they cannot hold.
fn number(field: &[u8]) -> Option<u64> {
    match field {
        [0x80, high @ .., _, _, _, _, _, _, _, _] if high.iter().all(|byte| *byte == 0) => {
            field.last_chunk().map(|low| u64::from_be_bytes(*low))
        }
        _ => octal(field),
    }
}

/// Octal digits, with spaces before and zeros or spaces after them.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| !(b'0'..=b'7').contains(byte)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if digits.is_empty() || rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return None;
    }
    // Eleven digits at most: they cannot overflow.
    Some(digits.iter().fold(0, |value, digit| value << 3 | u64::from(digit - b'0')))
}
