//! From a job that is followed to a result in hand.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use tracing::Instrument;

use super::journal::{Entry, Receiving};
use super::progress::has_record;
use super::recall::settle_fate;
use super::status::{JobStatus, JobView};
use super::tracked::Tracked;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Fault, Result};
use crate::platform::blocking;
use crate::protocol::{AgreementState, DataId, DealId, JobCreatorTransactions, JobId, ResultRecord};
use crate::result::{Destination, JobResult, ResultFiles, UnpackLimits, Verified, read_exit_code, receive, reopen};
use crate::retry::{Idempotence, RetryPolicy, retry};
use crate::solver::SolverApi;

/// What the reference client sends to accept a result: there is no transaction behind it in this release.
const ACCEPTED: &str = "0x";

/// Waits until the job is over or its result is at the solver, then receives, verifies and accepts it.
pub(super) async fn settle(client: &Client, job: &Tracked, save_to: Option<PathBuf>) -> Result<JobResult> {
    let _fetching = job.fetching();
    let span = tracing::info_span!("result", job = %job.id(), deal = tracing::field::Empty);
    let outcome = take(client, job, save_to).instrument(span.clone()).await;
    span.in_scope(|| match &outcome {
        Ok(result) => tracing::info!(exit_code = result.exit_code(), "the result is in hand"),
        Err(error) => tracing::info!(kind = %error.kind(), "there is no result"),
    });
    outcome
}

/// [`settle`] without its span.
async fn take(client: &Client, job: &Tracked, save_to: Option<PathBuf>) -> Result<JobResult> {
    if let Some(result) = from_disk(client, job, save_to.as_deref()).await? {
        return Ok(result);
    }
    if !job.is_posted() {
        settle_fate(client, job).await?;
    }
    let view = wait_for_end(job).await?;
    let api = client.solver().await?;
    let Some(deal) = view.deal.as_ref().map(|deal| deal.id.clone()) else {
        return Err(ended_without_result(job.id(), &view));
    };
    tracing::Span::current().record("deal", tracing::field::display(&deal));
    let with_ids = |error: Error| error.with_job(job.id()).with_deal(&deal);
    let is_succeeded = view.status == JobStatus::Succeeded;
    let late = is_late(&view);
    if view.status == JobStatus::Cancelled || !(has_record(view.state) || late) {
        return Err(with_ids(ended_without_result(job.id(), &view)));
    }
    let record = match retry(RetryPolicy::default(), Idempotence::Repeatable, || api.result(&deal)).await {
        Err(error) if error.kind() == ErrorKind::NotFound && is_succeeded => {
            return Err(with_ids(error.with_help("it was accepted before, and the solver no longer has it")));
        }
        Err(error) if error.kind() == ErrorKind::NotFound && view.status.is_final() => {
            return Err(with_ids(ended_without_result(job.id(), &view)));
        }
        outcome => outcome.map_err(with_ids)?,
    };
    if !record.error.is_empty() {
        // The provider's own words; the wire calls it a time-out. (PROTOCOL.md, section 9)
        return Err(with_ids(
            Error::new(ErrorKind::JobFailed, "get the result")
                .with_message(format_args!("the provider says: {}", record.error)),
        ));
    }
    match fetch(client, job, &deal, &record, save_to).await.map_err(with_ids) {
        // It was too late after all.
        Err(error) if late && error.fault() == Fault::Network && error.kind() != ErrorKind::Integrity => {
            Err(with_ids(ended_without_result(job.id(), &view)))
        }
        outcome => outcome,
    }
}

/// Whether time ran out for a result that had arrived at the solver. Solvers go on to hand such results out, and to take that they are accepted, for as long
/// as they keep the files: a laptop that was closed for a day need not run its job again.
fn is_late(view: &JobView) -> bool {
    let out_of_time = [AgreementState::TIMEOUT_DOWNLOAD, AgreementState::JOB_TIMED_OUT].contains(&view.state);
    out_of_time && view.deal.as_ref().is_some_and(|deal| deal.uploaded_at_ms > 0)
}

/// Waits until there is something to fetch, or nothing more to wait for. No timer is in this path: an event moves it.
async fn wait_for_end(job: &Tracked) -> Result<JobView> {
    let mut changes = job.subscribe();
    loop {
        let view = job.view();
        let arrived = view.status == JobStatus::Downloading && view.deal.is_some();
        let over = view.status.is_final() && (view.deal.is_some() || !has_record(view.state));
        if arrived || over || view.status == JobStatus::Cancelled {
            return Ok(view);
        }
        if let Some(refused) = job.refused_deal() {
            return Err(Error::new(ErrorKind::Integrity, "follow the job")
                .with_job(job.id())
                .with_message(format_args!("the solver's deal {refused} is not about the offer that was posted"))
                .with_help("do not trust this solver, or upgrade if it speaks a newer protocol"));
        }
        if job.is_forgotten() {
            return Err(Error::new(ErrorKind::NotFound, "follow the job")
                .with_job(job.id())
                .with_message("the solver no longer knows this job")
                .with_help("it may have been restarted without its memory; submit the job again, under another key if it has one"));
        }
        if changes.changed().await.is_err() {
            return Err(Error::new(ErrorKind::Closed, "follow the job").with_job(job.id()));
        }
    }
}

/// The error for a job that ended with nothing to fetch.
fn ended_without_result(job: &JobId, view: &JobView) -> Error {
    let (kind, message, help) = match (view.status, view.state) {
        (JobStatus::Cancelled, AgreementState::JOB_OFFER_CANCELLED) => (
            ErrorKind::Cancelled,
            "the solver cancelled it: the provider that it asked for has no open offer",
            "choose another target, or none",
        ),
        (JobStatus::Cancelled, _) => (ErrorKind::Cancelled, "it was given up here", "submit it again to run it"),
        (_, AgreementState::TIMEOUT_MATCH) => (
            ErrorKind::MatchTimeout,
            "no provider took the job in time",
            "providers may be busy, or none has the machine that the module asks for; try again later",
        ),
        (_, AgreementState::TIMEOUT_EXECUTION) => (
            ErrorKind::ExecutionTimeout,
            "the job ran longer than its limit",
            "the limit is the module's `executionTimeoutSeconds`, or the solver's where that is 0",
        ),
        (_, AgreementState::TIMEOUT_DOWNLOAD) => {
            (ErrorKind::JobTimeout, "the result was not fetched in time", "submit the job again")
        }
        (_, AgreementState::MEDIATION_REJECTED) => {
            (ErrorKind::JobFailed, "a mediator found the result wrong", "submit the job again")
        }
        _ => (ErrorKind::JobTimeout, "the job took longer than the network allows", "submit the job again"),
    };
    Error::new(kind, "get the result").with_job(job).with_message(message).with_help(help)
}

/// Takes a result that lies on this machine already, where an earlier wait put it: it may have died before it could say so.
async fn from_disk(client: &Client, job: &Tracked, save_to: Option<&Path>) -> Result<Option<JobResult>> {
    let Some(Receiving { deal, data, folder }) =
        client.journal().job(job.id()).await?.and_then(|record| record.receiving)
    else {
        return Ok(None);
    };
    if job.view().status == JobStatus::Cancelled || save_to.is_some_and(|asked| absolute(asked) != folder) {
        return Ok(None);
    }
    let expected = data.clone();
    let found = blocking("look for the result", move || reopen(&folder, &expected)).await;
    let Ok(Some(files)) = found.inspect_err(|error| tracing::debug!(%error, "the result is not on disk any more"))
    else {
        return Ok(None);
    };
    let result = JobResult::new(&files, job.id().clone(), deal.clone())?;
    if job.view().status != JobStatus::Succeeded {
        accept(client.solver().await?, &deal, &files).await;
        job.received();
    }
    Ok(Some(result))
}

/// Where a folder is, whatever the current one will be.
pub(super) fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

/// Receives the files, verifies and keeps them, and accepts the result.
async fn fetch(
    client: &Client,
    job: &Tracked,
    deal: &DealId,
    record: &ResultRecord,
    save_to: Option<PathBuf>,
) -> Result<JobResult> {
    let api = client.solver().await?;
    if record.deal_id != deal.as_str() {
        return Err(Error::new(ErrorKind::Integrity, "get the result")
            .with_message(format_args!("the solver answered with the result of another deal, `{}`", record.deal_id)));
    }
    let data_id: DataId = record.data_id.parse().map_err(|_| {
        Error::new(ErrorKind::Integrity, "get the result")
            .with_message(format_args!("the result names `{}` as its data, which is no content id", record.data_id))
    })?;
    let destination = match save_to {
        Some(folder) => {
            // Before the folder appears: who finds it after a crash must know whose it is.
            let into = Receiving { deal: deal.clone(), data: data_id.clone(), folder: absolute(&folder) };
            // A name that JSON cannot hold is not written down: the folder is then taken for somebody else's after a crash.
            if into.folder.to_str().is_some() {
                client.journal().note(Entry::Receiving { job: job.id().clone(), into }).await?;
            }
            Destination::Folder(folder)
        }
        None => Destination::Temporary,
    };
    let files = download(client, deal, destination, &data_id).await?;
    let result = JobResult::new(&files, job.id().clone(), deal.clone())?;
    if job.view().status == JobStatus::Cancelled {
        return Err(ended_without_result(job.id(), &job.view()));
    }
    accept(api, deal, &files).await;
    job.received();
    Ok(result)
}

/// Downloads the files, when it is their turn.
async fn download(
    client: &Client,
    deal: &DealId,
    destination: Destination,
    data_id: &DataId,
) -> Result<Verified<ResultFiles>> {
    let api = client.solver().await?;
    let _turn = client.download_permit().await;
    let limits = UnpackLimits::default();
    // A broken download starts again from its beginning: the solver knows no ranges.
    retry(RetryPolicy::transfers(), Idempotence::Repeatable, || async {
        let body = api.result_files(deal).await?;
        let body = body.inspect(|chunk| {
            client.counters().result_bytes.add(chunk.as_ref().map_or(0, |chunk| chunk.len() as u64));
        });
        // Before it is put in place, and before it is accepted: a result without an exit code is not whole.
        receive(body, destination.clone(), data_id, &limits, |folder| read_exit_code(folder).map(drop)).await
    })
    .await
    .inspect(|_| client.counters().results_received.increment())
    .inspect_err(|error| {
        if error.kind() == ErrorKind::Integrity {
            client.counters().results_refused.increment();
        }
    })
}

/// Tells the solver that the result is in hand, which only verified files can do. The files are safe by now, so a solver that cannot be reached does not make this
/// fail.
async fn accept(api: &SolverApi, deal: &DealId, _files: &Verified<ResultFiles>) {
    let transactions = JobCreatorTransactions { accept_result: ACCEPTED.into(), ..Default::default() };
    let policy = RetryPolicy::brief();
    // Accepting twice is accepting once.
    let accepting = || api.post_job_creator_transactions(deal, &transactions);
    if let Err(error) = retry(policy, Idempotence::Repeatable, accepting).await {
        tracing::warn!(%error, %deal, "the result is in hand, but the solver could not be told");
    }
}
