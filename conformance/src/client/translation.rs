//! The same records about another offer.
//!
//! Our client's offer has another creator, time and nonce than the recorded one, so another id, and so has everything that is named
//! by it. Our client checks these ids, so they are computed anew rather than exchanged.

use std::collections::HashMap;

use lilypad_sdk::protocol::{DealContainer, Event, JobOffer, JobOfferContainer, ResourceOfferContainer, ResultRecord};

use super::script::Script;

/// From the recorded job to ours.
#[derive(Debug)]
pub(super) struct Translation {
    /// Id of the recorded offer.
    recorded: String,
    /// Our offer, with its id.
    offer: JobOffer,
    /// Ids of our deals by those of the recorded ones.
    deals: HashMap<String, String>,
}

impl Translation {
    /// From the job of `script` to the one that `offer` is for.
    pub(super) fn new(script: &Script, mut offer: JobOffer) -> Self {
        offer.id = offer.content_id();
        let mut translation = Self { recorded: script.offer.id.clone(), offer, deals: HashMap::new() };
        for deal in script.steps.iter().filter_map(|step| step.event.deal.as_ref()) {
            if deal.job_offer == translation.recorded {
                let mut ours = deal.clone();
                translation.deal(&mut ours);
                translation.deals.insert(deal.id.clone(), ours.id);
            }
        }
        translation
    }

    /// Our offer.
    pub(super) fn posted(&self) -> &JobOffer {
        &self.offer
    }

    /// The id of the recorded deal that ours stands for.
    pub(super) fn recorded_deal(&self, ours: &str) -> Option<&str> {
        self.deals.iter().find(|(_, deal)| *deal == ours).map(|(recorded, _)| recorded.as_str())
    }

    /// Translates an event.
    pub(super) fn event(&self, event: &mut Event) {
        if let Some(container) = &mut event.job_offer {
            self.job_offer(container);
        }
        if let Some(container) = &mut event.resource_offer {
            self.resource_offer(container);
        }
        if let Some(container) = &mut event.deal {
            self.deal(container);
        }
    }

    /// Translates a job offer, if it is the recorded one.
    fn job_offer(&self, container: &mut JobOfferContainer) {
        if container.id == self.recorded {
            container.id.clone_from(&self.offer.id);
            container.job_creator.clone_from(&self.offer.job_creator);
            container.job_offer = self.offer.clone();
            self.deal_id(&mut container.deal_id);
        }
    }

    /// Translates the deal that a resource offer is in.
    fn resource_offer(&self, container: &mut ResourceOfferContainer) {
        self.deal_id(&mut container.deal_id);
    }

    /// Translates a deal, if it is about the recorded offer.
    fn deal(&self, container: &mut DealContainer) {
        if container.job_offer == self.recorded {
            container.job_offer.clone_from(&self.offer.id);
            container.job_creator.clone_from(&self.offer.job_creator);
            container.deal.members.job_creator.clone_from(&self.offer.job_creator);
            container.deal.job_offer = self.offer.clone();
            container.deal.id = container.deal.content_id();
            container.id.clone_from(&container.deal.id);
        }
    }

    /// Translates a result.
    pub(super) fn result(&self, record: &mut ResultRecord) {
        self.deal_id(&mut record.deal_id);
    }

    /// Translates the id of a deal.
    fn deal_id(&self, id: &mut String) {
        if let Some(ours) = self.deals.get(id) {
            id.clone_from(ours);
        }
    }
}
