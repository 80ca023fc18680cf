//! Where the members of a JSON text stand.

use crate::protocol::json;

/// A member of an object, somewhere in a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// The keys that lead to it; its own is last. Arrays add nothing.
    pub(super) path: Vec<String>,
    /// Bytes before its key.
    pub(super) offset: usize,
}

/// All members in `text`, which is JSON, in the order of the text.
pub(super) fn members(text: &str) -> Vec<Member> {
    let mut members = Vec::new();
    // Keys that lead here; for an array, `None`. What follows a brace or a comma in an object is a key.
    let mut around: Vec<Option<String>> = Vec::new();
    let mut key_is_next = false;
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        let length = if byte == b'"' { string_length(&text[at..]) } else { 1 };
        match byte {
            b'{' => around.push(Some(String::new())),
            b'[' => around.push(None),
            b'}' | b']' => {
                around.pop();
            }
            b'"' if key_is_next => {
                if let Some(Some(key)) = around.last_mut() {
                    *key = json::from_str(&text[at..at + length]).unwrap_or_default();
                    members.push(Member { path: around.iter().flatten().cloned().collect(), offset: at });
                }
            }
            _ => {}
        }
        match byte {
            b'{' => key_is_next = true,
            b',' => key_is_next = matches!(around.last(), Some(Some(_))),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => key_is_next = false,
        }
        at += length;
    }
    members
}

/// The length of the string that `text` starts with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_with_their_paths_and_places() {
        let text = r#"{"a": {"b": ["x,\"y", {"c": 1}], "d\u0065": null}, "f":[]}"#;
        let found: Vec<_> = members(text).into_iter().map(|member| (member.path.join("."), member.offset)).collect();
        let expected = [("a", 1), ("a.b", 7), ("a.b.c", 23), ("a.de", 33), ("f", 51)];
        assert_eq!(found, expected.map(|(path, offset)| (path.to_owned(), offset)));
    }
}
