//! Go's `text/template`, as far as it can occur in a module: the whole language, over inputs that are texts.
//!
//! A module is a template that prints JSON. [`Template::parse`] reads one, [`Template::render`] fills in inputs, and both fail
//! where Go would fail, with a [`TemplateError`] that says the line and column. What a template prints is Go's output to the byte.
//!
//! ```text
//! let template = Template::parse(r#"{"args": ["-m", {{.Message}}]}"#)?;
//! let inputs = BTreeMap::from([("Message".to_owned(), r#"say "moo""#.to_owned())]);
//! assert_eq!(template.render(&inputs)?, r#"{"args": ["-m", "say \"moo\""]}"#);
//! ```
//!
//! Text → tokens ([`lexer`]) → steps ([`parse`], [`pipeline`], [`program`]) → output ([`machine`], [`frame`], [`funcs`],
//! [`printf`]). Inputs reach the template as JSON strings, quotes and all, as the network's other programs do it.
//!
//! Beyond Go there are limits against templates that never end or print without end; see [`machine`].

mod compare;
mod error;
mod escape;
mod float;
mod format;
mod frame;
mod funcs;
mod lexer;
mod literal;
mod machine;
mod number;
mod parse;
mod pipeline;
mod printf;
mod program;
mod token;
mod trace;
mod unicode;
mod unit;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use error::Stage;
pub(crate) use error::{TemplateError, line_and_column};

use crate::protocol::json;
use machine::Machine;
use parse::{Definitions, Parser};
use program::{Action, Body};
use trace::Trace;

/// A template that was read. Rendering it is cheap; it can be shared between threads.
#[derive(Debug)]
pub(crate) struct Template {
    /// The template as it was given.
    text: Box<str>,
    /// The template itself.
    body: Body,
    /// The named templates inside it.
    definitions: Definitions,
}

/// What a template printed, and where in the template it came from.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// What was printed. Bytes that are no UTF-8 are U+FFFD, as whoever reads the JSON would take them.
    pub(crate) text: String,
    /// Where it came from.
    trace: Trace,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// With [`Stage::Parse`] where Go would refuse it.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let (body, definitions) = Parser::parse(text)?;
        Ok(Self { text: text.into(), body, definitions })
    }

    /// Renders the template with these inputs, given as their users write them.
    ///
    /// # Errors
    /// With [`Stage::Execute`] where Go would fail, or if it does not end.
    pub(crate) fn render(&self, inputs: &BTreeMap<String, String>) -> Result<String, TemplateError> {
        self.render_traced(inputs).map(|rendered| rendered.text)
    }

    /// [`render`](Self::render) for those who have to find their way back from the output to the template.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub(crate) fn render_traced(&self, inputs: &BTreeMap<String, String>) -> Result<Rendered, TemplateError> {
        let (bytes, trace) = self.render_bytes(inputs)?;
        Ok(Rendered { text: to_text(bytes), trace })
    }

    /// What Go would print, to the byte.
    fn render_bytes(&self, inputs: &BTreeMap<String, String>) -> Result<(Vec<u8>, Trace), TemplateError> {
        let encode = |(name, value): (&String, &String)| (name.clone().into_bytes(), json::to_vec(value).into());
        Machine::run(self, Rc::new(inputs.iter().map(encode).collect()))
    }

    /// The names of the inputs that the template mentions, whether it needs them or not.
    pub(crate) fn inputs(&self) -> BTreeSet<String> {
        let bodies = std::iter::once(&self.body).chain(self.definitions.values());
        bodies.flat_map(mentioned).collect()
    }

    /// The input whose name stands at the byte `offset`, if one does.
    fn input_at(&self, offset: usize) -> Option<&str> {
        let rest = self.text.get(offset..)?;
        let name = rest.strip_prefix("$.").or_else(|| rest.strip_prefix('.'))?;
        let end =
            name.find(|c: char| c != '_' && !unicode::is_letter(c) && !unicode::is_digit(c)).unwrap_or(name.len());
        (end > 0).then(|| &name[..end])
    }
}

impl Rendered {
    /// Line and column of the template that byte `offset` of the output comes from.
    pub(crate) fn origin(&self, template: &Template, offset: usize) -> (usize, usize) {
        line_and_column(&template.text, self.trace.origin(offset))
    }
}

/// The names of inputs that a body mentions: fields of `.` and `$`.
fn mentioned(body: &Body) -> BTreeSet<String> {
    let receivers = body.steps.iter().map(|step| &step.action);
    let fields = body.steps.iter().skip(1).map(|step| &step.action);
    let mut names = BTreeSet::new();
    for (receiver, field) in receivers.zip(fields) {
        let is_inputs = match receiver {
            Action::Dot => true,
            Action::Variable(variable) => &**variable == "$",
            _ => false,
        };
        if let (true, Action::Field { name, .. }) = (is_inputs, field) {
            names.insert(name.to_string());
        }
    }
    names
}

/// Output as text: each byte that is no part of a UTF-8 character becomes U+FFFD, as Go's JSON reader has it.
fn to_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let mut text = String::new();
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, chunk.invalid().len()));
        }
        text
    })
}
