//! Go's `fmt`: verbs, flags, width, precision, argument numbers, and the words it has for mistakes in them.
//!
//! A wrong verb or a missing argument is no error in Go; it prints as `%!d(string=x)` or `%!v(MISSING)`, and so it does here.

use super::format::{Flags, Printer};
use super::value::{Value, first_character};

/// `Sprintf`: `arguments` as `format` says.
pub(super) fn sprintf(format: &[u8], arguments: &[Value], limit: usize) -> Vec<u8> {
    let mut printf = Printf { printer: Printer::new(limit), format, arguments, next: 0, reordered: false, valid: true };
    printf.run();
    printf.printer.into_bytes()
}

/// `Sprint`: the arguments one after another, with a space between two that are not text.
pub(super) fn sprint(arguments: &[Value], limit: usize) -> Vec<u8> {
    let mut printer = Printer::new(limit);
    let mut after_text = true;
    for argument in arguments {
        let is_text = matches!(argument, Value::Text(_));
        if !is_text && !after_text {
            printer.write(b" ");
        }
        printer.argument(argument, 'v');
        after_text = is_text;
    }
    printer.into_bytes()
}

/// `Sprintln`: the arguments with spaces between them and a line feed after the last.
pub(super) fn sprintln(arguments: &[Value], limit: usize) -> Vec<u8> {
    let mut printer = Printer::new(limit);
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            printer.write(b" ");
        }
        printer.argument(argument, 'v');
    }
    printer.write(b"\n");
    printer.into_bytes()
}

/// One run over a format.
struct Printf<'a> {
    /// Where the output goes.
    printer: Printer,
    /// What of the format is still to be read.
    format: &'a [u8],
    /// All arguments.
    arguments: &'a [Value],
    /// The argument that the next verb takes.
    next: usize,
    /// Whether an argument was asked for by number. Then nobody complains about arguments that were left over.
    reordered: bool,
    /// Whether the argument number of the current verb, if any, makes sense.
    valid: bool,
}

impl Printf<'_> {
    /// Prints the whole format.
    fn run(&mut self) {
        while !self.format.is_empty() && !self.printer.is_full() {
            let length = self.format.iter().position(|&byte| byte == b'%').unwrap_or(self.format.len());
            let (text, rest) = self.format.split_at(length);
            self.printer.write(text);
            self.format = rest;
            if !rest.is_empty() {
                self.skip(1);
                self.valid = true;
                self.directive();
            }
        }
        if !self.reordered && self.next < self.arguments.len() {
            self.left_over();
        }
    }

    /// Steps over `count` bytes of the format.
    fn skip(&mut self, count: usize) {
        self.format = self.format.get(count..).unwrap_or_default();
    }

    /// Steps over `byte` if it is next.
    fn accept(&mut self, byte: u8) -> bool {
        let accepted = self.format.first() == Some(&byte);
        if accepted {
            self.skip(1);
        }
        accepted
    }

    /// Prints one directive, whose `%` was read.
    fn directive(&mut self) {
        let mut flags = Flags::default();
        loop {
            match self.format.first() {
                Some(b'#') => flags.sharp = true,
                Some(b'0') => flags.zero = true,
                Some(b'+') => flags.plus = true,
                Some(b'-') => flags.minus = true,
                Some(b' ') => flags.space = true,
                _ => break,
            }
            self.skip(1);
        }
        let mut numbered = self.argument_number();
        if self.accept(b'*') {
            let width = self.integer_argument();
            if width.is_none() {
                self.printer.write(b"%!(BADWIDTH)");
            }
            if width.is_some_and(|width| width < 0) {
                flags.minus = true;
                flags.zero = false;
            }
            flags.width = width.map(|width| width.unsigned_abs() as usize);
            numbered = false;
        } else {
            flags.width = self.number();
            self.valid &= !(numbered && flags.width.is_some());
        }
        // A point at the very end is not a precision: it is what stands where the verb should be.
        if self.format.len() > 1 && self.accept(b'.') {
            self.valid &= !numbered;
            numbered = self.argument_number();
            if self.accept(b'*') {
                flags.precision = self.integer_argument().and_then(|precision| usize::try_from(precision).ok());
                if flags.precision.is_none() {
                    self.printer.write(b"%!(BADPREC)");
                }
                numbered = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !numbered {
            self.argument_number();
        }
        match self.verb() {
            Some(verb) => self.print(verb, flags),
            None => self.printer.write(b"%!(NOVERB)"),
        }
    }

    /// Reads the verb: one character, or U+FFFD for a byte that is not UTF-8.
    fn verb(&mut self) -> Option<char> {
        let (character, length) = first_character(self.format)?;
        self.skip(length);
        Some(character)
    }

    /// Prints the next argument.
    fn print(&mut self, verb: char, mut flags: Flags) {
        if verb == '%' {
            return self.printer.write(b"%");
        }
        let complaint = match self.arguments.get(self.next) {
            _ if !self.valid => "BADINDEX",
            None => "MISSING",
            Some(argument) => {
                if matches!(verb, 'v' | 'w') {
                    flags = flags.for_value();
                }
                self.printer.set_flags(flags);
                self.printer.argument(argument, verb);
                self.next += 1;
                return;
            }
        };
        self.printer.write(format!("%!{verb}({complaint})").as_bytes());
    }

    /// Complains about arguments that no verb took.
    fn left_over(&mut self) {
        self.printer.set_flags(Flags::default());
        self.printer.write(b"%!(EXTRA ");
        for (index, argument) in self.arguments[self.next..].iter().enumerate() {
            if index > 0 {
                self.printer.write(b", ");
            }
            if *argument != Value::Nil {
                self.printer.write(argument.type_name().as_bytes());
                self.printer.write(b"=");
            }
            self.printer.argument(argument, 'v');
        }
        self.printer.write(b")");
    }

    /// Reads `[n]`, which makes argument n the next. Says whether a number was there, even if there is no such argument.
    fn argument_number(&mut self) -> bool {
        if self.format.first() != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let end = self.format.iter().position(|&byte| byte == b']').filter(|_| self.format.len() >= 3);
        let Some(end) = end else {
            self.valid = false;
            self.skip(1);
            return false;
        };
        let number =
            leading_number(&self.format[1..end]).filter(|&(_, length)| length == end - 1).map(|(number, _)| number);
        self.skip(end + 1);
        match number {
            Some(number @ 1..) if number <= self.arguments.len() => self.next = number - 1,
            _ => self.valid = false,
        }
        number.is_some()
    }

    /// Reads a width or precision. One that is far too large takes the rest of the format with it.
    fn number(&mut self) -> Option<usize> {
        match leading_number(self.format) {
            Some((number, length)) => {
                self.skip(length);
                Some(number)
            }
            None => {
                if self.format.first().is_some_and(u8::is_ascii_digit) {
                    self.format = &[];
                }
                None
            }
        }
    }

    /// Takes the next argument as a width or precision. `None`: not an integer, or too large.
    fn integer_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        let number = match argument {
            Value::Integer(number) => *number,
            Value::Byte(byte) => i64::from(*byte),
            _ => return None,
        };
        (-LARGEST..=LARGEST).contains(&number).then_some(number)
    }
}

/// The largest width, precision and argument number.
const LARGEST: i64 = 1_000_000;

/// The number at the start of `text` and how many digits it has. `None`: no number, or one that is far too large.
fn leading_number(text: &[u8]) -> Option<(usize, usize)> {
    let mut number = 0;
    let mut length = 0;
    for digit in text.iter().take_while(|byte| byte.is_ascii_digit()) {
        // Go looks before it adds a digit, so that numbers up to ten times as large pass here.
        if number > LARGEST as usize {
            return None;
        }
        number = number * 10 + usize::from(digit - b'0');
        length += 1;
    }
    (length > 0).then_some((number, length))
}
