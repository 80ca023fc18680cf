//! What a template computes with.

use std::collections::BTreeMap;
use std::rc::Rc;

/// Text in Go's sense: bytes that are mostly, but need not be, UTF-8 (`slice` cuts anywhere, `"\xff"` is a string).
pub(super) type Text = Rc<[u8]>;

/// The inputs by name, as the template sees them.
pub(super) type Inputs = Rc<BTreeMap<Vec<u8>, Text>>;

/// A value. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Value {
    /// No value: `nil`, or an input that was not given.
    #[default]
    Nil,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number, or a character constant.
    Integer(i64),
    /// One byte of a text, taken out by `index`.
    Byte(u8),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A complex number, as in `1+2i`: real and imaginary part.
    Complex(f64, f64),
    /// A text.
    Text(Text),
    /// All inputs: `.` and `$` of the template.
    Inputs(Inputs),
}

impl Value {
    /// The name that Go has for its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Boolean(_) => "bool",
            Self::Integer(_) => "int",
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Text(_) => "string",
            Self::Inputs(_) => "map[string]string",
        }
    }

    /// Whether `if` takes its first branch: the value is neither zero nor empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Boolean(value) => *value,
            Self::Integer(value) => *value != 0,
            Self::Byte(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Inputs(inputs) => !inputs.is_empty(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.as_bytes().into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(text: Vec<u8>) -> Self {
        Self::Text(text.into())
    }
}

/// The first character of `text` and its length; U+FFFD and 1 for a byte that is not UTF-8.
pub(super) fn first_character(text: &[u8]) -> Option<(char, usize)> {
    // Four bytes hold the longest character.
    let start = &text[..text.len().min(4)];
    let chunk = start.utf8_chunks().next()?;
    Some(
        chunk
            .valid()
            .chars()
            .next()
            .map_or((char::REPLACEMENT_CHARACTER, 1), |character| (character, character.len_utf8())),
    )
}
