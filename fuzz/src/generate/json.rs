//! JSON of a shape: as Go writes it, as people write it, damaged, and soup.

use serde_json::{Map, Value};

use super::Random;
use super::damage::{damage, soup};
use crate::reference::json::{quote, write};
use crate::reference::shape::Shape;

/// What JSON is made of, whole and in pieces.
#[rustfmt::skip]
const TOKENS: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "false", "nul", "0", "-0", "-1", "1", "01", "1.0", "1e2", "1E+2", "-", "1.", ".5",
    "255", "256", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1e999",
    "\"\"", "\"\\u0041\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u00\"", "\"\\x\"", "\"\\/\"", "\"\t\"", "\u{feff}", " ",
    "\n", "\t", "\r", "\u{a0}", "//", "{}", "[]", "{\"\":", "\"id\":", "\"ID\":", "\"state\":", "\"deal\":null", "\"job_offer\":", "\"spec\":{",
    "\"gpus\":[", "\"inputs\":", "\"machine\":{", "\"inputFiles\":", "\"results_id\":", "\"data_id\":", "\"a\":\"b\"", "[[[[", "]]]]",
    "\"executionTimeoutSeconds\":", "\"job\":{\"Spec\":{", "\"Docker\":{", "\"Timeout\":", "\"\u{17f}tate\":",
];

/// A value of this shape. Maps are sorted by their keys' bytes.
pub fn value(random: &mut Random, shape: &Shape) -> Value {
    match shape {
        Shape::Text | Shape::Override => Value::from(random.text()),
        Shape::Signed => Value::from(random.signed()),
        Shape::Unsigned => Value::from(random.unsigned()),
        Shape::Byte => Value::from(if random.once_in(3) { random.byte() } else { random.below(20) as u8 }),
        Shape::List(_) | Shape::Map(_) | Shape::Maybe(_) if random.once_in(4) => Value::Null,
        Shape::List(item) => (0..random.few(4)).map(|_| value(random, item)).collect(),
        Shape::Map(item) => {
            let sorted: std::collections::BTreeMap<_, _> =
                (0..random.few(4)).map(|_| (random.text(), value(random, item))).collect();
            sorted.into_iter().collect()
        }
        Shape::Maybe(inner) => value(random, inner),
        Shape::Record(fields) => {
            fields.iter().map(|(name, shape)| ((*name).to_owned(), value(random, shape))).collect::<Map<_, _>>().into()
        }
    }
}

/// JSON that has to do with the shape, in one of many ways.
pub fn bytes(random: &mut Random, shape: &Shape) -> Vec<u8> {
    if random.once_in(6) {
        return soup(random, TOKENS, 40).into_bytes();
    }
    let value = value(random, shape);
    let mut text = if random.once_in(3) {
        write(&value)
    } else {
        let mut text = String::new();
        loose(random, &value, &mut text);
        text
    };
    if random.once_in(300) {
        let depth = [3, 126, 199, 200, 201, 5000][random.below(6)];
        let (open, close) = if random.once_in(2) { ("[", "]") } else { ("{\"x\":", "}") };
        text = format!("{{\"x\":{}1{}}}", open.repeat(depth), close.repeat(depth));
    }
    let mut bytes = text.into_bytes();
    if random.once_in(2) {
        damage(random, &mut bytes, TOKENS);
    }
    bytes
}

/// Writes a value as people and other programs do: other orders, other cases, space, escapes, nulls, keys twice or unknown.
fn loose(random: &mut Random, value: &Value, text: &mut String) {
    space(random, text);
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if random.once_in(3) && members.len() > 1 {
                let at = random.below(members.len());
                members.rotate_left(at);
            }
            text.push('{');
            let mut first = true;
            for (key, value) in members {
                for _ in 0..1 + usize::from(random.once_in(16)) {
                    if random.once_in(20) {
                        continue;
                    }
                    text.push_str(if first { "" } else { "," });
                    first = false;
                    if random.once_in(24) {
                        let (key, junk) = (random.text(), ["1e999", "[{}]", "\"\\ud800\"", "null", "{\"a\":[true]}"]);
                        text.push_str(&format!("{}:{},", quote(&key), random.pick(&junk)));
                    }
                    let key = recased(random, key);
                    escaped(random, &key, text);
                    space(random, text);
                    text.push(':');
                    if random.once_in(24) {
                        text.push_str(random.pick(&["null", "null", "null", "0", "\"\"", "{}", "[]", "1.5", "true"]));
                    } else {
                        loose(random, value, text);
                    }
                }
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                loose(random, item, text);
            }
            text.push(']');
        }
        Value::String(string) => escaped(random, string, text),
        other => text.push_str(&other.to_string()),
    }
    space(random, text);
}

/// Space between tokens, now and then.
fn space(random: &mut Random, text: &mut String) {
    if random.once_in(10) {
        text.push_str(random.pick(&[" ", "\n", "\t", "\r\n", "  "]));
    }
}

/// A key, now and then in another case.
fn recased(random: &mut Random, key: &str) -> String {
    match random.below(24) {
        0 => key.to_uppercase(),
        1 => key.to_lowercase(),
        2 => key.replace('s', "\u{17f}").replace('k', "\u{212a}"),
        3 => {
            let flip = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            key.chars().map(|c| if random.once_in(2) { flip(c) } else { c }).collect()
        }
        _ => key.to_owned(),
    }
}

/// A string in one of the ways that it can be written.
fn escaped(random: &mut Random, string: &str, text: &mut String) {
    if !random.once_in(4) {
        // Raw is enough for most; the rest is what JSON demands.
        text.push_str(&if random.once_in(2) { quote(string) } else { Value::from(string).to_string() });
        return;
    }
    text.push('"');
    for character in string.chars() {
        match (random.below(3), character) {
            (0, '/') => text.push_str("\\/"),
            (0, _) | (_, '"' | '\\' | '\0'..='\u{1f}') => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    text.push_str(&if random.once_in(2) { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
                }
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}
