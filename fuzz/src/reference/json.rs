//! JSON by Go's rules, over `serde_json`'s raw values.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::shape::Shape;

/// The deepest nesting that the SDK reads. (Go would read on to 10,000.)
const DEEPEST: usize = 200;

/// Why text was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no JSON.
    Syntax,
    /// It is JSON of another shape; the kind of value that did not fit.
    Shape(&'static str),
}

/// JSON as it stands: numbers as they are written, every key, in order.
#[derive(Debug, PartialEq)]
pub enum Tree {
    /// `null`
    Null,
    /// `true` or `false`
    Truth,
    /// A number, as it is written.
    Number(String),
    /// A string, decoded.
    Text(String),
    /// An array.
    List(Vec<Tree>),
    /// An object.
    Members(Vec<(String, Tree)>),
}

impl Tree {
    /// What it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Truth => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Members(_) => "object",
        }
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// When they are no JSON.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        // Each byte that is no part of a character is a replacement character to Go.
        let mut text = String::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            (0..chunk.invalid().len()).for_each(|_| text.push('\u{fffd}'));
        }
        let raw: &RawValue = serde_json::from_str(&text).map_err(|_| Refusal::Syntax)?;
        Self::of(raw, 0)
    }

    /// Reads a value that is known to be well formed.
    fn of(raw: &RawValue, depth: usize) -> Result<Self, Refusal> {
        if depth > DEEPEST {
            return Err(Refusal::Syntax);
        }
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Truth,
            Some(b'"') => Self::Text(decode(text)),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Refusal::Syntax)?;
                Self::List(items.into_iter().map(|item| Self::of(item, depth + 1)).collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text).map_err(|_| Refusal::Syntax)?;
                let read = |(key, value): (&RawValue, &RawValue)| Ok((decode(key.get()), Self::of(value, depth + 1)?));
                Self::Members(members.into_iter().map(read).collect::<Result<_, _>>()?)
            }
            _ => Self::Number(text.to_owned()),
        })
    }
}

/// The members of an object, none lost.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(&'de RawValue, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect).map(Members)
    }
}

/// Decodes a well-formed string with its quotes: by way of UTF-16, in which escapes are written.
fn decode(quoted: &str) -> String {
    let mut units = Vec::new();
    let mut rest = quoted[1..quoted.len() - 1].chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            continue;
        }
        units.push(match rest.next() {
            Some('b') => 8,
            Some('t') => 9,
            Some('n') => 10,
            Some('f') => 12,
            Some('r') => 13,
            Some('u') => u16::from_str_radix(&rest.as_str()[..4], 16)
                .inspect(|_| rest = rest.as_str()[4..].chars())
                .unwrap_or(0xfffd),
            Some(other) => other as u16,
            None => 0xfffd,
        });
    }
    char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()
}

/// Reads bytes as Go reads them into a value of this shape; every field is there, in order.
///
/// # Errors
/// When Go would refuse them.
pub fn read(shape: &Shape, bytes: &[u8]) -> Result<Value, Refusal> {
    shape.decode(&Tree::read(bytes)?).map_err(Refusal::Shape)
}

/// Writes a value as Go writes it.
pub fn write(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Array(items) => format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let members: Vec<_> = members.iter().map(|(key, value)| quote(key) + ":" + &write(value)).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A string as Go writes it.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_has_gos_rules() {
        const SHAPE: Shape = Shape::Record(&[
            ("name", Shape::Text),
            ("list", Shape::List(&Shape::Record(&[("a", Shape::Byte), ("b", Shape::Signed)]))),
            ("map", Shape::Map(&Shape::Text)),
        ]);
        for (text, expected) in [
            ("null", Ok(r#"{"name":"","list":null,"map":null}"#)),
            (
                r#"{"NAME":"\ud83d\ude00\ud800\u0041\/","x":1}"#,
                Ok("{\"name\":\"😀\u{fffd}A/\",\"list\":null,\"map\":null}"),
            ),
            (
                r#"{"list":[{"a":1}],"list":[{"b":-2},null]}"#,
                Ok(r#"{"name":"","list":[{"a":1,"b":-2},{"a":0,"b":0}],"map":null}"#),
            ),
            (
                r#"{"list":[{"a":1},{"a":2}],"list":[{}],"list":[{},{}]}"#,
                Ok(r#"{"name":"","list":[{"a":1,"b":0},{"a":2,"b":0}],"map":null}"#),
            ),
            (r#"{"list":[{"a":1}],"list":[],"list":[{}]}"#, Ok(r#"{"name":"","list":[{"a":0,"b":0}],"map":null}"#)),
            (r#"{"name":1,"name":"x"}"#, Err(Refusal::Shape("number"))),
            (
                r#"{"map":{"b":"<","a":null},"map":{"c":""}}"#,
                Ok(r#"{"name":"","list":null,"map":{"a":"","b":"\u003c","c":""}}"#),
            ),
            (r#"{"map":{},"map":null,"name":"x","name":null}"#, Ok(r#"{"name":"x","list":null,"map":null}"#)),
            (r#"{"list":[{"a":256}]}"#, Err(Refusal::Shape("number"))),
            (r#"{"list":{}}"#, Err(Refusal::Shape("object"))),
            ("{]", Err(Refusal::Syntax)),
        ] {
            assert_eq!(read(&SHAPE, text.as_bytes()).map(|value| write(&value)), expected.map(str::to_owned), "{text}");
        }
    }
}
