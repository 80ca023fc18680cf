//! The provider role: takes deals, runs their jobs, hands in results.
//!
//! One [`Provider`] is one address with one machine. It works as the reference provider does (PROTOCOL.md, section 13) with any
//! solver, but hears of its deals by events alone, and asks only to make sure.
//!
//! - `desk` decides: which offers to make, which deals to run and when
//! - `listener` hears events and keeps the socket open
//! - `job` takes one deal from its module to its posted result: `inputs`, `task` and `upload` are steps on the way

mod desk;
mod inputs;
mod job;
mod listener;
mod options;
mod task;
mod upload;

use std::path::Path;
use std::sync::Arc;

use lilypad_sdk::chain::Chain;
use lilypad_sdk::module::{Resolver, ResolverOptions};
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

/// A running provider. Stops when it is dropped; [`stop`](Self::stop) also waits until nothing is left of it.
#[derive(Debug)]
pub struct Provider {
    /// What its tasks need.
    shared: Arc<Shared>,
    /// Set when the provider is to stop.
    stop: CancellationToken,
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
        let url = solver_url(&options).await?;
        let api = SolverApi::new(&url, &options.wallet, &SolverApiOptions::default())?;
        let modules = Resolver::new(resolver_options(&options));
        let work = work_folder(&options.data_dir)?;
        let shared = Arc::new(Shared { options, api, modules, work });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        // Whatever fails below, the listener ends with it.
        let provider = Self { shared: shared.clone(), stop: stop.clone(), tasks: tasks.clone() };

        // The socket first: events between it and the first look at the deals are heard, and the offer stands as long as it does.
        let socket = listener::connect(&shared).await?;
        let (sender, heard) = mpsc::channel(HEARD);
        tasks.spawn(listener::listen(shared.clone(), socket, sender, stop.clone()));
        let mut desk = Desk::new(shared, stop);
        desk.reconcile().await?;
        tasks.spawn(desk.run(heard));
        Ok(provider)
    }

    /// Who it is.
    pub fn address(&self) -> Address {
        self.shared.options.wallet.address()
    }

    /// Stops: ends running jobs, which are reported as failed, withdraws its offer, and removes its files. Nothing is left when this
    /// returns.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = tokio::fs::remove_dir_all(self.shared.work.path()).await {
            tracing::debug!(%error, "could not remove the provider's folder");
        }
    }
}

impl Drop for Provider {
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
