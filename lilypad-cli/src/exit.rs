//! How a command ends: exit statuses, and errors as JSON.

use std::process::ExitCode;

use lilypad_sdk::{Error, Fault};
use serde_json::{Value, json};

/// The job failed.
pub(crate) const JOB_FAILED: u8 = 1;
/// Bad usage or input. (`clap` uses the same.)
pub(crate) const BAD_INPUT: u8 = 2;
/// Network or solver trouble.
pub(crate) const TROUBLE: u8 = 3;
/// Gave up waiting; the job goes on.
pub(crate) const GAVE_UP: u8 = 4;

/// The exit status for an error.
pub(crate) fn code(error: &Error) -> ExitCode {
    ExitCode::from(match error.fault() {
        Fault::Job => JOB_FAILED,
        Fault::Caller => BAD_INPUT,
        Fault::Nobody => GAVE_UP,
        _ => TROUBLE,
    })
}

/// An error as JSON, with the fields that programs decide by.
pub(crate) fn describe(error: &Error) -> Value {
    json!({
        "error": {
            "kind": error.kind().as_str(),
            "operation": error.operation(),
            "message": error.message(),
            "help": error.help(),
            "retryable": error.is_retryable(),
            "job_id": error.job_id().map(|id| id.as_str()),
            "deal_id": error.deal_id().map(|id| id.as_str()),
        }
    })
}
