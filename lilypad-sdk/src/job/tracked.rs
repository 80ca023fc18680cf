//! One job that is followed: what is known of it, and who wants to know.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::event::JobEvent;
use super::journal::{Ended, Entry, Journal};
use super::progress::{Observation, Progress};
use super::status::{JobStatus, JobView};
use crate::metrics::Counters;
use crate::platform::Instant;
use crate::protocol::JobId;

/// A job that was posted and that complete lists lack for so long is forgotten. One list is not enough: a solver that has just started may still be
/// reading its records.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(8);

/// One job that is followed.
pub(crate) struct Tracked {
    id: JobId,
    inner: Mutex<Inner>,
    /// Whether the socket was open before the offer left: then no event of it was missed.
    heard_from_start: bool,
    /// Where its end is written down.
    journal: Journal,
    counters: Arc<Counters>,
    changes: watch::Sender<()>,
}

struct Inner {
    progress: Progress,
    log: Vec<JobEvent>,
    /// Whether the solver is known to have taken the offer.
    posted: bool,
    /// Since when complete lists have lacked it.
    missed_since: Option<Instant>,
    /// Whether they have for long enough.
    forgotten: bool,
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

impl Tracked {
    /// A job of which nothing was heard. `heard_from_start`: whether the socket is open before the offer leaves.
    pub(super) fn new(id: JobId, heard_from_start: bool, journal: Journal, counters: Arc<Counters>) -> Self {
        let inner = Inner {
            progress: Progress::new(),
            log: Vec::new(),
            posted: false,
            missed_since: None,
            forgotten: false,
            fetchers: 0,
            refused_deal: None,
        };
        Self { id, inner: Mutex::new(inner), heard_from_start, journal, counters, changes: watch::Sender::new(()) }
    }

    /// Takes over how it ended before this client was made. That is no news to the journal, nor to the counters.
    pub(super) fn restore(&self, view: JobView) {
        let mut inner = self.inner();
        if inner.progress.restore(view) {
            let view = inner.progress.view().clone();
            inner.log.push(JobEvent { at: SystemTime::now(), view });
            drop(inner);
            self.changes.send_replace(());
        }
    }

    /// Says that the solver has taken the offer, and whether events of it may have been missed.
    pub(super) fn posted(&self) -> bool {
        self.inner().posted = true;
        !self.heard_from_start
    }

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
    pub(super) fn refuse_deal(&self, id: &str) {
        self.inner().refused_deal = Some(id.to_owned());
        self.changes.send_replace(());
    }

    /// A deal that claims to be about this job and is not, if there is no other although there must be one.
    pub(super) fn refused_deal(&self) -> Option<String> {
        let inner = self.inner();
        inner.refused_deal.clone().filter(|_| inner.progress.lacks_deal())
    }

    /// Whether only the deal is missing to ask for the result.
    pub(super) fn lacks_deal(&self) -> bool {
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
        self.inner().forgotten
    }

    /// Whether the last complete list lacked it.
    pub(super) fn is_missed(&self) -> bool {
        self.inner().missed_since.is_some()
    }

    /// Whether it is over, and everything is known that is needed to say how.
    pub(super) fn is_settled(&self) -> bool {
        let inner = self.inner();
        inner.progress.is_over() && !inner.progress.lacks_deal()
    }

    /// The event at `index`, from 0.
    pub(super) fn event(&self, index: usize) -> Option<JobEvent> {
        self.inner().log.get(index).cloned()
    }

    /// Changes when anything does.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Whether the solver is known to have taken the offer.
    pub(super) fn is_posted(&self) -> bool {
        self.inner().posted
    }

    /// Gives the job up here; says whether that was still possible.
    pub(super) fn cancel(&self) -> bool {
        let mut cancelled = false;
        self.change(|progress| {
            cancelled = progress.cancel();
            cancelled
        });
        cancelled
    }

    /// Takes in an observation.
    pub(super) fn observe(&self, seen: &Observation) {
        self.change(|progress| progress.observe(seen));
    }

    /// Says that its result is in hand and accepted, also if time had run out for it.
    pub(super) fn received(&self) {
        if self.inner().progress.has_ended() {
            self.change(Progress::received);
            self.journal.note_soon(Entry::Ended { job: self.id.clone(), end: Ended::of(&self.view()) });
        } else {
            self.change(Progress::received);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Progress) -> bool) {
        let mut inner = self.inner();
        let (first, was_over) = (inner.log.is_empty(), inner.progress.has_ended());
        if change(&mut inner.progress) || first {
            let view = inner.progress.view().clone();
            if !was_over && inner.progress.has_ended() {
                match view.status {
                    JobStatus::Succeeded => self.counters.jobs_succeeded.increment(),
                    JobStatus::TimedOut => self.counters.jobs_timed_out.increment(),
                    _ => self.counters.jobs_failed.increment(),
                }
                self.journal.note_soon(Entry::Ended { job: self.id.clone(), end: Ended::of(&view) });
            }
            tracing::debug!(job = %self.id, status = %view.status, state = %view.state, "job changed");
            inner.log.push(JobEvent { at: SystemTime::now(), view });
            drop(inner);
            self.changes.send_replace(());
        }
    }

    /// Whether this is the deal that is followed.
    pub(super) fn knows_deal(&self, id: &str) -> bool {
        self.inner().progress.view().deal.as_ref().is_some_and(|deal| deal.id.as_str() == id)
    }

    /// Learns whether a complete list had it.
    pub(super) fn seen_in_list(&self, seen: bool) {
        let mut inner = self.inner();
        inner.missed_since = if seen { None } else { inner.missed_since.or_else(|| Some(Instant::now())) };
        let forgotten = inner.missed_since.is_some_and(|since| since.elapsed() >= FORGOTTEN_AFTER);
        inner.forgotten = forgotten;
        drop(inner);
        if forgotten {
            self.changes.send_replace(());
        }
    }
}
