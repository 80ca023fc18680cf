//! The solver role: matchmaker and file relay.
//!
//! One [`Solver`] is one HTTP server with its own records, files and clock. It speaks as the reference solver of release 2.23.0 does, down
//! to statuses, texts, headers and the order of events, because clients depend on them.
//!
//! - `server` takes connections and `routes` answers requests; `socket` tells events
//! - `lifecycle` is the only place where records change: it moves offers and deals along and tells everybody
//! - `store` remembers, `matcher` and `timeouts` decide, `archives` keeps files
//! - `faults` are what a test has go wrong

mod archives;
mod clock;
mod events;
mod faults;
mod lifecycle;
mod matcher;
mod options;
mod rate_limit;
mod refusal;
mod routes;
mod server;
mod socket;
mod store;
mod table;
mod timeouts;
mod token;
mod version;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lilypad_sdk::error::{Error, ErrorKind, Result};
use lilypad_sdk::protocol::DealContainer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use self::archives::Archives;
use self::events::Events;
use self::lifecycle::Lifecycle;
use self::rate_limit::{RateLimiter, Verdict};
use self::refusal::Refusal;
use self::token::TokenSigner;
use self::version::VersionGate;

pub use self::clock::Clock;
pub use self::faults::{Call, Damage, EventHarm, Fault, FaultCount, FaultId, Faults, Harm, Lie, Reply};
pub use self::options::{RateLimit, SolverOptions, Timeouts};

/// How long a restart waits for its port.
const REBIND: std::time::Duration = std::time::Duration::from_secs(5);

/// A running solver. Stops when it is dropped; [`stop`](Self::stop) also waits until nothing is left of it.
#[derive(Debug)]
pub struct Solver {
    /// What its tasks need, since it was last restarted.
    shared: Mutex<Arc<Shared>>,
    /// Held while it is restarted.
    restarting: tokio::sync::Mutex<()>,
    /// How it was set up.
    options: SolverOptions,
    /// Where it answers.
    url: Url,
}

/// What a restart leaves of a solver's records, files and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Everything, as if they were in a database.
    Kept,
    /// Nothing.
    Lost,
}

/// What the solver's connections and tasks have in common.
#[derive(Debug)]
struct Shared {
    /// How it was set up.
    options: SolverOptions,
    /// The records and their rules.
    lifecycle: Arc<Mutex<Lifecycle>>,
    /// Counts requests, if there is a limit.
    limiter: Option<Mutex<RateLimiter>>,
    /// Who listens.
    events: Arc<Events>,
    /// The files.
    archives: Arc<Archives>,
    /// Which clients are too old.
    versions: VersionGate,
    /// Signs tokens.
    tokens: Arc<TokenSigner>,
    /// Set when the solver is to stop.
    stop: CancellationToken,
    /// Set when it is to stop at once, in the middle of what it does.
    crash: CancellationToken,
    /// Everything that runs.
    tasks: TaskTracker,
}

impl Solver {
    /// Starts a solver. It answers when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the options name versions that are none, [`ErrorKind::Io`] if the folder cannot be made,
    /// [`ErrorKind::Connection`] if the port is taken.
    pub async fn start(options: SolverOptions) -> Result<Self> {
        let archives = Archives::new(options.data_dir.as_deref())?;
        let events = Arc::new(Events::new(options.faults.clone()));
        let lifecycle = Lifecycle::new(options.timeouts.clone(), options.clock.clone(), events.clone());
        let shared = Shared {
            limiter: limiter(&options),
            lifecycle: Arc::new(Mutex::new(lifecycle)),
            events,
            archives: Arc::new(archives),
            versions: VersionGate::new(&options)?,
            tokens: Arc::new(TokenSigner::new()),
            stop: CancellationToken::new(),
            crash: CancellationToken::new(),
            tasks: TaskTracker::new(),
            options: options.clone(),
        };
        let unusable = |error| unusable(options.listen, error);
        let listener = TcpListener::bind(options.listen).await.map_err(unusable)?;
        let url = url_of(listener.local_addr().map_err(unusable)?);
        let shared = Mutex::new(run(shared, listener));
        Ok(Self { shared, restarting: tokio::sync::Mutex::default(), options, url })
    }

    /// Where it answers, such as `http://127.0.0.1:40123/`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address that offers name as the solver that they trust.
    pub fn address(&self) -> &str {
        &self.options.address
    }

    /// The solver's clock. Moving it moves the time that the solver goes by.
    pub fn clock(&self) -> &Clock {
        &self.options.clock
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.options.faults
    }

    /// How many job offers were taken, also before a restart. An offer that came twice counts twice.
    pub fn offers_taken(&self) -> u64 {
        self.shared().lifecycle().offers_taken()
    }

    /// How many deals were made, also before a restart.
    pub fn deals_made(&self) -> u64 {
        self.shared().lifecycle().deals_made()
    }

    /// Crashes and comes back at the same address: connections, sockets and requests under way break, and nobody is told why. It answers
    /// again when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`] if somebody else has taken the port meanwhile, [`ErrorKind::Io`] if there is no room for its files,
    /// [`ErrorKind::Config`] never: its options were good before.
    pub async fn restart(&self, memory: Memory) -> Result<()> {
        let _one_at_a_time = self.restarting.lock().await;
        let before = self.shared();
        let mut address = self.options.listen;
        address.set_port(self.url.port_or_known_default().unwrap_or_default());
        before.crash.cancel();
        before.stop.cancel();
        before.tasks.close();
        before.tasks.wait().await;
        let (archives, tokens) = match memory {
            Memory::Kept => (before.archives.clone(), before.tokens.clone()),
            Memory::Lost => {
                before.archives.remove().await;
                before.lifecycle().forget();
                (Arc::new(Archives::new(self.options.data_dir.as_deref())?), Arc::new(TokenSigner::new()))
            }
        };
        let shared = Shared {
            limiter: limiter(&self.options),
            lifecycle: before.lifecycle.clone(),
            events: before.events.clone(),
            archives,
            versions: VersionGate::new(&self.options)?,
            tokens,
            stop: CancellationToken::new(),
            crash: CancellationToken::new(),
            tasks: TaskTracker::new(),
            options: self.options.clone(),
        };
        let listener = bind_again(address).await.map_err(|error| unusable(address, error))?;
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = run(shared, listener);
        Ok(())
    }

    /// Stops: lets requests that are under way end, closes sockets, and removes files. Nothing is left when this returns.
    pub async fn stop(self) {
        let shared = self.shared();
        shared.stop.cancel();
        shared.tasks.close();
        shared.tasks.wait().await;
        shared.archives.remove().await;
    }

    /// What its tasks need.
    fn shared(&self) -> Arc<Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Solver {
    fn drop(&mut self) {
        self.shared().stop.cancel();
    }
}

/// Starts what runs for as long as the solver does.
fn run(shared: Shared, listener: TcpListener) -> Arc<Shared> {
    let shared = Arc::new(shared);
    shared.tasks.spawn(server::listen(listener, routes::router(shared.clone()), shared.clone()));
    shared.tasks.spawn(sweep(shared.clone()));
    shared
}

/// What counts requests, if there is a limit.
fn limiter(options: &SolverOptions) -> Option<Mutex<RateLimiter>> {
    options.rate_limit.as_ref().map(|limit| Mutex::new(RateLimiter::new(limit)))
}

/// Listens where the solver did before. A connection of somebody else's may just have been given the port, so this is patient.
async fn bind_again(address: SocketAddr) -> std::io::Result<TcpListener> {
    let deadline = tokio::time::Instant::now() + REBIND;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(REBIND / 100).await;
            }
            outcome => return outcome,
        }
    }
}

/// The error for an address that cannot be listened on.
fn unusable(address: SocketAddr, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Connection, "start solver")
        .with_message(format_args!("cannot listen on {address}: {error}"))
        .with_help("choose another address, or port 0 for any free port")
        .permanent()
}

impl Shared {
    /// The records, for as long as no other request needs them.
    fn lifecycle(&self) -> MutexGuard<'_, Lifecycle> {
        self.lifecycle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The deal with this id.
    fn deal(&self, id: &str) -> Result<Arc<DealContainer>, Refusal> {
        self.lifecycle().store().deal(id).cloned().ok_or_else(Refusal::no_deal)
    }

    /// Counts a request, if there is a limit.
    fn count(&self, client: &str, path: &str) -> Option<Verdict> {
        let limiter = self.limiter.as_ref()?;
        let now = self.options.clock.now();
        Some(limiter.lock().unwrap_or_else(PoisonError::into_inner).take(client, path, now))
    }
}

/// The URL of a server at this address, as somebody on this machine writes it.
fn url_of(mut address: SocketAddr) -> Url {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Url::parse(&format!("http://{address}/")).expect("an address is a URL's host and port")
}

/// Ends jobs whose time is over, at intervals of the solver's clock, until the solver stops.
async fn sweep(shared: Arc<Shared>) {
    let interval = clock::millis(shared.options.sweep_interval).max(1);
    let mut next = shared.options.clock.now().saturating_add(interval);
    loop {
        tokio::select! {
            () = shared.options.clock.reached(next) => {}
            () = shared.stop.cancelled() => return,
        }
        shared.lifecycle().sweep();
        next = shared.options.clock.now().saturating_add(interval);
    }
}

#[cfg(test)]
mod tests;
