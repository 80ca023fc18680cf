//! What numbers in a template mean.
//!
//! The text decides the type, as in Go: a fraction or an exponent makes a float, an `i` at the end a complex number, anything else
//! is an integer in base 2, 8, 10 or 16.

use super::literal::Constant;

/// The constant that the text of a number stands for. `Err` says what is wrong with it.
pub(super) fn number(text: &str) -> Result<Constant, &'static str> {
    if let Some(imaginary) = text.strip_suffix('i').and_then(float) {
        return Ok(Constant::Complex(0.0, imaginary));
    }
    // A sign in front makes Go take the `e` of a hexadecimal number for an exponent.
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let like_float = text.contains(['.', 'e', 'E', 'p', 'P']) && (!hexadecimal || text.contains(['p', 'P']));
    match (signed(text), unsigned(text)) {
        (Some(value), _) if like_float => Ok(Constant::Float(value as f64)),
        (Some(value), _) => Ok(Constant::Integer(value)),
        (None, Some(value)) if like_float => Ok(Constant::Float(value as f64)),
        (None, Some(_)) => Ok(Constant::TooLarge),
        (None, None) => match float(text) {
            Some(value) if text.contains(['.', 'e', 'E', 'p', 'P']) => Ok(Constant::Float(value)),
            Some(_) => Err("this number does not fit into 64 bits, or has digits that its base has not"),
            None => Err("this is not a number"),
        },
    }
}

/// The constant that the text of a number as in `1+2i` stands for.
pub(super) fn complex(text: &str) -> Option<Constant> {
    let real = float_prefix(text);
    let rest = &text[real..];
    if !rest.starts_with(['+', '-']) {
        return None;
    }
    let imaginary = 1 + float_prefix(&rest[1..]);
    // What follows the first `i` is not looked at.
    rest[imaginary..].starts_with('i').then_some(())?;
    Some(Constant::Complex(float(&text[..real])?, float(&rest[..imaginary])?))
}

/// How many bytes at the start of `text` look like a float.
fn float_prefix(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = usize::from(text.starts_with(['+', '-']));
    let hexadecimal = matches!(bytes.get(end..end + 2), Some(b"0x" | b"0X"));
    if hexadecimal {
        end += 2;
    }
    let is_digit =
        |byte: u8| byte == b'_' || if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
    let run = |from: usize, wanted: &dyn Fn(u8) -> bool| {
        from + bytes[from..].iter().take_while(|&&byte| wanted(byte)).count()
    };
    end = run(end, &is_digit);
    if bytes.get(end) == Some(&b'.') {
        end = run(end + 1, &is_digit);
    }
    let exponent = if hexadecimal { [b'p', b'P'] } else { [b'e', b'E'] };
    if bytes.get(end).is_some_and(|byte| exponent.contains(byte)) {
        end += 1;
        end += usize::from(matches!(bytes.get(end), Some(b'+' | b'-')));
        end = run(end, &|byte| byte == b'_' || byte.is_ascii_digit());
    }
    end
}

/// The value of an integer with an optional sign.
fn signed(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let magnitude = unsigned(text.strip_prefix(['+', '-']).unwrap_or(text))?;
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// The value of an integer without a sign.
fn unsigned(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (digits, base) = match lower.get(..2) {
        Some("0b") if lower.len() > 2 => (&lower[2..], 2),
        Some("0o") if lower.len() > 2 => (&lower[2..], 8),
        Some("0x") if lower.len() > 2 => (&lower[2..], 16),
        _ if lower.starts_with('0') && lower.len() > 1 => (&lower[1..], 8),
        _ => (&lower[..], 10),
    };
    if digits.starts_with('+') || !underscores_are_well_placed(text) {
        return None;
    }
    u64::from_str_radix(&digits.replace('_', ""), base).ok()
}

/// Whether each underscore stands between digits, or between the base's prefix and a digit.
fn underscores_are_well_placed(text: &str) -> bool {
    /// What stands before the character that is looked at.
    #[derive(PartialEq)]
    enum Before {
        /// A digit or the base's prefix.
        Digit,
        /// An underscore.
        Underscore,
        /// Anything else.
        Other,
    }
    let text = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    let prefixed = ["0b", "0o", "0x"].iter().any(|prefix| text.starts_with(prefix));
    let hexadecimal = text.starts_with("0x");
    let mut before = if prefixed { Before::Digit } else { Before::Other };
    for byte in text.bytes().skip(if prefixed { 2 } else { 0 }) {
        before = match byte {
            b'_' if before != Before::Digit => return false,
            b'_' => Before::Underscore,
            b'0'..=b'9' => Before::Digit,
            b'a'..=b'f' if hexadecimal => Before::Digit,
            _ if before == Before::Underscore => return false,
            _ => Before::Other,
        };
    }
    before != Before::Underscore
}

/// The value of a decimal or hexadecimal float. `None`: not a float, or too large for one.
fn float(text: &str) -> Option<f64> {
    if text.contains('_') && !underscores_are_well_placed(text) {
        return None;
    }
    let digits = text.replace('_', "").to_ascii_lowercase();
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    let magnitude = match unsigned.strip_prefix("0x") {
        Some(hexadecimal) if !hexadecimal.is_empty() => hexadecimal_float(hexadecimal)?,
        // The standard library also reads names (`inf`, `nan`), which are no numbers here.
        _ if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') => unsigned.parse::<f64>().ok()?,
        _ => return None,
    };
    magnitude.is_finite().then_some(if digits.starts_with('-') { -magnitude } else { magnitude })
}

/// The value of a hexadecimal float without its `0x`, rounded to the nearest float, halves to even.
fn hexadecimal_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_number(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)) {
        return None;
    }
    // An exponent that does not fit is so far out that any other far one does.
    let far = if exponent.starts_with('-') { -100_000 } else { 100_000 };
    let mut exponent = exponent.parse::<i32>().unwrap_or(far).clamp(-100_000, 100_000);
    let mut bits: u64 = 0;
    let mut lost = false;
    for (index, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16)?);
        let in_fraction = index >= whole.len();
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
            exponent -= if in_fraction { 4 } else { 0 };
        } else {
            lost |= digit != 0;
            exponent += if in_fraction { 0 } else { 4 };
        }
    }
    Some(scale(bits, lost, exponent))
}

/// `bits` × 2^`exponent` as a float, rounded to the nearest, halves to even; `lost`: a little more than that.
fn scale(bits: u64, lost: bool, exponent: i32) -> f64 {
    /// The exponent of the smallest float that has all its bits.
    const SMALLEST: i32 = -1022;
    if bits == 0 {
        return 0.0;
    }
    let shifted = bits.leading_zeros();
    let bits = bits << shifted;
    let top = exponent - shifted as i32 + 63;
    if top > 1023 {
        return f64::INFINITY;
    }
    let kept = if top < SMALLEST { 53 - (SMALLEST - top) } else { 53 };
    let dropped = (64 - kept) as u32;
    if dropped > 64 {
        return 0.0;
    }
    let mantissa = bits.checked_shr(dropped).unwrap_or(0);
    let rest = u128::from(bits) - (u128::from(mantissa) << dropped);
    let half = 1u128 << (dropped - 1);
    let up = rest > half || (rest == half && (lost || mantissa & 1 == 1));
    let mantissa = mantissa + u64::from(up);
    // The carry of the rounding runs into the exponent, which is just what it must do.
    let biased = if top < SMALLEST { 0 } else { ((top + 1022) as u64) << 52 };
    f64::from_bits(biased + mantissa)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_decides_the_type() {
        for (text, expected) in [
            ("0", Constant::Integer(0)),
            ("-0", Constant::Integer(0)),
            ("+7", Constant::Integer(7)),
            ("1_000", Constant::Integer(1000)),
            ("017", Constant::Integer(15)),
            ("0o17", Constant::Integer(15)),
            ("0b101", Constant::Integer(5)),
            ("0x1E", Constant::Integer(30)),
            ("0x_1e", Constant::Integer(30)),
            ("-0x1e", Constant::Float(-30.0)),
            ("9223372036854775807", Constant::Integer(i64::MAX)),
            ("-9223372036854775808", Constant::Integer(i64::MIN)),
            ("9223372036854775808", Constant::TooLarge),
            ("1e3", Constant::Float(1000.0)),
            (".5", Constant::Float(0.5)),
            ("1.", Constant::Float(1.0)),
            ("1_0.2_5e1_0", Constant::Float(10.25e10)),
            ("0x1p-2", Constant::Float(0.25)),
            ("0x1.8p1", Constant::Float(3.0)),
            ("0x.8p0", Constant::Float(0.5)),
            ("0x1p-1074", Constant::Float(5e-324)),
            ("0x1.fffffffffffff8p0", Constant::Float(2.0)),
            ("0x1.fffffffffffff7p0", Constant::Float(2.0 - f64::EPSILON)),
            ("2i", Constant::Complex(0.0, 2.0)),
            ("0i", Constant::Complex(0.0, 0.0)),
        ] {
            assert_eq!(number(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in [
            "08",
            "1__0",
            "1_",
            "0x",
            "0b",
            "0b2",
            "0x1.8",
            "1e",
            "1e+",
            "1e999",
            ".",
            "+",
            "-",
            "i",
            "0x1i",
            "18446744073709551616",
        ] {
            assert!(number(text).is_err(), "{text}: {:?}", number(text));
        }
    }

    #[test]
    fn complex_numbers_have_two_parts() {
        assert_eq!(complex("1+2i"), Some(Constant::Complex(1.0, 2.0)));
        assert_eq!(complex("-1.5e1-.5i"), Some(Constant::Complex(-15.0, -0.5)));
        assert_eq!(complex("0x1p1+2i"), Some(Constant::Complex(2.0, 2.0)));
        for text in ["1i+2i", "0b1+2i", "0x1+2i", "1+i", "+-2i", "1e999+1i"] {
            assert_eq!(complex(text), None, "{text}");
        }
    }
}
