//! `lilypad status`, `jobs` and `cancel`.

use std::process::ExitCode;

use lilypad_sdk::{Cancellation, Job, Result};
use serde_json::{Value, json};

use super::{print, print_json};
use crate::args::{Global, JobId, JobsArguments};
use crate::session::Session;

/// Shows how far a job is.
pub(crate) async fn status(global: &Global, arguments: JobId) -> Result<ExitCode> {
    let job = Session::open(global)?.client.job(&arguments.id.parse()?).await?;
    if global.json {
        print_json(&describe(&job))?;
    } else {
        print(line(&job).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists this key's jobs.
pub(crate) async fn list(global: &Global, arguments: JobsArguments) -> Result<ExitCode> {
    let mut jobs = Session::open(global)?.client.jobs().await?;
    jobs.truncate(arguments.limit.unwrap_or(usize::MAX));
    if global.json {
        print_json(&jobs.iter().map(describe).collect())?;
    } else {
        print(jobs.iter().map(line).collect::<String>().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives a job up.
pub(crate) async fn cancel(global: &Global, arguments: JobId) -> Result<ExitCode> {
    let job = Session::open(global)?.client.job(&arguments.id.parse()?).await?;
    let cancellation = job.cancel();
    let (word, text) = match cancellation {
        Cancellation::OfferStillOpen => (
            "offer_still_open",
            "nobody had taken the job; its offer cannot be withdrawn and ends with the solver's match timeout",
        ),
        Cancellation::ProviderGoesOn => {
            ("provider_goes_on", "a provider has the job and goes on; its result is not accepted unless you fetch it")
        }
        _ => ("already_over", "the job was over before"),
    };
    if global.json {
        print_json(&json!({ "job_id": job.id().as_str(), "cancellation": word }))?;
    } else {
        print(format!("{text}\n").as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(job: &Job) -> Value {
    let view = job.view();
    json!({
        "job_id": job.id().as_str(),
        "status": view.status.as_str(),
        "state": view.state.to_string(),
        "deal_id": view.deal.as_ref().map(|deal| deal.id.as_str().to_owned()),
        "provider": view.deal.as_ref().map(|deal| deal.provider.clone()),
    })
}

fn line(job: &Job) -> String {
    let view = job.view();
    format!("{}  {:<11}  {}\n", job.id(), view.status.as_str(), view.state)
}
