//! One job's state, which only goes forward.
//!
//! Events go missing, come twice and out of order; lists are old when they arrive; a provider can move a finished deal back. [`Progress`]
//! takes observations in any order and keeps what is furthest along, and the first end.

use super::status::{DealSummary, JobStatus, JobView};
use crate::protocol::AgreementState;

/// What an event or a list said of a job.
#[derive(Debug, Clone)]
pub(super) struct Observation {
    /// The state that it named.
    pub(super) state: AgreementState,
    /// The deal, if it came along and is about this job.
    pub(super) deal: Option<DealSummary>,
}

/// What is known of a job so far.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    view: JobView,
    /// Whether the deal came to a result without an upload. Files come before the record of a result, so that is a failure; the wire goes on
    /// to call it a time-out (PROTOCOL.md, section 9). Only a record of the deal itself tells: an offer's state says nothing of uploads.
    without_files: bool,
    /// Whether this client gave the job up.
    cancelled: bool,
}

impl Progress {
    /// Before anything was heard.
    pub(super) fn new() -> Self {
        let view = JobView { status: JobStatus::Queued, state: AgreementState::DEAL_NEGOTIATING, deal: None };
        Self { view, without_files: false, cancelled: false }
    }

    /// Takes over how it ended, as it was known before; says whether anything changed.
    pub(super) fn restore(&mut self, view: JobView) -> bool {
        let changed = !self.is_over() && !self.cancelled && self.view != view;
        if changed {
            self.without_files = view.status == JobStatus::Failed;
            self.view = view;
        }
        changed
    }

    /// Whether the job came to an end of its own, and everything about it is known.
    pub(super) fn has_ended(&self) -> bool {
        !self.cancelled && self.is_over() && !self.lacks_deal()
    }

    /// What is known.
    pub(super) fn view(&self) -> &JobView {
        &self.view
    }

    /// Whether nothing more can follow.
    pub(super) fn is_over(&self) -> bool {
        is_over(self.view.state) || self.view.status.is_final()
    }

    /// Whether a result, or the reason why there is none, is to be had, and only the deal is missing to ask for it.
    pub(super) fn lacks_deal(&self) -> bool {
        !self.cancelled && self.view.deal.is_none() && has_record(self.view.state)
    }

    /// Takes in an observation; says whether anything changed.
    pub(super) fn observe(&mut self, seen: &Observation) -> bool {
        if self.cancelled {
            return false;
        }
        let before = self.view.clone();
        if let Some(deal) = &seen.deal {
            match &mut self.view.deal {
                None => self.view.deal = Some(deal.clone()),
                Some(known) if known.id == deal.id => {
                    known.uploaded_at_ms = known.uploaded_at_ms.max(deal.uploaded_at_ms);
                }
                // A second deal for one job: somebody posted the offer twice. The first is the one that is followed.
                Some(_) => return false,
            }
            let ended = [AgreementState::RESULTS_SUBMITTED, AgreementState::TIMEOUT_DOWNLOAD].contains(&seen.state);
            self.without_files |= ended && deal.uploaded_at_ms == 0;
        }
        if !is_over(self.view.state) && rank(seen.state) >= rank(self.view.state) {
            self.view.state = seen.state;
        }
        if let Some(status) = JobStatus::of(self.view.state, self.without_files) {
            self.view.status = status;
        }
        self.view != before
    }

    /// Notes that the result is in hand and accepted; says whether that is news. It weighs more than an end that the solver told.
    pub(super) fn received(&mut self) -> bool {
        let is_news = !self.cancelled && self.view.status != JobStatus::Succeeded;
        if is_news {
            (self.view.state, self.view.status) = (AgreementState::RESULTS_ACCEPTED, JobStatus::Succeeded);
        }
        is_news
    }

    /// Marks the job as given up here, unless it is over; says whether it did.
    pub(super) fn cancel(&mut self) -> bool {
        if self.is_over() {
            return false;
        }
        self.cancelled = true;
        self.view.status = JobStatus::Cancelled;
        true
    }
}

/// Whether the solver has a record of the result, with an id of data or with the provider's words.
pub(super) fn has_record(state: AgreementState) -> bool {
    matches!(
        state,
        AgreementState::RESULTS_SUBMITTED
            | AgreementState::DOWNLOADING
            | AgreementState::RESULTS_ACCEPTED
            | AgreementState::RESULTS_CHECKED
            | AgreementState::MEDIATION_ACCEPTED
            | AgreementState::TIMEOUT_DOWNLOAD
    )
}

/// Whether nothing follows, also by the rules of older solvers.
fn is_over(state: AgreementState) -> bool {
    state.is_terminal()
        || (AgreementState::TIMEOUT_SUBMIT_RESULTS..=AgreementState::TIMEOUT_MEDIATE_RESULTS).contains(&state)
}

/// How far along a state is. States that this release does not know come before results, so that they never hide one.
fn rank(state: AgreementState) -> u8 {
    match state {
        AgreementState::DEAL_NEGOTIATING => 0,
        AgreementState::DEAL_AGREED => 1,
        AgreementState::UPLOADING => 3,
        AgreementState::RESULTS_SUBMITTED => 4,
        AgreementState::DOWNLOADING => 5,
        AgreementState::RESULTS_CHECKED => 6,
        state if is_over(state) => 7,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAL: &str = "QmUHyGtGVE9oGTQJY9xn7TroXDBzZWdh3bfroEX1b4ujFf";

    fn deal(uploaded_at_ms: i64) -> Option<DealSummary> {
        Some(DealSummary { id: DEAL.parse().unwrap(), provider: "0x1".into(), agreed_at_ms: 1, uploaded_at_ms })
    }

    fn after(observations: &[(u8, Option<DealSummary>)]) -> JobView {
        let mut progress = Progress::new();
        for (state, deal) in observations {
            progress.observe(&Observation { state: AgreementState(*state), deal: deal.clone() });
        }
        progress.view().clone()
    }

    #[test]
    fn states_only_go_forward() {
        assert_eq!(after(&[(2, deal(5)), (1, deal(0)), (0, None)]).status, JobStatus::Downloading);
        assert_eq!(after(&[(2, deal(5)), (1, deal(0))]).deal.unwrap().uploaded_at_ms, 5);
    }

    #[test]
    fn the_first_end_stays() {
        assert_eq!(after(&[(3, deal(5)), (2, deal(9))]).state, AgreementState::RESULTS_ACCEPTED);
        assert_eq!(after(&[(15, deal(0)), (3, deal(9))]).status, JobStatus::TimedOut);
    }

    #[test]
    fn a_result_without_files_is_a_failure_and_not_a_time_out() {
        assert_eq!(after(&[(16, deal(0))]).status, JobStatus::Failed);
        assert_eq!(after(&[(2, deal(0))]).status, JobStatus::Failed);
        assert_eq!(after(&[(16, deal(7))]).status, JobStatus::TimedOut);
    }

    #[test]
    fn an_offers_state_that_overtakes_its_deals_is_not_taken_for_a_failure() {
        // The deal is known from when it was made, without an upload; the offer's update comes before the deal's.
        assert_eq!(after(&[(1, deal(0)), (2, None)]).status, JobStatus::Downloading);
        assert_eq!(after(&[(1, deal(0)), (16, None)]).status, JobStatus::TimedOut);
    }

    #[test]
    fn what_was_given_up_stays_given_up() {
        let mut progress = Progress::new();
        assert!(progress.cancel());
        assert!(!progress.observe(&Observation { state: AgreementState::RESULTS_SUBMITTED, deal: deal(5) }));
        assert_eq!(progress.view().status, JobStatus::Cancelled);
    }

    #[test]
    fn an_unknown_state_is_shown_and_changes_nothing_else() {
        let view = after(&[(1, deal(0)), (77, None)]);
        assert_eq!((view.status, view.state), (JobStatus::Running, AgreementState(77)));
        assert_eq!(after(&[(77, None), (2, deal(1))]).status, JobStatus::Downloading);
    }

    #[test]
    fn any_order_of_the_same_observations_ends_the_same() {
        let seen = [(0, None), (1, deal(0)), (12, deal(0)), (2, deal(4)), (13, deal(4)), (3, deal(4))];
        let mut order: Vec<usize> = (0..seen.len()).collect();
        for round in 0..200usize {
            let swap = round % (seen.len() - 1);
            order.swap(swap, (swap * 7 + round) % seen.len());
            let shuffled: Vec<_> = order.iter().map(|index| seen[*index].clone()).collect();
            let view = after(&shuffled);
            assert_eq!((view.status, view.state.0), (JobStatus::Succeeded, 3), "{order:?}");
        }
    }
}
