//! A whole Lilypad network in one process: a solver, providers and a few modules, on real sockets of the loopback interface.
//!
//! Not a mock: it speaks the network's protocol, and the modules' programs really run, in a WebAssembly sandbox. Many networks can run at
//! once; none uses a fixed port; none leaves anything behind.
//!
//! ```
//! # #[tokio::main] async fn main() -> lilypad_sdk::Result<()> {
//! use lilypad_localnet::LocalNetwork;
//!
//! let network = LocalNetwork::start().await?;
//! let result = network.client().run("cowsay:v0.0.4", [("Message", "moo")]).await?;
//! assert!(result.stdout_text()?.contains("moo"));
//! network.stop().await;
//! # Ok(()) }
//! ```

//! What goes wrong on a real network can be made to go wrong here: see [`Fault`], [`LocalNetwork::faults`],
//! [`LocalNetwork::restart_solver`], [`LocalNetwork::clock`] and [`Provider::crash`](lilypad_node::provider::Provider::crash).

mod modules;
mod network;

pub use lilypad_node::solver::{
    Call, Clock, Damage, EventHarm, Fault, FaultCount, FaultId, Faults, Harm, Lie, Memory, RateLimit, Reply,
    SolverOptions, Timeouts,
};
pub use modules::bundled_modules;
pub use network::{LocalNetwork, LocalNetworkBuilder, job_creator, network_at};
