//! `cargo xtask faults`.

use clap::Args;

use crate::process::{self, cargo};

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where random choices begin [default: 1]
    #[arg(long)]
    seed: Option<u64>,
    /// How often every fault strikes at every step of a job [default: 3]
    #[arg(long)]
    rounds: Option<u64>,
    /// How many clients are killed [default: 100]
    #[arg(long)]
    kills: Option<u64>,
    /// Only faults whose name contains this
    #[arg(long)]
    only: Option<String>,
}

/// Runs the fault matrix and the kills; the totals come last.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--package", "lilypad-faults", "--"]);
    for (name, value) in [("--seed", options.seed), ("--rounds", options.rounds), ("--kills", options.kills)] {
        if let Some(value) = value {
            command.args([name, &value.to_string()]);
        }
    }
    if let Some(only) = &options.only {
        command.args(["--only", only]);
    }
    process::run(&mut command)
}
