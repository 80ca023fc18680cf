//! Finding jobs again: what the journal remembers and what the solver lists, put together.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::handle::Job;
use super::journal::{Entry, JobRecord, KeyUse, Stage};
use super::request::RunOptions;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::sleep;
use crate::protocol::{JobId, JobOfferContainer};
use crate::retry::{Idempotence, RetryPolicy, retry};
use crate::solver::{DealFilter, JobOfferFilter, SolverApi};

/// A solver refuses an offer whose stamp is more than 30 s away from its clock (PROTOCOL.md, section 5); a little more for one that it is looking at
/// just then. An offer that is not in its list after that can not be taken any more, wherever on the way it may still be.
const FRESH_MS: u64 = 35_000;
/// How often the solver is asked meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What became of an offer that was, or was not, taken.
pub(super) enum Fate {
    /// The solver has it.
    Taken(Box<JobOfferContainer>),
    /// It has not, and can not get it any more.
    NotTaken,
    /// It has not, but the offer may still be on its way.
    Open,
}

/// Asks what became of an offer.
pub(super) async fn fate(api: &SolverApi, id: &JobId, stamped_ms: i64) -> Result<Fate> {
    if let Some(container) = look_for(api, id).await? {
        return Ok(Fate::Taken(Box::new(container)));
    }
    if is_fresh(api, stamped_ms) {
        return Ok(Fate::Open);
    }
    // The list may have been made before the offer came in at the last moment.
    Ok(look_for(api, id).await?.map_or(Fate::NotTaken, |container| Fate::Taken(Box::new(container))))
}

/// Whether an offer with this stamp could still be taken, by the solver's clock, which its last answer told.
fn is_fresh(api: &SolverApi, stamped_ms: i64) -> bool {
    api.now_ms().abs_diff(stamped_ms) < FRESH_MS
}

/// Waits until it is known what became of an offer: until it is in the solver's list, or too old to get there.
pub(super) async fn wait_for_fate(
    api: &SolverApi,
    id: &JobId,
    stamped_ms: i64,
) -> Result<Option<Box<JobOfferContainer>>> {
    loop {
        match fate(api, id, stamped_ms).await? {
            Fate::Taken(container) => return Ok(Some(container)),
            Fate::NotTaken => return Ok(None),
            Fate::Open => sleep(LOOK_EVERY).await,
        }
    }
}

/// Looks for an offer in the solver's list.
///
/// The list, not `GET /job_offers/{id}`: the reference solver drops the connection on an id that it does not know, which looks the same as a
/// broken network. (PROTOCOL.md, section 5)
async fn look_for(api: &SolverApi, id: &JobId) -> Result<Option<JobOfferContainer>> {
    let filter = JobOfferFilter { job_creator: Some(api.address().to_owned()), ..Default::default() };
    let offers = retry(RetryPolicy::brief(), Idempotence::Repeatable, || api.job_offers(&filter)).await?;
    // Filtered again: a list need not be right.
    Ok(offers.into_iter().find(|container| container.id == id.as_str() && is_genuine(container)))
}

/// Whether an offer is what its id says: a list need not be right.
pub(super) fn is_genuine(container: &JobOfferContainer) -> bool {
    container.job_offer.content_id() == container.id
}

/// What is behind an idempotency key.
pub(super) enum Behind {
    /// A job, which is followed.
    Job(Job),
    /// An offer that was not taken: another may take its place.
    NotTaken(JobId),
}

/// Finds out what is behind an idempotency key under which `known` was offered. If it is not clear whether the solver took that, waits until it is.
pub(super) async fn behind_key(client: &Client, used: &KeyUse, mut known: JobRecord) -> Result<Behind> {
    if known.offered.key.as_ref() != Some(used) {
        return Err(Error::new(ErrorKind::InvalidInput, "submit the job")
            .with_job(known.job())
            .with_message(format_args!("the idempotency key `{}` was used before, for another job", used.key))
            .with_help("use a key of its own for every module, inputs, files and target"));
    }
    let (api, tracker, journal) = (client.solver().await?, client.tracker().await?, client.journal());
    loop {
        let id = known.job().clone();
        match known.stage {
            Stage::Taken => return Ok(Behind::Job(attach(client, &known, tracker.restore(&known)))),
            Stage::NotTaken => return Ok(Behind::NotTaken(id)),
            Stage::Offered => match fate(api, &id, known.offered.stamped_ms).await? {
                Fate::Taken(container) => {
                    journal.note(Entry::Taken { job: id }).await?;
                    let tracked = tracker.restore(&known);
                    tracker.posted(&tracked, &container);
                    return Ok(Behind::Job(attach(client, &known, tracked)));
                }
                Fate::NotTaken => journal.note(Entry::NotTaken { job: id.clone() }).await?,
                Fate::Open => sleep(LOOK_EVERY).await,
            },
        }
        // Whoever offered it may be alive, and know more by now.
        let Some(latest) = journal.job(&id).await? else { return Ok(Behind::NotTaken(id)) };
        known = latest;
    }
}

/// Finds a job by its id.
pub(crate) async fn find(client: &Client, id: &JobId) -> Result<Job> {
    let (api, tracker, journal) = (client.solver().await?, client.tracker().await?, client.journal());
    let record = journal.job(id).await?;
    // Under its latest id, if it was stamped anew.
    let id = record.as_ref().map_or(id, |record| record.job());
    if let Some(record) = record.as_ref().filter(|record| record.end.is_some()) {
        return Ok(attach(client, record, tracker.restore(record)));
    }
    let stamped_ms = record.as_ref().map_or(0, |record| record.offered.stamped_ms);
    let container = match (fate(api, id, stamped_ms).await?, &record) {
        (Fate::Taken(container), _) => container,
        (Fate::Open, Some(record)) if record.stage == Stage::Offered => {
            return Ok(attach(client, record, tracker.restore(record)));
        }
        (_, record) => return Err(unknown(client, id, record.as_ref()).await),
    };
    if record.as_ref().is_some_and(|record| record.stage != Stage::Taken) {
        journal.note(Entry::Taken { job: id.clone() }).await?;
    }
    let tracked = tracker.follow(id);
    // The deal first: an offer's state alone does not tell a failure from a time-out.
    if let Ok(deal) = container.deal_id.parse() {
        let deal = retry(RetryPolicy::brief(), Idempotence::Repeatable, || api.deal(&deal)).await?;
        tracker.observe_deals(&[deal]);
    }
    tracker.posted(&tracked, &container);
    Ok(Job::new(client.clone(), tracked, record.as_ref().map_or_else(RunOptions::default, run_options)))
}

/// The error for a job that the solver does not list.
async fn unknown(client: &Client, id: &JobId, record: Option<&JobRecord>) -> Error {
    let error = Error::new(ErrorKind::NotFound, "find the job").with_job(id);
    let network = &client.network().name;
    match record.map(|record| record.stage) {
        Some(Stage::Taken) => error
            .with_message(format_args!("the solver of {network} took it and has forgotten it since"))
            .with_help("a solver that keeps its records in memory forgets them on restart; submit the job again"),
        Some(_) => {
            client.journal().note_soon(Entry::NotTaken { job: id.clone() });
            error
                .with_message(format_args!("its offer never reached the solver of {network}"))
                .with_help("nothing ran and nothing is owed; submit the job again")
        }
        None => {
            let address = client.address().map(|address| address.to_string()).unwrap_or_default();
            error
                .with_message(format_args!("the solver of {network} has no such job of {address}"))
                .with_help("check the id, the network and the key; a solver that keeps its records in memory forgets them on restart")
        }
    }
}

/// All jobs that the journal remembers or the solver lists, the newest first.
pub(crate) async fn all(client: &Client) -> Result<Vec<Job>> {
    let (api, tracker, journal) = (client.solver().await?, client.tracker().await?, client.journal());
    let records = journal.jobs().await?;
    let filter = JobOfferFilter { job_creator: Some(api.address().to_owned()), ..Default::default() };
    let mut offers = retry(RetryPolicy::brief(), Idempotence::Repeatable, || api.job_offers(&filter)).await?;
    // Filtered again: a list need not be right.
    offers.retain(|container| container.job_creator == api.address() && is_genuine(container));
    let of_ours = DealFilter { job_creator: Some(api.address().to_owned()), ..Default::default() };
    let deals = retry(RetryPolicy::brief(), Idempotence::Repeatable, || api.deals(&of_ours)).await?;

    let listed: HashSet<&str> = offers.iter().map(|container| container.id.as_str()).collect();
    let mut known: HashMap<JobId, JobRecord> = HashMap::with_capacity(records.len());
    let mut jobs = Vec::with_capacity(offers.len() + records.len());
    for record in records {
        if listed.contains(record.job().as_str()) {
            known.insert(record.job().clone(), record);
            continue;
        }
        match record.stage {
            Stage::NotTaken => continue,
            Stage::Offered if !is_fresh(api, record.offered.stamped_ms) => {
                journal.note_soon(Entry::NotTaken { job: record.job().clone() });
                continue;
            }
            Stage::Offered | Stage::Taken => {}
        }
        jobs.push((record.offered.stamped_ms, attach(client, &record, tracker.restore(&record))));
    }
    let ours: Vec<_> = offers
        .iter()
        .filter_map(|container| {
            let id: JobId = container.id.parse().ok()?;
            let record = known.remove(&id);
            let tracked = match &record {
                Some(record) => tracker.restore(record),
                None => tracker.follow(&id),
            };
            Some((container, record, tracked))
        })
        .collect();
    tracker.observe_deals(&deals);
    for (container, record, tracked) in ours {
        if record.as_ref().is_some_and(|record| record.stage != Stage::Taken) {
            journal.note_soon(Entry::Taken { job: tracked.id().clone() });
        }
        tracker.posted(&tracked, container);
        let options = record.as_ref().map_or_else(RunOptions::default, run_options);
        jobs.push((container.job_offer.created_at, Job::new(client.clone(), tracked, options)));
    }
    jobs.sort_by_key(|(stamped_ms, _)| std::cmp::Reverse(*stamped_ms));
    Ok(jobs.into_iter().map(|(_, job)| job).collect())
}

/// A handle for a job that the journal knows.
fn attach(client: &Client, record: &JobRecord, tracked: std::sync::Arc<super::tracked::Tracked>) -> Job {
    Job::new(client.clone(), tracked, run_options(record))
}

/// The options that a job was submitted with, as far as they matter now.
fn run_options(record: &JobRecord) -> RunOptions {
    RunOptions { allow_exit_code: record.offered.allow_exit_code, ..RunOptions::default() }
}
