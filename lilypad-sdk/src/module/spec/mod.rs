//! What a rendered module says: the machine it needs, the files it wants, and the job.
//!
//! The types hold every field that the network's other programs know, under the same rules: keys match without regard to case,
//! unknown ones are skipped, some enumerations accept any name and others do not. So a module that they refuse is refused
//! here, and one that they accept means the same here.

mod check;
mod job;
mod kinds;
mod members;
mod shape;
mod time;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use check::{Finding, Severity, check};
pub use job::{
    Deal, Docker, EngineSpec, Job, JobSpec, Metadata, NetworkConfig, NodeSelector, Param, PublicKey, PublisherSpec,
    Requester, Resources, S3Storage, Storage, Wasm,
};
pub use kinds::{Engine, Network, Publisher, StorageSource};
pub use time::Timestamp;

use crate::protocol::{InputFiles, MachineSpec, json};

/// A module, rendered and understood.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleSpec {
    /// Who wrote it.
    pub author: ModuleAuthor,
    /// What it does.
    pub description: String,
    /// URL of a picture of it.
    pub image: String,
    /// The model that it runs, if it runs one.
    pub model: ModuleModel,
    /// The files that it wants to find in `/inputs`.
    #[serde(rename = "inputFiles")]
    pub input_files: InputFiles,
    /// How long it may run, in seconds. 0: the solver's default.
    #[serde(rename = "executionTimeoutSeconds")]
    pub execution_timeout_seconds: u64,
    /// The least machine that can run it.
    pub machine: MachineSpec,
    /// The job that a provider runs.
    pub job: Job,
}

/// Who wrote a module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleAuthor {
    /// Name.
    pub name: String,
    /// URL of a picture.
    pub avatar: String,
    /// Address on the chain.
    pub address: String,
}

/// The model that a module runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleModel {
    /// Name.
    pub name: String,
    /// What kind of model it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Size, in whatever words.
    pub size: String,
}

impl ModuleSpec {
    /// Reads what a template rendered to.
    ///
    /// # Errors
    /// Of class [`Syntax`](json::ErrorClass::Syntax) if it is not JSON, of class [`Type`](json::ErrorClass::Type) if it is no module.
    pub fn from_json(text: &str) -> Result<Self, json::Error> {
        json::from_str(text)
    }
}
