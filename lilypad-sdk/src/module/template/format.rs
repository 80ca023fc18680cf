//! One value, printed as one verb says.

use super::float::{self, Form};
use super::literal::{can_backquote, quote, quote_character};
use super::unicode;
use super::value::{Inputs, Value, first_character};

/// What stands between `%` and the verb.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// At least this many characters.
    pub(super) width: Option<usize>,
    /// Digits after the point, digits at least, or characters at most, as the verb has it.
    pub(super) precision: Option<usize>,
    /// `-`: pad on the right.
    pub(super) minus: bool,
    /// `+`: always a sign; only ASCII in quotes.
    pub(super) plus: bool,
    /// `#`: the other form.
    pub(super) sharp: bool,
    /// A space: room for a sign; spaces between bytes.
    pub(super) space: bool,
    /// `0`: pad with zeros.
    pub(super) zero: bool,
    /// `#` of `%#v`: as it would stand in a Go program.
    syntax: bool,
}

impl Flags {
    /// These flags for the verb `v`, for which `#` means something else and `+` nothing.
    pub(super) fn for_value(self) -> Self {
        Self { syntax: self.sharp, sharp: false, plus: false, ..self }
    }
}

/// Prints values into a buffer that has a limit.
pub(super) struct Printer {
    /// What was printed.
    out: Vec<u8>,
    /// Flags of the current verb.
    flags: Flags,
    /// How many bytes may be printed. What is beyond that is dropped, except for one byte: it shows that something is missing.
    limit: usize,
}

impl Printer {
    /// An empty buffer that takes `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { out: Vec::new(), flags: Flags::default(), limit }
    }

    /// What was printed. Longer than the limit if something is missing.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Whether the limit was passed.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() > self.limit
    }

    /// Sets the flags for what is printed next.
    pub(super) fn set_flags(&mut self, flags: Flags) {
        self.flags = flags;
    }

    /// Prints `text` as it is.
    pub(super) fn write(&mut self, text: &[u8]) {
        let room = (self.limit + 1).saturating_sub(self.out.len());
        self.out.extend_from_slice(&text[..text.len().min(room)]);
    }

    /// Prints an argument.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (verb, value) {
            ('T' | 'v', Value::Nil) => self.pad(b"<nil>", true),
            (_, Value::Nil) => self.write(format!("%!{verb}(<nil>)").as_bytes()),
            ('T', _) => self.text(value.type_name().as_bytes()),
            ('p', Value::Inputs(_)) => self.address(),
            ('p', _) | ('w', Value::Inputs(_)) => self.bad_verb(value, verb),
            _ => self.value(value, verb),
        }
    }

    /// Prints a value by a verb that depends on its type.
    fn value(&mut self, value: &Value, verb: char) {
        match value {
            Value::Nil => self.write(b"<nil>"),
            Value::Boolean(truth) if matches!(verb, 't' | 'v') => self.pad(truth.to_string().as_bytes(), true),
            Value::Integer(number) => {
                if !self.integer(number.unsigned_abs(), *number < 0, verb) {
                    self.bad_verb(value, verb);
                }
            }
            Value::Byte(number) if verb == 'v' && self.flags.syntax => {
                self.digits(u64::from(*number), false, 16, "0x", false)
            }
            Value::Byte(number) => {
                if !self.integer(u64::from(*number), false, verb) {
                    self.bad_verb(value, verb);
                }
            }
            Value::Float(number) => match float_form(verb) {
                Some(form) => self.float(*number, form),
                None => self.bad_verb(value, verb),
            },
            Value::Complex(real, imaginary) => match float_form(verb) {
                Some(form) => self.complex(*real, *imaginary, form),
                None => self.bad_verb(value, verb),
            },
            Value::Text(text) => match verb {
                'v' if self.flags.syntax => self.quoted(text),
                'v' | 's' => self.text(text),
                'x' => self.hexadecimal(text, "0x", false),
                'X' => self.hexadecimal(text, "0X", true),
                'q' => self.quoted(text),
                _ => self.bad_verb(value, verb),
            },
            Value::Inputs(inputs) => self.inputs(inputs, verb),
            Value::Boolean(_) => self.bad_verb(value, verb),
        }
    }

    /// Prints that a verb does not fit a value.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.write(format!("%!{verb}({}=", value.type_name()).as_bytes());
        self.value(value, 'v');
        self.write(b")");
    }

    /// Prints all inputs.
    fn inputs(&mut self, inputs: &Inputs, verb: char) {
        let (open, gap, close) = if self.flags.syntax { ("map[string]string{", ", ", "}") } else { ("map[", " ", "]") };
        self.write(open.as_bytes());
        for (index, (name, text)) in inputs.iter().enumerate() {
            if index > 0 {
                self.write(gap.as_bytes());
            }
            self.value(&Value::from(name.clone()), verb);
            self.write(b":");
            self.value(&Value::Text(text.clone()), verb);
        }
        self.write(close.as_bytes());
    }

    /// Prints the address of the inputs. Go prints where they happen to lie, other at each run; this is always the same.
    fn address(&mut self) {
        self.digits(0xc0_0001_2090, false, 16, if self.flags.sharp { "" } else { "0x" }, false);
    }

    /// Prints `text` with spaces, or zeros if the flags and `zeros` say so, up to the width.
    fn pad(&mut self, text: &[u8], zeros: bool) {
        let width = self.flags.width.unwrap_or(0);
        let missing = if width == 0 { 0 } else { width.saturating_sub(characters(text)) };
        if self.flags.minus {
            self.write(text);
            self.fill(missing, false);
        } else {
            self.fill(missing, zeros);
            self.write(text);
        }
    }

    /// Prints `count` spaces, or zeros if the flags and `zeros` say so.
    fn fill(&mut self, count: usize, zeros: bool) {
        let byte = if zeros && self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        let room = (self.limit + 1).saturating_sub(self.out.len());
        self.out.resize(self.out.len() + count.min(room), byte);
    }

    /// As many characters of `text` as the precision allows.
    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else { return text };
        let mut end = 0;
        for _ in 0..precision {
            match first_character(&text[end..]) {
                Some((_, length)) => end += length,
                None => break,
            }
        }
        &text[..end]
    }

    /// Prints a text.
    fn text(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        self.pad(text, true);
    }

    /// Prints a text in quotes.
    fn quoted(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        let quoted = if self.flags.sharp && can_backquote(text) {
            [b"`", text, b"`"].concat()
        } else {
            quote(text, self.flags.plus)
        };
        self.pad(&quoted, true);
    }

    /// Prints the bytes of a text in hexadecimal.
    fn hexadecimal(&mut self, text: &[u8], prefix: &str, upper: bool) {
        let text = &text[..text.len().min(self.flags.precision.unwrap_or(usize::MAX))];
        let mut digits = Vec::with_capacity(2 * text.len());
        for (index, byte) in text.iter().enumerate() {
            if index > 0 && self.flags.space {
                digits.push(b' ');
            }
            if self.flags.sharp && (index == 0 || self.flags.space) {
                digits.extend(prefix.bytes());
            }
            digits.extend(if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }.bytes());
        }
        self.pad(&digits, true);
    }

    /// Prints an integer, given by magnitude and sign. Says `false` if the verb is not one for integers.
    fn integer(&mut self, magnitude: u64, negative: bool, verb: char) -> bool {
        let sharp = |prefix: &'static str| if self.flags.sharp { prefix } else { "" };
        match verb {
            'v' | 'd' => self.digits(magnitude, negative, 10, "", false),
            'b' => self.digits(magnitude, negative, 2, sharp("0b"), false),
            'o' => self.digits(magnitude, negative, 8, sharp("0"), false),
            'O' if self.flags.sharp => self.digits(magnitude, negative, 8, "0o0", false),
            'O' => self.digits(magnitude, negative, 8, "0o", false),
            'x' => self.digits(magnitude, negative, 16, sharp("0x"), false),
            'X' => self.digits(magnitude, negative, 16, sharp("0X"), true),
            'c' => self.pad(code_point(magnitude, negative).encode_utf8(&mut [0; 4]).as_bytes(), true),
            'q' => self.pad(&quote_character(code_point(magnitude, negative), self.flags.plus), true),
            'U' => self.unicode(magnitude, negative),
            _ => return false,
        }
        true
    }

    /// Prints the digits of an integer, with zeros up to the precision, a prefix and a sign.
    fn digits(&mut self, magnitude: u64, negative: bool, base: u8, prefix: &str, upper: bool) {
        let width = self.flags.width.unwrap_or(0);
        if self.flags.precision == Some(0) && magnitude == 0 {
            return self.fill(width, false);
        }
        let signed = negative || self.flags.plus || self.flags.space;
        let least = match self.flags.precision {
            Some(precision) => precision,
            None if self.flags.zero && !self.flags.minus => width.saturating_sub(usize::from(signed)),
            None => 0,
        };
        let digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if upper => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        let zeros = least.saturating_sub(digits.len());
        // One leading zero is enough to show that a number is octal.
        let leads = zeros > 0 || digits.starts_with('0');
        let prefix = if base == 8 && leads { prefix.strip_suffix('0').unwrap_or(prefix) } else { prefix };
        let sign = match (negative, self.flags.plus, self.flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let text = [sign, prefix, &"0".repeat(zeros), &digits].concat();
        self.pad(text.as_bytes(), false);
    }

    /// Prints an integer as a code point: `U+0078`, with `#` also `U+0078 'x'`.
    fn unicode(&mut self, magnitude: u64, negative: bool) {
        let code = if negative { magnitude.wrapping_neg() } else { magnitude };
        let least = self.flags.precision.unwrap_or(0).max(4);
        let digits = format!("{code:X}");
        let mut text = ["U+", &"0".repeat(least.saturating_sub(digits.len())), &digits].concat();
        let shown = u32::try_from(code).ok().and_then(char::from_u32).filter(|&shown| unicode::is_printable(shown));
        if let Some(shown) = shown.filter(|_| self.flags.sharp) {
            text.push_str(&format!(" '{shown}'"));
        }
        self.pad(text.as_bytes(), false);
    }

    /// Prints a complex number.
    fn complex(&mut self, real: f64, imaginary: f64, form: (Form, Option<usize>, bool)) {
        let flags = self.flags;
        self.write(b"(");
        self.float(real, form);
        self.flags.plus = true;
        self.float(imaginary, form);
        self.flags = flags;
        self.write(b"i)");
    }

    /// Prints a float: its form, the precision where none is asked for, and whether letters are large.
    fn float(&mut self, number: f64, (form, default, upper): (Form, Option<usize>, bool)) {
        let precision = self.flags.precision.or(default);
        let text = float::write(number, form, precision, upper);
        let negative = text.starts_with('-');
        let mut digits = text.trim_start_matches(['-', '+']).to_owned();
        let sign = match negative {
            true => "-",
            false if self.flags.plus => "+",
            false if self.flags.space => " ",
            false => "",
        };
        if self.flags.sharp && form != Form::Binary {
            digits = with_point(&digits, form, precision, upper);
        }
        let width = self.flags.width.unwrap_or(0);
        let length = 1 + digits.len();
        if !sign.is_empty() && self.flags.zero && !self.flags.minus && width > length {
            // The sign stands before the zeros.
            self.write(sign.as_bytes());
            self.fill(width - length, true);
            return self.write(digits.as_bytes());
        }
        self.pad((sign.to_owned() + &digits).as_bytes(), true);
    }
}

/// How many characters `text` has; a byte that is not UTF-8 counts as one.
fn characters(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// The character with this number; U+FFFD if there is none.
fn code_point(magnitude: u64, negative: bool) -> char {
    let code = if negative { None } else { u32::try_from(magnitude).ok() };
    code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The form, default precision and case of the letters that `verb` means for a float.
fn float_form(verb: char) -> Option<(Form, Option<usize>, bool)> {
    Some(match verb {
        'v' | 'g' => (Form::Shorter, None, false),
        'G' => (Form::Shorter, None, true),
        'b' => (Form::Binary, None, false),
        'x' => (Form::Hexadecimal, None, false),
        'X' => (Form::Hexadecimal, None, true),
        'e' => (Form::Exponent, Some(6), false),
        'E' => (Form::Exponent, Some(6), true),
        'f' | 'F' => (Form::Plain, Some(6), false),
        _ => return None,
    })
}

/// A float with the decimal point and trailing zeros that `#` asks for. `digits` has no sign.
fn with_point(digits: &str, form: Form, precision: Option<usize>, upper: bool) -> String {
    let exponent = if form == Form::Hexadecimal { ['p', 'P'] } else { ['e', 'E'] };
    let (mantissa, tail) = digits.split_at(digits.find(exponent).unwrap_or(digits.len()));
    let wanted = match form {
        Form::Shorter => precision.unwrap_or(6),
        Form::Hexadecimal if !upper => precision.unwrap_or(6),
        _ => 0,
    };
    // Counted from the first digit that is not zero; the `x` of `0x` counts, as it does in Go.
    let significant = mantissa.chars().filter(|&c| c != '.').skip_while(|&c| c == '0').count();
    let pointed = mantissa.contains('.');
    let lone_zero = !pointed && mantissa == "0";
    let zeros = wanted.saturating_sub(significant + usize::from(lone_zero));
    [mantissa, if pointed { "" } else { "." }, &"0".repeat(zeros), tail].concat()
}
