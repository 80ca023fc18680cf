//! `lilypad submit`: send a job and go.

use std::process::ExitCode;

use lilypad_sdk::Result;
use serde_json::json;

use super::{print, print_json};
use crate::args::{Global, JobArguments};
use crate::session::{Session, request};

/// Sends a job and prints its id.
pub(crate) async fn run(global: &Global, arguments: JobArguments) -> Result<ExitCode> {
    let request = request(&arguments)?;
    let session = Session::open(global)?;
    let job = session.client.submit(request).await?;
    if global.json {
        print_json(&json!({ "job_id": job.id().as_str(), "status": job.status().as_str() }))?;
    } else {
        print(format!("{}\n", job.id()).as_bytes())?;
        eprintln!("come back to it:  {}", global.way_back(job.id()));
    }
    Ok(ExitCode::SUCCESS)
}
