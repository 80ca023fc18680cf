//! What strings, characters and numbers in a template mean.

use super::unicode;

/// A constant of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number or a character.
    Integer(i64),
    /// A whole number between 2⁶³ and 2⁶⁴: it may stand in a template, but not be used.
    TooLarge,
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A number with an imaginary part.
    Complex(f64, f64),
    /// A string. Need not be UTF-8.
    Text(Vec<u8>),
}

/// The bytes that a string in quotes stands for. `None`: a wrong escape.
pub(super) fn unquote(literal: &str) -> Option<Vec<u8>> {
    let inner = literal.get(1..literal.len().checked_sub(1)?)?;
    if literal.starts_with('`') {
        return Some(inner.bytes().filter(|&byte| byte != b'\r').collect());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, after) = unquote_one(rest, '"')?;
        match unit {
            Unit::Byte(byte) => bytes.push(byte),
            Unit::Character(character) => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
        rest = after;
    }
    Some(bytes)
}

/// The character that a literal in single quotes stands for, as a number. `None`: not exactly one character.
pub(super) fn character(literal: &str) -> Option<i64> {
    let (unit, rest) = unquote_one(literal.strip_prefix('\'')?, '\'')?;
    (rest == "'").then_some(match unit {
        Unit::Byte(byte) => i64::from(byte),
        Unit::Character(character) => i64::from(u32::from(character)),
    })
}

/// What one character or escape of a literal stands for.
enum Unit {
    /// A byte: `\x` and octal escapes, which need not make UTF-8.
    Byte(u8),
    /// A character.
    Character(char),
}

/// Reads one character or escape of a literal in `quote`s.
fn unquote_one(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut rest = text.chars();
    let first = rest.next()?;
    if first == quote {
        return None;
    }
    if first != '\\' {
        return Some((Unit::Character(first), rest.as_str()));
    }
    let escape = rest.next()?;
    let character = match escape {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        '\'' | '"' if escape == quote => quote,
        'x' => {
            let (code, rest) = digits(rest.as_str(), 2, 16)?;
            return Some((Unit::Byte(u8::try_from(code).ok()?), rest));
        }
        'u' | 'U' => {
            let (code, rest) = digits(rest.as_str(), if escape == 'u' { 4 } else { 8 }, 16)?;
            return Some((Unit::Character(char::from_u32(code)?), rest));
        }
        '0'..='7' => {
            // The first digit belongs to the number.
            let (code, rest) = digits(&text[1..], 3, 8)?;
            return Some((Unit::Byte(u8::try_from(code).ok()?), rest));
        }
        _ => return None,
    };
    Some((Unit::Character(character), rest.as_str()))
}

/// Reads exactly `count` digits of `base`.
fn digits(text: &str, count: usize, base: u32) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    // A sign would pass `from_str_radix`.
    let valid = number.chars().all(|digit| digit.is_digit(base));
    valid.then(|| u32::from_str_radix(number, base).ok()).flatten().map(|code| (code, rest))
}

/// Writes `text` as a Go string in double quotes. With `ascii`, everything beyond ASCII is escaped.
pub(super) fn quote(text: &[u8], ascii: bool) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            escape(&mut quoted, character, '"', ascii);
        }
        for byte in chunk.invalid() {
            quoted.extend(format!("\\x{byte:02x}").bytes());
        }
    }
    quoted.push(b'"');
    quoted
}

/// Writes `character` as a Go character in single quotes.
pub(super) fn quote_character(character: char, ascii: bool) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    escape(&mut quoted, character, '\'', ascii);
    quoted.push(b'\'');
    quoted
}

/// Writes one character of a literal in `quote`s.
fn escape(out: &mut Vec<u8>, character: char, quote: char, ascii: bool) {
    if character == quote || character == '\\' {
        out.extend(format!("\\{character}").bytes());
        return;
    }
    if unicode::is_printable(character) && (!ascii || character.is_ascii()) {
        out.extend(character.encode_utf8(&mut [0; 4]).bytes());
        return;
    }
    let code = u32::from(character);
    let escaped = match character {
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\x0c' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\x0b' => "\\v".to_owned(),
        '\0'..='\x1f' | '\x7f' => format!("\\x{code:02x}"),
        _ if code < 0x10000 => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    };
    out.extend(escaped.bytes());
}

/// Whether `text` can stand in back quotes as it is.
pub(super) fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|c| !matches!(c, '\0'..='\x08' | '\x0a'..='\x1f' | '`' | '\x7f' | '\u{feff}'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_mean_what_they_mean_in_go() {
        for (literal, expected) in [
            (r#""""#, &b""[..]),
            (r#""a\tb\n\\\"""#, b"a\tb\n\\\""),
            (r#""\a\b\f\v\r""#, b"\x07\x08\x0c\x0b\r"),
            (r#""\xff\377\000""#, b"\xff\xff\0"),
            (r#""\u00e9\U0001F600é""#, "é😀é".as_bytes()),
            ("`a\\n\r\n\"`", b"a\\n\n\""),
        ] {
            assert_eq!(unquote(literal).as_deref(), Some(expected), "{literal}");
        }
    }

    #[test]
    fn wrong_escapes_are_refused() {
        for literal in
            [r#""\'""#, r#""\q""#, r#""\x4""#, r#""\x+4""#, r#""\400""#, r#""\08""#, r#""\ud800""#, r#""\U00110000""#]
        {
            assert_eq!(unquote(literal), None, "{literal}");
        }
    }

    #[test]
    fn characters_are_numbers() {
        for (literal, expected) in [
            ("'a'", Some(97)),
            ("'é'", Some(233)),
            (r"'\n'", Some(10)),
            (r"'\''", Some(39)),
            (r"'\xff'", Some(255)),
            (r"'\u00e9'", Some(233)),
            ("''", None),
            ("'ab'", None),
            (r#"'\"'"#, None),
        ] {
            assert_eq!(character(literal), expected, "{literal}");
        }
    }

    #[test]
    fn quoting_shows_what_cannot_be_printed() {
        for (text, plain, ascii) in [
            (&b"a\"\\\n\x01\x7f"[..], r#""a\"\\\n\x01\x7f""#, r#""a\"\\\n\x01\x7f""#),
            ("é😀".as_bytes(), "\"é😀\"", r#""\u00e9\U0001f600""#),
            (b"\xff\xe2\x82", r#""\xff\xe2\x82""#, r#""\xff\xe2\x82""#),
            ("\u{200b}\u{feff}".as_bytes(), r#""\u200b\ufeff""#, r#""\u200b\ufeff""#),
        ] {
            assert_eq!(quote(text, false), plain.as_bytes());
            assert_eq!(quote(text, true), ascii.as_bytes());
        }
        assert_eq!(quote_character('\'', false), br"'\''");
    }
}
