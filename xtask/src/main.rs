//! All automation of this repository: `cargo xtask COMMAND`.

mod bench;
mod conformance;
mod faults;
mod fuzz;
mod modules;
mod process;
mod quotes;
mod suites;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Automation of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all test suites, or those named; installs what they need
    Test {
        /// rust, conformance, modules, fuzz or docs
        #[arg(value_enum)]
        suites: Vec<suites::Suite>,
    },
    /// Run the cases of LILYPAD_CONFORMANCE_DIR and this repository's own
    Conformance,
    /// Run benchmarks, each against a baseline
    Bench {
        /// Which ones [default: all]
        names: Vec<String>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Run every fault at every step of a job, and kill clients at random moments
    Faults(faults::Options),
    /// Run property and fuzz targets with a budget of cases
    Fuzz(fuzz::Options),
    /// Build the bundled modules' programs from their sources
    Modules {
        /// Only compare them with what the sources give
        #[arg(long)]
        check: bool,
    },
    /// Copy the quoted parts of tested files into the docs
    Quotes {
        /// Only compare
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test { suites } => suites::run(&suites),
        Command::Conformance => conformance::run(),
        Command::Bench { names, json } => bench::run(&names, json),
        Command::Faults(options) => faults::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Modules { check: true } => modules::check(),
        Command::Modules { check: false } => modules::build(),
        Command::Quotes { check } => quotes::run(check).map(|_| ()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
