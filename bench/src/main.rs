//! Benchmarks, each against a named baseline. Run by `cargo xtask bench`.

mod command;
mod report;

use std::process::ExitCode;

use clap::Parser;

use crate::report::Report;

/// Benchmarks, each against a named baseline.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which ones: `command` [default: all]
    names: Vec<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// The benchmarks there are.
const NAMES: &[&str] = &["command"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(unknown) = arguments.names.iter().find(|name| !NAMES.contains(&name.as_str())) {
        eprintln!("error: there is no benchmark `{unknown}`; there are {}", NAMES.join(", "));
        return ExitCode::FAILURE;
    }
    let mut report = Report::new(arguments.json);
    let wanted = |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|wanted| wanted == name);
    if wanted("command")
        && let Err(error) = command::run(&mut report).await
    {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
