//! How far an offer or a deal is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The wire's state of an offer or a deal. Values that this release does not know survive reading and writing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgreementState(pub u8);

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        #[allow(non_upper_case_globals)] // The names are the wire's own.
        impl AgreementState {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The states that this release knows, in wire order.
            pub const KNOWN: &[Self] = &[$(Self::$name),*];

            /// The state's name on the wire, if it is known.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

states! {
    /// Posted, not matched.
    DEAL_NEGOTIATING = 0, "DealNegotiating";
    /// Matched; the provider may start.
    DEAL_AGREED = 1, "DealAgreed";
    /// The provider has posted a result.
    RESULTS_SUBMITTED = 2, "ResultsSubmitted";
    /// The job creator has the files. Terminal.
    RESULTS_ACCEPTED = 3, "ResultsAccepted";
    /// The job creator asked a mediator.
    RESULTS_CHECKED = 4, "ResultsChecked";
    /// The mediator found the result right. Terminal.
    MEDIATION_ACCEPTED = 5, "MediationAccepted";
    /// The mediator found the result wrong. Terminal.
    MEDIATION_REJECTED = 6, "MediationRejected";
    /// Of older solvers: no result in time.
    TIMEOUT_SUBMIT_RESULTS = 7, "TimeoutSubmitResults";
    /// Of older solvers: no judgement in time.
    TIMEOUT_JUDGE_RESULTS = 8, "TimeoutJudgeResults";
    /// Of older solvers: no mediation in time.
    TIMEOUT_MEDIATE_RESULTS = 9, "TimeoutMediateResults";
    /// The provider that the job asked for has no open offer. Terminal.
    JOB_OFFER_CANCELLED = 10, "JobOfferCancelled";
    /// The whole job took too long. Terminal.
    JOB_TIMED_OUT = 11, "JobTimedOut";
    /// The provider is uploading the result. Never announced.
    UPLOADING = 12, "Uploading";
    /// The job creator is fetching the result. Never announced.
    DOWNLOADING = 13, "Downloading";
    /// No provider took the job in time. Terminal.
    TIMEOUT_MATCH = 14, "TimeoutMatch";
    /// The job ran too long. Terminal.
    TIMEOUT_EXECUTION = 15, "TimeoutExecution";
    /// Nobody fetched the result in time, or there was none to fetch. Terminal.
    TIMEOUT_DOWNLOAD = 16, "TimeoutDownload";
}

impl AgreementState {
    /// The state with this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::KNOWN.iter().copied().find(|state| state.name() == Some(name))
    }

    /// Whether nothing follows. (A provider can still move a finished deal back; keep the first terminal state.)
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::RESULTS_ACCEPTED
                | Self::MEDIATION_ACCEPTED
                | Self::MEDIATION_REJECTED
                | Self::JOB_OFFER_CANCELLED
                | Self::JOB_TIMED_OUT
                | Self::TIMEOUT_MATCH
                | Self::TIMEOUT_EXECUTION
                | Self::TIMEOUT_DOWNLOAD
        )
    }

    /// Whether a time limit ended the job.
    pub fn is_timeout(self) -> bool {
        matches!(self, Self::TIMEOUT_MATCH | Self::TIMEOUT_EXECUTION | Self::TIMEOUT_DOWNLOAD | Self::JOB_TIMED_OUT)
    }
}

impl fmt::Display for AgreementState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "state {}", self.0),
        }
    }
}

impl fmt::Debug for AgreementState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json;

    #[test]
    fn an_unknown_state_survives() {
        let state: AgreementState = json::from_str("77").unwrap();
        assert_eq!(state.to_string(), "state 77");
        assert!(!state.is_terminal());
        assert_eq!(json::to_string(&state), "77");
    }

    #[test]
    fn names_and_numbers_are_the_wires() {
        for (number, state) in AgreementState::KNOWN.iter().enumerate() {
            assert_eq!(usize::from(state.0), number);
            assert_eq!(AgreementState::from_name(&state.to_string()), Some(*state));
        }
    }
}
