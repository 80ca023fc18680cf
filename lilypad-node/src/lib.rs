//! The other roles of the Lilypad network, for local networks and for whoever wants to run a part of the real one.
//!
//! - [`solver`]: matchmaker and file relay; job creators and providers talk to it alone
//! - [`provider`]: takes deals, runs their jobs, hands in results
//! - [`executor`]: runs one job in a sandbox
//!
//! Roles speak the protocol over real sockets, also when they are in one process. What they share with clients is in
//! `lilypad-sdk`, above all its [`protocol`](lilypad_sdk::protocol).

pub mod executor;
pub mod provider;
pub mod solver;
