//! The records of an extended (PAX) header.

use std::borrow::Cow;

/// Keys that say nothing about an entry's name or content.
const HARMLESS: [&str; 8] = ["mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"];
/// Beginnings of such keys: attributes and access lists that archivers add.
const HARMLESS_PREFIXES: [&str; 4] = ["SCHILY.xattr.", "SCHILY.acl.", "LIBARCHIVE.", "RHT.security."];

/// What an extended header says about the entry after it.
#[derive(Debug, Default)]
pub(super) struct Extended {
    /// The whole path, in place of the header's.
    pub(super) path: Option<Vec<u8>>,
    /// The size of the content, in place of the header's.
    pub(super) size: Option<u64>,
}

impl Extended {
    /// Reads all records: `LENGTH KEY=VALUE\n`, one after the other. The error says what is wrong with them.
    pub(super) fn parse(mut records: &[u8]) -> Result<Self, Cow<'static, str>> {
        let mut extended = Self::default();
        while !records.is_empty() {
            let (key, value, rest) = record(records).ok_or("has a damaged extended header")?;
            records = rest;
            let twice = match key {
                "path" => extended.path.replace(value.to_vec()).is_some(),
                "size" => {
                    let size = decimal(value).ok_or("has a size that is not a number in its extended header")?;
                    extended.size.replace(size).is_some()
                }
                _ if HARMLESS.contains(&key) || HARMLESS_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) => false,
                _ if key.starts_with("GNU.sparse.") => return Err("is a sparse file".into()),
                "linkpath" => return Err("is a link, says its extended header".into()),
                // Not ignored, as the format would have it: a key that other readers know could change what the entry is.
                _ => return Err(format!("has an extended header with the unknown key `{}`", key.escape_debug()).into()),
            };
            if twice {
                return Err(format!("is given its {key} twice").into());
            }
        }
        Ok(extended)
    }
}

/// Splits off the first record.
fn record(records: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let space = records.iter().take(8).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&records[..space])?).ok()?;
    if length <= space || length > records.len() {
        return None;
    }
    let (record, rest) = records.split_at(length);
    let record = record[space + 1..].strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((std::str::from_utf8(&record[..equals]).ok()?, &record[equals + 1..], rest))
}

/// A number of plain decimal digits, without sign or spaces.
fn decimal(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
