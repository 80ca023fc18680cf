//! The solver role: matchmaker and file relay.
//!
//! One [`Solver`] is one HTTP server with its own records, files and clock. It speaks as the reference solver of release 2.23.0 does, down
//! to statuses, texts, headers and the order of events, because clients depend on them.
//!
//! - `server` takes connections and `routes` answers requests; `socket` tells events
//! - `lifecycle` is the only place where records change: it moves offers and deals along and tells everybody
//! - `store` remembers, `matcher` and `timeouts` decide, `archives` keeps files

mod archives;
mod clock;
mod events;
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
pub use self::options::{RateLimit, SolverOptions, Timeouts};

/// A running solver. Stops when it is dropped; [`stop`](Self::stop) also waits until nothing is left of it.
#[derive(Debug)]
pub struct Solver {
    /// What its tasks need.
    shared: Arc<Shared>,
    /// Where it answers.
    url: Url,
}

/// What the solver's connections and tasks have in common.
#[derive(Debug)]
struct Shared {
    /// How it was set up.
    options: SolverOptions,
    /// The records and their rules.
    lifecycle: Mutex<Lifecycle>,
    /// Counts requests, if there is a limit.
    limiter: Option<Mutex<RateLimiter>>,
    /// Who listens.
    events: Arc<Events>,
    /// The files.
    archives: Archives,
    /// Which clients are too old.
    versions: VersionGate,
    /// Signs tokens.
    tokens: TokenSigner,
    /// Set when the solver is to stop.
    stop: CancellationToken,
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
        let unusable = |error: std::io::Error| {
            Error::new(ErrorKind::Connection, "start solver")
                .with_message(format_args!("cannot listen on {}: {error}", options.listen))
                .with_help("choose another address, or port 0 for any free port")
                .permanent()
        };
        let versions = VersionGate::new(&options)?;
        let archives = Archives::new(options.data_dir.as_deref())?;
        let listener = TcpListener::bind(options.listen).await.map_err(unusable)?;
        let url = url_of(listener.local_addr().map_err(unusable)?);
        let events = Arc::new(Events::default());
        let lifecycle = Lifecycle::new(options.timeouts.clone(), options.clock.clone(), events.clone());
        let shared = Arc::new(Shared {
            limiter: options.rate_limit.as_ref().map(|limit| Mutex::new(RateLimiter::new(limit))),
            lifecycle: Mutex::new(lifecycle),
            events,
            archives,
            versions,
            tokens: TokenSigner::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            options,
        });
        shared.tasks.spawn(server::listen(listener, routes::router(shared.clone()), shared.clone()));
        shared.tasks.spawn(sweep(shared.clone()));
        Ok(Self { shared, url })
    }

    /// Where it answers, such as `http://127.0.0.1:40123/`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address that offers name as the solver that they trust.
    pub fn address(&self) -> &str {
        &self.shared.options.address
    }

    /// How many job offers were taken. An offer that came twice counts twice.
    pub fn offers_taken(&self) -> u64 {
        self.shared.lifecycle().offers_taken()
    }

    /// How many deals were made.
    pub fn deals_made(&self) -> u64 {
        self.shared.lifecycle().deals_made()
    }

    /// Stops: lets requests that are under way end, closes sockets, and removes files. Nothing is left when this returns.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.archives.remove().await;
    }
}

impl Drop for Solver {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
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
