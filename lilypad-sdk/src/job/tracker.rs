//! One socket, many jobs.
//!
//! The solver tells everybody everything and forgets what it said, so a client has to pick out its own jobs cheaply, survive missing and
//! repeated events, and ask again after every reconnect. [`Tracker`] does that for all jobs of a [`Client`](crate::Client): one socket while
//! any job is open, two list calls after each connect and on a slow timer, however many jobs there are.

use std::collections::HashMap;
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use memchr::memmem::Finder;
use tokio::sync::Notify;

use super::journal::{Ended, JobRecord, Journal, Stage};
use super::progress::Observation;
use super::status::DealSummary;
use super::tracked::Tracked;
use crate::error::{Error, Result};
use crate::metrics::Counters;
use crate::platform::{AbortHandle, Instant, sleep, spawn};
use crate::protocol::{AgreementState, DealContainer, Event, JobId, JobOfferContainer, json};
use crate::retry::{Idempotence, RetryPolicy, retry};
use crate::solver::{DealFilter, EventSocket, JobOfferFilter, Role, SolverApi};

/// How often the lists are read while the socket works: only missed events need it.
const RECONCILE_EVERY: Duration = Duration::from_secs(30);
/// How soon a job is looked for again that a list lacked.
const MISSED_AGAIN: Duration = Duration::from_secs(10);
/// How often while it does not: the lists are then all there is.
const RECONCILE_WITHOUT_SOCKET: Duration = Duration::from_secs(5);
/// Pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The socket stays open so long after the last job ended: often another follows.
const IDLE: Duration = Duration::from_secs(30);

/// Follows jobs on one event socket. Cheap to clone; the socket closes with the last clone.
#[derive(Clone)]
pub(crate) struct Tracker(Arc<Guard>);

/// Stops the task when the last tracker goes.
struct Guard {
    core: Arc<Core>,
    task: Mutex<Option<AbortHandle>>,
}

impl Guard {
    fn task(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(task) = self.task().as_ref() {
            task.abort();
        }
    }
}

/// What the tracker and its task share.
struct Core {
    api: SolverApi,
    journal: Journal,
    counters: Arc<Counters>,
    jobs: Mutex<HashMap<JobId, Weak<Tracked>>>,
    /// A job to follow has come.
    wake: Notify,
    /// A job may have moved while nobody listened.
    look: Notify,
    /// Whether the socket is open.
    connected: AtomicBool,
    /// Finds this client's own frames without parsing them.
    own: Finder<'static>,
}

impl Tracker {
    /// For the jobs of the address that `api` signs for.
    pub(crate) fn new(api: SolverApi, journal: Journal, counters: Arc<Counters>) -> Self {
        let own = Finder::new(&format!(r#""job_creator":"{}""#, api.address())).into_owned();
        let core = Core {
            api,
            journal,
            counters,
            jobs: Mutex::default(),
            wake: Notify::new(),
            look: Notify::new(),
            connected: AtomicBool::new(false),
            own,
        };
        Self(Arc::new(Guard { core: Arc::new(core), task: Mutex::default() }))
    }

    /// Follows the job from now on, until it is over or nobody holds it any more. `is_new`: its offer has not left yet, so that no event of it can have
    /// been missed if the socket is open; events overtake the answer to the offer.
    pub(crate) fn follow(&self, id: &JobId, is_new: bool) -> Arc<Tracked> {
        let core = &self.0.core;
        let mut jobs = core.jobs();
        if let Some(tracked) = jobs.get(id).and_then(Weak::upgrade) {
            return tracked;
        }
        let heard_from_start = is_new && core.connected.load(Ordering::Acquire);
        let tracked = Arc::new(Tracked::new(id.clone(), heard_from_start, core.journal.clone(), core.counters.clone()));
        jobs.insert(id.clone(), Arc::downgrade(&tracked));
        drop(jobs);
        let mut task = self.0.task();
        // The runtime that it ran on may have ended.
        if task.as_ref().is_none_or(AbortHandle::is_finished) {
            *task = Some(spawn(run(core.clone())));
        }
        drop(task);
        core.wake.notify_one();
        tracked
    }

    /// Takes in a list of deals. Those that are not about a job that is followed change nothing.
    pub(crate) fn observe_deals(&self, deals: &[DealContainer]) {
        deals.iter().for_each(|deal| self.0.core.observe_deal(deal));
    }

    /// Takes in the solver's answer to a job's offer.
    pub(crate) fn posted(&self, job: &Tracked, container: &JobOfferContainer) {
        let missed_events = job.posted();
        job.observe(&Observation { state: container.state, deal: None });
        if missed_events {
            self.0.core.look.notify_one();
        }
    }

    /// Follows a job that the journal knows.
    pub(crate) fn restore(&self, record: &JobRecord) -> Arc<Tracked> {
        let tracked = self.follow(record.job(), false);
        if let Some(view) = record.end.as_ref().and_then(Ended::view) {
            tracked.restore(view);
        }
        if record.stage == Stage::Taken {
            tracked.posted();
        }
        if !tracked.is_settled() {
            self.0.core.look.notify_one();
        }
        tracked
    }
}

impl Core {
    fn jobs(&self) -> MutexGuard<'_, HashMap<JobId, Weak<Tracked>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &str) -> Option<Arc<Tracked>> {
        let id: JobId = id.parse().ok()?;
        self.jobs().get(&id)?.upgrade()
    }

    /// The jobs that are not over; forgets those that are, or that nobody holds.
    fn open_jobs(&self) -> Vec<Arc<Tracked>> {
        let mut open = Vec::new();
        self.jobs().retain(|_, job| {
            let job = job.upgrade().filter(|job| !job.is_settled() && !job.is_forgotten());
            let keep = job.is_some();
            open.extend(job);
            keep
        });
        open
    }

    /// Takes in one frame, if it is about a job of ours.
    fn observe_frame(&self, text: &str) {
        self.counters.events.increment();
        if self.own.find(text.as_bytes()).is_none() {
            return;
        }
        self.counters.events_own.increment();
        match json::from_str::<Event>(text) {
            Ok(event) => {
                if let Some(deal) = &event.deal {
                    self.observe_deal(deal);
                }
                if let Some(offer) = &event.job_offer {
                    self.observe_offer(&offer.id, offer.state);
                }
            }
            Err(error) => tracing::warn!(%error, "skipped an event that makes no sense"),
        }
    }

    fn observe_offer(&self, id: &str, state: AgreementState) {
        if let Some(job) = self.find(id) {
            job.observe(&Observation { state, deal: None });
            if job.lacks_deal() {
                // Its own event was missed.
                self.look.notify_one();
            }
        }
    }

    fn observe_deal(&self, container: &DealContainer) {
        let Some(job) = self.find(&container.job_offer) else { return };
        if job.knows_deal(&container.id) || is_about(container, job.id()) {
            job.observe(&Observation { state: container.state, deal: DealSummary::of(container) });
        } else {
            self.counters.deals_refused.increment();
            tracing::warn!(job = %job.id(), deal = container.id, "skipped a deal that is not about the offer that was posted");
            job.refuse_deal(&container.id);
        }
    }

    /// Asks for everything at once. The solver's word on jobs that are over is as good as on open ones.
    async fn reconcile(&self) -> Result<()> {
        let job_creator = Some(self.api.address().to_owned());
        let asked: Vec<_> = self.open_jobs().into_iter().map(|job| (job.is_posted(), job)).collect();
        if asked.is_empty() {
            return Ok(());
        }
        self.counters.reconciliations.increment();
        let of_ours = JobOfferFilter { job_creator: job_creator.clone(), ..Default::default() };
        let deals_of_ours = DealFilter { job_creator, ..Default::default() };
        // Record by record: the lists hold all that the solver ever saw of this key.
        let mut listed: HashMap<JobId, AgreementState> = HashMap::new();
        let reading_deals = self.api.each_deal(&deals_of_ours, |deal| self.observe_deal(&deal));
        let reading_offers = self.api.each_job_offer(&of_ours, |offer| {
            if let Some(job) = self.find(&offer.id) {
                listed.insert(job.id().clone(), offer.state);
            }
        });
        futures_util::future::try_join(reading_deals, reading_offers).await?;
        // Deals come first: an offer's state without its deal would leave a failure looking like a time-out.
        for (id, state) in &listed {
            self.observe_offer(id.as_str(), *state);
        }
        for (was_posted, job) in asked {
            match listed.contains_key(job.id()) {
                true => _ = job.posted(),
                // An offer that has not left, or not arrived, is not in a list.
                false if !was_posted => continue,
                false => {}
            }
            job.seen_in_list(listed.contains_key(job.id()));
        }
        Ok(())
    }
}

/// Whether a deal is what it claims to be, and its job is `job`, with the provider that was asked for if one was: both ids are recomputed, since a solver
/// need not be believed.
fn is_about(container: &DealContainer, job: &JobId) -> bool {
    let deal = &container.deal;
    let target = &deal.job_offer.target.address;
    deal.content_id() == container.id
        && deal.job_offer.content_id() == job.as_str()
        && (target.is_empty() || target.eq_ignore_ascii_case(&deal.members.resource_provider))
}

/// The tracker's task.
async fn run(core: Arc<Core>) {
    let mut pause = FIRST_PAUSE;
    loop {
        if core.open_jobs().is_empty() {
            core.wake.notified().await;
            continue;
        }
        match core.api.events(Role::JobCreator).await {
            Ok(socket) => {
                pause = FIRST_PAUSE;
                core.counters.sockets_opened.increment();
                follow_socket(&core, socket).await;
            }
            Err(error) => {
                tracing::warn!(%error, "no event socket; reading lists instead");
                reconcile(&core).await;
                sleep(pause.max(RECONCILE_WITHOUT_SOCKET)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Reads events until the socket breaks or has been idle for a while.
async fn follow_socket(core: &Core, mut socket: EventSocket) {
    core.connected.store(true, Ordering::Release);
    // What was missed is in the lists. They are read beside the socket: a rate limit must not hold up events.
    let mut looking: Option<BoxFuture<'_, ()>> = Some(reconcile(core).boxed());
    let mut next_look = pin!(sleep(RECONCILE_EVERY));
    let mut idle_since: Option<Instant> = None;
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Ok(text) => core.observe_frame(&text),
                Err(error) => {
                    lost(core, &error);
                    break;
                }
            },
            () = async { match looking.as_mut() { Some(look) => look.await, None => pending().await } } => looking = None,
            () = core.look.notified(), if looking.is_none() => looking = Some(reconcile(core).boxed()),
            () = next_look.as_mut(), if looking.is_none() => {
                next_look.as_mut().reset(Instant::now() + RECONCILE_EVERY);
                let open = core.open_jobs();
                if open.iter().any(|job| job.is_missed()) {
                    // Soon again: somebody waits to hear whether the solver has forgotten it.
                    next_look.as_mut().reset(Instant::now() + MISSED_AGAIN);
                }
                if !open.is_empty() {
                    idle_since = None;
                    looking = Some(reconcile(core).boxed());
                } else if idle_since.get_or_insert_with(Instant::now).elapsed() >= IDLE {
                    core.connected.store(false, Ordering::Release);
                    socket.close().await;
                    break;
                }
            }
        }
    }
    core.connected.store(false, Ordering::Release);
}

/// Counts a socket that broke.
fn lost(core: &Core, error: &Error) {
    core.counters.sockets_lost.increment();
    tracing::debug!(%error, "event socket ended");
}

async fn reconcile(core: &Core) {
    let reading = retry(RetryPolicy::default(), Idempotence::Repeatable, || core.reconcile());
    if let Err(error) = reading.await {
        tracing::warn!(%error, "could not read the solver's lists; trying again later");
    }
}
