//! Many jobs of one module: a row of inputs each.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt};
use tokio::sync::{oneshot, watch};

use super::handle::{Job, ResultOptions};
use super::journal::KEEP_ENDED;
use super::request::JobRequest;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::{AbortHandle, blocking, spawn};
use crate::protocol::JobId;
use crate::result::{JobResult, check_destination};

/// Rows that are under way at once, unless the options say otherwise.
const CONCURRENCY: usize = 16;
/// The longest key of a map, in bytes: a row's number comes after it.
const LONGEST_KEY: usize = 200;
/// More rows under one key could be forgotten before the last of them is done.
const MOST_KEYED_ROWS: usize = KEEP_ENDED * 2 / 5;
/// What errors say was being done.
const OPERATION: &str = "run the rows";

/// How to run many jobs. Every field has a default.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MapOptions {
    /// How many rows are under way at once, from their offer to their result in hand. Default: 16. At least 1.
    pub concurrency: usize,
    /// In which order rows come out.
    pub order: RowOrder,
    /// Whether the first row that fails is the last one that comes out: nothing more is sent then; what was sent goes on. Default: `false`.
    pub stop_on_error: bool,
    /// Which rows are run again.
    pub retries: RowRetries,
    /// Makes the whole map repeatable: with the same key and the same rows, rows that were sent before are not sent again, also after a crash.
    /// 1 to 200 bytes, and no more than 20,000 rows.
    pub key: Option<String>,
    /// Put each row's files into the folder of its number in here: `save_to/0`, `save_to/1`. `None`: temporary folders that go with the results.
    pub save_to: Option<PathBuf>,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self {
            concurrency: CONCURRENCY,
            order: RowOrder::default(),
            stop_on_error: false,
            retries: RowRetries::default(),
            key: None,
            save_to: None,
        }
    }
}

/// In which order rows come out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// As they went in. A row that takes long holds up those after it.
    #[default]
    Input,
    /// As they are done.
    Completion,
}

/// Which rows are run again. What happened through no fault of the row's own program deserves another provider; a program that ended with an exit
/// code does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowRetries {
    /// How often a row is offered again that nobody took: no provider in time, or a solver that is too busy. It costs nothing. Default: 2.
    pub unmatched: u32,
    /// How often a row is run again whose provider failed: it could not run it, took too long, or its result was not what it promised. Each run is
    /// paid for. Default: 0.
    pub paid: u32,
}

impl Default for RowRetries {
    fn default() -> Self {
        Self { unmatched: 2, paid: 0 }
    }
}

impl RowRetries {
    /// Runs a row again this often whose provider failed. Each run is paid for.
    #[must_use]
    pub fn paid(mut self, count: u32) -> Self {
        self.paid = count;
        self
    }

    /// Offers a row again this often that nobody took.
    #[must_use]
    pub fn unmatched(mut self, count: u32) -> Self {
        self.unmatched = count;
        self
    }

    /// Whether a row that failed like this is run again; counts it.
    fn take(&mut self, error: &Error) -> bool {
        let left = match error.kind() {
            _ if error.may_have_acted() => return false,
            ErrorKind::MatchTimeout | ErrorKind::NetworkBusy | ErrorKind::RateLimited => &mut self.unmatched,
            ErrorKind::JobFailed | ErrorKind::ExecutionTimeout | ErrorKind::JobTimeout | ErrorKind::Integrity => {
                &mut self.paid
            }
            _ => return false,
        };
        let again = *left > 0;
        *left = left.saturating_sub(1);
        again
    }
}

/// Many jobs that are ready to leave. Nothing is sent before [`start`](Self::start).
#[must_use = "call `start`"]
pub struct Map {
    client: Client,
    requests: Vec<JobRequest>,
    options: MapOptions,
}

impl Map {
    /// A job for each request.
    pub(crate) fn new(client: Client, requests: Vec<JobRequest>) -> Self {
        Self { client, requests, options: MapOptions::default() }
    }

    /// All options at once.
    pub fn options(mut self, options: MapOptions) -> Self {
        self.options = options;
        self
    }

    /// How many rows are under way at once.
    pub fn concurrency(mut self, count: usize) -> Self {
        self.options.concurrency = count;
        self
    }

    /// Rows come out as they are done.
    pub fn as_completed(mut self) -> Self {
        self.options.order = RowOrder::Completion;
        self
    }

    /// The first row that fails is the last one.
    pub fn stop_on_error(mut self) -> Self {
        self.options.stop_on_error = true;
        self
    }

    /// Which rows are run again.
    pub fn retries(mut self, retries: RowRetries) -> Self {
        self.options.retries = retries;
        self
    }

    /// Makes the whole map repeatable.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.options.key = Some(key.into());
        self
    }

    /// Keeps each row's files in the folder of its number in `folder`.
    pub fn save_to(mut self, folder: impl Into<PathBuf>) -> Self {
        self.options.save_to = Some(folder.into());
        self
    }

    /// Starts: rows are sent as places get free, whether or not somebody asks for them, until as many as may be under way at once are done and not
    /// taken. Must be called within a runtime.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for options that cannot be used, [`ErrorKind::Wallet`] without a private key; nothing was sent then.
    pub fn start(self) -> Result<MapRows> {
        let Self { client, requests, options } = self;
        check(&client, &options, requests.len())?;
        let progress = MapProgress { total: requests.len(), waiting: requests.len(), ..MapProgress::default() };
        let (concurrency, order) = (options.concurrency, options.order);
        let stop_on_error = options.stop_on_error;
        let shared = Arc::new(Shared {
            client,
            options,
            progress: watch::Sender::new(progress),
            cancelled: watch::Sender::new(false),
            open: Mutex::default(),
        });
        let rows = {
            let shared = shared.clone();
            let numbered = requests.into_iter().enumerate();
            futures_util::stream::iter(numbered).map(move |(index, request)| Task::start(&shared, index, request))
        };
        let rows: Pin<Box<dyn Stream<Item = Row> + Send>> = match order {
            RowOrder::Input => Box::pin(rows.buffered(concurrency)),
            RowOrder::Completion => Box::pin(rows.buffer_unordered(concurrency)),
        };
        Ok(MapRows { rows: Some(rows), stop_on_error, handle: MapHandle(shared) })
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("rows", &self.requests.len())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Whether the options can be used.
fn check(client: &Client, options: &MapOptions, rows: usize) -> Result<()> {
    let bad = |message: String, help: &'static str| {
        Err(Error::new(ErrorKind::InvalidInput, OPERATION).with_message(message).with_help(help))
    };
    // Without a key nothing can be sent, and nothing is remembered.
    client.wallet()?;
    if options.concurrency == 0 {
        return bad("a concurrency of 0".into(), "at least one row must be under way at once");
    }
    if let Some(key) = &options.key {
        if key.is_empty() || key.len() > LONGEST_KEY {
            return bad(format!("a key of {} bytes", key.len()), "a map's key has 1 to 200 bytes");
        }
        if rows > MOST_KEYED_ROWS {
            return bad(
                format!("{rows} rows under one key"),
                "the journal remembers 50,000 jobs that are over: use a key for each 20,000 rows",
            );
        }
        if client.journal().is_off() {
            return bad(
                "a key needs a journal, and this client's is turned off".into(),
                "leave the client's journal on, or in memory",
            );
        }
    }
    Ok(())
}

/// What came of one row.
#[derive(Debug)]
#[non_exhaustive]
pub struct Row {
    /// Its number, from 0, in the order of the input.
    pub index: usize,
    /// Its last job, if one was sent.
    pub job_id: Option<JobId>,
    /// How often it was run, or offered.
    pub attempts: u32,
    /// Its result, or why there is none.
    pub outcome: Result<JobResult>,
}

/// How far a map is: how many rows are in which state. They add up to `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MapProgress {
    /// All rows.
    pub total: usize,
    /// Not begun.
    pub waiting: usize,
    /// Under way.
    pub running: usize,
    /// Done, with a result.
    pub succeeded: usize,
    /// Done, without.
    pub failed: usize,
}

/// What the rows of a map share.
struct Shared {
    client: Client,
    options: MapOptions,
    progress: watch::Sender<MapProgress>,
    cancelled: watch::Sender<bool>,
    /// The jobs that are under way, by row.
    open: Mutex<HashMap<usize, Job>>,
}

impl Shared {
    /// Looks at the jobs that are under way.
    fn open<T>(&self, look: impl FnOnce(&mut HashMap<usize, Job>) -> T) -> T {
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

/// A row that runs on its own; stopped when dropped.
struct Task {
    row: oneshot::Receiver<Row>,
    running: AbortHandle,
    index: usize,
}

impl Task {
    fn start(shared: &Arc<Shared>, index: usize, request: JobRequest) -> Self {
        shared.progress.send_modify(|progress| {
            progress.waiting -= 1;
            progress.running += 1;
        });
        let (sender, row) = oneshot::channel();
        let shared = shared.clone();
        let running = spawn(async move {
            let row = shared.run(index, request).await;
            shared.progress.send_modify(|progress| {
                progress.running -= 1;
                match row.outcome {
                    Ok(_) => progress.succeeded += 1,
                    Err(_) => progress.failed += 1,
                }
            });
            // Nobody may be asking any more.
            let _ = sender.send(row);
        });
        Self { row, running, index }
    }
}

impl Future for Task {
    type Output = Row;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Row> {
        let row = ready!(Pin::new(&mut self.row).poll(context));
        Poll::Ready(row.unwrap_or_else(|_| Row {
            index: self.index,
            job_id: None,
            attempts: 0,
            outcome: Err(Error::new(ErrorKind::Closed, OPERATION).with_message("the runtime is shutting down")),
        }))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// The rows of a map as they come out: a `Stream`. Dropping it sends nothing more; jobs that were sent go on, and a map with a key finds them again.
#[must_use = "streams do nothing unless polled"]
pub struct MapRows {
    /// `None` after the end.
    rows: Option<Pin<Box<dyn Stream<Item = Row> + Send>>>,
    stop_on_error: bool,
    handle: MapHandle,
}

impl MapRows {
    /// The next row. `None` after the last.
    pub async fn next(&mut self) -> Option<Row> {
        StreamExt::next(self).await
    }

    /// How far it is.
    pub fn progress(&self) -> MapProgress {
        self.handle.progress()
    }

    /// A handle to watch or cancel it from elsewhere.
    pub fn handle(&self) -> MapHandle {
        self.handle.clone()
    }
}

impl Stream for MapRows {
    type Item = Row;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Row>> {
        let Some(rows) = &mut self.rows else { return Poll::Ready(None) };
        let row = ready!(rows.as_mut().poll_next(context));
        if row.as_ref().is_none_or(|row| self.stop_on_error && row.outcome.is_err()) {
            self.rows = None;
        }
        Poll::Ready(row)
    }
}

impl fmt::Debug for MapRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapRows").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

/// Watches or cancels a map. Cheap to clone.
#[derive(Clone)]
pub struct MapHandle(Arc<Shared>);

impl MapHandle {
    /// How far it is.
    pub fn progress(&self) -> MapProgress {
        *self.0.progress.borrow()
    }

    /// A receiver that sees every change of the progress.
    pub fn watch(&self) -> watch::Receiver<MapProgress> {
        self.0.progress.subscribe()
    }

    /// Sends nothing more, and gives up what was sent as far as that is possible: see [`Job::cancel`]. Rows that are not done come out with
    /// [`ErrorKind::Cancelled`].
    pub fn cancel(&self) {
        self.0.cancelled.send_replace(true);
        for job in self.0.open(std::mem::take).into_values() {
            job.cancel();
        }
    }
}

impl fmt::Debug for MapHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapHandle").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_another_provider_could_do_better_is_run_again_and_paid_runs_are_asked_for() {
        let error = |kind| Error::new(kind, "get the result");
        let mut standard = RowRetries::default();
        assert!(standard.take(&error(ErrorKind::MatchTimeout)) && standard.take(&error(ErrorKind::MatchTimeout)));
        assert!(!standard.take(&error(ErrorKind::MatchTimeout)));
        assert!(!standard.take(&error(ErrorKind::JobFailed)));
        let mut paid = RowRetries { unmatched: 0, paid: 1 };
        assert!(!paid.take(&error(ErrorKind::ModuleExit)) && !paid.take(&error(ErrorKind::Connection)));
        assert!(!paid.take(&error(ErrorKind::Integrity).maybe_done()));
        assert!(paid.take(&error(ErrorKind::JobFailed)) && !paid.take(&error(ErrorKind::JobFailed)));
    }
}
