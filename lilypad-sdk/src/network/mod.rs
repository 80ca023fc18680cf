//! Which network: its solver, its chain and the parties that jobs trust there.
//!
//! A [`Network`] is plain values. It comes from a known name ([`Network::named`]), from [`NetworkOptions`] over a known name and the
//! environment, or is made up whole ([`Network::custom`]).

mod endpoint;
mod environment;
mod known;
mod options;

use alloy::primitives::Address;
use url::Url;

pub use endpoint::RpcUrl;
pub(crate) use endpoint::parse_solver_url;
pub use environment::Environment;
pub use options::{NetworkBase, NetworkBuilder, NetworkOptions};

use crate::error::Result;
use crate::protocol::ServiceConfig;

/// A network: where its solver and its chain are, and whom its jobs trust.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Network {
    /// What it is called.
    pub name: String,
    /// Base of the solver's API. `None`: the chain knows it.
    pub solver_url: Option<Url>,
    /// Where to ask the chain; the first that answers is used. Empty: there is no chain.
    pub rpc_urls: Vec<RpcUrl>,
    /// Id of the chain, which every RPC URL has to be of. `None`: any.
    pub chain_id: Option<u64>,
    /// Where the contracts are.
    pub contracts: Contracts,
    /// The solver, mediators and dashboard that go into every job offer, letter by letter: both sides' texts must be equal to match,
    /// and the solver of `testnet`, for one, is written in lower case everywhere.
    pub services: ServiceConfig,
}

impl Network {
    /// Name of the network that is used when none is named.
    pub const DEFAULT: &str = "testnet";

    /// The public network of this name, one of [`Network::known`]. The environment has no say in it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::error::ErrorKind::Config) for an unknown name, with the known ones and the one that is probably meant.
    pub fn named(name: &str) -> Result<Self> {
        Self::builder(name).build()
    }

    /// Names of the public networks, the default one first.
    pub fn known() -> impl Iterator<Item = &'static str> {
        known::NAMES.iter().copied()
    }

    /// The network that the process environment describes: `LILYPAD_NETWORK` (else [`Network::DEFAULT`]) with the changes of
    /// `LILYPAD_SOLVER_URL` and `LILYPAD_RPC_URL`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::error::ErrorKind::Config) with the variable that is wrong.
    pub fn from_env() -> Result<Self> {
        NetworkOptions::default().resolve(&Environment::process())
    }

    /// Starts from a known network, to change some of it. Finish with [`NetworkBuilder::build`].
    pub fn builder(name: impl Into<String>) -> NetworkBuilder {
        NetworkBuilder::new(NetworkBase::Named(name.into()))
    }

    /// Starts from nothing but a name. Finish with [`NetworkBuilder::build`].
    pub fn custom(name: impl Into<String>) -> NetworkBuilder {
        NetworkBuilder::new(NetworkBase::Custom(name.into()))
    }
}

/// Where a network's contracts are. From the controller alone all others can be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contracts {
    /// Keeps deals together and knows the other contracts.
    pub controller: Option<Address>,
    /// Holds collateral and pays.
    pub payments: Option<Address>,
    /// Keeps deal states.
    pub storage: Option<Address>,
    /// The registry of solvers and their URLs.
    pub users: Option<Address>,
    /// The LP token.
    pub token: Option<Address>,
    /// Chooses mediators.
    pub mediation: Option<Address>,
    /// Takes jobs on chain.
    pub job_creator: Option<Address>,
    /// Takes providers' proofs of work.
    pub pow: Option<Address>,
}

impl Contracts {
    /// Takes over the addresses that `other` has.
    fn update(&mut self, other: &Self) {
        for (ours, theirs) in [
            (&mut self.controller, other.controller),
            (&mut self.payments, other.payments),
            (&mut self.storage, other.storage),
            (&mut self.users, other.users),
            (&mut self.token, other.token),
            (&mut self.mediation, other.mediation),
            (&mut self.job_creator, other.job_creator),
            (&mut self.pow, other.pow),
        ] {
            *ours = theirs.or(*ours);
        }
    }
}
