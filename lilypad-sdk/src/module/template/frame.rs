//! A body that is being run: `.`, variables, scopes and loops.

use super::program::{Body, LoopVariables, Step};
use super::value::{Inputs, Value};

/// A body that is being run.
pub(super) struct Frame<'t> {
    /// Its steps.
    steps: &'t [Step],
    /// The step that is next.
    pub(super) next: usize,
    /// The value of `.`.
    pub(super) dot: Value,
    /// Variables by name; a later one hides an earlier one.
    pub(super) variables: Vec<(&'t str, Value)>,
    /// Scopes that are open; the innermost is last.
    pub(super) scopes: Vec<Scope>,
    /// Loops that go on; the innermost is last.
    pub(super) loops: Vec<Loop<'t>>,
}

/// What the end of an `if`, `with` or `range` restores.
pub(super) struct Scope {
    /// The value of `.` before it.
    pub(super) dot: Value,
    /// Number of variables before it.
    pub(super) variables: usize,
}

/// A loop that goes on.
pub(super) struct Loop<'t> {
    /// What is still to come.
    pub(super) elements: Elements,
    /// The variables that it sets.
    pub(super) variables: &'t LoopVariables,
    /// Number of scopes around its body.
    pub(super) scopes: usize,
    /// Number of variables that a turn leaves behind.
    pub(super) kept: usize,
}

/// What a loop goes over.
pub(super) enum Elements {
    /// Inputs by name, the last one first.
    Entries(Vec<(Value, Value)>),
    /// Numbers from the first to before the second, made into values by the function.
    Numbers(i64, i64, fn(i64) -> Value),
}

impl Elements {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self::Entries(Vec::new())
    }

    /// The inputs, sorted by name.
    pub(super) fn of(inputs: &Inputs) -> Self {
        let entry =
            |(name, text): (&Vec<u8>, &super::value::Text)| (Value::from(name.clone()), Value::Text(text.clone()));
        Self::Entries(inputs.iter().rev().map(entry).collect())
    }

    /// The numbers from 0 to before `count`.
    pub(super) fn up_to(count: i64, value: fn(i64) -> Value) -> Self {
        Self::Numbers(0, count, value)
    }

    /// The next index and element. A number has no index.
    fn next(&mut self) -> Option<(Value, Value)> {
        match self {
            Self::Entries(entries) => entries.pop(),
            Self::Numbers(next, end, value) => {
                let number = *next;
                if number >= *end {
                    return None;
                }
                *next += 1;
                Some((Value::Nil, value(number)))
            }
        }
    }
}

impl<'t> Frame<'t> {
    /// Starts `body` with `dot`, which is also `$`.
    pub(super) fn new(body: &'t Body, dot: Value) -> Self {
        let variables = vec![("$", dot.clone())];
        Self { steps: &body.steps, next: 0, dot, variables, scopes: Vec::new(), loops: Vec::new() }
    }

    /// The next step, if there is one.
    pub(super) fn next_step(&mut self) -> Option<&'t Step> {
        let step = self.steps.get(self.next)?;
        self.next += 1;
        Some(step)
    }

    /// The variable of this name that was declared last.
    pub(super) fn variable(&mut self, name: &str) -> Option<&mut Value> {
        self.variables.iter_mut().rev().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Sets the variables that were declared last.
    pub(super) fn set_latest(&mut self, values: Vec<Value>) {
        let first = self.variables.len().saturating_sub(values.len());
        for ((_, variable), value) in self.variables[first..].iter_mut().zip(values) {
            *variable = value;
        }
    }

    /// Forgets what the last turn of the innermost loop left behind; the next index and element, and the loop's variables.
    pub(super) fn next_element(&mut self) -> Option<(Value, Value, &'t LoopVariables)> {
        let current = self.loops.last_mut()?;
        self.variables.truncate(current.kept);
        self.scopes.truncate(current.scopes);
        current.elements.next().map(|(index, element)| (index, element, current.variables))
    }

    /// Ends the innermost loop. Its scope stays, to be closed behind it.
    pub(super) fn end_loop(&mut self) {
        if let Some(ended) = self.loops.pop() {
            self.scopes.truncate(ended.scopes);
        }
    }
}
