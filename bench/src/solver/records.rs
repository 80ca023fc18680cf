//! The jobs of a scripted solver.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lilypad_sdk::protocol::{
    AgreementState, Deal, DealContainer, DealMembers, JobOffer, JobOfferContainer, ResourceOffer,
};
use tokio::sync::{Notify, watch};

use super::Counts;

/// The provider of every job.
const PROVIDER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// Offers and deals, and who asked for them.
pub(super) struct Records {
    /// The state that a job is in when its offer is taken.
    first: AgreementState,
    /// One pair a job.
    jobs: Mutex<Vec<(Arc<JobOfferContainer>, Arc<DealContainer>)>>,
    /// How many jobs there are, for who waits for one.
    count: watch::Sender<usize>,
    /// The sockets are to close.
    pub(super) drop_sockets: Notify,
    /// Requests for lists.
    lists: AtomicU64,
    /// Requests for sockets.
    pub(super) sockets: AtomicU64,
    /// Bytes of the last list of deals.
    pub(super) list_bytes: AtomicU64,
}

impl Records {
    /// Without jobs.
    pub(super) fn new(first: AgreementState) -> Self {
        Self {
            first,
            jobs: Mutex::default(),
            count: watch::Sender::new(0),
            drop_sockets: Notify::new(),
            lists: AtomicU64::new(0),
            sockets: AtomicU64::new(0),
            list_bytes: AtomicU64::new(0),
        }
    }

    /// Takes an offer, and makes a deal of it if that is the script.
    pub(super) fn take(&self, offer: JobOffer) -> Arc<JobOfferContainer> {
        let id = offer.content_id();
        let offer = JobOffer { id: id.clone(), ..offer };
        let deal = self.match_with_machine(&id, &offer);
        let matched = self.first != AgreementState::DEAL_NEGOTIATING;
        let container = Arc::new(JobOfferContainer {
            id,
            deal_id: if matched { deal.id.clone() } else { String::new() },
            job_creator: offer.job_creator.clone(),
            state: self.first,
            job_offer: offer,
        });
        let mut jobs = self.jobs();
        jobs.push((container.clone(), Arc::new(deal)));
        self.count.send_replace(jobs.len());
        container
    }

    /// The deal of an offer, as a real solver would make it.
    fn match_with_machine(&self, id: &str, offer: &JobOffer) -> DealContainer {
        let mut machine = ResourceOffer {
            created_at: offer.created_at,
            resource_provider: PROVIDER.into(),
            spec: offer.spec.clone(),
            modules: Some(Vec::new()),
            mode: offer.mode.clone(),
            default_pricing: offer.pricing.clone(),
            services: offer.services.clone(),
            ..ResourceOffer::default()
        };
        machine.id = machine.content_id();
        let mut deal = Deal {
            id: String::new(),
            members: DealMembers {
                solver: offer.services.solver.clone(),
                job_creator: offer.job_creator.clone(),
                resource_provider: PROVIDER.into(),
                mediators: offer.services.mediator.clone(),
            },
            pricing: offer.pricing.clone(),
            job_offer: offer.clone(),
            resource_offer: machine,
        };
        deal.id = deal.content_id();
        let is_uploaded = self.first == AgreementState::RESULTS_SUBMITTED;
        DealContainer {
            id: deal.id.clone(),
            created_at: offer.created_at,
            upload_at: if is_uploaded { offer.created_at } else { 0 },
            job_creator: offer.job_creator.clone(),
            resource_provider: PROVIDER.into(),
            job_offer: id.to_owned(),
            resource_offer: deal.resource_offer.id.clone(),
            state: self.first,
            deal,
            ..DealContainer::default()
        }
    }

    /// Moves every job on, without telling anybody, and drops the sockets.
    pub(super) fn advance(&self) {
        for (offer, deal) in self.jobs().iter_mut() {
            Arc::make_mut(offer).state = AgreementState::UPLOADING;
            Arc::make_mut(deal).state = AgreementState::UPLOADING;
        }
        self.drop_sockets.notify_waiters();
    }

    /// The offers, for a list.
    pub(super) fn offers(&self) -> Vec<Arc<JobOfferContainer>> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.jobs().iter().map(|(offer, _)| offer.clone()).collect()
    }

    /// The deals, for a list.
    pub(super) fn deals(&self) -> Vec<Arc<DealContainer>> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        let is_deal = |deal: &&Arc<DealContainer>| deal.state != AgreementState::DEAL_NEGOTIATING;
        self.jobs().iter().map(|(_, deal)| deal).filter(is_deal).cloned().collect()
    }

    /// The deal with this id.
    pub(super) fn deal(&self, id: &str) -> Option<Arc<DealContainer>> {
        self.jobs().iter().map(|(_, deal)| deal).find(|deal| deal.id == id).cloned()
    }

    /// Waits for the first offer.
    pub(super) async fn first(&self) -> Option<Arc<JobOfferContainer>> {
        self.count.subscribe().wait_for(|count| *count > 0).await.ok()?;
        self.jobs().first().map(|(offer, _)| offer.clone())
    }

    /// How often the solver was asked.
    pub(super) fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts { lists: read(&self.lists), sockets: read(&self.sockets), list_bytes: read(&self.list_bytes) }
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<(Arc<JobOfferContainer>, Arc<DealContainer>)>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
