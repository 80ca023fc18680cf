//! `lilypad run`: submit, wait, print.

use std::process::ExitCode;

use lilypad_sdk::Result;
use lilypad_sdk::result::check_destination;

use super::result::{deliver, wait};
use crate::args::{Global, RunArguments};
use crate::interrupt::interrupted;
use crate::progress::Progress;
use crate::session::{Session, request};

/// Runs a job and waits for its result.
pub(crate) async fn run(global: &Global, arguments: RunArguments) -> Result<ExitCode> {
    let request = request(&arguments.job)?;
    if let Some(folder) = arguments.wait.out.as_ref().filter(|_| arguments.job.key.is_none()) {
        // Nobody should pay for a result that has nowhere to go. With a key, the job's own result may be there already.
        check_destination(folder)?;
    }
    let session = Session::start(global, arguments.place.local).await?;
    let progress = Progress::start(&format!("preparing {}", arguments.job.module));
    let outcome = async {
        let job = tokio::select! {
            job = session.client.submit(request) => job?,
            () = interrupted() => {
                eprintln!("\nstopped while the job was being sent; it may have left: look with  lilypad jobs");
                return Ok(None);
            }
        };
        wait(&session, global, &job, &arguments.wait, &progress).await.map(|result| result.map(|result| (job, result)))
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
