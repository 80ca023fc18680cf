//! One experiment: one fault, at one step of one job.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lilypad_localnet::{LocalNetwork, Memory};
use lilypad_sdk::solver::DealFilter;
use lilypad_sdk::{
    AgreementState, Client, Error, ErrorKind, Job, JobRequest, JobResult, JobStatus, JournalMode, ResultOptions,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::menu::{Dish, Trouble};
use crate::totals::Verdict;

/// When the fault begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Before the job is sent.
    Posting,
    /// When it is sent and no provider is there.
    Queued,
    /// While a provider runs it.
    Running,
    /// When its result waits at the solver.
    Downloading,
    /// When its result is in hand and asked for again, by a client that has just started.
    Done,
}

impl Step {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::Posting, Self::Queued, Self::Running, Self::Downloading, Self::Done];
}

/// How long a call may take that should come back by itself.
const PATIENCE: Duration = Duration::from_secs(150);
/// Every so often, a solver that somebody waits for moves its clock on: what waits for an offer to get too old then need not wait.
const TICK: Duration = Duration::from_secs(5);
/// By so much.
const TOCK: Duration = Duration::from_secs(20);

/// What an experiment works with.
struct Bench {
    network: Arc<LocalNetwork>,
    folder: tempfile::TempDir,
    /// What the job prints, and nothing else does.
    expected: String,
    request: JobRequest,
}

/// Runs one experiment.
pub(crate) async fn run(dish: &Dish, step: Step, seed: u64) -> Verdict {
    match tokio::time::timeout(PATIENCE * 4, experiment(dish, step, seed)).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(error)) => Verdict::Lost(format!("unexpected: {error:?}")),
        Err(_) => Verdict::Hang("the whole experiment".into()),
    }
}

/// The steps of an experiment.
async fn experiment(dish: &Dish, step: Step, seed: u64) -> lilypad_sdk::Result<Verdict> {
    let mut random = StdRng::seed_from_u64(seed);
    let seconds = format!("0.{:05}1", random.random_range(30_000..80_000));
    let network = Arc::new(LocalNetwork::builder().fault_seed(seed).start().await?);
    let bench = Bench {
        expected: format!("slept for {seconds} seconds\n"),
        request: JobRequest::new("sleep").input("Seconds", seconds).idempotency_key("the job"),
        network,
        folder: tempfile::tempdir().map_err(|error| Error::io("make a folder", Path::new("."), error))?,
    };
    let ticking = tokio::spawn(tick(bench.network.clone()));
    let verdict = bench.conduct((dish.make)(&mut random), step).await;
    ticking.abort();
    verdict
}

/// Moves the solver's clock on.
async fn tick(network: Arc<LocalNetwork>) {
    loop {
        tokio::time::sleep(TICK).await;
        network.clock().advance(TOCK);
    }
}

impl Bench {
    /// A client that has just started, with what earlier ones left on disk.
    fn client(&self) -> lilypad_sdk::Result<Client> {
        let journal = JournalMode::Folder(self.folder.path().join("journal"));
        self.network.client_builder().journal(journal).build()
    }

    /// Where the result goes.
    fn options(&self) -> ResultOptions {
        ResultOptions::default().save_to(self.folder.path().join("out"))
    }

    /// Brings the job to the step, lets the fault strike, comes back as after a crash, and judges.
    async fn conduct(&self, trouble: Trouble, step: Step) -> lilypad_sdk::Result<Verdict> {
        let client = self.client()?;
        let strikes = self.network.faults().total();
        let outcome = tokio::time::timeout(PATIENCE, self.live(&client, &trouble, step)).await;
        let forgetful = matches!(trouble, Trouble::Restart(Memory::Lost));
        let struck = !matches!(trouble, Trouble::Faults(_)) || self.network.faults().total() > strikes;
        drop(client);
        self.network.faults().clear();
        if let Ok(outcome) = &outcome
            && let Some(verdict) = self.wrong(outcome)
        {
            return Ok(verdict);
        }
        if outcome.is_err() {
            return Ok(Verdict::Hang("the first client".into()));
        }
        // A step that starts with an accepted result proves nothing.
        if step != Step::Done
            && let Some(verdict) = self.accepted_unseen(&outcome).await?
        {
            return Ok(verdict);
        }
        // Back, as after a crash, and all is well again.
        let again = match tokio::time::timeout(PATIENCE, self.come_back()).await {
            Ok(again) => again,
            Err(_) => {
                let client = self.client()?;
                let (jobs, deals) = (client.jobs().await, client.solver().await?.deals(&DealFilter::default()).await?);
                let states: Vec<_> = deals.iter().map(|deal| deal.state).collect();
                return Ok(Verdict::Hang(format!(
                    "the client that came back; first {outcome:?}; {jobs:?}; {states:?}"
                )));
            }
        };
        if let Some(verdict) = self.wrong(&again) {
            return Ok(verdict);
        }
        let (taken, deals) = (self.network.offers_taken(), self.network.solver().deals_made());
        if taken > 1 || deals > 1 {
            return Ok(Verdict::PaidTwice(format!(
                "{taken} offers taken, {deals} deals; first {outcome:?}, then {again:?}"
            )));
        }
        Ok(match &again {
            Ok(_) if struck => Verdict::Fine,
            Ok(_) => Verdict::NotStruck,
            Err(error) if is_true_end(error, forgetful) => Verdict::Fine,
            Err(error) => Verdict::Lost(format!("{error:?}; at first {:?}", outcome.map(|first| first.map(drop)))),
        })
    }

    /// The first client's life, with the fault in the middle.
    async fn live(&self, client: &Client, trouble: &Trouble, step: Step) -> lilypad_sdk::Result<JobResult> {
        let provider = &self.network.providers()[0];
        match step {
            Step::Posting => {
                let striking = self.strike(trouble);
                let (job, struck) = tokio::join!(client.submit(self.request.clone()), striking);
                struck?;
                job?.result_with(self.options()).await
            }
            Step::Queued => {
                provider.crash().await;
                let job = client.submit(self.request.clone()).await?;
                self.strike(trouble).await?;
                provider.restart().await?;
                job.result_with(self.options()).await
            }
            Step::Running => {
                let job = client.submit(self.request.clone()).await?;
                reaches(&job, JobStatus::Running).await;
                self.strike(trouble).await?;
                job.result_with(self.options()).await
            }
            Step::Downloading => {
                let job = client.submit(self.request.clone()).await?;
                reaches(&job, JobStatus::Downloading).await;
                self.strike(trouble).await?;
                job.result_with(self.options()).await
            }
            Step::Done => {
                client.submit(self.request.clone()).await?.result_with(self.options()).await?;
                std::fs::remove_dir_all(self.folder.path().join("out"))
                    .map_err(|error| Error::io("remove the result", self.folder.path(), error))?;
                self.strike(trouble).await?;
                self.come_back().await
            }
        }
    }

    /// Lets the fault strike.
    async fn strike(&self, trouble: &Trouble) -> lilypad_sdk::Result<()> {
        match trouble {
            Trouble::Faults(faults) => faults.iter().for_each(|fault| _ = self.network.faults().add(fault.clone())),
            Trouble::CutSockets => _ = self.network.faults().cut_sockets(),
            Trouble::Restart(memory) => self.network.restart_solver(*memory).await?,
            Trouble::ProviderCrash => {
                self.network.providers()[0].crash().await;
                self.network.providers()[0].restart().await?;
                // What it ran is gone with it, which nobody says: the job's time limit does.
                self.network.clock().advance(Duration::from_secs(1000));
            }
            Trouble::Skew(millis) => self.network.clock().set(self.network.clock().now() + millis),
        }
        Ok(())
    }

    /// What somebody does who finds the machine switched off: the same call with the same key.
    async fn come_back(&self) -> lilypad_sdk::Result<JobResult> {
        let job = self.client()?.submit(self.request.clone()).await?;
        job.result_with(self.options()).await
    }

    /// Whether a result is not what the job made.
    fn wrong(&self, outcome: &lilypad_sdk::Result<JobResult>) -> Option<Verdict> {
        let result = outcome.as_ref().ok()?;
        let printed = result.stdout_text().unwrap_or_default();
        let escaped = self.folder.path().join("escaped.txt").exists();
        (printed != self.expected || escaped)
            .then(|| Verdict::Wrong(format!("it printed {printed:?}; escaped: {escaped}")))
    }

    /// Whether the solver was told that a result is in hand that is not.
    async fn accepted_unseen<E>(
        &self,
        outcome: &Result<lilypad_sdk::Result<JobResult>, E>,
    ) -> lilypad_sdk::Result<Option<Verdict>> {
        if matches!(outcome, Ok(Ok(_))) || self.folder.path().join("out").exists() {
            return Ok(None);
        }
        let client = self.client()?;
        let deals = client.solver().await?.deals(&DealFilter::default()).await?;
        let accepted = deals.iter().any(|deal| deal.state == AgreementState::RESULTS_ACCEPTED);
        Ok(accepted.then(|| Verdict::Wrong("accepted without a result in hand".into())))
    }
}

/// Waits until the job has come so far, or further.
async fn reaches(job: &Job, status: JobStatus) {
    let place = |status| {
        let order = [JobStatus::Queued, JobStatus::Running, JobStatus::Uploading, JobStatus::Downloading];
        order.iter().position(|known| *known == status).unwrap_or(order.len())
    };
    let mut events = job.events();
    while place(job.status()) < place(status) && events.next().await.is_some() {}
}

/// Whether an error is a true word on why there is no result.
fn is_true_end(error: &Error, forgetful: bool) -> bool {
    match error.kind() {
        ErrorKind::MatchTimeout | ErrorKind::ExecutionTimeout | ErrorKind::JobTimeout | ErrorKind::JobFailed => true,
        // The provider left the exit code out, for good.
        ErrorKind::Integrity => error.to_string().contains("exitCode"),
        ErrorKind::NotFound => forgetful,
        _ => false,
    }
}
