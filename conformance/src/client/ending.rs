//! How a job ends: as recorded, and with our client.

use std::collections::BTreeMap;

use lilypad_sdk::protocol::AgreementState;
use lilypad_sdk::{Client, Error, ErrorKind, JobRequest, JobResult, ResultOptions};

use super::script::Script;
use super::unpack;
use crate::report::Outcome;

/// The file of a result that says how its program ended.
const EXIT_CODE: &str = "exitCode";

/// How a recorded job ended, in the terms of a client that tells the truth about it.
#[derive(Debug)]
pub(super) enum Ending {
    /// No solver took it, in these words.
    Refused(String),
    /// Its program ended with this code and left these files.
    Ran(i32, BTreeMap<String, Vec<u8>>),
    /// The provider could not run it, in these words.
    Failed(String),
    /// The network ended it.
    Ended(ErrorKind),
}

impl Ending {
    /// How the job of `script` ended.
    pub(super) fn of(script: &Script) -> Result<Self, String> {
        if !script.is_taken() {
            let body = script.refusals.last().and_then(|refusal| refusal.body.as_ref());
            let words = body.map(|body| String::from_utf8_lossy(body.bytes()).trim().to_owned());
            return words.map(Self::Refused).ok_or_else(|| "the offer was refused without a word".into());
        }
        let deal = script.deal().map(|deal| deal.id.as_str()).unwrap_or_default();
        // The wire calls a failure a time-out: the provider's words are in the result that nobody of the reference reads.
        if let Some(result) = script.results.get(deal).filter(|result| !result.error.is_empty()) {
            return Ok(Self::Failed(result.error.clone()));
        }
        if let Some(archive) = script.archives.get(deal).filter(|_| script.is_accepted()) {
            let mut files = unpack(archive)?;
            files.retain(|name, _| !name.split('/').any(|part| part.starts_with('.')));
            let code = files.get(EXIT_CODE).map(|code| String::from_utf8_lossy(code).trim().parse());
            let code = code.ok_or("the recorded result has no exit code")?;
            return Ok(Self::Ran(code.map_err(|error| format!("the recorded exit code: {error}"))?, files));
        }
        match script.last_state() {
            AgreementState::JOB_OFFER_CANCELLED => Ok(Self::Ended(ErrorKind::Cancelled)),
            AgreementState::TIMEOUT_MATCH => Ok(Self::Ended(ErrorKind::MatchTimeout)),
            AgreementState::TIMEOUT_EXECUTION => Ok(Self::Ended(ErrorKind::ExecutionTimeout)),
            AgreementState::JOB_TIMED_OUT | AgreementState::TIMEOUT_DOWNLOAD => Ok(Self::Ended(ErrorKind::JobTimeout)),
            state => Err(format!("the recording ends in the middle of the job, in state {state}")),
        }
    }

    /// Submits the job and compares how it ends.
    pub(super) async fn check(&self, client: &Client, request: JobRequest) -> Outcome {
        let job = match (Box::pin(client.submit(request)).await, self) {
            (Err(error), Self::Refused(words)) => return says(&error, words),
            (Err(error), _) => return Err(format!("the offer was not taken: {error}")),
            (Ok(_), Self::Refused(words)) => return Err(format!("the offer was taken; expected {words:?}")),
            (Ok(job), _) => job,
        };
        match (Box::pin(job.result()).await, self) {
            (Ok(result), Self::Ran(0, files)) => same_files(&result, files).await,
            (Err(error), Self::Ran(code, files)) if *code != 0 => {
                is(&error, ErrorKind::ModuleExit)?;
                if error.exit_code() != Some(*code) {
                    return Err(format!("expected exit code {code}, found {:?}", error.exit_code()));
                }
                let allowed = Box::pin(job.result_with(ResultOptions::default().allow_exit_code())).await;
                same_files(&allowed.map_err(|error| format!("with exit codes allowed: {error}"))?, files).await
            }
            (Err(error), Self::Failed(words)) => is(&error, ErrorKind::JobFailed).and_then(|()| says(&error, words)),
            (Err(error), Self::Ended(kind)) => is(&error, *kind),
            (Ok(result), _) => {
                Err(format!("the job succeeded with exit code {}; expected {self:?}", result.exit_code()))
            }
            (Err(error), _) => Err(format!("expected success, found {error}")),
        }
    }
}

/// Checks an error's kind.
fn is(error: &Error, kind: ErrorKind) -> Outcome {
    if error.kind() == kind { Ok(()) } else { Err(format!("expected {kind}, found {}: {error}", error.kind())) }
}

/// Checks that an error repeats somebody's words.
fn says(error: &Error, words: &str) -> Outcome {
    if error.to_string().contains(words) { Ok(()) } else { Err(format!("expected the words {words:?}, found {error}")) }
}

/// Checks that a result has these files and no others.
async fn same_files(result: &JobResult, expected: &BTreeMap<String, Vec<u8>>) -> Outcome {
    let mut found = BTreeMap::from([
        ("stdout".to_owned(), result.stdout().map_err(|error| error.to_string())?),
        ("stderr".to_owned(), result.stderr().map_err(|error| error.to_string())?),
    ]);
    for file in result.files() {
        found.insert(file.path().to_owned(), file.read().await.map_err(|error| error.to_string())?);
    }
    for (name, content) in expected.iter().filter(|(name, _)| *name != EXIT_CODE) {
        match found.remove(name) {
            None => return Err(format!("the result lacks {name}")),
            Some(found) if found != *content => return Err(format!("{name} of the result has another content")),
            Some(_) => {}
        }
    }
    match found.keys().next() {
        Some(name) => Err(format!("the result has a file more: {name}")),
        None => Ok(()),
    }
}
