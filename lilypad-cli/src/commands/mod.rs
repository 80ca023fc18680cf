//! One file a command.

pub(crate) mod cid;
pub(crate) mod jobs;
pub(crate) mod journal;
pub(crate) mod local;
pub(crate) mod module;
pub(crate) mod plan;
pub(crate) mod result;
pub(crate) mod run;
pub(crate) mod submit;

use std::io::Write;

use lilypad_sdk::{Error, ErrorKind, Result};

/// Prints a value as JSON on standard output.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<()> {
    print(format!("{value:#}\n").as_bytes())
}

/// Writes to standard output. A reader that has gone is no error: `lilypad jobs | head`.
fn print(bytes: &[u8]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Io, "write to standard output").with_message(&error).with_source(error))
        }
        _ => Ok(()),
    }
}
