//! `cargo xtask fuzz`.

use clap::Args;

use crate::process::{self, cargo};

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Which targets: archives, content-ids, events, modules, records, templates [default: all]
    targets: Vec<String>,
    /// How many cases each [default: 20000]
    #[arg(long)]
    cases: Option<u64>,
    /// What cases are made from [default: another one each day]
    #[arg(long)]
    seed: Option<u64>,
    /// The first case, to run a failed one again
    #[arg(long)]
    first: Option<u64>,
}

/// Builds the targets optimised and runs them.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--locked", "--package", "lilypad-fuzz", "--"]).args(&options.targets);
    for (name, value) in [("--cases", options.cases), ("--seed", options.seed), ("--first", options.first)] {
        if let Some(value) = value {
            command.args([name, &value.to_string()]);
        }
    }
    process::run(&mut command)
}

/// A small budget, as a test of the whole workspace: that build is there already when the other suites have run, and another one
/// would take longer than an optimised program saves.
pub(crate) fn run_in_tests() -> Result<(), String> {
    // Always the same cases: a commit must not fail for what another one brought.
    let arguments = ["--cases", "4000", "--seed", "1"];
    process::run(cargo().args(["test", "--workspace", "--locked", "--test", "budget", "--"]).args(arguments))
}
