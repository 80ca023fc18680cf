//! The wire, byte for byte.
//!
//! Records as Go's `encoding/json` writes them, because a record's [content id](content_id()) covers its bytes; read as Go reads them,
//! because modules and solvers in the wild rely on that. Nothing here does input or output.

pub mod auth;
pub mod content_id;
mod deal;
mod event;
mod id;
mod job_offer;
pub mod json;
mod machine;
mod resource_offer;
mod result;
mod state;

pub use content_id::content_id;
pub use deal::{
    Deal, DealContainer, DealMembers, DealTransactions, JobCreatorTransactions, MediatorTransactions,
    ResourceProviderTransactions,
};
pub use event::{Event, EventType};
pub use id::{DataId, DealId, JobId, is_cid_v0};
pub use job_offer::{InputFiles, JobOffer, JobOfferContainer, ModuleConfig, Target};
pub use machine::{DealPricing, GpuSpec, MachineSpec, PricingMode, ServiceConfig};
pub use resource_offer::{ResourceOffer, ResourceOfferContainer};
pub use result::ResultRecord;
pub use state::AgreementState;
