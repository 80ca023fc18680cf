//! What offers share: machine sizes, prices, and the services that both sides trust.

use serde::{Deserialize, Serialize};

/// Sizes of a machine: what a job needs at least, or what a provider has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineSpec {
    /// Number of GPUs.
    pub gpu: i64,
    /// The GPUs one by one. `None` and empty differ on the wire.
    pub gpus: Option<Vec<GpuSpec>>,
    /// Processor time in thousandths of a core.
    pub cpu: i64,
    /// Memory in megabytes. (Providers of the reference implementation give bytes.)
    pub ram: i64,
    /// Disk space in megabytes. (Providers of the reference implementation give bytes.)
    pub disk: i64,
}

/// One GPU.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GpuSpec {
    /// Product name.
    pub name: String,
    /// Maker.
    pub vendor: String,
    /// Video memory in megabytes.
    pub vram: i64,
}

/// Prices of a deal, in whole LP tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DealPricing {
    /// Price of one instruction.
    pub instruction_price: u64,
    /// What the job creator locks for the payment.
    pub payment_collateral: u64,
    /// What the provider locks: this many times the payment.
    pub results_collateral_multiple: u64,
    /// What the mediator gets for checking a disputed result.
    pub mediation_fee: u64,
}

/// How the solver compares prices. Any text may stand on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PricingMode(pub String);

impl PricingMode {
    /// The best deal there is: what job creators ask for.
    pub fn market() -> Self {
        Self("MarketPrice".into())
    }

    /// Take it or leave it: what providers ask for.
    pub fn fixed() -> Self {
        Self("FixedPrice".into())
    }
}

/// The solver and mediators that a party trusts, on the wire `trusted_parties`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceConfig {
    /// Address of the solver.
    pub solver: String,
    /// Addresses of mediators.
    pub mediator: Option<Vec<String>>,
    /// Where the network's dashboard listens; not used for jobs.
    pub api_host: String,
}
