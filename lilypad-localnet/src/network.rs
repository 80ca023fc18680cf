//! Starting and stopping the parts together.

use std::net::{Ipv4Addr, SocketAddr};

use lilypad_node::provider::{Provider, ProviderOptions};
use lilypad_node::solver::{Clock, Fault, Faults, Memory, RateLimit, Solver, SolverOptions, Timeouts};
use lilypad_sdk::network::Environment;
use lilypad_sdk::protocol::{GpuSpec, MachineSpec};
use lilypad_sdk::{Client, ClientBuilder, Error, ErrorKind, Network, Result, Wallet};
use tempfile::TempDir;
use url::Url;

use crate::bundled_modules;

/// The key of the job creator on every local network: a well-known test key of development chains, which holds nothing anywhere.
const JOB_CREATOR_KEY: &str = "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba";
/// The network whose addresses of solver and mediator a local network uses.
const SERVICES_OF: &str = "dev";
/// Jobs that one provider runs at once.
const SLOTS: usize = 4;

/// The wallet of the job creator: the same on every local network, worth nothing anywhere.
///
/// # Errors
/// Never: the key is a constant.
pub fn job_creator() -> Result<Wallet> {
    Wallet::from_hex(JOB_CREATOR_KEY)
}

/// How clients reach the local network whose solver is at `url`: for one that runs in another process.
///
/// # Errors
/// [`ErrorKind::Config`] if the URL cannot be used.
pub fn network_at(url: impl Into<String>) -> Result<Network> {
    let services = Network::named(SERVICES_OF)?.services;
    Network::custom("local")
        .solver_url(url)
        .solver(&services.solver)
        .mediators(services.mediator.iter().flatten())
        .build()
}

/// How a local network is set up.
#[derive(Debug, Clone)]
#[must_use = "call `start`"]
pub struct LocalNetworkBuilder {
    solver: SolverOptions,
    providers: usize,
    slots: usize,
    faults: Vec<Fault>,
    seed: u64,
}

impl LocalNetworkBuilder {
    fn new() -> Self {
        let mut solver = SolverOptions::default();
        // Tests send many jobs from one address. `reference_limits` gives the real network's pace.
        solver.rate_limit = None;
        Self { solver, providers: 1, slots: SLOTS, faults: Vec::new(), seed: 0 }
    }

    /// The solver's port. 0, the default: any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.solver.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        self
    }

    /// How many providers there are. With 0, jobs wait until the match timeout. Default: 1.
    pub fn providers(mut self, count: usize) -> Self {
        self.providers = count;
        self
    }

    /// How many jobs each provider runs at once. Default: 4.
    pub fn slots(mut self, count: usize) -> Self {
        self.slots = count;
        self
    }

    /// The solver's time limits. Default: the reference implementation's.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.solver.timeouts = timeouts;
        self
    }

    /// The solver's clock. Default: the system's, which a test may move on. A [`Clock::manual`] one stands still until it is moved.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.solver.clock = clock;
        self
    }

    /// Limits requests as the reference implementation does: 5 in 10 s for each path. Default: no limit.
    pub fn reference_limits(mut self) -> Self {
        self.solver.rate_limit = Some(RateLimit::default());
        self
    }

    /// Has something go wrong, from the moment that the network has started. More can be added later: [`LocalNetwork::faults`].
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The seed of all random choices about faults: the same one, the same choices. Default: 0.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Everything about the solver.
    pub fn solver_options(mut self, change: impl FnOnce(&mut SolverOptions)) -> Self {
        change(&mut self.solver);
        self
    }

    /// Starts the network. When this returns, its providers have offered their machines.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the port is taken or there is no room for temporary files.
    pub async fn start(self) -> Result<LocalNetwork> {
        let folder = TempDir::with_prefix("lilypad-local-")
            .map_err(|error| Error::new(ErrorKind::Io, "start a local network").with_source(error))?;
        let services = Network::named(SERVICES_OF)?.services;
        let mut solver_options = self.solver;
        solver_options.address.clone_from(&services.solver);
        let faults = Faults::seeded(self.seed);
        solver_options.faults = faults.clone();
        let solver = Solver::start(solver_options).await?;
        let network = network_at(solver.url().as_str())?;
        let mut providers = Vec::with_capacity(self.providers);
        for index in 0..self.providers {
            let mut options = ProviderOptions::new(network.clone(), Wallet::random());
            options.data_dir = folder.path().join(format!("provider-{index}"));
            options.machine = nominal_machine();
            options.bundle = bundled_modules();
            options.allow_local_modules = true;
            options.slots = self.slots;
            providers.push(Provider::start(options).await?);
        }
        for fault in self.faults {
            faults.add(fault);
        }
        Ok(LocalNetwork { solver, providers, network, wallet: job_creator()?, folder })
    }
}

/// A machine that is large enough for every public module: a job that cannot run here should say so at once, rather than wait for a match that
/// never comes.
fn nominal_machine() -> MachineSpec {
    let gpu = GpuSpec { name: "nominal".into(), vendor: "none".into(), vram: 1 << 20 };
    MachineSpec { gpu: 64, gpus: Some(vec![gpu]), cpu: 1 << 20, ram: 1 << 30, disk: 1 << 30 }
}

/// A running network: a solver, providers and modules, in this process. Stops when dropped; [`stop`](Self::stop) waits for that.
#[derive(Debug)]
pub struct LocalNetwork {
    solver: Solver,
    providers: Vec<Provider>,
    network: Network,
    wallet: Wallet,
    folder: TempDir,
}

impl LocalNetwork {
    /// Starts a network with one provider.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if there is no free port or no room for temporary files.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// Sets a network up step by step.
    pub fn builder() -> LocalNetworkBuilder {
        LocalNetworkBuilder::new()
    }

    /// A client of this network, with the bundled modules.
    ///
    /// # Panics
    /// Never: what the builder was given is right.
    pub fn client(&self) -> Client {
        self.client_builder().build().expect("the local network's settings are right")
    }

    /// A client of this network with settings to change. It reads nothing from the environment.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder()
            .environment(Environment::default())
            .network(self.network.clone())
            .wallet(self.wallet.clone())
            .bundle(bundled_modules())
            .data_dir(self.folder.path().join("client"))
    }

    /// How clients reach this network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The job creator's wallet: the same on every local network, worth nothing anywhere.
    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// The solver's URL, such as `http://127.0.0.1:40123/`.
    pub fn solver_url(&self) -> &Url {
        self.solver.url()
    }

    /// The solver, to look at what it did.
    pub fn solver(&self) -> &Solver {
        &self.solver
    }

    /// What goes wrong on purpose: to add faults, to see that they struck, to end them.
    pub fn faults(&self) -> &Faults {
        self.solver.faults()
    }

    /// The solver's clock. `network.clock().advance(…)` makes a time-out take no time.
    pub fn clock(&self) -> &Clock {
        self.solver.clock()
    }

    /// The solver crashes and comes back at the same address: connections, sockets and requests under way break. It answers again when
    /// this returns; providers come back within a moment.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`] if somebody else has taken the port meanwhile, [`ErrorKind::Io`] if there is no room for its files.
    pub async fn restart_solver(&self, memory: Memory) -> Result<()> {
        self.solver.restart(memory).await
    }

    /// The providers. Each can [`crash`](Provider::crash) and [`restart`](Provider::restart).
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// How many job offers the solver took.
    pub fn offers_taken(&self) -> u64 {
        self.solver.offers_taken()
    }

    /// Stops everything and waits until it has: jobs ended, sockets closed, files removed.
    pub async fn stop(self) {
        for provider in self.providers {
            provider.stop().await;
        }
        self.solver.stop().await;
    }
}
