//! Part `content-ids`: records read, written again, and named by their content.

use serde::Deserialize;

use crate::record::Record;
use crate::report::{Outcome, Part, same_text};

/// A record as Go writes it, and its content id.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    /// What kind of record it is.
    kind: Record,
    /// The record.
    json: String,
    /// Its content id.
    id: String,
}

/// Runs all cases.
pub(crate) fn run(cases: &[Case]) -> Part {
    let mut part = Part::new("content-ids");
    for (index, case) in cases.iter().enumerate() {
        part.record(format_args!("case {index}"), check(case.kind, &case.json, &case.id));
    }
    part
}

/// Checks that a record is written as it was read, and what its content id is.
pub(crate) fn check(record: Record, json: &str, id: &str) -> Outcome {
    let written = record.rewrite(json.as_bytes()).map_err(|error| error.to_string())?;
    same_text("what is written again", json, &written)?;
    let computed = record
        .content_id(json.as_bytes())
        .ok_or_else(|| format!("{record:?} has no content id"))?
        .map_err(|error| error.to_string())?;
    same_text("the content id", id, &computed)
}
