//! How a solver is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::clock::Clock;
use super::faults::Faults;

/// How a solver is set up. The defaults are those of the reference implementation, on a free port of the loopback interface.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SolverOptions {
    /// Where to listen. Port 0: any free port.
    pub listen: SocketAddr,
    /// The solver's address in EIP-55 form: what offers name as the solver that they trust.
    pub address: String,
    /// How long jobs may take.
    pub timeouts: Timeouts,
    /// How often the time limits are looked at, besides at every offer.
    pub sweep_interval: Duration,
    /// How many requests a client may send. `None`: any number.
    pub rate_limit: Option<RateLimit>,
    /// The release that this solver claims to be: clients of an older major version are refused. `None`: no release, no check.
    pub version: Option<String>,
    /// The oldest client version that is taken, if it is not the major version of `version`.
    pub minimum_version: Option<String>,
    /// More unmatched job offers than this, and the network is busy.
    pub capacity: usize,
    /// How far an offer's timestamp may be from the solver's clock, both ways.
    pub timestamp_tolerance: Duration,
    /// How large a job offer with its input files may be.
    pub max_file_input_bytes: usize,
    /// Where to keep files, in a folder of this solver's own that goes when it stops. `None`: among the system's temporary files.
    pub data_dir: Option<PathBuf>,
    /// What time it is.
    pub clock: Clock,
    /// What goes wrong on purpose. Clones of these options have the same faults.
    pub faults: Faults,
}

impl Default for SolverOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            address: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC".into(),
            timeouts: Timeouts::default(),
            sweep_interval: Duration::from_secs(10),
            rate_limit: Some(RateLimit::default()),
            version: Some("v2.23.0".into()),
            minimum_version: None,
            capacity: 1000,
            timestamp_tolerance: Duration::from_secs(30),
            max_file_input_bytes: 10 << 20,
            data_dir: None,
            clock: Clock::system(),
            faults: Faults::default(),
        }
    }
}

/// How long a job may take, stage by stage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the offer's timestamp to a match.
    pub matching: Duration,
    /// From the match to the result, for modules that don't say.
    pub execution: Duration,
    /// From the result's arrival to its being fetched.
    pub download: Duration,
    /// From the offer's timestamp to the end.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            matching: Duration::from_secs(30),
            execution: Duration::from_secs(900),
            download: Duration::from_secs(3600),
            total: Duration::from_secs(7200),
        }
    }
}

/// How many requests one client may send to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The most requests in a window.
    pub requests: u32,
    /// The window's length.
    pub window: Duration,
}

impl RateLimit {
    /// At most `requests` in every `window`.
    pub fn new(requests: u32, window: Duration) -> Self {
        Self { requests, window }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::new(5, Duration::from_secs(10))
    }
}
