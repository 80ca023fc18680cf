//! How offers become deals and deals come to an end, and what everybody is told about it.
//!
//! Every change goes through here, one at a time, and tells its events before the next one begins: clients hear them in the order of
//! the reference solver (PROTOCOL.md, section 7), among them repetitions that it makes.

use std::sync::Arc;

use lilypad_sdk::protocol::{
    AgreementState, Deal, DealContainer, Event, EventType, JobCreatorTransactions, JobOffer, JobOfferContainer,
    MediatorTransactions, ResourceOffer, ResourceOfferContainer, ResourceProviderTransactions, ResultRecord,
};

use super::clock::Clock;
use super::events::Events;
use super::matcher;
use super::options::Timeouts;
use super::store::Store;

/// The solver's records and the rules by which they change.
#[derive(Debug)]
pub(super) struct Lifecycle {
    /// The records.
    store: Store,
    /// How long jobs may take.
    timeouts: Timeouts,
    /// Whom to tell.
    events: Arc<Events>,
    /// What time it is.
    clock: Clock,
    /// Job offers taken so far.
    offers_taken: u64,
    /// Deals made so far.
    deals_made: u64,
}

impl Lifecycle {
    /// No records yet.
    pub(super) fn new(timeouts: Timeouts, clock: Clock, events: Arc<Events>) -> Self {
        Self { store: Store::new(timeouts.clone()), timeouts, events, clock, offers_taken: 0, deals_made: 0 }
    }

    /// Loses all records. What was counted is still known.
    pub(super) fn forget(&mut self) {
        self.store = Store::new(self.timeouts.clone());
    }

    /// The records.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// How many job offers were taken, repeated ones included.
    pub(super) fn offers_taken(&self) -> u64 {
        self.offers_taken
    }

    /// How many deals were made.
    pub(super) fn deals_made(&self) -> u64 {
        self.deals_made
    }

    /// Takes a job offer that was checked, and matches it if a machine is free. An offer that is already there is taken anew: it
    /// loses its deal and may be matched again, as with the reference solver.
    pub(super) fn take_job(&mut self, mut offer: JobOffer) -> Arc<JobOfferContainer> {
        offer.id = offer.content_id();
        let job = self.store.put_job(offer);
        self.offers_taken += 1;
        self.sweep();
        self.match_job(&job.id);
        let job = self.store.job(&job.id).cloned().unwrap_or(job);
        self.tell(EventType::JOB_OFFER_ADDED, |event| event.job_offer = Some((*job).clone()));
        job
    }

    /// Takes a resource offer that was checked, and matches it with the jobs that wait. `None` if the provider has an offer of the
    /// same index waiting.
    pub(super) fn take_machine(&mut self, mut offer: ResourceOffer) -> Option<Arc<ResourceOfferContainer>> {
        let waiting = self.store.open_machines().any(|machine| {
            machine.resource_provider == offer.resource_provider && machine.resource_offer.index == offer.index
        });
        if waiting {
            tracing::debug!(provider = offer.resource_provider, index = offer.index, "offer already open");
            return None;
        }
        offer.id = offer.content_id();
        let machine = self.store.put_machine(offer);
        self.sweep();
        self.match_machine(&machine);
        let machine = self.store.machine(&machine.id).cloned().unwrap_or(machine);
        self.tell(EventType::RESOURCE_OFFER_ADDED, |event| event.resource_offer = Some((*machine).clone()));
        Some(machine)
    }

    /// Forgets the offers of a provider that went away and that nobody took.
    pub(super) fn withdraw_machines(&mut self, provider: &str) {
        self.store.withdraw_machines(provider);
        self.tell(EventType::RESOURCE_OFFER_REMOVED, |_| {});
    }

    /// Ends the jobs whose time is over.
    pub(super) fn sweep(&mut self) {
        let now = self.clock.now();
        while let Some((job, state)) = self.store.overdue(now) {
            let (id, deal) = (job.id.clone(), job.deal_id.clone());
            tracing::debug!(job = id, deal, %state, "time is over");
            match deal.as_str() {
                "" => self.move_job(&id, "", state),
                deal => {
                    self.move_deal(deal, state);
                }
            }
        }
    }

    /// Notes that the provider has begun to send files. Nobody is told.
    pub(super) fn upload_begins(&mut self, deal: &str) {
        self.store.change_deal(deal, |deal| deal.state = AgreementState::UPLOADING);
    }

    /// Notes that the provider's files have arrived.
    pub(super) fn upload_ends(&mut self, deal: &str) {
        let now = self.clock.now();
        self.store.change_deal(deal, |deal| deal.upload_at = now);
    }

    /// Notes that the job creator has begun to fetch files. Nobody is told.
    pub(super) fn download_begins(&mut self, deal: &str) {
        self.store.change_deal(deal, |deal| deal.state = AgreementState::DOWNLOADING);
    }

    /// Notes that the job creator has all files.
    pub(super) fn download_ends(&mut self, deal: &str) {
        let now = self.clock.now();
        self.store.change_deal(deal, |deal| deal.download_at = now);
    }

    /// Takes the result of a deal. It may come again, and after the end.
    pub(super) fn take_result(&mut self, result: ResultRecord) {
        let deal = result.deal_id.clone();
        self.store.put_result(result);
        self.move_deal_twice(&deal, AgreementState::RESULTS_SUBMITTED);
    }

    /// Moves a deal and its offers on, and says everything about it twice, as the reference solver does for results.
    pub(super) fn move_deal_twice(&mut self, id: &str, state: AgreementState) {
        let Some(deal) = self.move_deal(id, state) else { return };
        self.move_job(&deal.job_offer, id, state);
        self.move_machine(&deal.resource_offer, id, state);
        self.tell(EventType::DEAL_STATE_UPDATED, |event| event.deal = Some((*deal).clone()));
    }

    /// Notes the job creator's transactions. Accepting the result ends the deal.
    pub(super) fn note_creator(&mut self, id: &str, sent: JobCreatorTransactions) -> Option<Arc<DealContainer>> {
        let accepts = !sent.accept_result.is_empty();
        let deal = self.store.change_deal(id, |deal| {
            let noted = &mut deal.transactions.job_creator;
            note(&mut noted.agree, sent.agree);
            note(&mut noted.accept_result, sent.accept_result);
            note(&mut noted.check_result, sent.check_result);
            note(&mut noted.timeout_agree, sent.timeout_agree);
            note(&mut noted.timeout_submit_result, sent.timeout_submit_result);
            note(&mut noted.timeout_mediate_result, sent.timeout_mediate_result);
        })?;
        if accepts {
            return self.move_deal(id, AgreementState::RESULTS_ACCEPTED);
        }
        self.tell(EventType::JOB_CREATOR_TRANSACTIONS_UPDATED, |event| event.deal = Some((*deal).clone()));
        Some(deal)
    }

    /// Notes the provider's transactions.
    pub(super) fn note_provider(&mut self, id: &str, sent: ResourceProviderTransactions) -> Option<Arc<DealContainer>> {
        let deal = self.store.change_deal(id, |deal| {
            let noted = &mut deal.transactions.resource_provider;
            note(&mut noted.agree, sent.agree);
            note(&mut noted.add_result, sent.add_result);
            note(&mut noted.timeout_agree, sent.timeout_agree);
            note(&mut noted.timeout_judge_result, sent.timeout_judge_result);
            note(&mut noted.timeout_mediate_result, sent.timeout_mediate_result);
        })?;
        self.tell(EventType::RESOURCE_PROVIDER_TRANSACTIONS_UPDATED, |event| event.deal = Some((*deal).clone()));
        Some(deal)
    }

    /// Notes the mediator's transactions.
    pub(super) fn note_mediator(&mut self, id: &str, sent: MediatorTransactions) -> Option<Arc<DealContainer>> {
        let deal = self.store.change_deal(id, |deal| {
            let noted = &mut deal.transactions.mediator;
            note(&mut noted.mediation_accept_result, sent.mediation_accept_result);
            note(&mut noted.mediation_reject_result, sent.mediation_reject_result);
        })?;
        self.tell(EventType::MEDIATOR_TRANSACTIONS_UPDATED, |event| event.deal = Some((*deal).clone()));
        Some(deal)
    }

    /// Finds a machine for a job that waits.
    fn match_job(&mut self, id: &str) {
        let Some(job) = self.store.open_job(id) else { return };
        let offer = &job.job_offer;
        let deal = if offer.target.address.is_empty() {
            matcher::choose(offer, self.store.open_machines()).and_then(|machine| matcher::deal(offer, machine))
        } else {
            let target = self.store.open_machines().find(|machine| machine.resource_provider == offer.target.address);
            let Some(machine) = target else {
                return self.move_job(id, "", AgreementState::JOB_OFFER_CANCELLED);
            };
            matcher::deal(offer, &machine.resource_offer)
        };
        if let Some(deal) = deal {
            self.make_deal(deal);
        }
    }

    /// Finds the jobs that a new machine suits: all of those that wait, not one. The reference solver leaves it to the provider how
    /// many it runs at a time.
    fn match_machine(&mut self, machine: &Arc<ResourceOfferContainer>) {
        let deals: Vec<_> = self
            .store
            .open_jobs()
            .filter(|job| job.job_offer.target.address.is_empty())
            .filter_map(|job| {
                let machine = matcher::choose(&job.job_offer, std::iter::once(machine))?;
                matcher::deal(&job.job_offer, machine)
            })
            .collect();
        for deal in deals {
            self.make_deal(deal);
        }
    }

    /// Makes a deal, and moves its offers on.
    fn make_deal(&mut self, deal: Deal) {
        let container = DealContainer {
            id: deal.id.clone(),
            created_at: self.clock.now(),
            job_creator: deal.members.job_creator.clone(),
            resource_provider: deal.members.resource_provider.clone(),
            job_offer: deal.job_offer.id.clone(),
            resource_offer: deal.resource_offer.id.clone(),
            state: AgreementState::DEAL_AGREED,
            deal,
            ..DealContainer::default()
        };
        tracing::debug!(deal = container.id, job = container.job_offer, machine = container.resource_offer, "match");
        self.store.put_deal(container.clone());
        self.deals_made += 1;
        self.tell(EventType::DEAL_ADDED, |event| event.deal = Some(container.clone()));
        self.move_job(&container.job_offer, &container.id, container.state);
        self.move_machine(&container.resource_offer, &container.id, container.state);
    }

    /// Moves a deal and its offers on.
    fn move_deal(&mut self, id: &str, state: AgreementState) -> Option<Arc<DealContainer>> {
        let deal = self.store.change_deal(id, |deal| deal.state = state)?;
        self.tell(EventType::DEAL_STATE_UPDATED, |event| event.deal = Some((*deal).clone()));
        self.move_job(&deal.job_offer, id, state);
        self.move_machine(&deal.resource_offer, id, state);
        Some(deal)
    }

    /// Moves a job offer on, and tells.
    fn move_job(&mut self, id: &str, deal: &str, state: AgreementState) {
        if let Some(job) = self.store.move_job(id, deal, state) {
            self.tell(EventType::JOB_OFFER_STATE_UPDATED, |event| event.job_offer = Some((*job).clone()));
        }
    }

    /// Moves a resource offer on, and tells.
    fn move_machine(&mut self, id: &str, deal: &str, state: AgreementState) {
        if let Some(machine) = self.store.move_machine(id, deal, state) {
            self.tell(EventType::RESOURCE_OFFER_STATE_UPDATED, |event| event.resource_offer = Some((*machine).clone()));
        }
    }

    /// Tells everybody, if there is anybody.
    fn tell(&self, event_type: EventType, fill: impl FnOnce(&mut Event)) {
        self.events.tell(|| {
            let mut event = Event { event_type, ..Event::default() };
            fill(&mut event);
            event
        });
    }
}

/// Keeps what was noted where nothing new was sent.
fn note(noted: &mut String, sent: String) {
    if !sent.is_empty() {
        *noted = sent;
    }
}
