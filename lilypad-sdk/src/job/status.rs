//! How far a job is, for people and for programs.

use std::fmt;

use crate::protocol::{AgreementState, DealContainer, DealId};

/// How far a job is, for people. The same words in every language; the wire's own state is at [`JobView::state`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobStatus {
    /// Posted; no provider yet.
    Queued,
    /// A provider has it.
    Running,
    /// The provider is sending the result to the solver.
    Uploading,
    /// The result is at the solver or on its way here.
    Downloading,
    /// The result is accepted.
    Succeeded,
    /// The provider says that the job failed.
    Failed,
    /// One of the network's time limits ended it.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

impl JobStatus {
    /// The status in `snake_case`, the same in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Uploading => "uploading",
            Self::Downloading => "downloading",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this name, if there is one.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Queued,
            Self::Running,
            Self::Uploading,
            Self::Downloading,
            Self::Succeeded,
            Self::Failed,
            Self::TimedOut,
            Self::Cancelled,
        ];
        all.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::TimedOut | Self::Cancelled)
    }

    /// The status that a state of the wire means; `None` for a state that this release does not know. `without_files`: the deal is known to have
    /// come to a result without an upload.
    pub(super) fn of(state: AgreementState, without_files: bool) -> Option<Self> {
        Some(match state {
            AgreementState::DEAL_NEGOTIATING => Self::Queued,
            AgreementState::DEAL_AGREED => Self::Running,
            AgreementState::UPLOADING => Self::Uploading,
            AgreementState::RESULTS_SUBMITTED if without_files => Self::Failed,
            AgreementState::RESULTS_SUBMITTED | AgreementState::DOWNLOADING | AgreementState::RESULTS_CHECKED => {
                Self::Downloading
            }
            AgreementState::RESULTS_ACCEPTED | AgreementState::MEDIATION_ACCEPTED => Self::Succeeded,
            AgreementState::MEDIATION_REJECTED => Self::Failed,
            AgreementState::JOB_OFFER_CANCELLED => Self::Cancelled,
            AgreementState::TIMEOUT_DOWNLOAD if without_files => Self::Failed,
            AgreementState::TIMEOUT_MATCH
            | AgreementState::TIMEOUT_EXECUTION
            | AgreementState::TIMEOUT_DOWNLOAD
            | AgreementState::JOB_TIMED_OUT
            | AgreementState::TIMEOUT_SUBMIT_RESULTS
            | AgreementState::TIMEOUT_JUDGE_RESULTS
            | AgreementState::TIMEOUT_MEDIATE_RESULTS => Self::TimedOut,
            _ => return None,
        })
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a job's deal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DealSummary {
    /// Id of the deal.
    pub id: DealId,
    /// Address of the provider that runs the job.
    pub provider: String,
    /// When the deal was made, by the solver's clock, in milliseconds since 1970.
    pub agreed_at_ms: i64,
    /// When the result arrived at the solver, by its clock, in milliseconds since 1970; 0 before that and if the job failed.
    pub uploaded_at_ms: i64,
}

impl DealSummary {
    /// What `container` says, if its deal's id is one.
    pub(super) fn of(container: &DealContainer) -> Option<Self> {
        Some(Self {
            id: container.id.parse().ok()?,
            // The id covers the deal, not what is written around it.
            provider: container.deal.members.resource_provider.clone(),
            agreed_at_ms: container.created_at,
            uploaded_at_ms: container.upload_at,
        })
    }
}

/// What is known of a job at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobView {
    /// How far it is, for people.
    pub status: JobStatus,
    /// How far it is, in the wire's own words.
    pub state: AgreementState,
    /// Its deal, once a provider has it.
    pub deal: Option<DealSummary>,
}
