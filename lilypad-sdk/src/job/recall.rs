//! Finding jobs again: what the journal remembers and what the solver lists, put together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::handle::Job;
use super::journal::{Entry, JobRecord, KeyUse, Offered, Stage};
use super::request::RunOptions;
use super::tracked::Tracked;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::{Instant, sleep, unix_millis};
use crate::protocol::{JobId, JobOfferContainer};
use crate::retry::{Idempotence, RetryPolicy, retry};
use crate::solver::{DealFilter, JobOfferFilter};

/// A solver refuses an offer whose stamp is more than 30 s away from its clock (PROTOCOL.md, section 5); a good deal more for one that it is looking at
/// just then. An offer that is not in its list after that can not be taken any more, wherever on the way it may still be.
const FRESH_MS: i64 = 45_000;
/// Nothing of a connection that broke arrives after so long. Decides only where the solver's clock cannot: when that stands still, or was turned back.
const LINGER: Duration = Duration::from_secs(180);
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
pub(super) async fn fate(client: &Client, offered: &Offered) -> Result<Fate> {
    let taken = |container: JobOfferContainer| Fate::Taken(Box::new(container));
    if let Some(container) = client.lookout().find(client.solver().await?, &offered.job).await? {
        return Ok(taken(container));
    }
    if is_fresh(client.solver().await?.now_ms(), offered) {
        return Ok(Fate::Open);
    }
    // The list may have been made before the offer came in at the last moment.
    Ok(client.lookout().find(client.solver().await?, &offered.job).await?.map_or(Fate::NotTaken, taken))
}

/// Whether an offer could still be taken at `now_ms`, by the solver's clock as an answer has told it.
fn is_fresh(now_ms: i64, offered: &Offered) -> bool {
    let age = now_ms - offered.stamped_ms;
    let turned_back = age < -FRESH_MS && unix_millis() - offered.at_ms > LINGER.as_millis() as i64;
    age < FRESH_MS && !turned_back
}

/// Waits until it is known what became of an offer: until it is in the solver's list, or too old to get there.
pub(super) async fn wait_for_fate(client: &Client, offered: &Offered) -> Result<Option<Box<JobOfferContainer>>> {
    let start = Instant::now();
    loop {
        match fate(client, offered).await? {
            Fate::Taken(container) => return Ok(Some(container)),
            Fate::NotTaken => return Ok(None),
            Fate::Open if start.elapsed() > LINGER => return Ok(None),
            Fate::Open => sleep(LOOK_EVERY).await,
        }
    }
}

/// Finds out whether a job that was restored before that was known has been taken.
pub(super) async fn settle_fate(client: &Client, job: &Tracked) -> Result<()> {
    let Some(record) = client.journal().job(job.id()).await?.filter(|record| record.stage == Stage::Offered) else {
        return Ok(());
    };
    if record.job() == job.id()
        && let Some(container) = wait_for_fate(client, &record.offered).await?
    {
        client.journal().note(Entry::Taken { job: job.id().clone() }).await?;
        client.tracker().await?.posted(job, &container);
        return Ok(());
    }
    Err(unknown(client, job.id(), Some(&record)))
}

/// Whether an offer is what its id says, and is ours: a list need not be right.
pub(super) fn is_genuine(container: &JobOfferContainer, address: &str) -> bool {
    container.job_offer.content_id() == container.id && container.job_offer.job_creator == address
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
    let (tracker, journal) = (client.tracker().await?, client.journal());
    let start = Instant::now();
    loop {
        let id = known.job().clone();
        match known.stage {
            Stage::Taken => return Ok(Behind::Job(attach(client, &known, tracker.restore(&known)))),
            Stage::NotTaken => return Ok(Behind::NotTaken(id)),
            Stage::Offered => match fate(client, &known.offered).await? {
                Fate::Taken(container) => {
                    journal.note(Entry::Taken { job: id }).await?;
                    let tracked = tracker.restore(&known);
                    tracker.posted(&tracked, &container);
                    return Ok(Behind::Job(attach(client, &known, tracked)));
                }
                Fate::NotTaken => journal.note(Entry::NotTaken { job: id.clone() }).await?,
                Fate::Open if start.elapsed() > LINGER => journal.note(Entry::NotTaken { job: id.clone() }).await?,
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
    let open = record.as_ref().filter(|record| record.stage == Stage::Offered);
    let fate = match open {
        Some(record) => fate(client, &record.offered).await?,
        None => {
            let found = client.lookout().find(api, id).await?;
            found.map_or(Fate::NotTaken, |container| Fate::Taken(Box::new(container)))
        }
    };
    let container = match (fate, open) {
        (Fate::Taken(container), _) => container,
        (Fate::Open, Some(record)) => return Ok(attach(client, record, tracker.restore(record))),
        _ => return Err(unknown(client, id, record.as_ref())),
    };
    if record.as_ref().is_some_and(|record| record.stage != Stage::Taken) {
        journal.note(Entry::Taken { job: id.clone() }).await?;
    }
    let tracked = tracker.follow(id, false);
    // The deal first: an offer's state alone does not tell a failure from a time-out.
    if let Ok(deal) = container.deal_id.parse() {
        let deal = retry(RetryPolicy::brief(), Idempotence::Repeatable, || api.deal(&deal)).await?;
        tracker.observe_deals(&[deal]);
    }
    tracker.posted(&tracked, &container);
    Ok(Job::new(client.clone(), tracked, record.as_ref().map_or_else(RunOptions::default, run_options)))
}

/// The error for a job that the solver does not list.
fn unknown(client: &Client, id: &JobId, record: Option<&JobRecord>) -> Error {
    let error = Error::new(ErrorKind::NotFound, "find the job").with_job(id);
    let network = &client.network().name;
    match record.map(|record| record.stage) {
        Some(Stage::Taken) => error
            .with_message(format_args!("the solver of {network} took it and has forgotten it since"))
            .with_help(match record.is_some_and(|record| record.offered.key.is_some()) {
                true => "a solver that keeps its records in memory forgets them on restart; to run it again, use another key",
                false => "a solver that keeps its records in memory forgets them on restart; submit the job again",
            }),
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
    let of_ours = DealFilter { job_creator: Some(api.address().to_owned()), ..Default::default() };
    let deals = retry(RetryPolicy::brief(), Idempotence::Repeatable, || api.deals(&of_ours)).await?;
    // What is too old by now and is not in the list that follows is not going to be taken.
    let asked_ms = api.now_ms();
    let filter = JobOfferFilter { job_creator: Some(api.address().to_owned()), ..Default::default() };
    let mut offers = retry(RetryPolicy::brief(), Idempotence::Repeatable, || api.job_offers(&filter)).await?;
    // Filtered again: a list need not be right.
    offers.retain(|container| container.job_creator == api.address() && is_genuine(container, api.address()));

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
            Stage::Offered if !is_fresh(asked_ms, &record.offered) => {
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
                None => tracker.follow(&id, false),
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
fn attach(client: &Client, record: &JobRecord, tracked: Arc<Tracked>) -> Job {
    Job::new(client.clone(), tracked, run_options(record))
}

/// The options that a job was submitted with, as far as they matter now.
fn run_options(record: &JobRecord) -> RunOptions {
    RunOptions { allow_exit_code: record.offered.allow_exit_code, ..RunOptions::default() }
}
