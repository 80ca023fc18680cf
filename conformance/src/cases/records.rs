//! Committed cases about records of the wire.

use lilypad_sdk::AgreementState;
use lilypad_sdk::protocol::json::ErrorClass;
use serde::Deserialize;

use crate::content_ids;
use crate::record::Record;
use crate::report::{Outcome, same_text};

/// A record as it is written, and its content id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContentIdCase {
    /// What is special about it.
    pub(super) name: String,
    /// What kind of record it is.
    record: Record,
    /// The record.
    json: String,
    /// Its content id.
    id: String,
}

impl ContentIdCase {
    /// Checks what is written and the id.
    pub(super) fn check(&self) -> Outcome {
        content_ids::check(self.record, &self.json, &self.id)
    }
}

/// JSON of any form, and what a record makes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadingCase {
    /// What is odd about it.
    pub(super) name: String,
    /// What kind of record it is read as.
    record: Record,
    /// The text.
    text: String,
    /// The record that was read, written again.
    #[serde(default)]
    written: Option<String>,
    /// Why it cannot be read.
    #[serde(default)]
    fails: Option<Failure>,
}

/// Why JSON cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Failure {
    /// It is no JSON.
    Syntax,
    /// It does not fit the record.
    Type,
}

impl ReadingCase {
    /// Checks what becomes of the text.
    pub(super) fn check(&self) -> Outcome {
        let (written, failure) = match self.record.rewrite(self.text.as_bytes()) {
            Ok(written) => (Some(written), None),
            Err(error) if error.class() == ErrorClass::Syntax => (None, Some((Failure::Syntax, error))),
            Err(error) => (None, Some((Failure::Type, error))),
        };
        let found = failure.as_ref().map(|(failure, _)| *failure);
        if found != self.fails {
            return Err(format!("expected failure {:?}, found {failure:?}", self.fails));
        }
        same_text("what is written", self.written.as_deref().unwrap_or_default(), &written.unwrap_or_default())
    }
}

/// A state as a number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateCase {
    /// The number.
    pub(super) state: u8,
    /// Its name on the wire; none if this release does not know it.
    label: Option<String>,
    /// Whether nothing follows it.
    terminal: bool,
}

impl StateCase {
    /// Checks what is known of the state.
    pub(super) fn check(&self) -> Outcome {
        let state = AgreementState(self.state);
        if state.name() != self.label.as_deref() {
            return Err(format!("its name is {:?}", state.name()));
        }
        if state.is_terminal() != self.terminal {
            return Err(format!("terminal: {}", state.is_terminal()));
        }
        match &self.label {
            Some(label) if AgreementState::from_name(label) != Some(state) => Err(format!("{label} is another state")),
            _ => Ok(()),
        }
    }
}
