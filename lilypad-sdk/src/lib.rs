//! Run jobs on [Lilypad](https://lilypad.tech), a decentralised network of GPUs and CPUs: submit a job, follow the deal, fetch the results.
//!
//! ```no_run
//! # async fn example() -> lilypad_sdk::Result<()> {
//! use lilypad_sdk::Client;
//!
//! let client = Client::from_env()?;
//! let result = client.run("cowsay:v0.0.4", [("Message", "moo")]).await?;
//! println!("{}", result.stdout_text()?);
//! # Ok(())
//! # }
//! ```
//!
//! | to | see |
//! |---|---|
//! | submit, find and list jobs | [`Client`] |
//! | describe a job | [`JobRequest`] |
//! | run one module over many inputs | [`Client::map`], [`Map`] |
//! | follow a job, wait for it, give it up | [`Job`] |
//! | read and keep what it made | [`JobResult`] |
//! | see what would be sent, before it is | [`Plan`] |
//! | choose a network and a key | [`Network`], [`Wallet`] |
//! | count what a service does | [`Client::metrics`], and `tracing` spans |
//! | decide what to do about a failure | [`Error`], [`ErrorKind`] |
//!
//! Underneath: [`module`] (references, sources, templates), [`solver`] (its HTTP calls and event socket), [`chain`] (read-only look-ups),
//! [`protocol`] (the wire, byte for byte). A whole network for tests and first steps is in the crate `lilypad-localnet`.

pub mod chain;
pub mod client;
pub mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod job;
mod metrics;
pub mod module;
pub mod network;
mod platform;
pub mod protocol;
pub mod result;
pub mod retry;
pub mod solver;
pub mod wallet;

pub use client::{Client, ClientBuilder, ClientOptions};
pub use error::{Error, ErrorKind, Fault, Result};
pub use job::{
    Cancellation, Job, JobEvent, JobEvents, JobRequest, JobStatus, JobView, JournalMode, JournalRepair, Map, MapHandle,
    MapOptions, MapProgress, MapRows, Plan, ResultOptions, Row, RowOrder, RowRetries, RunOptions,
};
pub use metrics::Metrics;
pub use network::Network;
pub use protocol::{AgreementState, DataId, DealId, JobId};
pub use result::{JobResult, ResultFile};
pub use wallet::{Address, Wallet};
