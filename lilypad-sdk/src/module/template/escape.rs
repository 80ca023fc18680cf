//! `html`, `js` and `urlquery`.

use super::unicode;
use super::value::first_character;

/// `text`, safe in HTML.
pub(super) fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'\0' => out.extend("\u{fffd}".bytes()),
            b'"' => out.extend(b"&#34;"),
            b'\'' => out.extend(b"&#39;"),
            b'&' => out.extend(b"&amp;"),
            b'<' => out.extend(b"&lt;"),
            b'>' => out.extend(b"&gt;"),
            _ => out.push(byte),
        }
    }
    out
}

/// `text`, safe in a JavaScript string.
pub(super) fn js(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((character, length)) = first_character(rest) {
        let (bytes, after) = rest.split_at(length);
        rest = after;
        match character {
            '\\' => out.extend(br"\\"),
            '\'' => out.extend(br"\'"),
            '"' => out.extend(br#"\""#),
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => out.extend(format!("\\u{:04X}", u32::from(character)).bytes()),
            _ if character.is_ascii() || unicode::is_printable(character) => out.extend(bytes),
            _ => out.extend(format!("\\u{:04X}", u32::from(character)).bytes()),
        }
    }
    out
}

/// `text`, safe in the query of a URL.
pub(super) fn url_query(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(byte),
            _ if byte.is_ascii_alphanumeric() => out.push(byte),
            _ => out.extend(format!("%{byte:02X}").bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_context_escapes_what_is_special_there() {
        let text = "\0\x01a\"'<b>&=é\u{200b}\u{e0001} +/~";
        assert_eq!(html(text.as_bytes()), "\u{fffd}\x01a&#34;&#39;&lt;b&gt;&amp;=é\u{200b}\u{e0001} +/~".as_bytes());
        assert_eq!(
            js(text.as_bytes()),
            "\\u0000\\u0001a\\\"\\'\\u003Cb\\u003E\\u0026\\u003Dé\\u200B\\uE0001 +/~".as_bytes()
        );
        assert_eq!(url_query(text.as_bytes()), b"%00%01a%22%27%3Cb%3E%26%3D%C3%A9%E2%80%8B%F3%A0%80%81+%2B%2F~");
    }

    #[test]
    fn bytes_that_are_no_characters_pass_through() {
        assert_eq!(html(b"\xff<"), b"\xff&lt;");
        assert_eq!(js(b"\xff<"), b"\xff\\u003C");
        assert_eq!(url_query(b"\xff"), b"%FF");
    }
}
