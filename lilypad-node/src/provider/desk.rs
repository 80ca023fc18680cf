//! Which offers to make, which deals to run and when.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lilypad_sdk::protocol::{AgreementState, DealContainer, PricingMode, ResourceOffer, ResourceOfferContainer};
use lilypad_sdk::solver::{DealFilter, ResourceOfferFilter};
use lilypad_sdk::{ErrorKind, Result};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::job;
use super::listener::{Heard, Pauses};
use super::seen::Seen;

/// How long jobs may take to report when the provider stops.
const GRACE: Duration = Duration::from_secs(5);

/// How many milliseconds offers may be ahead of a clock that stands still.
const STANDSTILL: i64 = 10_000;

/// How many deals are remembered as taken on. Of older ones nothing more is heard.
const TAKEN: usize = 10_000;

/// Keeps track of offers and deals. One task owns it, so that no two of its decisions cross.
#[derive(Debug)]
pub(super) struct Desk {
    /// Options, solver and folder.
    shared: Arc<Shared>,
    /// Set when the provider is to stop.
    stop: CancellationToken,
    /// Whether the solver has an open offer of ours.
    is_open: bool,
    /// The timestamp of the last offer. The next one's is another, since an equal offer would be the same.
    last_offer: i64,
    /// Whether the solver may have lost its records since it was last asked about the deals that are at work.
    is_unsure: bool,
    /// The deals that were taken on, so that none runs twice.
    taken: Seen,
    /// Deals that wait for a slot, first come first served.
    waiting: VecDeque<Box<DealContainer>>,
    /// Deals whose job runs.
    running: HashMap<String, Running>,
    /// Their tasks.
    jobs: JoinSet<()>,
}

/// A running job.
#[derive(Debug)]
struct Running {
    /// Its task.
    task: Id,
    /// Ends it.
    stop: CancellationToken,
}

/// What there is to do.
enum Task {
    /// Something was heard.
    Hear(Heard),
    /// A job has ended.
    Follow(Id),
    /// Nothing, so make sure.
    Look,
}

impl Desk {
    /// A desk with nothing on it.
    pub(super) fn new(shared: Arc<Shared>, stop: CancellationToken) -> Self {
        Self {
            shared,
            stop,
            is_open: false,
            last_offer: 0,
            is_unsure: false,
            taken: Seen::new(TAKEN),
            waiting: VecDeque::new(),
            running: HashMap::new(),
            jobs: JoinSet::new(),
        }
    }

    /// Works until the provider stops and its last job has ended.
    pub(super) async fn run(mut self, mut heard: mpsc::Receiver<Heard>) {
        let stop = self.stop.clone();
        let mut look = tokio::time::interval(self.shared.options.reconcile_interval);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once; the first look has been taken already.
        look.tick().await;
        // What failed is not left until the next look.
        let mut pauses = Pauses::default();
        let mut again = None;
        let work = async {
            loop {
                let task = tokio::select! {
                    Some(ended) = self.jobs.join_next_with_id() => Task::Follow(match ended {
                        Ok((task, ())) => task,
                        Err(panic) => {
                            tracing::error!(%panic, "a job panicked");
                            panic.id()
                        }
                    }),
                    Some(heard) = heard.recv() => Task::Hear(heard),
                    _ = look.tick() => Task::Look,
                    () = pause_until(again) => Task::Look,
                };
                again = match self.perform(task).await {
                    Ok(()) => {
                        pauses = Pauses::default();
                        None
                    }
                    Err(error) => {
                        tracing::warn!(%error, "will try again");
                        Some(Instant::now() + pauses.next())
                    }
                };
            }
        };
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
        // They have been told to stop, too; what is left to do is to tell the solver.
        let ending = async { while self.jobs.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ending).await.is_err() {
            self.jobs.shutdown().await;
        }
    }

    /// Does what there is to do, and offers the machine if that made room.
    async fn perform(&mut self, task: Task) -> Result<()> {
        match task {
            Task::Look => return self.reconcile().await,
            Task::Hear(Heard::Reconnected) => {
                self.is_unsure = true;
                return self.reconcile().await;
            }
            Task::Hear(Heard::Deal(deal)) => self.hear(deal),
            Task::Follow(ended) => {
                self.running.retain(|_, job| job.task != ended);
                self.start_jobs();
            }
        }
        self.offer().await
    }

    /// Asks the solver for the deals and the offer that it has of ours, and makes good for what was missed.
    pub(super) async fn reconcile(&mut self) -> Result<()> {
        if self.is_unsure {
            self.drop_forgotten().await?;
            self.is_unsure = false;
        }
        let address = self.shared.api.address().to_owned();
        let deals = DealFilter {
            resource_provider: Some(address.clone()),
            state: Some(AgreementState::DEAL_AGREED),
            ..DealFilter::default()
        };
        for deal in self.shared.api.deals(&deals).await? {
            self.take(Box::new(deal));
        }
        let offers = ResourceOfferFilter { resource_provider: Some(address), not_matched: true, active: true };
        self.is_open = !self.shared.api.resource_offers(&offers).await?.is_empty();
        self.offer().await
    }

    /// Ends the work on deals that the solver no longer knows: nobody would take their results, and they keep others from a slot.
    async fn drop_forgotten(&mut self) -> Result<()> {
        let at_work: Vec<_> = self.running.keys().chain(self.waiting.iter().map(|deal| &deal.id)).cloned().collect();
        for deal in at_work {
            let Err(error) = self.shared.api.deal(&deal.parse()?).await else { continue };
            if error.kind() != ErrorKind::NotFound {
                return Err(error);
            }
            self.give_up(&deal, "the solver has forgotten the deal");
        }
        Ok(())
    }

    /// Ends the work on a deal, if there is any.
    fn give_up(&mut self, deal: &str, why: &str) {
        self.waiting.retain(|waiting| waiting.id != deal);
        if let Some(job) = self.running.get(deal) {
            tracing::info!(deal, why, "the job is ended");
            job.stop.cancel();
        }
    }

    /// Looks at a deal of which the solver said something.
    fn hear(&mut self, deal: Box<DealContainer>) {
        if deal.state == AgreementState::DEAL_AGREED {
            // The offer that it came from is no longer open.
            self.is_open = false;
            self.take(deal);
        } else if deal.state.is_timeout() {
            self.give_up(&deal.id, "its time is over");
        }
    }

    /// Takes a deal on, unless it was before or is not ours.
    fn take(&mut self, deal: Box<DealContainer>) {
        let is_ours = deal.deal.members.resource_provider == self.shared.api.address();
        if !is_ours || deal.deal.content_id() != deal.id {
            tracing::warn!(deal = deal.id, "not a deal of this provider's");
            return;
        }
        if self.taken.see(&deal.id) {
            self.waiting.push_back(deal);
            self.start_jobs();
        }
    }

    /// Starts jobs while there are slots.
    fn start_jobs(&mut self) {
        while self.running.len() < self.shared.options.slots.max(1)
            && let Some(deal) = self.waiting.pop_front()
        {
            let stop = self.stop.child_token();
            let (shared, stopped, id) = (self.shared.clone(), stop.clone(), deal.id.clone());
            let handle = self.jobs.spawn(async move { job::run(&shared, &deal.deal, stopped).await });
            self.running.insert(id, Running { task: handle.id(), stop });
        }
    }

    /// Offers the machine, if it has a free slot and is not on offer.
    async fn offer(&mut self) -> Result<()> {
        let taken = self.running.len() + self.waiting.len();
        if self.is_open || taken >= self.shared.options.slots.max(1) {
            return Ok(());
        }
        // No answer means that one is open already. Matched at once, it is not open: the deal is on its way here.
        let answer = match self.post_offer().await {
            // Refused, the solver has told its time, and the next stamp will be right.
            Err(error) if error.kind() == ErrorKind::ClockSkew => self.post_offer().await?,
            answer => answer?,
        };
        self.is_open = answer.is_none_or(|answer| answer.state == AgreementState::DEAL_NEGOTIATING);
        Ok(())
    }

    /// Posts an offer that differs from the last one.
    async fn post_offer(&mut self) -> Result<Option<ResourceOfferContainer>> {
        let Shared { options, api, .. } = &*self.shared;
        let (now, next) = (api.now_ms(), self.last_offer + 1);
        // An equal offer would be the same one, so a clock that stands still is helped along. One that was set back is believed.
        self.last_offer = if (now..now + STANDSTILL).contains(&next) { next } else { now };
        let offer = ResourceOffer {
            created_at: self.last_offer,
            resource_provider: api.address().to_owned(),
            spec: options.machine.clone(),
            modules: Some(Vec::new()),
            mode: PricingMode::fixed(),
            default_pricing: options.pricing.clone(),
            module_pricing: Some(BTreeMap::new()),
            services: options.network.services.clone(),
            ..ResourceOffer::default()
        };
        api.post_resource_offer(&offer).await
    }
}

/// Waits until then, or for ever.
async fn pause_until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}
