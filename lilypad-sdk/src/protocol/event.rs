//! What the solver tells everybody.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DealContainer, JobOfferContainer, ResourceOfferContainer};

/// One frame of the event socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// The job offer that it happened to.
    pub job_offer: Option<JobOfferContainer>,
    /// The resource offer that it happened to.
    pub resource_offer: Option<ResourceOfferContainer>,
    /// The deal that it happened to.
    pub deal: Option<DealContainer>,
}

/// What an event is about. Names that this release does not know survive reading and writing.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventType(pub std::borrow::Cow<'static, str>);

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl EventType {
            $($(#[$doc])* pub const $name: Self = Self(std::borrow::Cow::Borrowed($text));)*
        }
    };
}

event_types! {
    /// A job offer was posted.
    JOB_OFFER_ADDED = "JobOfferAdded";
    /// A resource offer was posted.
    RESOURCE_OFFER_ADDED = "ResourceOfferAdded";
    /// A provider went away with its unmatched offers. Carries no record.
    RESOURCE_OFFER_REMOVED = "ResourceOfferRemoved";
    /// A match was made.
    DEAL_ADDED = "DealAdded";
    /// A job offer changed state.
    JOB_OFFER_STATE_UPDATED = "JobOfferStateUpdated";
    /// A resource offer changed state.
    RESOURCE_OFFER_STATE_UPDATED = "ResourceOfferStateUpdated";
    /// A deal changed state. Can carry the state from before the change.
    DEAL_STATE_UPDATED = "DealStateUpdated";
    /// A mediator was chosen.
    DEAL_MEDIATOR_UPDATED = "DealMediatorUpdated";
    /// The provider named its transactions.
    RESOURCE_PROVIDER_TRANSACTIONS_UPDATED = "ResourceProviderTransactionsUpdated";
    /// The job creator named its transactions.
    JOB_CREATOR_TRANSACTIONS_UPDATED = "JobCreatorTransactionsUpdated";
    /// The mediator named its transactions.
    MEDIATOR_TRANSACTIONS_UPDATED = "MediatorTransactionsUpdated";
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
