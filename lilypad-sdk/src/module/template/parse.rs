//! Reads the statements of a template: text, actions, `if`, `with`, `range`, `define`, `block`, `template`.

use std::collections::HashMap;

use crate::module::nearest::nearest;

use super::error::{Stage, TemplateError, line_and_column};
use super::funcs::Function;
use super::lexer::Lexer;
use super::literal;
use super::pipeline::in_words;
use super::program::{Action, Body, LoopVariables};
use super::token::{Keyword, Kind, Token};
use super::unit::{Control, Origin, Unit, word};

/// The named templates of a template.
pub(super) type Definitions = HashMap<Vec<u8>, Body>;

/// Reads a template and writes its steps.
pub(super) struct Parser<'t> {
    /// The template.
    text: &'t str,
    /// Where tokens come from.
    lexer: Lexer<'t>,
    /// Tokens that were read and put back; the next one is last.
    ahead: Vec<Token<'t>>,
    /// The token that was cut last, which is where the parser is.
    latest: Token<'t>,
    /// The body that is being written, and behind it the `block`s and the `define` that it stands in.
    units: Vec<Unit<'t>>,
    /// The named templates so far.
    definitions: Definitions,
}

impl<'t> Parser<'t> {
    /// Reads `text`: the template itself and the named ones inside it.
    pub(super) fn parse(text: &'t str) -> Result<(Body, Definitions), TemplateError> {
        let start = Token { kind: Kind::Text, start: 0, text: "" };
        let mut parser = Self {
            text,
            lexer: Lexer::new(text),
            ahead: Vec::new(),
            latest: start,
            units: vec![Unit::new(Origin::Template)],
            definitions: HashMap::new(),
        };
        parser.statements()?;
        let body = parser.units.pop().map(Unit::into_body).unwrap_or_default();
        Ok((body, parser.definitions))
    }

    /// Reads statements up to the end of the template.
    fn statements(&mut self) -> Result<(), TemplateError> {
        loop {
            let token = self.next_word();
            match token.kind {
                Kind::End => return self.finish(),
                Kind::Text => {
                    let unit = self.unit();
                    unit.is_blank &= token.text.trim().is_empty();
                    unit.write(Action::Text(token.start, token.start + token.text.len()), None);
                }
                Kind::OpenAction => self.statement()?,
                _ => return Err(self.unexpected(token, "input")),
            }
        }
    }

    /// Checks at the end of the template that everything is closed.
    fn finish(&mut self) -> Result<(), TemplateError> {
        let unit = self.unit();
        let unclosed = match (unit.open.last(), &unit.origin) {
            (Some(control), _) => Some((in_words(word(control.keyword)), control.start)),
            (None, Origin::Template) => None,
            (None, Origin::Define(_, start)) => Some(("`define`".into(), *start)),
            (None, Origin::Block(_, start)) => Some(("`block`".into(), *start)),
        };
        let Some((what, start)) = unclosed else { return Ok(()) };
        let (line, column) = line_and_column(self.text, start);
        let message =
            format!("the template ends before the `{{{{end}}}}` of the {what} in line {line}, column {column}");
        Err(self.fail(message))
    }

    /// Reads one statement, whose `{{` was read.
    fn statement(&mut self) -> Result<(), TemplateError> {
        let token = self.next_word();
        let Kind::Keyword(keyword) = token.kind else {
            self.back(token);
            return self.action();
        };
        match keyword {
            Keyword::Define if self.is_outermost() => self.define(token.start),
            Keyword::Define => Err(self
                .unexpected(token, "command")
                .with_help("a `define` stands outside of any other `define`, `block`, `if`, `with` and `range`")),
            Keyword::Block => self.block(token.start),
            Keyword::Template => self.template(),
            Keyword::If | Keyword::With | Keyword::Range => self.control(keyword, token.start, false),
            Keyword::Else => self.otherwise(token),
            Keyword::End => {
                self.expect_close("end")?;
                self.end(token)
            }
            Keyword::Break | Keyword::Continue => self.leave(keyword, token),
        }
    }

    /// Reads an action that prints a value or sets variables.
    fn action(&mut self) -> Result<(), TemplateError> {
        let declared = self.pipeline("command")?;
        let unit = self.unit();
        unit.is_blank = false;
        unit.write(if declared.names.is_empty() { Action::Print } else { Action::Discard }, None);
        Ok(())
    }

    /// Reads the head of an `if`, `with` or `range`, whose keyword was read.
    fn control(&mut self, keyword: Keyword, start: usize, chained: bool) -> Result<(), TemplateError> {
        let unit = self.unit();
        unit.is_blank = false;
        let variables = unit.variables.len();
        unit.write(Action::Open, None);
        let declared = self.pipeline(word(keyword))?;
        let unit = self.unit();
        let skip = unit.write(
            match keyword {
                Keyword::Range => Action::Range {
                    variables: LoopVariables {
                        names: declared.names.into_iter().map(Box::from).collect(),
                        assigned: declared.assigned,
                    },
                    otherwise: 0,
                },
                Keyword::With => Action::With(0),
                _ => Action::Unless(0),
            },
            None,
        );
        let (exits, continues) = (Vec::new(), Vec::new());
        unit.open.push(Control { keyword, start, chained, variables, skip: Some(skip), exits, continues });
        Ok(())
    }

    /// Reads an `else`, whose keyword was read.
    fn otherwise(&mut self, token: Token<'t>) -> Result<(), TemplateError> {
        let next = self.peek_word();
        let chained = match next.kind {
            Kind::Keyword(keyword @ (Keyword::If | Keyword::With)) => Some(keyword),
            _ => {
                self.expect_close("else")?;
                None
            }
        };
        let Some(mut control) = self.unit().open.pop() else {
            return Err(self.fail_token(token, "this `else` belongs to no `if`, `with` or `range`"));
        };
        if control.skip.is_none() {
            let (line, _) = line_and_column(self.text, control.start);
            let what = in_words(word(control.keyword));
            return Err(self.fail_token(
                token,
                format!("expected the `{{{{end}}}}` of the {what} in line {line}, which has its `else` already"),
            ));
        }
        self.unit().finish_first_branch(&mut control, true);
        let own = control.keyword;
        self.unit().open.push(control);
        match chained {
            None => Ok(()),
            Some(keyword) if keyword == own => {
                let start = self.next_word().start;
                self.control(keyword, start, true)
            }
            Some(keyword) => {
                let (own, other) = (word(own), word(keyword));
                Err(self.fail_token(next, format!("`else {other}` cannot belong to `{own}`")))
            }
        }
    }

    /// Ends the innermost statement or body, whose `{{end}}` was read.
    fn end(&mut self, token: Token<'t>) -> Result<(), TemplateError> {
        let unit = self.unit();
        let closes_body = unit.open.is_empty();
        while let Some(mut control) = unit.open.pop() {
            unit.finish_first_branch(&mut control, false);
            let here = unit.steps.len();
            for exit in control.exits {
                unit.set_target(exit, here);
            }
            unit.write(Action::Close, None);
            unit.variables.truncate(control.variables);
            if !control.chained {
                return Ok(());
            }
        }
        if !closes_body || self.units.len() < 2 {
            return Err(self.fail_token(token, "this `end` closes nothing"));
        }
        let Some(unit) = self.units.pop() else { return Ok(()) };
        let (Origin::Define(name, start) | Origin::Block(name, start)) = &unit.origin else { return Ok(()) };
        let (name, start) = (name.clone(), *start);
        self.define_as(name, start, unit.into_body())
    }

    /// Adds a named template. One of white space alone never replaces another one.
    fn define_as(&mut self, name: Vec<u8>, start: usize, body: Body) -> Result<(), TemplateError> {
        match self.definitions.get(&name) {
            Some(earlier) if !earlier.is_blank => {
                if !body.is_blank {
                    let (line, _) = line_and_column(self.text, start);
                    let name = String::from_utf8_lossy(&name);
                    return Err(self.fail(format!("the template {name:?} of line {line} was already defined before")));
                }
            }
            _ => {
                self.definitions.insert(name, body);
            }
        }
        Ok(())
    }

    /// Reads the head of a `define`, whose keyword was read.
    fn define(&mut self, start: usize) -> Result<(), TemplateError> {
        let name = self.template_name("define clause")?;
        self.expect_close("define clause")?;
        self.units.push(Unit::new(Origin::Define(name, start)));
        Ok(())
    }

    /// Reads the head of a `block`, whose keyword was read.
    fn block(&mut self, start: usize) -> Result<(), TemplateError> {
        let position = self.peek_word().start;
        let name = self.template_name("block clause")?;
        self.unit().is_blank = false;
        self.unit().write(Action::Find(name.clone()), Some(position));
        self.pipeline("block clause")?;
        self.unit().write(Action::Run(name.clone()), None);
        self.units.push(Unit::new(Origin::Block(name, start)));
        Ok(())
    }

    /// Reads a `template`, whose keyword was read.
    fn template(&mut self) -> Result<(), TemplateError> {
        let position = self.peek_word().start;
        let name = self.template_name("template clause")?;
        self.unit().is_blank = false;
        self.unit().write(Action::Find(name.clone()), Some(position));
        let token = self.next_word();
        if token.kind == Kind::CloseAction {
            self.unit().write(Action::Nil, None);
        } else {
            self.back(token);
            self.pipeline("template clause")?;
        }
        self.unit().write(Action::Run(name), None);
        Ok(())
    }

    /// Reads a `break` or `continue`, whose keyword was read.
    fn leave(&mut self, keyword: Keyword, token: Token<'t>) -> Result<(), TemplateError> {
        self.expect_close(if keyword == Keyword::Break { "break" } else { "continue" })?;
        let unit = self.unit();
        // Behind its `else`, a `range` is over.
        let inside = |control: &&mut Control| control.keyword == Keyword::Range && control.skip.is_some();
        let Some(control) = unit.open.iter_mut().rev().find(inside) else {
            return Err(self.fail_token(token, format!("this `{}` is in no `range`", token.text)));
        };
        let action = if keyword == Keyword::Break { Action::Break(0) } else { Action::Continue(0) };
        let step = unit.steps.len();
        match keyword {
            Keyword::Break => control.exits.push(step),
            _ => control.continues.push(step),
        }
        unit.write(action, None);
        Ok(())
    }

    /// Reads the name of a template.
    fn template_name(&mut self, context: &'static str) -> Result<Vec<u8>, TemplateError> {
        let token = self.next_word();
        match token.kind {
            Kind::Quoted | Kind::Raw => self.string(token),
            _ => Err(self.unexpected(token, context).with_help("the name of a template stands in quotes")),
        }
    }

    /// The bytes of a string.
    pub(super) fn string(&self, token: Token<'t>) -> Result<Vec<u8>, TemplateError> {
        literal::unquote(token.text).ok_or_else(|| {
            self.fail_token(token, "this string has a backslash that does not begin a known escape")
                .with_help("write `\\\\` for a backslash, or put the string in back quotes")
        })
    }

    /// Reads the end of an action.
    fn expect_close(&mut self, context: &'static str) -> Result<(), TemplateError> {
        let token = self.next_word();
        if token.kind == Kind::CloseAction { Ok(()) } else { Err(self.unexpected(token, context)) }
    }
}

/// What reading pipelines needs, too.
impl<'t> Parser<'t> {
    /// The next token.
    pub(super) fn next_token(&mut self) -> Token<'t> {
        self.ahead.pop().unwrap_or_else(|| {
            self.latest = self.lexer.next_token();
            self.latest
        })
    }

    /// The next token that is not white space.
    pub(super) fn next_word(&mut self) -> Token<'t> {
        loop {
            let token = self.next_token();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    /// Puts a token back.
    pub(super) fn back(&mut self, token: Token<'t>) {
        self.ahead.push(token);
    }

    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> Token<'t> {
        let token = self.next_token();
        self.back(token);
        token
    }

    /// The next token that is not white space, which stays.
    pub(super) fn peek_word(&mut self) -> Token<'t> {
        let token = self.next_word();
        self.back(token);
        token
    }

    /// Writes a step to the current body.
    pub(super) fn write(&mut self, action: Action, at: Option<usize>) -> usize {
        self.unit().write(action, at)
    }

    /// Number of steps in the current body.
    pub(super) fn here(&mut self) -> usize {
        self.unit().steps.len()
    }

    /// What a step of the current body does.
    pub(super) fn action_of(&mut self, step: usize) -> &mut Action {
        &mut self.unit().steps[step].action
    }

    /// Lets a step of the current body lead to `target`.
    pub(super) fn set_target(&mut self, step: usize, target: usize) {
        self.unit().set_target(step, target);
    }

    /// Makes a variable known up to the `end` of the innermost statement.
    pub(super) fn declare(&mut self, name: &'t str) {
        self.unit().variables.push(name);
    }

    /// Whether a variable is known here.
    pub(super) fn is_declared(&mut self, name: &str) -> bool {
        self.unit().variables.contains(&name)
    }

    /// An error where the parser is.
    pub(super) fn fail(&self, message: impl Into<String>) -> TemplateError {
        TemplateError::at(Stage::Parse, self.text, self.latest.start, message)
    }

    /// An error at a token.
    pub(super) fn fail_token(&self, token: Token<'t>, message: impl Into<String>) -> TemplateError {
        TemplateError::at(Stage::Parse, self.text, token.start, message)
    }

    /// A token that may not stand where it does.
    pub(super) fn unexpected(&self, token: Token<'t>, context: &str) -> TemplateError {
        match token.kind {
            Kind::Fault(fault) => self.fail_token(token, fault.to_string()),
            _ => self.fail_token(token, format!("did not expect {token} in {}", in_words(context))),
        }
    }

    /// A function that does not exist.
    pub(super) fn unknown_function(&self, token: Token<'t>) -> TemplateError {
        let error = self.fail_token(token, format!("there is no function `{}`", token.text));
        match nearest(token.text, Function::names()) {
            Some(name) => error.with_help(format!("did you mean `{name}`?")),
            None => error.with_help(format!("an input is written with a point: `.{}`", token.text)),
        }
    }

    /// The body that is being written.
    fn unit(&mut self) -> &mut Unit<'t> {
        self.units.last_mut().expect("the template's own body stays until its end")
    }

    /// Whether no other statement is open.
    fn is_outermost(&self) -> bool {
        matches!(&self.units[..], [only] if only.open.is_empty())
    }
}
