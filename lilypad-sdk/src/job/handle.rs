//! A job that was posted.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use super::event::JobEvents;
use super::journal::{Entry, Receiving};
use super::request::RunOptions;
use super::settle::{absolute, settle};
use super::status::{JobStatus, JobView};
use super::tracked::Tracked;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::{AbortHandle, blocking, spawn, timeout};
use crate::protocol::{AgreementState, DealId, JobId};
use crate::result::{JobResult, check_destination, reopen};

/// How to wait for a result.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ResultOptions {
    /// Stop waiting after this; the job goes on and can be waited for again. `None`: as long as the network allows.
    pub wait: Option<Duration>,
    /// Put the files into this folder, which must not exist yet, be empty, or hold this very result from an earlier wait. `None`: a temporary folder that goes with the last [`JobResult`].
    pub save_to: Option<PathBuf>,
    /// Whether a non-zero exit code is a result like any other. `None`: as the request said.
    pub allow_exit_code: Option<bool>,
}

impl ResultOptions {
    /// Stop waiting after `wait`.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Receive the files into `folder`.
    #[must_use]
    pub fn save_to(mut self, folder: impl Into<PathBuf>) -> Self {
        self.save_to = Some(folder.into());
        self
    }

    /// Take a non-zero exit code as a result like any other.
    #[must_use]
    pub fn allow_exit_code(mut self) -> Self {
        self.allow_exit_code = Some(true);
        self
    }
}

/// What [`Job::cancel`] could do. The protocol has no call that stops a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancellation {
    /// Nobody had taken the job. The offer cannot be withdrawn: a provider may still take it until the solver's match timeout ends it.
    /// Nothing of it will be accepted by this client.
    OfferStillOpen,
    /// A provider has it and goes on. Nothing of it will be accepted by this client.
    ProviderGoesOn,
    /// It was over before.
    AlreadyOver,
}

/// A job on the network. Cheap to clone; dropping it does not stop the job: [`Client::job`] finds it again.
#[derive(Clone)]
#[must_use = "call `result` to wait for it"]
pub struct Job(Arc<Inner>);

struct Inner {
    client: Client,
    tracked: Arc<Tracked>,
    options: RunOptions,
    received: OnceCell<JobResult>,
    settling: Mutex<Option<Settling>>,
}

/// The wait for a result, which goes on beside those who wait. Ends when it is dropped.
struct Settling {
    outcome: watch::Receiver<Option<Result<JobResult, Arc<Error>>>>,
    task: AbortHandle,
}

impl Settling {
    /// Whether it has not come to its end.
    fn is_under_way(&self) -> bool {
        self.outcome.borrow().is_none() && !self.task.is_finished()
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Job {
    pub(crate) fn new(client: Client, tracked: Arc<Tracked>, options: RunOptions) -> Self {
        Self(Arc::new(Inner { client, tracked, options, received: OnceCell::new(), settling: Mutex::default() }))
    }

    /// The client that follows it.
    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    /// The job's id: the content id of its offer.
    pub fn id(&self) -> &JobId {
        self.0.tracked.id()
    }

    /// The deal, once a provider has the job.
    pub fn deal_id(&self) -> Option<DealId> {
        self.view().deal.map(|deal| deal.id)
    }

    /// How far the job is, as far as this client has heard.
    pub fn status(&self) -> JobStatus {
        self.view().status
    }

    /// The wire's own state.
    pub fn state(&self) -> AgreementState {
        self.view().state
    }

    /// Everything that is known now.
    pub fn view(&self) -> JobView {
        self.0.tracked.view()
    }

    /// What happens to the job, from its beginning. The stream fetches nothing: that is [`result`](Self::result)'s part.
    pub fn events(&self) -> JobEvents {
        JobEvents::of(self.0.tracked.clone())
    }

    /// Waits for the result: received, verified against its content id, on disk, and accepted.
    ///
    /// Dropping the future stops waiting and nothing else: what has begun goes on for as long as there is a handle on the job. Calling again is cheap.
    ///
    /// # Errors
    /// The way the job ended if it did not end well: [`ErrorKind::JobFailed`] with the provider's words, [`ErrorKind::ModuleExit`],
    /// [`ErrorKind::MatchTimeout`], [`ErrorKind::ExecutionTimeout`], [`ErrorKind::JobTimeout`], [`ErrorKind::Cancelled`];
    /// [`ErrorKind::Integrity`] if what came back is not what was promised; [`ErrorKind::Io`] if it cannot be written.
    pub async fn result(&self) -> Result<JobResult> {
        self.result_with(ResultOptions::default()).await
    }

    /// [`result`](Self::result) with options.
    ///
    /// # Errors
    /// As [`result`](Self::result); [`ErrorKind::WaitTimeout`] if `options.wait` ended first: the job goes on.
    pub async fn result_with(&self, options: ResultOptions) -> Result<JobResult> {
        if let Some(folder) = &options.save_to {
            self.prepare(folder).await?;
        }
        let receiving = self.receive(options.save_to.as_deref());
        let received = &match options.wait {
            None => receiving.await?,
            Some(wait) => timeout(wait, receiving).await.map_err(|_| self.waited(wait))??,
        };
        // It may have been received before, into another place.
        if let Some(folder) = options.save_to.filter(|folder| absolute(folder) != absolute(received.path())) {
            self.keep(received, folder).await?;
        }
        let allowed = options.allow_exit_code.unwrap_or(self.0.options.allow_exit_code);
        if !allowed {
            check_exit_code(received)?;
        }
        Ok(received.clone())
    }

    /// Waits for the result and takes it, together with everybody else who does. What has begun goes on beside those who wait, for as long as there is a
    /// handle: a download is not broken off because somebody waited for a short time only.
    async fn receive(&self, save_to: Option<&Path>) -> Result<JobResult> {
        if let Some(received) = self.0.received.get() {
            return Ok(received.clone());
        }
        let mut outcome = {
            let mut settling = self.0.settling.lock().unwrap_or_else(PoisonError::into_inner);
            match settling.as_ref().filter(|settling| settling.is_under_way()) {
                Some(settling) => settling.outcome.clone(),
                None => settling.insert(self.settle(save_to.map(Path::to_owned))).outcome.clone(),
            }
        };
        // Taken out of the channel at once: what it lends must not be held while waiting.
        let outcome = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        match outcome {
            Some(Ok(received)) => Ok(self.0.received.get_or_init(async || received).await.clone()),
            Some(Err(error)) => Err(error.again()),
            None => Err(Error::new(ErrorKind::Closed, "get the result")
                .with_job(self.id())
                .with_message("the runtime that waited for it has ended")),
        }
    }

    /// Starts to wait for the result.
    fn settle(&self, save_to: Option<PathBuf>) -> Settling {
        let (sender, outcome) = watch::channel(None);
        let (client, tracked) = (self.0.client.clone(), self.0.tracked.clone());
        let task = spawn(async move {
            let outcome = settle(&client, &tracked, save_to).await;
            sender.send_replace(Some(outcome.map_err(Arc::new)));
        });
        Settling { outcome, task }
    }

    /// Copies a result that was received elsewhere to `folder`, unless it is there already.
    async fn keep(&self, received: &JobResult, folder: PathBuf) -> Result<()> {
        let (there, data) = (folder.clone(), received.data_id().clone());
        if blocking("look for the result", move || reopen(&there, &data)).await?.is_some() {
            return Ok(());
        }
        received.save(&folder).await?;
        // Another client that is asked for the same folder finds it there.
        let into =
            Receiving { deal: received.deal_id().clone(), data: received.data_id().clone(), folder: absolute(&folder) };
        if into.folder.to_str().is_some() {
            self.0.client.journal().note(Entry::Receiving { job: self.id().clone(), into }).await?;
        }
        Ok(())
    }

    /// Finds out whether the result could be put into `folder`: before the wait rather than after it.
    async fn prepare(&self, folder: &Path) -> Result<()> {
        if self.0.received.initialized() {
            // Nothing is waited for, so there is nothing to find out before.
            return Ok(());
        }
        let receiving = self.0.client.journal().job(self.id()).await?.and_then(|record| record.receiving);
        if receiving.is_some_and(|receiving| receiving.folder == absolute(folder)) {
            // What is there may be the result itself. If it is not, placing the result says so.
            return Ok(());
        }
        let folder = folder.to_owned();
        blocking("prepare the result's folder", move || check_destination(folder)).await
    }

    /// Gives the job up as far as that is possible, and says how far that was. Everybody who waits for it gets [`ErrorKind::Cancelled`].
    pub fn cancel(&self) -> Cancellation {
        let view = self.view();
        if self.0.tracked.is_over() || self.0.received.initialized() {
            return Cancellation::AlreadyOver;
        }
        if !self.0.tracked.cancel() {
            return Cancellation::AlreadyOver;
        }
        match view.status {
            JobStatus::Queued => Cancellation::OfferStillOpen,
            _ => Cancellation::ProviderGoesOn,
        }
    }

    fn waited(&self, wait: Duration) -> Error {
        let view = self.view();
        let error = Error::new(ErrorKind::WaitTimeout, "get the result")
            .with_job(self.id())
            .with_message(format_args!("the job is still {} after {} s", view.status, wait.as_secs_f64()))
            .with_help("the job goes on: wait again, or come back to it by its id");
        match view.deal {
            Some(deal) => error.with_deal(&deal.id),
            None => error,
        }
    }
}

/// How much of a failed program's last words goes into the error.
const LAST_WORDS: usize = 500;

/// A non-zero exit code as an error, with the end of what the program wrote to standard error.
fn check_exit_code(result: &JobResult) -> Result<()> {
    let code = result.exit_code();
    if code == 0 {
        return Ok(());
    }
    let stderr = result.stderr_text().unwrap_or_default();
    let words = stderr.trim();
    let cut = words.char_indices().rev().nth(LAST_WORDS).map_or(0, |(at, _)| at);
    let message = match &words[cut..] {
        "" => format!("the job's program ended with exit code {code}"),
        words => format!("the job's program ended with exit code {code}: {words}"),
    };
    Err(Error::new(ErrorKind::ModuleExit, "get the result")
        .with_job(result.job_id())
        .with_deal(result.deal_id())
        .with_exit_code(code)
        .with_message(message)
        .with_help("allow exit codes to get the output all the same"))
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", self.id()).field("view", &self.view()).finish_non_exhaustive()
    }
}
