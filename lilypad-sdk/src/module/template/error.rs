//! What is wrong with a template, and where.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// When a template turned out to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// While it was read: it is wrong whatever the inputs are.
    Parse,
    /// While it was rendered: it is wrong for these inputs.
    Execute,
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateError {
    /// When it was found.
    pub(crate) stage: Stage,
    /// Line in the template, counted from 1.
    pub(crate) line: usize,
    /// Column in that line in characters, counted from 1.
    pub(crate) column: usize,
    /// What is wrong, in words.
    pub(crate) message: String,
    /// What to do about it, where that is known.
    pub(crate) help: Option<String>,
}

impl TemplateError {
    /// An error at the byte `offset` of `text`.
    pub(super) fn at(stage: Stage, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = line_and_column(text, offset);
        Self { stage, line, column, message: message.into(), help: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for TemplateError {}

impl From<TemplateError> for Error {
    fn from(error: TemplateError) -> Self {
        let operation = match error.stage {
            Stage::Parse => "read module template",
            Stage::Execute => "render module template",
        };
        let raised = Error::new(ErrorKind::Module, operation).with_message(&error);
        match error.help {
            Some(help) => raised.with_help(help),
            None => raised,
        }
    }
}

/// Line and column of the byte `offset` of `text`, both counted from 1, the column in characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    // Continuation bytes of UTF-8 are not characters of their own.
    let column = 1 + before[line_start..].iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "é{{\nabc";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, 2), (1, 2));
        assert_eq!(line_and_column(text, 5), (2, 1));
        assert_eq!(line_and_column(text, 8), (2, 4));
        assert_eq!(line_and_column(text, 99), (2, 4));
    }

    #[test]
    fn it_becomes_a_module_error_that_says_where() {
        let error = TemplateError::at(Stage::Parse, "a\nb{{", 3, "this is wrong").with_help("mend it");
        let error = Error::from(error);
        assert_eq!(error.kind(), ErrorKind::Module);
        assert_eq!(
            error.to_string(),
            "could not read module template: template line 2, column 2: this is wrong\n  help: mend it"
        );
    }
}
