//! What goes wrong on purpose.
//!
//! Two campaigns, both on local networks with real sockets, real files and jobs that really run, both repeatable from a seed:
//!
//! - `matrix`: every fault of the `menu` strikes at every step of a job; then the client comes back as after a crash, and what it finds is checked
//! - `kills`: a client in a process of its own runs many rows and is killed with `SIGKILL` at random moments, and started again
//!
//! The last line has the totals, and the exit status is 0 only if nothing was lost, paid for twice, wrongly accepted or hung.

mod cell;
mod kills;
mod matrix;
mod menu;
mod totals;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::totals::Totals;

/// Every fault at every step of a job, and clients killed at random moments.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where random choices begin
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the matrix is run, each time with choices of its own
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// How many clients are killed
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// How many cells of the matrix run at once
    #[arg(long, default_value_t = 24)]
    at_once: usize,
    /// Only faults whose name contains this
    #[arg(long)]
    only: Option<String>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The client that is killed
    #[command(hide = true)]
    Client {
        /// The solver's URL
        solver_url: String,
        /// Where the journal and the results are
        folder: PathBuf,
        /// The key of the map
        key: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Part::Client { solver_url, folder, key }) = arguments.part {
        return kills::client(&solver_url, &folder, &key).await;
    }
    let mut totals = Totals::default();
    matrix::run(&mut totals, arguments.seed, arguments.rounds, arguments.at_once, arguments.only.as_deref()).await;
    if arguments.kills > 0
        && let Err(error) = kills::run(&mut totals, arguments.seed, arguments.kills).await
    {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    println!("{totals}");
    if totals.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
