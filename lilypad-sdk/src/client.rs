//! The one entry: a [`Client`] for one network and one key.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use url::Url;

use crate::chain::Chain;
use crate::error::{Error, ErrorKind, Result};
use crate::job::{self, Job, JobRequest, Journal, JournalMode, JournalRepair, Lookout, Map, Plan, Tracker};
use crate::metrics::{Counters, Metrics};
use crate::module::{Bundle, Resolver, ResolverOptions};
use crate::network::{Environment, Network, NetworkOptions};
use crate::protocol::JobId;
use crate::result::JobResult;
use crate::solver::{SolverApi, SolverApiOptions};
use crate::wallet::{Address, Wallet};

/// How many results are downloaded at once: more would only share the same line and disk.
const DOWNLOADS: usize = 4;

/// How a client is set up. Every field has a default.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ClientOptions {
    /// The network. `None`: what the environment says, or the default network.
    pub network: Option<Network>,
    /// The key. `None`: what the environment says. Needed to submit, follow and fetch; not to render or check modules.
    pub wallet: Option<Wallet>,
    /// The folder for what the client keeps: its journal, and the modules that it fetched. `None`: `LILYPAD_DATA_DIR`, or the platform's place for an
    /// application's data.
    pub data_dir: Option<PathBuf>,
    /// The version that the client says it is. `None`: [`DEFAULT_CLIENT_VERSION`](crate::solver::DEFAULT_CLIENT_VERSION).
    pub client_version: Option<String>,
    /// How long one request for a record may take. `None`: 30 s.
    pub request_timeout: Option<Duration>,
    /// Where jobs are written down before they leave, so that a crash loses none.
    pub journal: JournalMode,
    /// How many results are downloaded at once. `None`: 4.
    pub max_downloads: Option<usize>,
    /// Modules that come along instead of being fetched.
    pub bundle: Bundle,
    /// Where environment variables come from. `None`: this process.
    pub environment: Option<Environment>,
}

/// Sets up a [`Client`]. What is not set comes from the environment, then from the network's defaults.
#[derive(Debug, Clone, Default)]
#[must_use = "call `build`"]
pub struct ClientBuilder(ClientOptions);

impl ClientBuilder {
    /// The network.
    pub fn network(mut self, network: Network) -> Self {
        self.0.network = Some(network);
        self
    }

    /// The key.
    pub fn wallet(mut self, wallet: Wallet) -> Self {
        self.0.wallet = Some(wallet);
        self
    }

    /// The folder for what the client keeps.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.0.data_dir = Some(folder.into());
        self
    }

    /// The version that the client says it is.
    pub fn client_version(mut self, version: impl Into<String>) -> Self {
        self.0.client_version = Some(version.into());
        self
    }

    /// How long one request for a record may take.
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.0.request_timeout = Some(limit);
        self
    }

    /// Where jobs are written down before they leave.
    pub fn journal(mut self, journal: JournalMode) -> Self {
        self.0.journal = journal;
        self
    }

    /// How many results are downloaded at once; the others wait. At least 1.
    pub fn max_downloads(mut self, count: usize) -> Self {
        self.0.max_downloads = Some(count);
        self
    }

    /// Modules that come along instead of being fetched.
    pub fn bundle(mut self, bundle: Bundle) -> Self {
        self.0.bundle = bundle;
        self
    }

    /// Reads variables from here instead of this process's environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.0.environment = Some(environment);
        self
    }

    /// Makes the client. Connects to nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] or [`ErrorKind::Wallet`] for a setting that cannot be used.
    pub fn build(self) -> Result<Client> {
        Client::new(self.0)
    }
}

/// A client for one network and one key: submits jobs, follows them, fetches results. Cheap to clone; clones share one event socket.
///
/// Made without connecting: the solver is looked up and reached when it is first needed.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    network: Network,
    wallet: Option<Wallet>,
    options: SolverApiOptions,
    resolver: Resolver,
    journal: Journal,
    counters: Arc<Counters>,
    lookout: Lookout,
    downloads: Semaphore,
    solver: OnceCell<(SolverApi, Tracker)>,
}

impl Client {
    /// A client for the network and the key that the environment names: `LILYPAD_NETWORK`, `LILYPAD_PRIVATE_KEY`, `LILYPAD_SOLVER_URL`,
    /// `LILYPAD_RPC_URL`, `LILYPAD_DATA_DIR`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] or [`ErrorKind::Wallet`] for a variable that cannot be used.
    pub fn from_env() -> Result<Self> {
        Self::builder().build()
    }

    /// Sets a client up step by step.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client with these options.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] or [`ErrorKind::Wallet`] for a setting that cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self> {
        let environment = options.environment.unwrap_or_else(Environment::process);
        let network = match options.network {
            Some(network) => network,
            None => NetworkOptions::default().resolve(&environment)?,
        };
        let wallet = match options.wallet {
            Some(wallet) => Some(wallet),
            None => Wallet::from_environment(&environment)?,
        };
        let data_dir = options.data_dir.or_else(|| environment.data_dir()).unwrap_or_else(default_data_dir);
        let mut resolving = ResolverOptions::new(data_dir.join("modules"));
        resolving.bundle = options.bundle;
        let defaults = SolverApiOptions::default();
        let solver = SolverApiOptions {
            client_version: options.client_version.unwrap_or(defaults.client_version),
            request_timeout: options.request_timeout.unwrap_or(defaults.request_timeout),
        };
        let address = wallet.as_ref().map(|wallet| wallet.address().to_string());
        let journal = Journal::new(&options.journal, &data_dir, &journal_scope(&network), address.as_deref());
        Ok(Self(Arc::new(Inner {
            network,
            wallet,
            journal,
            counters: Arc::default(),
            lookout: Lookout::default(),
            downloads: Semaphore::new(options.max_downloads.unwrap_or(DOWNLOADS).max(1)),
            options: solver,
            resolver: Resolver::new(resolving),
            solver: OnceCell::new(),
        })))
    }

    /// Runs a job and waits for its result: exactly [`submit`](Self::submit), then [`Job::result`].
    ///
    /// # Errors
    /// As those two.
    pub async fn run<K: Into<String>, V: Into<String>>(
        &self,
        module: impl Into<String>,
        inputs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<JobResult> {
        self.submit(JobRequest::new(module).inputs(inputs)).await?.result().await
    }

    /// Sends a job. The handle follows it.
    ///
    /// # Errors
    /// [`ErrorKind::Module`] if the module cannot be found or rendered, [`ErrorKind::InvalidInput`] for a wrong input or file,
    /// [`ErrorKind::Wallet`] without a key, and every way in which a solver can refuse or not answer: the error says whether to try again.
    pub async fn submit(&self, request: impl Into<JobRequest>) -> Result<Job> {
        self.plan(request).await?.submit().await
    }

    /// A job of `module` for each row of inputs. Nothing is sent before [`Map::start`].
    ///
    /// ```no_run
    /// # async fn example(client: lilypad_sdk::Client) -> lilypad_sdk::Result<()> {
    /// let mut rows = client.map("cowsay:v0.0.4", ["moo", "quack"].map(|word| [("Message", word)])).start()?;
    /// while let Some(row) = rows.next().await {
    ///     println!("{}: {}", row.index, row.outcome?.stdout_text()?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn map<R, K, V>(&self, module: impl Into<String>, rows: impl IntoIterator<Item = R>) -> Map
    where
        R: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        let module = module.into();
        let requests = rows.into_iter().map(|row| JobRequest::new(&module).inputs(row)).collect();
        Map::new(self.clone(), requests)
    }

    /// A job for each request: [`map`](Self::map) for rows with files, or of several modules. Idempotency keys of their own are replaced if the map has
    /// one.
    pub fn map_requests(&self, requests: impl IntoIterator<Item = JobRequest>) -> Map {
        Map::new(self.clone(), requests.into_iter().collect())
    }

    /// Shows what submitting would send, without sending it: the exact offer, its id, the price, the machine, what becomes public.
    ///
    /// # Errors
    /// [`ErrorKind::Module`], [`ErrorKind::InvalidInput`] or [`ErrorKind::Wallet`], as [`submit`](Self::submit).
    pub async fn plan(&self, request: impl Into<JobRequest>) -> Result<Plan> {
        // Boxed, here and below: nested futures of this depth exceed what the compiler works out for callers.
        Box::pin(job::plan(self, request.into())).await
    }

    /// Finds a job of this key again, by its id: in the journal, or in the solver's list.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if neither has such a job of this key, or if the solver has forgotten it.
    pub async fn job(&self, id: &JobId) -> Result<Job> {
        Box::pin(job::find(self, id)).await
    }

    /// All jobs of this key that the journal remembers or the solver lists, the newest first. They are followed from now on.
    ///
    /// # Errors
    /// Every way in which a solver can refuse or not answer; [`ErrorKind::Journal`] if the journal is damaged:
    /// [`repair_journal`](Self::repair_journal) mends it.
    pub async fn jobs(&self) -> Result<Vec<Job>> {
        Box::pin(job::all(self)).await
    }

    /// How many jobs the journal has. Needs no solver.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`] if it is damaged, [`ErrorKind::Io`] if it cannot be read.
    pub async fn journaled_jobs(&self) -> Result<usize> {
        Ok(self.0.journal.jobs().await?.len())
    }

    /// Puts damaged lines of the journal aside, into a file beside it, and goes on with the rest. `None` if nothing is damaged.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the journal cannot be read or written.
    pub async fn repair_journal(&self) -> Result<Option<JournalRepair>> {
        self.0.journal.repair().await
    }

    /// What this client and its clones have done so far, in numbers.
    pub fn metrics(&self) -> Metrics {
        self.0.counters.read()
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.0.network
    }

    /// The address that pays.
    ///
    /// # Errors
    /// [`ErrorKind::Wallet`] without a key.
    pub fn address(&self) -> Result<Address> {
        self.wallet().map(Wallet::address)
    }

    /// Where modules come from.
    pub fn resolver(&self) -> &Resolver {
        &self.0.resolver
    }

    /// The solver's API, for calls that no method here makes. Looks the solver up first if its URL was not given.
    ///
    /// # Errors
    /// [`ErrorKind::Wallet`] without a key, [`ErrorKind::Chain`] if the solver cannot be looked up.
    pub async fn solver(&self) -> Result<&SolverApi> {
        self.connection().await.map(|(api, _)| api)
    }

    pub(crate) fn wallet(&self) -> Result<&Wallet> {
        self.0.wallet.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Wallet, "find a private key")
                .with_message(
                    "neither LILYPAD_PRIVATE_KEY nor WEB3_PRIVATE_KEY is set, and the client was given no wallet",
                )
                .with_help("set LILYPAD_PRIVATE_KEY, or pass a `Wallet` to the client's builder")
        })
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    pub(crate) fn lookout(&self) -> &Lookout {
        &self.0.lookout
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// Waits until one more result may be downloaded.
    pub(crate) async fn download_permit(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.0.downloads.acquire().await.ok()
    }

    pub(crate) async fn tracker(&self) -> Result<&Tracker> {
        self.connection().await.map(|(_, tracker)| tracker)
    }

    async fn connection(&self) -> Result<&(SolverApi, Tracker)> {
        self.0
            .solver
            .get_or_try_init(|| async {
                let wallet = self.wallet()?;
                let url = self.solver_url().await?;
                let api = SolverApi::counted(&url, wallet, &self.0.options, self.0.counters.clone())?;
                let tracker = Tracker::new(api.clone(), self.0.journal.clone(), self.0.counters.clone());
                Ok((api, tracker))
            })
            .await
    }

    /// The solver's URL: as given, or looked up on the chain by read-only calls.
    async fn solver_url(&self) -> Result<Url> {
        match &self.0.network.solver_url {
            Some(url) => Ok(url.clone()),
            None => {
                let solver = &self.0.network.services.solver;
                let solver = solver.parse().map_err(|_| {
                    Error::new(ErrorKind::Config, "look up solver")
                        .with_message(format_args!("`{solver}`, the solver of {}, is no address", self.0.network.name))
                        .with_help("set the network's solver, or give the solver's URL")
                })?;
                Chain::connect(&self.0.network).await?.solver_url(solver).await
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("network", &self.0.network.name)
            .field("address", &self.0.wallet.as_ref().map(Wallet::address))
            .finish_non_exhaustive()
    }
}

/// What a journal is for: a network, or the one solver that was named.
fn journal_scope(network: &Network) -> String {
    let host = network.solver_url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    host.map_or_else(|| network.name.clone(), |(host, port)| format!("{}@{host}:{port}", network.name))
}

/// The platform's place for an application's data; the temporary folder where there is none.
fn default_data_dir() -> PathBuf {
    dirs::data_local_dir().unwrap_or_else(std::env::temp_dir).join("lilypad")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls that take part in a `tokio::spawn` must be `Send`; a borrow in the wrong place takes that away silently.
    #[test]
    fn every_call_can_be_spawned() {
        fn can_be_spawned<T: Send>(_: impl FnOnce(&'static Client, &'static Job) -> T) {}
        can_be_spawned(|client, _| client.run("cowsay", [("Message", "moo")]));
        can_be_spawned(|client, _| client.submit("cowsay"));
        can_be_spawned(|client, _| client.jobs());
        can_be_spawned(|_, job| job.result());
    }

    #[test]
    fn a_client_prints_no_secret() {
        let client = Client::builder().environment(Environment::default()).wallet(Wallet::random()).build().unwrap();
        let text = format!("{client:?}");
        assert!(text.contains("testnet") && text.len() < 120, "{text}");
    }
}
