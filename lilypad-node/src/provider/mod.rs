//! The provider role: takes deals, runs their jobs, hands in results.
//!
//! One [`Provider`] is one address with one machine. It works as the reference provider does (PROTOCOL.md, section 13) with any
//! solver, but hears of its deals by events alone, and asks only to make sure.
//!
//! - `desk` decides: which offers to make, which deals to run and when; `seen` is how it knows what it has run
//! - `listener` hears events and keeps the socket open
//! - `job` takes one deal from its module to its posted result: `inputs`, `task` and `upload` are steps on the way

mod desk;
mod inputs;
mod job;
mod listener;
mod options;
mod seen;
mod task;
mod upload;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lilypad_sdk::chain::Chain;
use lilypad_sdk::module::{Resolver, ResolverOptions};
use lilypad_sdk::retry::{Idempotence, RetryPolicy, retry};
use lilypad_sdk::solver::{SolverApi, SolverApiOptions};
use lilypad_sdk::{Address, Error, ErrorKind, Result};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use self::desk::Desk;

pub use self::options::ProviderOptions;

/// Events that are heard but not looked at yet.
const HEARD: usize = 256;

/// A provider. Stops when it is dropped; [`stop`](Self::stop) also waits until nothing is left of it.
#[derive(Debug)]
pub struct Provider {
    /// How it was set up.
    options: ProviderOptions,
    /// What runs. `None` after a crash.
    running: Mutex<Option<Running>>,
}

/// What runs of a provider. Stops when it is dropped.
#[derive(Debug)]
struct Running {
    /// What its tasks need.
    shared: Arc<Shared>,
    /// Set when it is to stop.
    stop: CancellationToken,
    /// Set when it is to stop at once, in the middle of what it does.
    crash: CancellationToken,
    /// Everything that runs.
    tasks: TaskTracker,
}

/// What the provider's tasks have in common.
#[derive(Debug)]
struct Shared {
    /// How it was set up.
    options: ProviderOptions,
    /// The solver.
    api: SolverApi,
    /// Finds modules.
    modules: Resolver,
    /// Where the files of running jobs are. It goes when the provider stops.
    work: TempDir,
}

impl Provider {
    /// Starts a provider. It has offered its machine when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if its folder cannot be made, [`ErrorKind::Config`] or [`ErrorKind::Chain`] if nobody knows the solver's
    /// URL; else as the solver refuses what it is asked first.
    pub async fn start(options: ProviderOptions) -> Result<Self> {
        let running = Running::start(options.clone()).await?;
        Ok(Self { options, running: Mutex::new(Some(running)) })
    }

    /// Who it is.
    pub fn address(&self) -> Address {
        self.options.wallet.address()
    }

    /// Stops in the middle of whatever it does, without a word: its socket breaks, upon which the solver withdraws its open offer, and
    /// its jobs are never heard of again. Nothing runs when this returns.
    pub async fn crash(&self) {
        let running = self.running().take();
        if let Some(running) = running {
            running.crash.cancel();
            running.tasks.close();
            running.tasks.wait().await;
        }
    }

    /// Starts again after a crash, or crashes and starts again: with the same address, and without knowing what it did before. It has
    /// offered its machine when this returns. Deals without a result are run from the beginning.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(&self) -> Result<()> {
        self.crash().await;
        let running = Running::start(self.options.clone()).await?;
        *self.running() = Some(running);
        Ok(())
    }

    /// Stops: ends running jobs, which are reported as failed, withdraws its offer, and removes its files. Nothing is left when this
    /// returns.
    pub async fn stop(self) {
        let running = self.running().take();
        let Some(running) = running else { return };
        running.stop.cancel();
        running.tasks.close();
        running.tasks.wait().await;
        if let Err(error) = tokio::fs::remove_dir_all(running.shared.work.path()).await {
            tracing::debug!(%error, "could not remove the provider's folder");
        }
    }

    /// What runs.
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Starts a provider. It has offered its machine when this returns.
    async fn start(options: ProviderOptions) -> Result<Self> {
        let url = solver_url(&options).await?;
        let api = SolverApi::new(&url, &options.wallet, &SolverApiOptions::default())?;
        let modules = Resolver::new(resolver_options(&options));
        let work = work_folder(&options.data_dir)?;
        let shared = Arc::new(Shared { options, api, modules, work });
        let (stop, crash, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        // Whatever fails below, the listener ends with it.
        let running = Self { shared: shared.clone(), stop: stop.clone(), crash: crash.clone(), tasks: tasks.clone() };

        // The socket first: events between it and the first look at the deals are heard, and the offer stands as long as it does.
        let socket = listener::connect(&shared).await?;
        let (sender, heard) = mpsc::channel(HEARD);
        let listening = listener::listen(shared.clone(), socket, sender, stop.clone());
        tasks.spawn(crash.clone().run_until_cancelled_owned(listening));
        let desk = tokio::sync::Mutex::new(Desk::new(shared, stop));
        // A solver that has just restarted, or is busy, is no reason to stay away.
        retry(RetryPolicy::brief(), Idempotence::Repeatable, || async { desk.lock().await.reconcile().await }).await?;
        let desk = desk.into_inner();
        tasks.spawn(crash.run_until_cancelled_owned(desk.run(heard)));
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The solver's URL: the network's own, else the one that the chain knows.
async fn solver_url(options: &ProviderOptions) -> Result<Url> {
    if let Some(url) = &options.network.solver_url {
        return Ok(url.clone());
    }
    let solver: Address = options.network.services.solver.parse().map_err(|error| {
        Error::new(ErrorKind::Config, "find the solver")
            .with_message(format_args!("`{}` is not an address: {error}", options.network.services.solver))
            .with_help("set the network's solver address or its URL")
    })?;
    Chain::connect(&options.network).await?.solver_url(solver).await
}

/// How modules are found.
fn resolver_options(options: &ProviderOptions) -> ResolverOptions {
    let mut resolver = ResolverOptions::new(options.data_dir.join("modules"));
    resolver.bundle = options.bundle.clone();
    resolver.allow_local = options.allow_local_modules;
    resolver
}

/// A new folder for the files of jobs.
fn work_folder(data_dir: &Path) -> Result<TempDir> {
    let failed = |source| Error::io("make the provider's folder", data_dir, source);
    std::fs::create_dir_all(data_dir).map_err(failed)?;
    tempfile::Builder::new().prefix("lilypad-jobs-").tempdir_in(data_dir).map_err(failed)
}

#[cfg(test)]
mod tests;
