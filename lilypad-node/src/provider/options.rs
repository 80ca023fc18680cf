//! How a provider is set up.

use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use lilypad_sdk::module::Bundle;
use lilypad_sdk::protocol::{DealPricing, MachineSpec};
use lilypad_sdk::{Network, Wallet};

use crate::executor::Limits;

/// How a provider is set up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProviderOptions {
    /// Whose solver it serves, and whom it trusts.
    pub network: Network,
    /// Who it is.
    pub wallet: Wallet,
    /// Where to keep modules and the files of running jobs. What belongs to jobs goes with them.
    pub data_dir: PathBuf,
    /// Modules that come along instead of being fetched.
    pub bundle: Bundle,
    /// Whether it runs modules out of folders of its own machine. Only for who trusts everybody on the network.
    pub allow_local_modules: bool,
    /// How many jobs run at a time. Others wait for their turn.
    pub slots: usize,
    /// The machine that it offers.
    pub machine: MachineSpec,
    /// What it asks for.
    pub pricing: DealPricing,
    /// What a job may use where neither its offer nor its module says.
    pub limits: Limits,
    /// How long it tries to hand a finished result in to a solver that doesn't answer. It ends before when the solver says that it wants
    /// no result any more. Meanwhile the job keeps its slot.
    pub result_patience: Duration,
    /// How often it asks the solver whether it has missed something.
    pub reconcile_interval: Duration,
}

impl ProviderOptions {
    /// The prices of the reference implementation, one job at a time, and this machine's processors.
    pub fn new(network: Network, wallet: Wallet) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            network,
            wallet,
            data_dir: std::env::temp_dir(),
            bundle: Bundle::default(),
            allow_local_modules: false,
            slots: 1,
            machine: MachineSpec {
                cpu: i64::try_from(cores).unwrap_or(1).saturating_mul(1000),
                ram: 16 << 10,
                disk: 64 << 10,
                ..MachineSpec::default()
            },
            pricing: DealPricing {
                instruction_price: 1,
                payment_collateral: 2,
                results_collateral_multiple: 2,
                mediation_fee: 1,
            },
            limits: Limits { time: Duration::from_secs(900), ..Limits::default() },
            // As long as the reference network gives a job in all.
            result_patience: Duration::from_secs(7200),
            reconcile_interval: Duration::from_secs(30),
        }
    }
}
