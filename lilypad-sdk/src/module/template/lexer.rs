//! From text to tokens.
//!
//! Outside of `{{` and `}}` there is one token for a run of text; inside there is one for each word, and one for each run of
//! white space, because `.x.y` and `.x .y` differ. Trim markers and comments end here; the parser never sees them.

use super::token::{Fault, Keyword, Kind, Token};
use super::unicode::{is_digit, is_letter};

/// The opening of an action.
const OPEN: &str = "{{";
/// The end of an action.
const CLOSE: &str = "}}";
/// The opening of a comment; only directly after [`OPEN`] and its trim marker.
const OPEN_COMMENT: &str = "/*";
/// The end of a comment; only directly before [`CLOSE`] and its trim marker.
const CLOSE_COMMENT: &str = "*/";
/// What counts as white space in actions and next to trim markers.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// Cuts a template into tokens, one at a time.
pub(super) struct Lexer<'t> {
    /// The whole template.
    text: &'t str,
    /// Where the next token starts.
    position: usize,
    /// Whether that is inside an action.
    inside: bool,
    /// How many parentheses are open in this action.
    parentheses: usize,
}

impl<'t> Lexer<'t> {
    /// Starts at the beginning of `text`.
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, position: 0, inside: false, parentheses: 0 }
    }

    /// The next token. After the last, and after a fault, always [`Kind::End`].
    pub(super) fn next_token(&mut self) -> Token<'t> {
        if self.inside { self.action() } else { self.outside() }
    }

    /// What is still to be read.
    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    /// The next character, without reading it.
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Reads the next character.
    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        Some(character)
    }

    /// Reads characters as long as `wanted` says so.
    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.position += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    /// Reads the next character if it is one of `wanted`.
    fn accept(&mut self, wanted: &str) -> bool {
        let accepted = self.peek().is_some_and(|c| wanted.contains(c));
        if accepted {
            self.bump();
        }
        accepted
    }

    /// The token from `start` to here.
    fn token(&self, kind: Kind, start: usize) -> Token<'t> {
        Token { kind, start, text: &self.text[start..self.position] }
    }

    /// The last token: what starts at `start` is at fault.
    fn fault(&mut self, fault: Fault, start: usize) -> Token<'t> {
        let token = self.token(Kind::Fault(fault), start);
        self.position = self.text.len();
        self.inside = false;
        token
    }

    /// Reads text up to the next action, or the opening of that action.
    fn outside(&mut self) -> Token<'t> {
        loop {
            let start = self.position;
            let Some(length) = self.rest().find(OPEN) else {
                self.position = self.text.len();
                let kind = if start == self.position { Kind::End } else { Kind::Text };
                return self.token(kind, start);
            };
            let trims = trims_before(&self.rest()[length + OPEN.len()..]);
            let text = &self.rest()[..length];
            let kept = if trims { text.trim_end_matches(SPACES) } else { text };
            self.position += length;
            if !kept.is_empty() {
                return Token { kind: Kind::Text, start, text: kept };
            }
            let open = self.position;
            self.position += OPEN.len();
            let token = self.token(Kind::OpenAction, open);
            if trims {
                self.position += 2;
            }
            if !self.rest().starts_with(OPEN_COMMENT) {
                self.inside = true;
                self.parentheses = 0;
                return token;
            }
            if let Err(token) = self.comment() {
                return token;
            }
        }
    }

    /// Skips a comment, from its `/*` to its `}}`.
    fn comment(&mut self) -> Result<(), Token<'t>> {
        let start = self.position;
        self.position += OPEN_COMMENT.len();
        let Some(length) = self.rest().find(CLOSE_COMMENT) else {
            return Err(self.fault(Fault::UnclosedComment, start));
        };
        self.position += length + CLOSE_COMMENT.len();
        match closing(self.rest()) {
            None => Err(self.fault(Fault::LateComment, start)),
            Some(trims) => {
                self.close(trims);
                Ok(())
            }
        }
    }

    /// Reads `}}`, known to be here, with the white space around it that a trim marker removes.
    fn close(&mut self, trims: bool) -> Token<'t> {
        if trims {
            self.position += 2;
        }
        let start = self.position;
        self.position += CLOSE.len();
        let token = self.token(Kind::CloseAction, start);
        if trims {
            self.skip_while(is_space);
        }
        self.inside = false;
        token
    }

    /// Reads a token inside an action.
    fn action(&mut self) -> Token<'t> {
        let start = self.position;
        if let Some(trims) = closing(self.rest()) {
            return match self.parentheses {
                0 => self.close(trims),
                _ => self.fault(Fault::UnclosedParenthesis, start),
            };
        }
        let Some(character) = self.bump() else {
            return self.fault(Fault::UnclosedAction, start);
        };
        match character {
            _ if is_space(character) => self.space(start),
            '=' => self.token(Kind::Assign, start),
            ':' if self.accept("=") => self.token(Kind::Declare, start),
            ':' => self.fault(Fault::LoneColon, start),
            '|' => self.token(Kind::Pipe, start),
            '"' => self.quoted('"', Kind::Quoted, Fault::UnclosedQuoted, start),
            '\'' => self.quoted('\'', Kind::Character, Fault::UnclosedCharacter, start),
            '`' => match self.rest().find('`') {
                Some(length) => {
                    self.position += length + 1;
                    self.token(Kind::Raw, start)
                }
                None => self.fault(Fault::UnclosedRaw, start),
            },
            '$' => self.name(Kind::Variable, Kind::Variable, start),
            '.' if self.peek().is_some_and(|c| !c.is_ascii_digit()) => self.name(Kind::Field, Kind::Dot, start),
            '.' | '+' | '-' | '0'..='9' => self.number(start),
            _ if is_alphanumeric(character) => self.word(start),
            '(' => {
                self.parentheses += 1;
                self.token(Kind::OpenParenthesis, start)
            }
            ')' if self.parentheses == 0 => self.fault(Fault::StrayParenthesis, start),
            ')' => {
                self.parentheses -= 1;
                self.token(Kind::CloseParenthesis, start)
            }
            ' '..='~' => self.token(Kind::Other, start),
            _ => self.fault(Fault::Character(character), start),
        }
    }

    /// Reads white space. Its last character belongs to the closing if a trim marker follows.
    fn space(&mut self, start: usize) -> Token<'t> {
        self.skip_while(is_space);
        let last = self.position - 1;
        if closing(&self.text[last..]) == Some(true) {
            self.position = last;
        }
        self.token(Kind::Space, start)
    }

    /// Reads a string or character up to its closing `quote`; a backslash hides what follows it.
    fn quoted(&mut self, quote: char, kind: Kind, fault: Fault, start: usize) -> Token<'t> {
        loop {
            let character = match self.bump() {
                Some('\\') => self.bump().map(|hidden| if hidden == '\n' { '\n' } else { ' ' }),
                other => other,
            };
            match character {
                None | Some('\n') => return self.fault(fault, start),
                Some(end) if end == quote => return self.token(kind, start),
                Some(_) => {}
            }
        }
    }

    /// Reads the name of a field or variable, whose sign was read; `bare` is the sign alone.
    fn name(&mut self, named: Kind, bare: Kind, start: usize) -> Token<'t> {
        if self.at_terminator() {
            return self.token(bare, start);
        }
        self.skip_while(is_alphanumeric);
        self.terminated(named, start)
    }

    /// Reads an identifier or keyword.
    fn word(&mut self, start: usize) -> Token<'t> {
        self.skip_while(is_alphanumeric);
        let kind = match &self.text[start..self.position] {
            "true" | "false" => Kind::Boolean,
            "nil" => Kind::Nil,
            word => Keyword::of(word).map_or(Kind::Identifier, Kind::Keyword),
        };
        self.terminated(kind, start)
    }

    /// The name from `start` to here, if what follows may follow a name.
    fn terminated(&mut self, kind: Kind, start: usize) -> Token<'t> {
        match self.peek() {
            Some(character) if !self.at_terminator() => self.fault(Fault::AfterName(character), start),
            _ => self.token(kind, start),
        }
    }

    /// Whether what follows may follow a name.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(character) => is_space(character) || self.rest().starts_with(CLOSE),
        }
    }

    /// Reads a number; whether its digits make sense is found later.
    fn number(&mut self, start: usize) -> Token<'t> {
        self.position = start;
        if !self.real() {
            return self.fault(Fault::Number, start);
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            return self.token(Kind::Number, start);
        }
        if self.real() && self.text[..self.position].ends_with('i') {
            return self.token(Kind::Complex, start);
        }
        self.fault(Fault::Number, start)
    }

    /// Reads one part of a number; says whether its end is one.
    fn real(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        let (mut decimal, mut hexadecimal) = (true, false);
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
                (decimal, hexadecimal) = (false, true);
            } else if self.accept("oO") {
                digits = "01234567_";
                decimal = false;
            } else if self.accept("bB") {
                digits = "01_";
                decimal = false;
            }
        }
        self.skip_while(|c| digits.contains(c));
        if self.accept(".") {
            self.skip_while(|c| digits.contains(c));
        }
        if (decimal && self.accept("eE")) || (hexadecimal && self.accept("pP")) {
            self.accept("+-");
            self.skip_while(|c| c.is_ascii_digit() || c == '_');
        }
        self.accept("i");
        match self.peek() {
            Some(character) if is_alphanumeric(character) => {
                self.bump();
                false
            }
            _ => true,
        }
    }
}

/// Whether an action with this text after its `{{` trims the white space before it.
fn trims_before(after: &str) -> bool {
    let mut characters = after.chars();
    characters.next() == Some('-') && characters.next().is_some_and(is_space)
}

/// Whether `rest` starts with the closing of an action, and if so, whether that trims the white space after it.
fn closing(rest: &str) -> Option<bool> {
    if rest.starts_with(CLOSE) {
        return Some(false);
    }
    let marked = rest.strip_prefix(SPACES)?.strip_prefix('-')?;
    marked.starts_with(CLOSE).then_some(true)
}

/// Whether `character` is white space inside an action.
fn is_space(character: char) -> bool {
    SPACES.contains(&character)
}

/// Whether `character` may stand in a name.
fn is_alphanumeric(character: char) -> bool {
    character == '_' || is_letter(character) || is_digit(character)
}
