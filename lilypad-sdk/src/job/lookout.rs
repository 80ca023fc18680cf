//! Looking for offers in the solver's list, for many at once.
//!
//! After a network was away for a moment, everybody whose offer had no answer asks the same question. One list answers them all.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, error::TryRecvError};

use super::recall::is_genuine;
use crate::error::{Error, Result};
use crate::protocol::{JobId, JobOfferContainer};
use crate::retry::{Idempotence, RetryPolicy, retry};
use crate::solver::{JobOfferFilter, SolverApi};

/// What somebody who waits gets.
type Answer = Result<Option<JobOfferContainer>>;

/// Looks for offers. Clients share one.
#[derive(Debug, Default)]
pub(crate) struct Lookout {
    /// Who asks the solver. Fair, so that whoever waits is not overtaken for ever.
    turn: tokio::sync::Mutex<()>,
    /// Who waits for a list that is asked for after they came.
    waiting: Mutex<Vec<(JobId, oneshot::Sender<Answer>)>>,
}

impl Lookout {
    /// Looks for an offer in a list that is asked for from now on.
    ///
    /// The list, not `GET /job_offers/{id}`: the reference solver drops the connection on an id that it does not know, which looks the same as a
    /// broken network. (PROTOCOL.md, section 5)
    ///
    /// # Errors
    /// Every way in which a solver can refuse or not answer.
    pub(super) async fn find(&self, api: &SolverApi, id: &JobId) -> Answer {
        loop {
            let (sender, mut answer) = oneshot::channel();
            self.waiting().push((id.clone(), sender));
            let _turn = self.turn.lock().await;
            match answer.try_recv() {
                Ok(answered) => return answered,
                // Whoever asked for us has gone before the answer came.
                Err(TryRecvError::Closed) => continue,
                Err(TryRecvError::Empty) => {}
            }
            let asked = std::mem::take(&mut *self.waiting());
            let outcome = list(api, &asked).await;
            for (id, sender) in asked {
                let found = |offers: &HashMap<JobId, JobOfferContainer>| offers.get(&id).cloned();
                // Nobody may be waiting any more.
                let _ = sender.send(outcome.as_ref().map(found).map_err(Error::again));
            }
            if let Ok(answered) = answer.try_recv() {
                return answered;
            }
        }
    }

    /// Those who wait.
    fn waiting(&self) -> MutexGuard<'_, Vec<(JobId, oneshot::Sender<Answer>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The offers that somebody asked for, as far as they are in the solver's list.
async fn list(
    api: &SolverApi,
    asked: &[(JobId, oneshot::Sender<Answer>)],
) -> Result<HashMap<JobId, JobOfferContainer>> {
    let wanted: HashSet<&str> = asked.iter().map(|(id, _)| id.as_str()).collect();
    let filter = JobOfferFilter { job_creator: Some(api.address().to_owned()), ..Default::default() };
    let offers = retry(RetryPolicy::brief(), Idempotence::Repeatable, || async {
        let mut offers = Vec::new();
        let keep = |container: JobOfferContainer| {
            // Filtered again: a list need not be right.
            if wanted.contains(container.id.as_str()) && is_genuine(&container, api.address()) {
                offers.push(container);
            }
        };
        api.each_job_offer(&filter, keep).await.map(|()| offers)
    })
    .await?;
    Ok(offers.into_iter().filter_map(|offer| Some((offer.id.parse().ok()?, offer))).collect())
}
