//! Floats as text, in all the forms that Go's `strconv` knows.

/// How a float is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `1.5e+00`.
    Exponent,
    /// `1.5`.
    Plain,
    /// [`Plain`](Form::Plain), or [`Exponent`](Form::Exponent) where that is shorter.
    Shorter,
    /// `6755399441055744p-52`: mantissa and binary exponent.
    Binary,
    /// `0x1.8p+00`.
    Hexadecimal,
}

/// The digits of a positive number: 0.d₁d₂d₃… × 10^`point`. Zero has none.
struct Digits {
    /// The digits, `'0'` to `'9'`.
    digits: Vec<u8>,
    /// Where the decimal point stands.
    point: i32,
}

/// Writes `value`, which is finite, with its sign if it is negative. Without a `precision`: as many digits as are needed to tell it from its
/// neighbours. `upper` writes letters large.
pub(super) fn write(value: f64, form: Form, precision: Option<usize>, upper: bool) -> String {
    let text = match form {
        Form::Binary => binary(value),
        Form::Hexadecimal => hexadecimal(value, precision),
        Form::Exponent => {
            let digits = digits(value, precision.map(|precision| precision + 1));
            exponent(&digits, precision.unwrap_or_else(|| digits.digits.len().saturating_sub(1)))
        }
        Form::Plain => plain_of(value, precision),
        Form::Shorter => shorter(value, precision),
    };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let text = sign.to_owned() + &text;
    if upper { text.to_ascii_uppercase() } else { text }
}

/// The digits of the magnitude of `value`, rounded to `count` significant ones, or as many as are needed.
fn digits(value: f64, count: Option<usize>) -> Digits {
    /// No float has more significant digits than this.
    const MOST: usize = 800;
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return Digits { digits: Vec::new(), point: 0 };
    }
    let text = match count {
        None => format!("{magnitude:e}"),
        Some(count) => format!("{magnitude:.*e}", count.clamp(1, MOST) - 1),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let length = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    digits.truncate(length);
    Digits { digits, point: exponent.parse::<i32>().unwrap_or(0) + 1 }
}

/// `d.ddde±dd` with `precision` digits after the point.
fn exponent(number: &Digits, precision: usize) -> String {
    let digit = |index: usize| char::from(number.digits.get(index).copied().unwrap_or(b'0'));
    let mut text = String::with_capacity(precision + 8);
    text.push(digit(0));
    if precision > 0 {
        text.push('.');
        text.extend((1..=precision).map(digit));
    }
    let exponent = if number.digits.is_empty() { 0 } else { number.point - 1 };
    text.push_str(&format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()));
    text
}

/// `ddd.ddd` with `precision` digits after the point.
fn plain(number: &Digits, precision: usize) -> String {
    let digit = |index: i64| {
        let digit = usize::try_from(index).ok().and_then(|index| number.digits.get(index));
        char::from(digit.copied().unwrap_or(b'0'))
    };
    let point = i64::from(number.point);
    let mut text = String::with_capacity(precision + 4);
    if point > 0 {
        text.extend((0..point).map(digit));
    } else {
        text.push('0');
    }
    if precision > 0 {
        text.push('.');
        text.extend((point..point + precision as i64).map(digit));
    }
    text
}

/// `value` in the plain form; all its digits are found before they are cut to the precision.
fn plain_of(value: f64, precision: Option<usize>) -> String {
    /// No float has more digits after the point than this; the standard library takes no more than it needs.
    const MOST: usize = 1100;
    match precision {
        None => {
            let digits = digits(value, None);
            let after = digits.digits.len() as i64 - i64::from(digits.point);
            plain(&digits, usize::try_from(after).unwrap_or(0))
        }
        Some(precision) => {
            let text = format!("{:.*}", precision.min(MOST), value.abs());
            text + &"0".repeat(precision.saturating_sub(MOST))
        }
    }
}

/// The shorter of both forms: the exponent is shown if it is below -4 or not below the precision.
fn shorter(value: f64, precision: Option<usize>) -> String {
    let wanted = precision.map(|precision| precision.max(1));
    let number = digits(value, wanted);
    let count = number.digits.len() as i64;
    let point = i64::from(number.point);
    let precision = wanted.map_or(count, |wanted| wanted as i64);
    let limit = match wanted {
        None => 6,
        Some(_) if precision > count && count >= point => count,
        Some(_) => precision,
    };
    let shown = point - 1;
    if shown < -4 || shown >= limit {
        return exponent(&number, usize::try_from(precision.min(count) - 1).unwrap_or(0));
    }
    let precision = if precision > point { count } else { precision };
    plain(&number, usize::try_from(precision - point).unwrap_or(0))
}

/// The mantissa and the exponent of 2 that a float is stored as.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    match (bits >> 52 & 0x7ff) as i32 {
        0 => (mantissa, -1074),
        exponent => (mantissa | 1 << 52, exponent - 1075),
    }
}

/// `ddddp±dd`.
fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!("{mantissa}p{exponent:+}")
}

/// `0x1.hhhp±dd` with `precision` digits after the point, or as many as there are.
fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    /// Where the leading bit is put, so that the fraction fills the digits below it.
    const LEADING: u32 = 60;
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - (63 - LEADING);
        mantissa <<= shift;
        exponent += LEADING as i32 - shift as i32;
    }
    if let Some(precision @ 0..15) = precision {
        let dropped = LEADING - 4 * precision as u32;
        let rest = mantissa & ((1 << dropped) - 1);
        let half = 1 << (dropped - 1);
        mantissa >>= dropped;
        mantissa += u64::from(rest > half || (rest == half && mantissa & 1 == 1));
        mantissa <<= dropped;
        if mantissa >> (LEADING + 1) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let leading = mantissa >> LEADING & 1;
    let fraction = format!("{:015x}", mantissa & ((1 << LEADING) - 1));
    let fraction = match precision {
        None => fraction.trim_end_matches('0').to_owned(),
        Some(precision) if precision <= fraction.len() => fraction[..precision].to_owned(),
        Some(precision) => {
            let missing = "0".repeat(precision - fraction.len());
            fraction + &missing
        }
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x{leading}{point}{fraction}p{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_what_go_writes() {
        use Form::{Binary, Exponent, Hexadecimal, Plain, Shorter};
        for (value, form, precision, expected) in [
            (1.5, Shorter, None, "1.5"),
            (1e6, Shorter, None, "1e+06"),
            (123456.0, Shorter, None, "123456"),
            (1234567.0, Shorter, None, "1.234567e+06"),
            (0.0001, Shorter, None, "0.0001"),
            (0.00001, Shorter, None, "1e-05"),
            (100.0, Shorter, Some(2), "1e+02"),
            (100.0, Shorter, Some(3), "100"),
            (0.0, Shorter, Some(0), "0"),
            (-0.0, Shorter, None, "-0"),
            (2.5, Plain, Some(0), "2"),
            (3.5, Plain, Some(0), "4"),
            (0.125, Plain, Some(2), "0.12"),
            (1e21, Plain, None, "1000000000000000000000"),
            (1.0, Exponent, Some(6), "1.000000e+00"),
            (1e100, Exponent, None, "1e+100"),
            (1.0, Binary, None, "4503599627370496p-52"),
            (1.0, Hexadecimal, None, "0x1p+00"),
            (3.15, Hexadecimal, Some(2), "0x1.93p+01"),
            (1.999, Hexadecimal, Some(0), "0x1p+01"),
            (0.0, Hexadecimal, None, "0x0p+00"),
            (5e-324, Hexadecimal, None, "0x1p-1074"),
        ] {
            assert_eq!(write(value, form, precision, false), expected, "{value:?} {form:?} {precision:?}");
        }
        assert_eq!(write(1e100, Exponent, None, true), "1E+100");
    }
}
