//! Whose time is over.
//!
//! A job has a time limit for the stage that it is in and one for the whole. The stage's is looked at first, so that a job that is
//! past both ends with the one that says more.

use std::time::Duration;

use lilypad_sdk::protocol::{AgreementState, DealContainer, JobOfferContainer};

use super::clock::millis;
use super::options::Timeouts;

/// The state that a job ends in at `now`, if its time is over.
pub(super) fn expired(
    timeouts: &Timeouts,
    job: &JobOfferContainer,
    deal: Option<&DealContainer>,
    now: i64,
) -> Option<AgreementState> {
    limits(timeouts, job, deal).into_iter().flatten().find(|(last, _)| now > *last).map(|(_, state)| state)
}

/// The last millisecond that a job has, unless it goes on to another stage. `None`: its time is never over.
pub(super) fn deadline(timeouts: &Timeouts, job: &JobOfferContainer, deal: Option<&DealContainer>) -> Option<i64> {
    limits(timeouts, job, deal).into_iter().flatten().map(|(last, _)| last).min()
}

/// The last millisecond of a job's stage and of the whole, and what comes after.
fn limits(
    timeouts: &Timeouts,
    job: &JobOfferContainer,
    deal: Option<&DealContainer>,
) -> [Option<(i64, AgreementState)>; 2] {
    if job.state > AgreementState::RESULTS_SUBMITTED {
        return [None, None];
    }
    let after = |since: i64, limit: Duration, state| (since.saturating_add(millis(limit)), state);
    let posted = job.job_offer.created_at;
    let stage = match deal {
        _ if job.state == AgreementState::DEAL_NEGOTIATING => {
            Some(after(posted, timeouts.matching, AgreementState::TIMEOUT_MATCH))
        }
        Some(deal) if deal.state == AgreementState::DEAL_AGREED => {
            let limit = match deal.deal.job_offer.execution_timeout_seconds {
                0 => timeouts.execution,
                seconds => Duration::from_secs(seconds),
            };
            Some(after(deal.created_at, limit, AgreementState::TIMEOUT_EXECUTION))
        }
        // A failed job has no files and an upload time of 0, so it ends here at the next look. That is how the network behaves.
        Some(deal) if deal.state == AgreementState::RESULTS_SUBMITTED => {
            Some(after(deal.upload_at, timeouts.download, AgreementState::TIMEOUT_DOWNLOAD))
        }
        _ => None,
    };
    [stage, Some(after(posted, timeouts.total, AgreementState::JOB_TIMED_OUT))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: AgreementState) -> JobOfferContainer {
        let mut job = JobOfferContainer { state, ..JobOfferContainer::default() };
        job.job_offer.created_at = 1_000;
        job
    }

    fn deal(state: AgreementState, upload_at: i64, execution_timeout_seconds: u64) -> DealContainer {
        let mut deal = DealContainer { state, created_at: 5_000, upload_at, ..DealContainer::default() };
        deal.deal.job_offer.execution_timeout_seconds = execution_timeout_seconds;
        deal
    }

    #[test]
    fn each_stage_has_its_limit() {
        use AgreementState as State;
        let cases = [
            ("unmatched", job(State::DEAL_NEGOTIATING), None, 31_000, State::TIMEOUT_MATCH),
            (
                "running",
                job(State::DEAL_AGREED),
                Some(deal(State::DEAL_AGREED, 0, 0)),
                905_000,
                State::TIMEOUT_EXECUTION,
            ),
            (
                "its own limit",
                job(State::DEAL_AGREED),
                Some(deal(State::DEAL_AGREED, 0, 5)),
                10_000,
                State::TIMEOUT_EXECUTION,
            ),
            ("uploading", job(State::DEAL_AGREED), Some(deal(State::UPLOADING, 0, 5)), 7_201_000, State::JOB_TIMED_OUT),
            (
                "not fetched",
                job(State::RESULTS_SUBMITTED),
                Some(deal(State::RESULTS_SUBMITTED, 9_000, 0)),
                3_609_000,
                State::TIMEOUT_DOWNLOAD,
            ),
            (
                "downloading",
                job(State::RESULTS_SUBMITTED),
                Some(deal(State::DOWNLOADING, 9_000, 0)),
                7_201_000,
                State::JOB_TIMED_OUT,
            ),
        ];
        let timeouts = Timeouts::default();
        for (name, job, deal, last, state) in cases {
            assert_eq!(expired(&timeouts, &job, deal.as_ref(), last), None, "{name}");
            assert_eq!(expired(&timeouts, &job, deal.as_ref(), last + 1), Some(state), "{name}");
            assert_eq!(deadline(&timeouts, &job, deal.as_ref()), Some(last), "{name}");
        }
    }

    #[test]
    fn a_failed_job_without_files_is_over_at_the_next_look() {
        let deal = deal(AgreementState::RESULTS_SUBMITTED, 0, 0);
        let state =
            expired(&Timeouts::default(), &job(AgreementState::RESULTS_SUBMITTED), Some(&deal), 1_795_365_124_185);
        assert_eq!(state, Some(AgreementState::TIMEOUT_DOWNLOAD));
    }

    #[test]
    fn what_has_ended_does_not_end_again() {
        assert_eq!(deadline(&Timeouts::default(), &job(AgreementState::RESULTS_ACCEPTED), None), None);
    }
}
