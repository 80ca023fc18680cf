//! `lilypad result`, and what `run` shares with it: waiting for a result and handing it over.

use std::process::ExitCode;

use lilypad_sdk::{ErrorKind, Job, JobResult, Result, ResultOptions};
use serde_json::json;

use super::{print, print_json};
use crate::args::{Global, ResultArguments, WaitArguments};
use crate::exit;
use crate::interrupt::interrupted;
use crate::progress::Progress;
use crate::session::Session;

/// Waits for the result of a job that was sent before.
pub(crate) async fn run(global: &Global, arguments: ResultArguments) -> Result<ExitCode> {
    let session = Session::open(global)?;
    let id = arguments.id.parse()?;
    let progress = Progress::start(&format!("looking for job {id}"));
    let job = session.client.job(&id).await?;
    let outcome = wait(&session, global, &job, &arguments.wait, &progress).await;
    drop(progress);
    match outcome? {
        Some(result) => deliver(&session, global, &arguments.wait, &job, &result),
        None => Ok(ExitCode::from(exit::GAVE_UP)),
    }
}

/// Waits for a job's result. `None` if the user gave up waiting.
pub(super) async fn wait(
    session: &Session,
    global: &Global,
    job: &Job,
    arguments: &WaitArguments,
    progress: &Progress,
) -> Result<Option<JobResult>> {
    // The exit code is looked at when the output has been printed.
    let mut options = ResultOptions::default().allow_exit_code();
    options.wait = arguments.timeout;
    options.save_to = arguments.out.clone();
    tokio::select! {
        result = job.result_with(options) => match result {
            Err(error) if error.kind() == ErrorKind::WaitTimeout && session.is_local() => Err(error.with_help(
                "a local network of the command's own ends with it, and the job too; keep one with `lilypad local up`",
            )),
            result => result.map(Some),
        },
        () = progress.follow(job) => Ok(None),
        () = interrupted() => {
            if session.is_local() {
                eprintln!("\nstopped; job {} ends with its local network", job.id());
            } else {
                eprintln!("\nstopped waiting; job {} goes on\n  come back to it:  {}", job.id(), global.way_back(job.id()));
            }
            Ok(None)
        }
    }
}

/// Prints the job's output and says how it ended.
pub(super) fn deliver(
    session: &Session,
    global: &Global,
    arguments: &WaitArguments,
    job: &Job,
    result: &JobResult,
) -> Result<ExitCode> {
    let code = result.exit_code();
    if global.json {
        let files: Vec<_> = result.files().map(|file| json!({ "path": file.path(), "size": file.size() })).collect();
        print_json(&json!({
            "job_id": job.id().as_str(),
            "deal_id": result.deal_id().as_str(),
            "data_id": result.data_id().as_str(),
            "status": job.status().as_str(),
            "exit_code": code,
            "stdout": String::from_utf8_lossy(&result.stdout()?),
            "stderr": String::from_utf8_lossy(&result.stderr()?),
            "files": files,
            "folder": arguments.out,
        }))?;
    } else {
        print(&result.stdout()?)?;
        let errors = result.stderr()?;
        eprint!("{}", String::from_utf8_lossy(&errors));
        if arguments.out.is_none() && result.files().next().is_some() {
            if session.is_local() {
                eprintln!("the job wrote files, which go with its local network; keep them with --out DIR");
            } else {
                eprintln!("the job wrote files; fetch them with:  {} --out DIR", global.way_back(job.id()));
            }
        }
    }
    if let Some(folder) = &arguments.out {
        eprintln!("result in {}", folder.display());
    }
    if code != 0 && !arguments.allow_exit_code {
        eprintln!("error: the job's program ended with exit code {code}\n  job {}", job.id());
        return Ok(ExitCode::from(exit::JOB_FAILED));
    }
    Ok(ExitCode::SUCCESS)
}
