//! The records of the wire, by name and by where they travel.

use lilypad_sdk::protocol::{
    Deal, DealContainer, Event, JobCreatorTransactions, JobOffer, JobOfferContainer, MediatorTransactions,
    ModuleConfig, ResourceOffer, ResourceOfferContainer, ResourceProviderTransactions, ResultRecord, content_id, json,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// Where a module lives.
    Module,
    /// What a job creator posts.
    JobOffer,
    /// A job offer as the solver keeps it.
    JobOfferContainer,
    /// A list of them.
    JobOfferContainers,
    /// What a provider posts.
    ResourceOffer,
    /// A resource offer as the solver keeps it; `null` where it was silently refused.
    ResourceOfferContainer,
    /// A list of them.
    ResourceOfferContainers,
    /// A match.
    Deal,
    /// A deal as the solver keeps it.
    DealContainer,
    /// A list of them.
    DealContainers,
    /// A result without its files.
    Result,
    /// Transactions of the job creator.
    JobCreatorTransactions,
    /// Transactions of the provider.
    ResourceProviderTransactions,
    /// Transactions of the mediator.
    MediatorTransactions,
    /// A frame of the event socket.
    Event,
}

impl Record {
    /// The record that a request carries.
    pub(crate) fn of_request(method: &str, path: &str) -> Option<Self> {
        Some(match (method, segments(path).as_slice()) {
            ("POST", ["job_offers"]) => Self::JobOffer,
            ("POST", ["resource_offers"]) => Self::ResourceOffer,
            ("POST", ["deals", _, "result"]) => Self::Result,
            ("POST", ["deals", _, "txs", "job_creator"]) => Self::JobCreatorTransactions,
            ("POST", ["deals", _, "txs", "resource_provider"]) => Self::ResourceProviderTransactions,
            ("POST", ["deals", _, "txs", "mediator"]) => Self::MediatorTransactions,
            _ => return None,
        })
    }

    /// The record that a successful answer carries.
    pub(crate) fn of_answer(method: &str, path: &str) -> Option<Self> {
        Some(match (method, segments(path).as_slice()) {
            ("GET", ["job_offers"]) => Self::JobOfferContainers,
            ("GET", ["job_offers", _]) | ("POST", ["job_offers"] | ["job_offers", "with_files"]) => {
                Self::JobOfferContainer
            }
            ("GET", ["resource_offers"]) => Self::ResourceOfferContainers,
            ("POST", ["resource_offers"]) => Self::ResourceOfferContainer,
            ("GET", ["deals"]) => Self::DealContainers,
            ("GET", ["deals", _]) | ("POST", ["deals", _, "txs", _]) => Self::DealContainer,
            ("GET" | "POST", ["deals", _, "result"]) | ("POST", ["deals", _, "files"]) => Self::Result,
            _ => return None,
        })
    }

    /// Reads a record and writes it again.
    pub(crate) fn rewrite(self, text: &[u8]) -> Result<String, json::Error> {
        match self {
            Self::Module => rewrite::<ModuleConfig>(text),
            Self::JobOffer => rewrite::<JobOffer>(text),
            Self::JobOfferContainer => rewrite::<JobOfferContainer>(text),
            Self::JobOfferContainers => rewrite::<Option<Vec<JobOfferContainer>>>(text),
            Self::ResourceOffer => rewrite::<ResourceOffer>(text),
            Self::ResourceOfferContainer => rewrite::<Option<ResourceOfferContainer>>(text),
            Self::ResourceOfferContainers => rewrite::<Option<Vec<ResourceOfferContainer>>>(text),
            Self::Deal => rewrite::<Deal>(text),
            Self::DealContainer => rewrite::<DealContainer>(text),
            Self::DealContainers => rewrite::<Option<Vec<DealContainer>>>(text),
            Self::Result => rewrite::<ResultRecord>(text),
            Self::JobCreatorTransactions => rewrite::<JobCreatorTransactions>(text),
            Self::ResourceProviderTransactions => rewrite::<ResourceProviderTransactions>(text),
            Self::MediatorTransactions => rewrite::<MediatorTransactions>(text),
            Self::Event => rewrite::<Event>(text),
        }
    }

    /// Reads a record and computes its content id. `None` for a record that has none.
    pub(crate) fn content_id(self, text: &[u8]) -> Option<Result<String, json::Error>> {
        Some(match self {
            Self::Module => json::from_slice::<ModuleConfig>(text).map(|record| content_id(&record)),
            Self::JobOffer => json::from_slice::<JobOffer>(text).map(|record| record.content_id()),
            Self::ResourceOffer => json::from_slice::<ResourceOffer>(text).map(|record| record.content_id()),
            Self::Deal => json::from_slice::<Deal>(text).map(|record| record.content_id()),
            _ => return None,
        })
    }
}

/// The parts of a path under `/api/v1`, without its query. Empty for any other path.
pub(crate) fn segments(path: &str) -> Vec<&str> {
    let path = path.split('?').next().unwrap_or_default();
    path.strip_prefix("/api/v1/").map(|rest| rest.split('/').collect()).unwrap_or_default()
}

/// Reads a value and writes it again.
fn rewrite<T: DeserializeOwned + Serialize>(text: &[u8]) -> Result<String, json::Error> {
    json::from_slice::<T>(text).map(|value| json::to_string(&value))
}
