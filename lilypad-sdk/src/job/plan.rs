//! A job that is ready to leave: what exactly would be sent, what it costs and who will see what.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::handle::Job;
use super::request::RunOptions;
use super::submit::submit;
use crate::client::Client;
use crate::error::Result;
use crate::module::RenderedModule;
use crate::protocol::{DealPricing, JobId, JobOffer, MachineSpec};

/// A job that is ready to leave. Nothing was sent yet, and nothing is until [`submit`](Plan::submit).
#[must_use = "call `submit` to run it"]
pub struct Plan {
    pub(super) client: Client,
    /// The offer with the stamp of planning. It is stamped again when it leaves, which gives it another id.
    pub(super) offer: JobOffer,
    pub(super) module: RenderedModule,
    /// The input files, packed; `None` if there are none.
    pub(super) files: Option<Bytes>,
    pub(super) file_names: Vec<String>,
    pub(super) options: RunOptions,
}

/// What other people can see of a job, and who.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicFacts {
    /// Seen by everybody who connects to the solver: the address that pays.
    pub job_creator: String,
    /// Seen by everybody: the module and its ref.
    pub module: String,
    /// Seen by everybody: the inputs' names and values.
    pub inputs: BTreeMap<String, String>,
    /// Seen by the solver and the provider: names of the input files; their content as well.
    pub files: Vec<String>,
}

impl Plan {
    /// The exact offer, as if it left now. Its `id` and `created_at` are set anew when it does.
    pub fn offer(&self) -> &JobOffer {
        &self.offer
    }

    /// The id that the job would have if it left with the stamp of [`offer`](Self::offer).
    ///
    /// # Panics
    /// Never: a content id is a job id.
    pub fn id(&self) -> JobId {
        self.offer.id.parse().expect("a content id is a job id")
    }

    /// The prices offered, in whole LP.
    pub fn price(&self) -> &DealPricing {
        &self.offer.pricing
    }

    /// The machine that the module asks for.
    pub fn machine(&self) -> &MachineSpec {
        &self.offer.spec
    }

    /// The module, rendered with the inputs.
    pub fn module(&self) -> &RenderedModule {
        &self.module
    }

    /// What other people will see.
    pub fn public(&self) -> PublicFacts {
        PublicFacts {
            job_creator: self.offer.job_creator.clone(),
            module: match self.offer.module.hash.as_str() {
                "" => self.offer.module.repo.clone(),
                hash => format!("{}:{hash}", self.offer.module.repo),
            },
            inputs: self.offer.inputs.clone().unwrap_or_default(),
            files: self.file_names.clone(),
        }
    }

    /// What was asked for, whenever it is planned: the same module, inputs, files and target have the same.
    pub(super) fn request_id(&self) -> String {
        let asked = JobOffer {
            module: self.offer.module.clone(),
            inputs: self.offer.inputs.clone(),
            target: self.offer.target.clone(),
            // A field for text that is not used otherwise here.
            nonce: self.files.as_ref().map(|files| format!("{:x}", Sha256::digest(files))).unwrap_or_default(),
            ..JobOffer::default()
        };
        asked.content_id()
    }

    /// Sends the job.
    ///
    /// # Errors
    /// As [`Client::submit`], but for what has to do with the module and the inputs: that has been checked.
    pub async fn submit(self) -> Result<Job> {
        Box::pin(submit(self)).await
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("offer", &self.offer).field("files", &self.file_names).finish_non_exhaustive()
    }
}
