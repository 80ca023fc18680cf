//! Benchmarks, each against a named baseline. Run by `cargo xtask bench`.
//!
//! One file a benchmark. What is measured runs in a process of its own (`parts`), so that its memory and processor time are its own; what it
//! talks to is in another: a whole local network, or a solver that answers from a script (`solver`) where a real one would be what is measured.

mod command;
mod download;
mod firehose;
mod in_flight;
mod journal;
mod parts;
mod report;
mod solver;
mod tracked;

use std::process::ExitCode;

use clap::Parser;

use crate::report::Report;

/// What a benchmark, or a part of one, comes to.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Benchmarks, each against a named baseline.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which ones: `command`, `download`, `firehose`, `in-flight`, `journal`, `tracked` [default: all]
    names: Vec<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Be a part of a benchmark, as benchmarks themselves ask for
    #[arg(long, hide = true)]
    part: Option<parts::Name>,
}

/// The benchmarks there are.
const NAMES: &[&str] = &["command", "download", "firehose", "in-flight", "journal", "tracked"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.part {
        Some(part) => parts::run(part, &arguments.names).await,
        None => benchmarks(&arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the benchmarks that are asked for.
async fn benchmarks(arguments: &Arguments) -> Outcome {
    if let Some(unknown) = arguments.names.iter().find(|name| !NAMES.contains(&name.as_str())) {
        return Err(format!("there is no benchmark `{unknown}`; there are {}", NAMES.join(", ")).into());
    }
    let mut report = Report::new(arguments.json);
    for name in NAMES {
        if !arguments.names.is_empty() && !arguments.names.iter().any(|wanted| wanted == name) {
            continue;
        }
        match *name {
            "command" => command::run(&mut report).await?,
            "download" => download::run(&mut report).await?,
            "firehose" => firehose::run(&mut report).await?,
            "in-flight" => in_flight::run(&mut report).await?,
            "journal" => journal::run(&mut report).await?,
            _ => tracked::run(&mut report).await?,
        }
    }
    Ok(())
}
