//! `lilypad journal`.

use std::process::ExitCode;

use lilypad_sdk::Result;
use serde_json::json;

use super::{print, print_json};
use crate::args::{Global, JournalArguments};
use crate::session::Session;

/// Checks the journal of this network and key, or mends it.
pub(crate) async fn run(global: &Global, arguments: &JournalArguments) -> Result<ExitCode> {
    let client = Session::open(global)?.client;
    let repaired = if arguments.repair { client.repair_journal().await? } else { None };
    let jobs = client.journaled_jobs().await?;
    if global.json {
        let repaired = repaired.map(|repair| json!({ "lines": repair.lines, "aside": repair.aside }));
        print_json(&json!({ "jobs": jobs, "repaired": repaired }))?;
    } else {
        if let Some(repair) = repaired {
            print(format!("damaged lines, now in {1}: {0}\n", repair.lines, repair.aside.display()).as_bytes())?;
        }
        print(format!("the journal is whole; jobs in it: {jobs}\n").as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}
