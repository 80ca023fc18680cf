//! `lilypad run`: submit, wait, print.

use std::process::ExitCode;

use lilypad_sdk::Result;

use super::result::{deliver, wait};
use crate::args::{Global, RunArguments};
use crate::progress::Progress;
use crate::session::{Session, request};

/// Runs a job and waits for its result.
pub(crate) async fn run(global: &Global, arguments: RunArguments) -> Result<ExitCode> {
    let request = request(&arguments.job)?;
    let session = Session::start(global, arguments.place.local).await?;
    let progress = Progress::start(&format!("preparing {}", arguments.job.module));
    let outcome = async {
        let job = tokio::select! {
            job = session.client.submit(request) => job?,
            _ = tokio::signal::ctrl_c() => {
                eprintln!("stopped before the job left");
                return Ok(None);
            }
        };
        wait(&session, &job, &arguments.wait, &progress).await.map(|result| result.map(|result| (job, result)))
    }
    .await;
    drop(progress);
    let code = match outcome {
        Ok(Some((job, result))) => deliver(&session, global, &arguments.wait, &job, &result),
        Ok(None) => Ok(ExitCode::from(crate::exit::GAVE_UP)),
        Err(error) => Err(error),
    };
    session.close().await;
    code
}
