//! Talking to a solver: its HTTP calls and its event socket.
//!
//! [`SolverApi`] is the whole API for both roles, with requests signed, paced to what the solver allows, and refusals turned into errors that
//! say what to do. Most programs want [`Client`](crate::Client) instead.

mod api;
mod clock;
mod list;
mod pace;
mod refusal;
mod socket;
mod transport;

pub(crate) use api::Turn;
pub use api::{DealFilter, JobOfferFilter, ResourceOfferFilter, SolverApi, SolverApiOptions};
pub use socket::{EventSocket, Role};
pub use transport::{ByteStream, DEFAULT_CLIENT_VERSION};
