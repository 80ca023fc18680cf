//! Where JSON stops making sense.

use std::fmt;

/// Whether text is no JSON at all, or JSON of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Not JSON.
    Syntax,
    /// JSON that does not fit the type asked for.
    Type,
}

/// Why JSON could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    class: ErrorClass,
    message: String,
    /// Names of the fields around the place, innermost first while it is being raised.
    path: Vec<String>,
    /// Bytes before the place.
    offset: Option<usize>,
    /// Line and column of the place, from 1; the column counts characters.
    position: (usize, usize),
}

impl Error {
    /// Text that is not JSON.
    pub(super) fn syntax(offset: usize, message: impl Into<String>) -> Self {
        Self {
            class: ErrorClass::Syntax,
            message: message.into(),
            path: Vec::new(),
            offset: Some(offset),
            position: (0, 0),
        }
    }

    /// JSON of another shape than asked for.
    pub(super) fn shape(offset: Option<usize>, message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Type, message: message.into(), path: Vec::new(), offset, position: (0, 0) }
    }

    /// Adds the field around the place.
    pub(super) fn inside(mut self, field: impl Into<String>) -> Self {
        self.path.push(field.into());
        self
    }

    /// Sets the place unless a more precise one is known.
    pub(super) fn at(mut self, offset: usize) -> Self {
        self.offset.get_or_insert(offset);
        self
    }

    /// Turns the offset into line and column of `text`.
    pub(super) fn locate(mut self, text: &[u8]) -> Self {
        let before = &text[..self.offset.unwrap_or(0).min(text.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        self.position = (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1);
        self.path.reverse();
        self
    }

    /// Whether it is no JSON at all, or JSON of another shape.
    pub fn class(&self) -> ErrorClass {
        self.class
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The field that does not fit, such as `machine.gpus[0].vram`; empty at the top.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for part in &self.path {
            if !path.is_empty() && !part.starts_with('[') {
                path.push('.');
            }
            path.push_str(part);
        }
        path
    }

    /// Line, from 1.
    pub fn line(&self) -> usize {
        self.position.0
    }

    /// Column in characters, from 1.
    pub fn column(&self) -> usize {
        self.position.1
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        write!(f, "{} at line {} column {}", self.message, self.line(), self.column())
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::shape(None, message.to_string())
    }
}
