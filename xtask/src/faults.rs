//! `cargo xtask faults`.

use clap::Args;

use crate::process::{self, cargo};

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where random choices begin
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often every fault strikes at every step of a job
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// How many clients are killed
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// Only faults whose name contains this
    #[arg(long)]
    only: Option<String>,
}

/// Runs the fault matrix and the kills; the totals come last.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--package", "lilypad-faults", "--"]);
    command.args(["--seed", &options.seed.to_string(), "--rounds", &options.rounds.to_string()]);
    command.args(["--kills", &options.kills.to_string()]);
    if let Some(only) = &options.only {
        command.args(["--only", only]);
    }
    process::run(&mut command)
}
