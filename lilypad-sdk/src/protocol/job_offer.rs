//! What a job creator posts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AgreementState, DealPricing, MachineSpec, PricingMode, ServiceConfig, content_id};

/// Where a module lives: a template file at a ref of a git repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleConfig {
    /// A shortcut name; the reference client sends `""`.
    pub name: String,
    /// URL of the repository.
    pub repo: String,
    /// Tag, branch or commit, as the user wrote it.
    pub hash: String,
    /// Path of the template inside the repository.
    pub path: String,
}

/// Names of the files that a module wants to find in `/inputs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InputFiles {
    /// Files without which the job is refused. `None` and empty differ on the wire.
    pub required: Option<Vec<String>>,
    /// Files that may be given.
    pub optional: Option<Vec<String>>,
}

/// The only provider that may take a job. An empty address means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// The provider's address, or empty.
    pub address: String,
}

/// A job that somebody wants to have run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobOffer {
    /// Content id of this record with an empty `id`.
    pub id: String,
    /// When the offer was stamped, in milliseconds since 1970. Must be close to the solver's clock on arrival.
    pub created_at: i64,
    /// Makes equal jobs of one millisecond differ.
    pub nonce: String,
    /// Address of the job creator, in EIP-55 form.
    pub job_creator: String,
    /// The module.
    pub module: ModuleConfig,
    /// The machine that the module asks for.
    pub spec: MachineSpec,
    /// The module's inputs. They are public.
    pub inputs: Option<BTreeMap<String, String>>,
    /// The files that the module wants.
    #[serde(rename = "inputFiles")]
    pub input_files: InputFiles,
    /// How long the job may run, in seconds. 0: the solver's default.
    #[serde(rename = "executionTimeoutSeconds")]
    pub execution_timeout_seconds: u64,
    /// How prices are compared.
    pub mode: PricingMode,
    /// Prices.
    pub pricing: DealPricing,
    /// The solver and mediators that the job creator trusts.
    #[serde(rename = "trusted_parties")]
    pub services: ServiceConfig,
    /// The only provider that may take the job.
    pub target: Target,
}

impl JobOffer {
    /// The content id that the solver will give this offer, whatever `id` says.
    pub fn content_id(&self) -> String {
        content_id(&Self { id: String::new(), ..self.clone() })
    }
}

/// A job offer and how far it is, as the solver keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobOfferContainer {
    /// Id of the offer.
    pub id: String,
    /// Id of the deal; empty until matched.
    pub deal_id: String,
    /// Address of the job creator.
    pub job_creator: String,
    /// How far it is.
    pub state: AgreementState,
    /// The offer.
    pub job_offer: JobOffer,
}
