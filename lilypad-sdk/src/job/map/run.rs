//! Running the rows of a map.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::{MapOptions, MapProgress, OPERATION, Row};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::job::{Job, JobRequest, ResultOptions};
use crate::platform::{apart, blocking};
use crate::protocol::JobId;
use crate::result::{JobResult, check_destination};

/// What the rows of a map share.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) options: MapOptions,
    pub(super) progress: watch::Sender<MapProgress>,
    pub(super) cancelled: watch::Sender<bool>,
    /// The jobs that are under way, by row.
    pub(super) open: Mutex<HashMap<usize, Job>>,
}

impl Shared {
    /// Looks at the jobs that are under way.
    pub(super) fn open<T>(&self, look: impl FnOnce(&mut HashMap<usize, Job>) -> T) -> T {
        look(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a row, as often as it takes.
    async fn run(&self, index: usize, request: JobRequest) -> Row {
        let mut row = Row { index, job_id: None, attempts: 0, outcome: Err(cancelled()) };
        let mut cancel = self.cancelled.subscribe();
        let mut retries = self.options.retries;
        // What was never sent does not count: after a crash the rows' keys must come in the same order.
        let mut sent = 0;
        while !*cancel.borrow_and_update() {
            row.attempts += 1;
            row.outcome = tokio::select! {
                outcome = self.attempt(&mut row.job_id, index, &mut sent, request.clone()) => outcome,
                // What was sent is in the journal; a job that was known has been given up.
                _ = cancel.changed() => Err(cancelled()),
            };
            self.open(|open| open.remove(&index));
            match &row.outcome {
                Err(error) if retries.take(error) => {
                    tracing::debug!(%error, index, attempt = row.attempts, "running a row again");
                }
                _ => break,
            }
        }
        row
    }

    /// Runs a row once.
    async fn attempt(
        &self,
        job_id: &mut Option<JobId>,
        index: usize,
        sent: &mut u32,
        mut request: JobRequest,
    ) -> Result<JobResult> {
        let folder = self.options.save_to.as_ref().map(|folder| folder.join(index.to_string()));
        let mut is_known = false;
        if let Some(key) = &self.options.key {
            let key = format!("{key}#{index}#{}", *sent + 1);
            is_known = self.client.journal().under_key(&key).await?.is_some();
            request.options.idempotency_key = Some(key);
        }
        if let Some(folder) = folder.clone().filter(|_| !is_known) {
            // Nobody should pay for a result that has nowhere to go.
            blocking("prepare the row's folder", move || check_destination(folder)).await?;
        }
        let job = self.client.submit(request).await?;
        *sent += 1;
        *job_id = Some(job.id().clone());
        self.open(|open| open.insert(index, job.clone()));
        let options = ResultOptions { save_to: folder, ..ResultOptions::default() };
        job.result_with(options).await
    }
}

/// The error for rows that were given up.
fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, OPERATION)
        .with_message("the map was cancelled")
        .with_help("start it again with the same key to go on")
}

/// Runs a row apart from whoever asks for it; stopped when dropped.
pub(super) async fn run(shared: Arc<Shared>, index: usize, request: JobRequest) -> Row {
    shared.progress.send_modify(|progress| {
        progress.waiting -= 1;
        progress.running += 1;
    });
    let running = async move {
        let row = shared.run(index, request).await;
        shared.progress.send_modify(|progress| {
            progress.running -= 1;
            match row.outcome {
                Ok(_) => progress.succeeded += 1,
                Err(_) => progress.failed += 1,
            }
        });
        row
    };
    let row = apart(OPERATION, running).await;
    row.unwrap_or_else(|error| Row { index, job_id: None, attempts: 0, outcome: Err(error) })
}
