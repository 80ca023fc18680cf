//! A body that is being written: its steps, and the statements in it that are still open.

use super::program::{Action, Body, Step};
use super::token::Keyword;

/// A body that is being written.
pub(super) struct Unit<'t> {
    /// What it is.
    pub(super) origin: Origin,
    /// Its steps so far.
    pub(super) steps: Vec<Step>,
    /// Whether it holds nothing but white space so far.
    pub(super) is_blank: bool,
    /// Variables that can be used here.
    pub(super) variables: Vec<&'t str>,
    /// Statements without their `end` so far; the innermost is last.
    pub(super) open: Vec<Control>,
}

/// Where a body comes from.
pub(super) enum Origin {
    /// It is the template itself.
    Template,
    /// `define`, with the name and where it stands.
    Define(Vec<u8>, usize),
    /// `block`, with the name and where it stands.
    Block(Vec<u8>, usize),
}

/// An `if`, `with` or `range` without its `end` so far.
pub(super) struct Control {
    /// Which of them.
    pub(super) keyword: Keyword,
    /// Where it stands.
    pub(super) start: usize,
    /// Whether it stands behind the `else` of another one, whose `end` is also its own.
    pub(super) chained: bool,
    /// Number of variables before it.
    pub(super) variables: usize,
    /// The step that skips its body; `None` behind its `else`.
    pub(super) skip: Option<usize>,
    /// Steps that lead behind it.
    pub(super) exits: Vec<usize>,
    /// `continue` steps, for a `range`.
    pub(super) continues: Vec<usize>,
}

impl<'t> Unit<'t> {
    /// An empty body.
    pub(super) fn new(origin: Origin) -> Self {
        Self { origin, steps: Vec::new(), is_blank: true, variables: vec!["$"], open: Vec::new() }
    }

    /// The finished body.
    pub(super) fn into_body(self) -> Body {
        Body { steps: self.steps, is_blank: self.is_blank }
    }

    /// Writes a step and says which one it is.
    pub(super) fn write(&mut self, action: Action, at: Option<usize>) -> usize {
        self.steps.push(Step { action, at });
        self.steps.len() - 1
    }

    /// Lets a step lead to `target`.
    pub(super) fn set_target(&mut self, step: usize, target: usize) {
        match &mut self.steps[step].action {
            Action::Jump(to)
            | Action::Unless(to)
            | Action::With(to)
            | Action::Break(to)
            | Action::Continue(to)
            | Action::Range { otherwise: to, .. }
            | Action::Settle { target: to, .. } => *to = target,
            _ => {}
        }
    }

    /// Ends the part of a statement before its `else`, if that was not done before.
    pub(super) fn finish_first_branch(&mut self, control: &mut Control, has_otherwise: bool) {
        let Some(skip) = control.skip.take() else { return };
        if control.keyword == Keyword::Range {
            let next = self.write(Action::Next(skip + 1), None);
            for step in std::mem::take(&mut control.continues) {
                self.set_target(step, next);
            }
        }
        if has_otherwise {
            control.exits.push(self.write(Action::Jump(0), None));
        }
        let here = self.steps.len();
        self.set_target(skip, here);
    }
}

/// The word that a keyword is.
pub(super) fn word(keyword: Keyword) -> &'static str {
    match keyword {
        Keyword::If => "if",
        Keyword::With => "with",
        Keyword::Range => "range",
        _ => "statement",
    }
}
