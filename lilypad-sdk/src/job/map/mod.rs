//! Many jobs of one module: a row of inputs each.

mod options;
mod run;

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt};
use tokio::sync::watch;

pub use self::options::{MapOptions, RowOrder, RowRetries};
use self::run::Shared;
use super::journal::KEEP_ENDED;
use super::request::JobRequest;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::JobId;
use crate::result::JobResult;

/// The longest key of a map, in bytes: a row's number comes after it.
const LONGEST_KEY: usize = 200;
/// More rows under one key could be forgotten before the last of them is done.
const MOST_KEYED_ROWS: usize = KEEP_ENDED * 2 / 5;
/// What errors say was being done.
const OPERATION: &str = "run the rows";

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

    /// Makes the stream of rows. The first rows are sent when somebody asks for a row, and more as rows are asked for and places get free; what was sent
    /// goes on by itself. Rows must be asked for within a runtime.
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
            futures_util::stream::iter(numbered).map(move |(index, request)| run::run(shared.clone(), index, request))
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

    /// Sends nothing more, and gives up what was sent as far as that is possible: see [`Job::cancel`](crate::Job::cancel). Rows that are not done come out with
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
