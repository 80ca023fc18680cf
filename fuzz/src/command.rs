//! The command: which targets, how many cases, what became of them.

use std::process::ExitCode;

use clap::Parser;

use crate::failure::catch_panics;
use crate::runner::{self, Budget};
use crate::targets::TARGETS;

/// Property and fuzz targets with a budget of cases.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which ones: archives, content-ids, events, modules, records, templates [default: all]
    targets: Vec<String>,
    /// How many cases each
    #[arg(long, default_value_t = 20_000)]
    cases: u64,
    /// What cases are made from [default: another one each day]
    #[arg(long)]
    seed: Option<u64>,
    /// The first case, to run a failed one again
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many cases run at a time [default: one a core]
    #[arg(long)]
    workers: Option<usize>,
}

/// The most bytes of memory that the cases of all workers may take at their worst.
const MEMORY: u64 = 2 << 30;

/// Reads the arguments, runs targets, prints a line each. Fails if a case does.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(unknown) = arguments.targets.iter().find(|name| !TARGETS.iter().any(|target| target.name == **name)) {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("error: there is no target `{unknown}`; there are {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    catch_panics();
    let seed = arguments.seed.unwrap_or_else(today);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let budget = Budget {
        seed,
        first: arguments.first,
        cases: arguments.cases,
        workers: arguments.workers.unwrap_or(cores).max(1),
    };
    let mut good = true;
    for target in TARGETS {
        if !arguments.targets.is_empty() && !arguments.targets.iter().any(|name| name == target.name) {
            continue;
        }
        let report = match runner::run(target, budget) {
            Ok(report) => report,
            Err(reason) => {
                println!("{}: {reason}", target.name);
                good = false;
                continue;
            }
        };
        println!("{}: {} cases, {} failed (seed {seed})", target.name, report.cases, report.failed);
        let memory = peak_memory();
        eprintln!("  {:.1} s, {} MB at most", report.took.as_secs_f64(), memory >> 20);
        if memory > MEMORY {
            println!("  it took more than {} MB of memory", MEMORY >> 20);
            good = false;
        }
        if let Some(note) = (target.note)() {
            println!("  {note}");
        }
        for (number, failure) in &report.failures {
            println!("  case {number}: {failure}");
            println!("  again: cargo xtask fuzz {} --seed {seed} --first {number} --cases 1", target.name);
        }
        good &= report.failed == 0 && report.cases == budget.cases;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The number of days since 1970: a seed that changes, and that a failure can be told with.
fn today() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

/// The most bytes of memory that this process has had. 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() << 10
}
