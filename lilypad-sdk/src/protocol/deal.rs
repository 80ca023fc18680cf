//! What the solver makes of a job offer and a resource offer.

use serde::{Deserialize, Serialize};

use super::{AgreementState, DealPricing, JobOffer, ResourceOffer, content_id};

/// A match of a job offer and a resource offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deal {
    /// Content id of this record with an empty `id`.
    pub id: String,
    /// Everybody who has a part in it.
    pub members: DealMembers,
    /// The prices agreed.
    pub pricing: DealPricing,
    /// The job.
    pub job_offer: JobOffer,
    /// The machine.
    pub resource_offer: ResourceOffer,
}

impl Deal {
    /// The content id that this deal must have, whatever `id` says.
    pub fn content_id(&self) -> String {
        content_id(&Self { id: String::new(), ..self.clone() })
    }
}

/// Addresses of everybody who has a part in a deal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DealMembers {
    /// The solver that made the match.
    pub solver: String,
    /// Who pays.
    pub job_creator: String,
    /// Who runs the job.
    pub resource_provider: String,
    /// Who may judge.
    pub mediators: Option<Vec<String>>,
}

/// A deal and how far it is, as the solver keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DealContainer {
    /// Id of the deal.
    pub id: String,
    /// When it was matched, in milliseconds since 1970.
    pub created_at: i64,
    /// When the result's files arrived at the solver; 0 before that, and for ever if the job failed.
    pub upload_at: i64,
    /// When the result's files were fetched; 0 before that.
    pub download_at: i64,
    /// Address of the job creator.
    pub job_creator: String,
    /// Address of the provider.
    pub resource_provider: String,
    /// Id of the job offer.
    pub job_offer: String,
    /// Id of the resource offer.
    pub resource_offer: String,
    /// How far it is.
    pub state: AgreementState,
    /// The deal.
    pub deal: Deal,
    /// What each party sent to the chain.
    pub transactions: DealTransactions,
    /// Address of the mediator, if one was asked.
    pub mediator: String,
}

/// Transaction hashes of a deal's parties. `""` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DealTransactions {
    /// The provider's.
    pub resource_provider: ResourceProviderTransactions,
    /// The job creator's.
    pub job_creator: JobCreatorTransactions,
    /// The mediator's.
    pub mediator: MediatorTransactions,
}

/// Transaction hashes of the job creator. `""` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // The fields are named for the contract calls that they are the hashes of.
pub struct JobCreatorTransactions {
    pub agree: String,
    pub accept_result: String,
    pub check_result: String,
    pub timeout_agree: String,
    pub timeout_submit_result: String,
    pub timeout_mediate_result: String,
}

/// Transaction hashes of the provider. `""` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // The fields are named for the contract calls that they are the hashes of.
pub struct ResourceProviderTransactions {
    pub agree: String,
    pub add_result: String,
    pub timeout_agree: String,
    pub timeout_judge_result: String,
    pub timeout_mediate_result: String,
}

/// Transaction hashes of the mediator. `""` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // The fields are named for the contract calls that they are the hashes of.
pub struct MediatorTransactions {
    pub mediation_accept_result: String,
    pub mediation_reject_result: String,
}
