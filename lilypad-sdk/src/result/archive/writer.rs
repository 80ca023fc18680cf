//! Header blocks as Go writes them for the reference, with one difference: owners are not named and times are zero, so that the
//! same folder always gives the same bytes and tells nothing about the machine it was on.

use super::{BLOCK, Kind, padding};

/// What follows the last entry.
pub(in crate::result) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
/// The longest name that a header holds in one piece.
const NAME: usize = 100;
/// The longest beginning of a path that a header holds before the name.
const PREFIX: usize = 155;
/// The first size that eleven octal digits cannot say.
const LARGE: u64 = 1 << 33;

/// The header of an entry, with an extended header before it where the name or size needs one. `path` is separated by `/` and `.`
/// for the root.
pub(in crate::result) fn entry_header(path: &str, kind: Kind, executable: bool, size: u64) -> Vec<u8> {
    let split = split(path);
    let mut records = String::new();
    // With an extended header the plain one has no prefix, so that a path of two pieces goes in there whole.
    if split.is_none() || (size >= LARGE && path.len() > NAME) {
        push_record(&mut records, "path", path);
    }
    if size >= LARGE {
        push_record(&mut records, "size", &size.to_string());
    }

    let mut blocks = Vec::new();
    if !records.is_empty() {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        let separator = if folder.is_empty() { "" } else { "/" };
        let extended = format!("{folder}{separator}PaxHeaders.0/{name}");
        let short = ascii(&extended, NAME);
        blocks.extend_from_slice(&header("", short.trim_end_matches('/'), b'x', 0, records.len() as u64, false));
        blocks.extend_from_slice(records.as_bytes());
        blocks.resize(blocks.len() + padding(records.len() as u64), 0);
    }
    let shortened = ascii(path, NAME);
    let (prefix, name) =
        if records.is_empty() { split.unwrap_or_default() } else { ("", shortened.trim_end_matches('/')) };
    let (flag, mode) = match kind {
        Kind::Folder => (b'5', 0o755),
        Kind::File => (b'0', if executable { 0o755 } else { 0o644 }),
    };
    let size = if size < LARGE { size } else { 0 };
    blocks.extend_from_slice(&header(prefix, name, flag, mode, size, true));
    blocks
}

/// One header block.
fn header(prefix: &str, name: &str, flag: u8, mode: u64, size: u64, devices: bool) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    put_octal(&mut block[100..108], mode);
    put_octal(&mut block[108..116], 0);
    put_octal(&mut block[116..124], 0);
    put_octal(&mut block[124..136], size);
    put_octal(&mut block[136..148], 0);
    block[148..156].fill(b' ');
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    if devices {
        put_octal(&mut block[329..337], 0);
        put_octal(&mut block[337..345], 0);
    }
    block[345..345 + prefix.len()].copy_from_slice(prefix.as_bytes());
    let sum = block.iter().map(|byte| u64::from(*byte)).sum();
    put_octal(&mut block[148..155], sum);
    block
}

/// Writes a number in octal digits that fill the field, but for the zero byte at its end.
fn put_octal(field: &mut [u8], number: u64) {
    let digits = field.len() - 1;
    for (at, byte) in field[..digits].iter_mut().rev().enumerate() {
        *byte = b'0' + (number >> (3 * at) & 7) as u8;
    }
    field[digits] = 0;
}

/// Splits a path into what a header's prefix and name hold. `None` when they cannot hold it.
fn split(path: &str) -> Option<(&str, &str)> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= NAME {
        return Some(("", path));
    }
    let at = path.as_bytes()[..path.len().min(PREFIX + 1)].iter().rposition(|byte| *byte == b'/')?;
    let (prefix, name) = (&path[..at], &path[at + 1..]);
    (!prefix.is_empty() && name.len() <= NAME).then_some((prefix, name))
}

/// The ASCII characters of `path`, `limit` at most: what old readers see where the extended header has the truth.
fn ascii(path: &str, limit: usize) -> String {
    path.chars().filter(char::is_ascii).take(limit).collect()
}

/// Appends a record of an extended header: its length counts the digits of the length too.
fn push_record(records: &mut String, key: &str, value: &str) {
    let fixed = key.len() + value.len() + " =\n".len();
    let mut length = fixed;
    while length != fixed + length.to_string().len() {
        length = fixed + length.to_string().len();
    }
    records.push_str(&format!("{length} {key}={value}\n"));
}
