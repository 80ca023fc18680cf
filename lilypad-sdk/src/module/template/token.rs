//! The pieces that a template is cut into.

use std::fmt;

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// There is no token here; the text is at fault. Nothing follows.
    Fault(Fault),
    /// The end of the template.
    End,
    /// Text outside of actions.
    Text,
    /// `{{`.
    OpenAction,
    /// `}}`.
    CloseAction,
    /// White space between words.
    Space,
    /// `(`.
    OpenParenthesis,
    /// `)`.
    CloseParenthesis,
    /// `|`.
    Pipe,
    /// `=`.
    Assign,
    /// `:=`.
    Declare,
    /// `true` or `false`.
    Boolean,
    /// A number without an imaginary part beside a real one.
    Number,
    /// A number as in `1+2i`.
    Complex,
    /// A character in single quotes.
    Character,
    /// A string in double quotes.
    Quoted,
    /// A string in back quotes.
    Raw,
    /// `.name`.
    Field,
    /// `$` or `$name`.
    Variable,
    /// A function's name.
    Identifier,
    /// `.` alone.
    Dot,
    /// `nil`.
    Nil,
    /// A word that begins a statement.
    Keyword(Keyword),
    /// Some other printable ASCII character.
    Other,
}

/// A word that begins a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// `block`: a definition and its use in one.
    Block,
    /// `break`: leaves the innermost `range`.
    Break,
    /// `continue`: goes on with the next element of the innermost `range`.
    Continue,
    /// `define`: a named template.
    Define,
    /// `else`.
    Else,
    /// `end`.
    End,
    /// `if`.
    If,
    /// `range`.
    Range,
    /// `template`: the use of a named template.
    Template,
    /// `with`.
    With,
}

impl Keyword {
    /// The keyword that `word` is, if it is one.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "block" => Self::Block,
            "break" => Self::Break,
            "continue" => Self::Continue,
            "define" => Self::Define,
            "else" => Self::Else,
            "end" => Self::End,
            "if" => Self::If,
            "range" => Self::Range,
            "template" => Self::Template,
            "with" => Self::With,
            _ => return None,
        })
    }
}

/// Why the text cannot be cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// `{{` without `}}`.
    UnclosedAction,
    /// `{{/*` without `*/`.
    UnclosedComment,
    /// `*/` that is not followed by `}}`.
    LateComment,
    /// `(` without `)` before the action ends.
    UnclosedParenthesis,
    /// `)` without `(`.
    StrayParenthesis,
    /// `:` without `=`.
    LoneColon,
    /// A string in double quotes that does not end on its line.
    UnclosedQuoted,
    /// A string in back quotes that does not end.
    UnclosedRaw,
    /// A character in single quotes that does not end on its line.
    UnclosedCharacter,
    /// A number with a wrong end.
    Number,
    /// A character that may not stand inside an action.
    Character(char),
    /// A character that may not follow a name.
    AfterName(char),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnclosedAction => f.write_str("this action has no closing `}}`"),
            Self::UnclosedComment => f.write_str("this comment has no closing `*/`"),
            Self::LateComment => f.write_str("expected `}}` directly after the `*/` of this comment"),
            Self::UnclosedParenthesis => f.write_str("expected `)` before the action ends"),
            Self::StrayParenthesis => f.write_str("this `)` has no opening `(`"),
            Self::LoneColon => f.write_str("expected `:=`"),
            Self::UnclosedQuoted => f.write_str("this string has no closing `\"` on its line"),
            Self::UnclosedRaw => f.write_str("this string has no closing back quote"),
            Self::UnclosedCharacter => f.write_str("this character has no closing `'` on its line"),
            Self::Number => f.write_str("this is not a number"),
            Self::Character(character) => write!(f, "{character:?} has no meaning inside an action"),
            Self::AfterName(character) => write!(f, "a name cannot be followed by {character:?}"),
        }
    }
}

/// A piece of the template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it starts, in bytes from the start of the template.
    pub(super) start: usize,
    /// Its text; for a fault, as much as was read.
    pub(super) text: &'t str,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// How many characters of a long token are shown.
        const SHOWN: usize = 24;
        match self.kind {
            Kind::End => f.write_str("the end of the template"),
            Kind::Fault(fault) => write!(f, "{fault}"),
            Kind::Space => f.write_str("white space"),
            Kind::Text => f.write_str("text"),
            _ => match self.text.char_indices().nth(SHOWN) {
                Some((end, _)) => write!(f, "`{}…`", &self.text[..end]),
                None => write!(f, "`{}`", self.text),
            },
        }
    }
}
