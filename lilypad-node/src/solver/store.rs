//! Everything that the solver remembers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lilypad_sdk::protocol::{
    AgreementState, DealContainer, JobOffer, JobOfferContainer, ResourceOffer, ResourceOfferContainer, ResultRecord,
};

use super::options::Timeouts;
use super::table::{ANY_STATE, Place, Table};
use super::timeouts;

/// Everything that the solver remembers, with what it needs to know quickly: who waits for a match, and whose time is over.
#[derive(Debug)]
pub(super) struct Store {
    /// How long jobs may take.
    timeouts: Timeouts,
    /// Job offers.
    jobs: Table<JobOfferContainer>,
    /// Resource offers.
    machines: Table<ResourceOfferContainer>,
    /// Deals.
    deals: Table<DealContainer>,
    /// Results by deal.
    results: HashMap<String, ResultRecord>,
    /// Job offers that wait for a match, oldest first.
    open_jobs: BTreeSet<(i64, Place)>,
    /// Resource offers that wait for a match, oldest first.
    open_machines: BTreeSet<(i64, Place)>,
    /// Jobs by the last millisecond of what they are in now.
    deadlines: BTreeSet<(i64, Place)>,
    /// The other way round.
    deadline_of: HashMap<Place, i64>,
}

/// Which job offers to list.
#[derive(Debug, Default)]
pub(super) struct JobOfferFilter {
    /// Only this creator's.
    pub(super) creator: Option<String>,
    /// Only those without a deal.
    pub(super) not_matched: bool,
    /// Only those that are not at an end.
    pub(super) active: bool,
    /// Only those that were cancelled or timed out, or only the others.
    pub(super) cancelled: Option<bool>,
}

/// Which resource offers to list.
#[derive(Debug, Default)]
pub(super) struct ResourceOfferFilter {
    /// Only this provider's.
    pub(super) provider: Option<String>,
    /// Only those without a deal.
    pub(super) not_matched: bool,
    /// Only those whose job has no result yet.
    pub(super) active: bool,
}

/// Which deals to list.
#[derive(Debug, Default)]
pub(super) struct DealFilter {
    /// Only this creator's.
    pub(super) creator: Option<String>,
    /// Only this provider's.
    pub(super) provider: Option<String>,
    /// Only those in this state.
    pub(super) state: Option<AgreementState>,
}

impl Store {
    /// An empty store that keeps these time limits.
    pub(super) fn new(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            jobs: Table::new(),
            machines: Table::new(),
            deals: Table::new(),
            results: HashMap::new(),
            open_jobs: BTreeSet::new(),
            open_machines: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            deadline_of: HashMap::new(),
        }
    }

    /// The job offer with this id.
    pub(super) fn job(&self, id: &str) -> Option<&Arc<JobOfferContainer>> {
        self.jobs.get(id)
    }

    /// The job offer with this id, if it waits for a match.
    pub(super) fn open_job(&self, id: &str) -> Option<&Arc<JobOfferContainer>> {
        self.job(id).filter(|job| is_open(job))
    }

    /// The resource offer with this id.
    pub(super) fn machine(&self, id: &str) -> Option<&Arc<ResourceOfferContainer>> {
        self.machines.get(id)
    }

    /// The deal with this id.
    pub(super) fn deal(&self, id: &str) -> Option<&Arc<DealContainer>> {
        self.deals.get(id)
    }

    /// The result of this deal.
    pub(super) fn result(&self, deal: &str) -> Option<&ResultRecord> {
        self.results.get(deal)
    }

    /// How many job offers wait for a match.
    pub(super) fn open_job_count(&self) -> usize {
        self.open_jobs.len()
    }

    /// The job offers that wait for a match, oldest first.
    pub(super) fn open_jobs(&self) -> impl Iterator<Item = &Arc<JobOfferContainer>> {
        self.open_jobs.iter().filter_map(|(_, place)| self.jobs.at(*place))
    }

    /// The resource offers that wait for a match, oldest first.
    pub(super) fn open_machines(&self) -> impl Iterator<Item = &Arc<ResourceOfferContainer>> {
        self.open_machines.iter().filter_map(|(_, place)| self.machines.at(*place))
    }

    /// A job whose time is over at `now`, if there is one.
    pub(super) fn overdue(&self, now: i64) -> Option<(&Arc<JobOfferContainer>, AgreementState)> {
        for (_, place) in self.deadlines.range(..(now, Place::MIN)) {
            let job = self.jobs.at(*place)?;
            if let Some(state) = timeouts::expired(&self.timeouts, job, self.deal_of(job), now) {
                return Some((job, state));
            }
        }
        None
    }

    /// Job offers that pass `filter`.
    pub(super) fn list_jobs(&self, filter: &JobOfferFilter) -> Vec<Arc<JobOfferContainer>> {
        let states = match filter.active {
            true => AgreementState::DEAL_NEGOTIATING..=AgreementState::RESULTS_SUBMITTED,
            false => ANY_STATE,
        };
        self.jobs
            .select(filter.creator.as_deref(), states)
            .filter(|job| !filter.not_matched || job.deal_id.is_empty())
            .filter(|job| filter.cancelled.is_none_or(|cancelled| cancelled == is_cancelled(job.state)))
            .cloned()
            .collect()
    }

    /// Resource offers that pass `filter`.
    pub(super) fn list_machines(&self, filter: &ResourceOfferFilter) -> Vec<Arc<ResourceOfferContainer>> {
        let states = match filter.active {
            true => AgreementState::DEAL_NEGOTIATING..=AgreementState::DEAL_AGREED,
            false => ANY_STATE,
        };
        self.machines
            .select(filter.provider.as_deref(), states)
            .filter(|machine| !filter.not_matched || machine.deal_id.is_empty())
            .cloned()
            .collect()
    }

    /// Deals that pass `filter`.
    pub(super) fn list_deals(&self, filter: &DealFilter) -> Vec<Arc<DealContainer>> {
        let states = filter.state.map_or(ANY_STATE, |state| state..=state);
        let party = filter.creator.as_deref().or(filter.provider.as_deref());
        self.deals
            .select(party, states)
            .filter(|deal| filter.creator.as_ref().is_none_or(|creator| *creator == deal.job_creator))
            .filter(|deal| filter.provider.as_ref().is_none_or(|provider| *provider == deal.resource_provider))
            .cloned()
            .collect()
    }

    /// Remembers a job offer as unmatched, also if it was matched before.
    pub(super) fn put_job(&mut self, offer: JobOffer) -> Arc<JobOfferContainer> {
        let id = offer.id.clone();
        self.jobs.put(JobOfferContainer {
            id: offer.id.clone(),
            job_creator: offer.job_creator.clone(),
            job_offer: offer,
            ..JobOfferContainer::default()
        });
        self.index_job(&id)
    }

    /// Remembers a resource offer as unmatched.
    pub(super) fn put_machine(&mut self, offer: ResourceOffer) -> Arc<ResourceOfferContainer> {
        let container = ResourceOfferContainer {
            id: offer.id.clone(),
            resource_provider: offer.resource_provider.clone(),
            resource_offer: offer,
            ..ResourceOfferContainer::default()
        };
        let created_at = container.resource_offer.created_at;
        let machine = Arc::new(container.clone());
        let place = self.machines.put(container);
        self.open_machines.insert((created_at, place));
        machine
    }

    /// Remembers a deal.
    pub(super) fn put_deal(&mut self, deal: DealContainer) {
        self.deals.put(deal);
    }

    /// Remembers the result of a deal, in place of an earlier one.
    pub(super) fn put_result(&mut self, result: ResultRecord) {
        self.results.insert(result.deal_id.clone(), result);
    }

    /// Moves a job offer on. `None` if it is not there.
    pub(super) fn move_job(&mut self, id: &str, deal: &str, state: AgreementState) -> Option<Arc<JobOfferContainer>> {
        self.leave_open_jobs(id);
        self.jobs.update(id, |job| {
            job.deal_id = deal.to_owned();
            job.state = state;
        })?;
        Some(self.index_job(id))
    }

    /// Moves a resource offer on. `None` if it is not there.
    pub(super) fn move_machine(
        &mut self,
        id: &str,
        deal: &str,
        state: AgreementState,
    ) -> Option<Arc<ResourceOfferContainer>> {
        let machine = self.machines.update(id, |machine| {
            machine.deal_id = deal.to_owned();
            machine.state = state;
        })?;
        self.leave_open_machines(id, machine.resource_offer.created_at);
        Some(machine)
    }

    /// Changes a deal. `None` if it is not there.
    pub(super) fn change_deal(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut DealContainer),
    ) -> Option<Arc<DealContainer>> {
        let deal = self.deals.update(id, change)?;
        if let Some(place) = self.jobs.place(&deal.job_offer) {
            self.set_deadline(place);
        }
        Some(deal)
    }

    /// Forgets the resource offers of `provider` that nobody took.
    pub(super) fn withdraw_machines(&mut self, provider: &str) {
        let unmatched = AgreementState::DEAL_NEGOTIATING..=AgreementState::DEAL_NEGOTIATING;
        let withdrawn: Vec<_> = self.machines.select(Some(provider), unmatched).cloned().collect();
        for machine in withdrawn {
            self.leave_open_machines(&machine.id, machine.resource_offer.created_at);
            self.machines.remove(&machine.id);
        }
    }

    /// The deal that a job is in.
    fn deal_of(&self, job: &JobOfferContainer) -> Option<&DealContainer> {
        self.deals.get(&job.deal_id).map(Arc::as_ref)
    }

    /// Enters a job that has changed where it belongs.
    fn index_job(&mut self, id: &str) -> Arc<JobOfferContainer> {
        let place = self.jobs.place(id).expect("the job was put in by the caller");
        let job = self.jobs.at(place).expect("a place that is known is taken").clone();
        if is_open(&job) {
            self.open_jobs.insert((job.job_offer.created_at, place));
        }
        self.set_deadline(place);
        job
    }

    /// Takes a job out of those that wait.
    fn leave_open_jobs(&mut self, id: &str) {
        if let Some(place) = self.jobs.place(id)
            && let Some(job) = self.jobs.at(place)
        {
            self.open_jobs.remove(&(job.job_offer.created_at, place));
        }
    }

    /// Takes a machine out of those that wait.
    fn leave_open_machines(&mut self, id: &str, created_at: i64) {
        if let Some(place) = self.machines.place(id) {
            self.open_machines.remove(&(created_at, place));
        }
    }

    /// Notes when the time of a job that has changed is over.
    fn set_deadline(&mut self, place: Place) {
        if let Some(before) = self.deadline_of.remove(&place) {
            self.deadlines.remove(&(before, place));
        }
        let Some(job) = self.jobs.at(place) else { return };
        if let Some(deadline) = timeouts::deadline(&self.timeouts, job, self.deal_of(job)) {
            self.deadline_of.insert(place, deadline);
            self.deadlines.insert((deadline, place));
        }
    }
}

/// Whether a job offer waits for a match.
fn is_open(job: &JobOfferContainer) -> bool {
    job.deal_id.is_empty() && !is_cancelled(job.state)
}

/// Whether a job offer was cancelled or timed out before or after its match.
fn is_cancelled(state: AgreementState) -> bool {
    state == AgreementState::JOB_OFFER_CANCELLED || state.is_timeout()
}
