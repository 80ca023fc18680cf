//! What the bundled programs share: JSON text and a checksum. No dependencies, so that they build the same everywhere.

mod sha256;

pub use sha256::sha256;

/// `text` as a JSON string, quotes included.
pub fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            control if u32::from(control) < 0x20 => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

/// The program's argument at `index`, counted from 1; empty if it is not there.
pub fn argument(index: usize) -> String {
    std::env::args().nth(index).unwrap_or_default()
}
