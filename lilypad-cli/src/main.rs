//! The `lilypad` command: thin over `lilypad-sdk` and `lilypad-localnet`.
//!
//! Standard output carries the job's own output, or JSON; everything for people goes to standard error.

mod args;
mod commands;
mod exit;
mod interrupt;
mod progress;
mod session;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.verbose {
        tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .init();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("could not start: {error}");
            return ExitCode::from(exit::TROUBLE);
        }
    };
    let json = arguments.global.json;
    let outcome = runtime.block_on(run(arguments));
    // Whatever is still under way (a download given up, a socket) must not hold up the end.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            if json {
                // Nothing more can be done about an output that cannot be written.
                let _ = commands::print_json(&exit::describe(&error));
            }
            exit::code(&error)
        }
    }
}

async fn run(arguments: Arguments) -> lilypad_sdk::Result<ExitCode> {
    let global = arguments.global;
    match arguments.command {
        Command::Run(options) => commands::run::run(&global, options).await,
        Command::Submit(options) => commands::submit::run(&global, options).await,
        Command::Plan(options) => commands::plan::run(&global, options).await,
        Command::Status(options) => commands::jobs::status(&global, options).await,
        Command::Result(options) => commands::result::run(&global, options).await,
        Command::Jobs(options) => commands::jobs::list(&global, options).await,
        Command::Cancel(options) => commands::jobs::cancel(&global, options).await,
        Command::Journal(arguments) => commands::journal::run(&global, &arguments).await,
        Command::Module(command) => commands::module::run(&global, command).await,
        Command::Local(command) => commands::local::run(command).await,
        Command::Cid(options) => commands::cid::run(&options),
    }
}
