//! One socket, many jobs.
//!
//! The solver tells everybody everything and forgets what it said, so a client has to pick out its own jobs cheaply, survive missing and
//! repeated events, and ask again after every reconnect. [`Tracker`] does that for all jobs of a [`Client`](crate::Client): one socket while
//! any job is open, two list calls after each connect and on a slow timer, however many jobs there are.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use memchr::memmem::Finder;
use tokio::sync::{Notify, watch};

use super::event::JobEvent;
use super::progress::{Observation, Progress};
use super::status::{DealSummary, JobStatus, JobView};
use crate::error::Result;
use crate::platform::{AbortHandle, Instant, sleep, sleep_until, spawn};
use crate::protocol::{DealContainer, Event, JobId, JobOfferContainer, json};
use crate::retry::{Idempotence, RetryPolicy, retry};
use crate::solver::{DealFilter, EventSocket, JobOfferFilter, Role, SolverApi};

/// How often the lists are read while the socket works: only missed events need it.
const RECONCILE_EVERY: Duration = Duration::from_secs(30);
/// How often while it does not: the lists are then all there is.
const RECONCILE_WITHOUT_SOCKET: Duration = Duration::from_secs(5);
/// Pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The socket stays open so long after the last job ended: often another follows.
const IDLE: Duration = Duration::from_secs(30);
/// So many complete lists without a job that was posted mean that the solver forgot it.
const MISSES: u32 = 2;

/// Follows jobs on one event socket. Cheap to clone; the socket closes with the last clone.
#[derive(Clone)]
pub(crate) struct Tracker(Arc<Guard>);

/// Stops the task when the last tracker goes.
struct Guard {
    core: Arc<Core>,
    task: OnceLock<AbortHandle>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

/// What the tracker and its task share.
struct Core {
    api: SolverApi,
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

/// One job that is followed.
pub(crate) struct Tracked {
    id: JobId,
    inner: Mutex<Inner>,
    /// Whether the socket was open before the offer left: then no event of it was missed.
    heard_from_start: bool,
    changes: watch::Sender<()>,
}

struct Inner {
    progress: Progress,
    log: Vec<JobEvent>,
    /// Whether the solver is known to have taken the offer.
    posted: bool,
    /// Complete lists in a row that lacked it.
    misses: u32,
    /// How many wait for its result.
    fetchers: usize,
    /// A deal that claims to be about this job and is not.
    refused_deal: Option<String>,
}

/// Somebody who waits for a job's result.
pub(super) struct Fetching<'a>(&'a Tracked);

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        self.0.inner().fetchers -= 1;
        // Who follows the events may have nothing more to wait for.
        self.0.changes.send_replace(());
    }
}

impl Tracker {
    /// For the jobs of the address that `api` signs for.
    pub(crate) fn new(api: SolverApi) -> Self {
        let own = Finder::new(&format!(r#""job_creator":"{}""#, api.address())).into_owned();
        let core = Core {
            api,
            jobs: Mutex::default(),
            wake: Notify::new(),
            look: Notify::new(),
            connected: AtomicBool::new(false),
            own,
        };
        Self(Arc::new(Guard { core: Arc::new(core), task: OnceLock::new() }))
    }

    /// Follows the job from now on, until it is over or nobody holds it any more. Call before the offer leaves: events overtake its answer.
    pub(crate) fn follow(&self, id: &JobId) -> Arc<Tracked> {
        let core = &self.0.core;
        let mut jobs = core.jobs();
        if let Some(tracked) = jobs.get(id).and_then(Weak::upgrade) {
            return tracked;
        }
        let tracked = Arc::new(Tracked {
            id: id.clone(),
            inner: Mutex::new(Inner {
                progress: Progress::new(),
                log: Vec::new(),
                posted: false,
                misses: 0,
                fetchers: 0,
                refused_deal: None,
            }),
            heard_from_start: core.connected.load(Ordering::Acquire),
            changes: watch::Sender::new(()),
        });
        jobs.insert(id.clone(), Arc::downgrade(&tracked));
        drop(jobs);
        self.0.task.get_or_init(|| spawn(run(core.clone())));
        core.wake.notify_one();
        tracked
    }

    /// Takes in a list of deals. Those that are not about a job that is followed change nothing.
    pub(crate) fn observe_deals(&self, deals: &[DealContainer]) {
        deals.iter().for_each(|deal| self.0.core.observe_deal(deal));
    }

    /// Takes in the solver's answer to a job's offer.
    pub(crate) fn posted(&self, job: &Tracked, container: &JobOfferContainer) {
        job.inner().posted = true;
        job.observe(&Observation { state: container.state, deal: None });
        if !job.heard_from_start {
            self.0.core.look.notify_one();
        }
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
            let job = job.upgrade().filter(|job| (!job.is_over() || job.lacks_deal()) && !job.is_forgotten());
            let keep = job.is_some();
            open.extend(job);
            keep
        });
        open
    }

    /// Takes in one frame, if it is about a job of ours.
    fn observe_frame(&self, text: &str) {
        if self.own.find(text.as_bytes()).is_none() {
            return;
        }
        match json::from_str::<Event>(text) {
            Ok(event) => {
                if let Some(deal) = &event.deal {
                    self.observe_deal(deal);
                }
                if let Some(offer) = &event.job_offer {
                    self.observe_offer(offer);
                }
            }
            Err(error) => tracing::warn!(%error, "skipped an event that makes no sense"),
        }
    }

    fn observe_offer(&self, container: &JobOfferContainer) {
        if let Some(job) = self.find(&container.id) {
            job.observe(&Observation { state: container.state, deal: None });
            if job.lacks_deal() {
                // Its own event was missed.
                self.look.notify_one();
            }
        }
    }

    fn observe_deal(&self, container: &DealContainer) {
        let Some(job) = self.find(&container.job_offer) else { return };
        if job.knows_deal(&container.id) || is_about(container, &job.id) {
            job.observe(&Observation { state: container.state, deal: DealSummary::of(container) });
        } else {
            tracing::warn!(job = %job.id, deal = container.id, "skipped a deal that is not about the offer that was posted");
            job.refuse_deal(&container.id);
        }
    }

    /// Asks for everything at once. The solver's word on jobs that are over is as good as on open ones.
    async fn reconcile(&self) -> Result<()> {
        let job_creator = Some(self.api.address().to_owned());
        let asked: Vec<_> = self.open_jobs().into_iter().filter(|job| job.is_posted()).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let of_ours = JobOfferFilter { job_creator: job_creator.clone(), ..Default::default() };
        let deals_of_ours = DealFilter { job_creator, ..Default::default() };
        let (offers, deals) =
            futures_util::future::try_join(self.api.job_offers(&of_ours), self.api.deals(&deals_of_ours)).await?;
        // Deals first: an offer's state without its deal would leave a failure looking like a time-out.
        deals.iter().for_each(|deal| self.observe_deal(deal));
        offers.iter().for_each(|offer| self.observe_offer(offer));
        let listed: std::collections::HashSet<&str> = offers.iter().map(|offer| offer.id.as_str()).collect();
        for job in asked {
            job.seen_in_list(listed.contains(job.id.as_str()));
        }
        Ok(())
    }
}

/// Whether a deal is what it claims to be, and its job is `job`: both ids are recomputed, since a solver need not be believed.
fn is_about(container: &DealContainer, job: &JobId) -> bool {
    let deal = &container.deal;
    deal.content_id() == container.id && deal.job_offer.content_id() == job.as_str()
}

impl Tracked {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job's id.
    pub(super) fn id(&self) -> &JobId {
        &self.id
    }

    /// What is known now.
    pub(super) fn view(&self) -> JobView {
        self.inner().progress.view().clone()
    }

    /// Whether nothing more can follow.
    pub(super) fn is_over(&self) -> bool {
        self.inner().progress.is_over()
    }

    /// Remembers a deal that claims to be about this job and is not.
    fn refuse_deal(&self, id: &str) {
        self.inner().refused_deal = Some(id.to_owned());
        self.changes.send_replace(());
    }

    /// A deal that claims to be about this job and is not, if there is no other although there must be one.
    pub(super) fn refused_deal(&self) -> Option<String> {
        let inner = self.inner();
        inner.refused_deal.clone().filter(|_| inner.progress.lacks_deal())
    }

    /// Whether only the deal is missing to ask for the result.
    fn lacks_deal(&self) -> bool {
        self.inner().progress.lacks_deal()
    }

    /// Whether its result waits at the solver.
    pub(super) fn has_result(&self) -> bool {
        self.inner().progress.view().status == JobStatus::Downloading
    }

    /// Whether somebody here waits for the result, so that more will happen to it.
    pub(super) fn is_fetched(&self) -> bool {
        self.inner().fetchers > 0
    }

    /// Counts somebody who waits for the result, until the value is dropped.
    pub(super) fn fetching(&self) -> Fetching<'_> {
        self.inner().fetchers += 1;
        Fetching(self)
    }

    /// Whether the solver took it and then forgot it.
    pub(super) fn is_forgotten(&self) -> bool {
        self.inner().misses >= MISSES
    }

    /// The event at `index`, from 0.
    pub(super) fn event(&self, index: usize) -> Option<JobEvent> {
        self.inner().log.get(index).cloned()
    }

    /// Changes when anything does.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn is_posted(&self) -> bool {
        self.inner().posted
    }

    /// Says that this client gave the job up.
    pub(super) fn cancel(&self) {
        self.change(|progress| {
            progress.cancel();
            true
        });
    }

    /// Takes in an observation.
    pub(super) fn observe(&self, seen: &Observation) {
        self.change(|progress| progress.observe(seen));
    }

    fn change(&self, change: impl FnOnce(&mut Progress) -> bool) {
        let mut inner = self.inner();
        let first = inner.log.is_empty();
        if change(&mut inner.progress) || first {
            let view = inner.progress.view().clone();
            tracing::debug!(job = %self.id, status = %view.status, state = %view.state, "job changed");
            inner.log.push(JobEvent { at: SystemTime::now(), view });
            drop(inner);
            self.changes.send_replace(());
        }
    }

    fn knows_deal(&self, id: &str) -> bool {
        self.inner().progress.view().deal.as_ref().is_some_and(|deal| deal.id.as_str() == id)
    }

    fn seen_in_list(&self, seen: bool) {
        let mut inner = self.inner();
        inner.misses = if seen { 0 } else { inner.misses + 1 };
        let forgotten = inner.misses >= MISSES;
        drop(inner);
        if forgotten {
            self.changes.send_replace(());
        }
    }
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
    let mut next_look = Instant::now() + RECONCILE_EVERY;
    let mut idle_since: Option<Instant> = None;
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Ok(text) => core.observe_frame(&text),
                Err(error) => {
                    tracing::debug!(%error, "event socket ended");
                    break;
                }
            },
            () = async { match looking.as_mut() { Some(look) => look.await, None => pending().await } } => looking = None,
            () = core.look.notified(), if looking.is_none() => looking = Some(reconcile(core).boxed()),
            () = sleep_until(next_look), if looking.is_none() => {
                next_look = Instant::now() + RECONCILE_EVERY;
                if !core.open_jobs().is_empty() {
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

async fn reconcile(core: &Core) {
    let reading = retry(RetryPolicy::default(), Idempotence::Repeatable, || core.reconcile());
    if let Err(error) = reading.await {
        tracing::warn!(%error, "could not read the solver's lists; trying again later");
    }
}
