//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Run jobs on Lilypad, a decentralised network of GPUs and CPUs.
///
/// Exit status: 0 success, 1 the job failed, 2 bad usage or input, 3 network or solver trouble, 4 gave up waiting while the job goes on.
#[derive(Debug, Parser)]
#[command(name = "lilypad", version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    /// Say what happens underneath, on standard error
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command that meets a network.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Global {
    /// The network: testnet, demonet, devnet, dev or local [default: $LILYPAD_NETWORK or testnet]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// The solver's URL, instead of looking it up on the chain [default: $LILYPAD_SOLVER_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) solver_url: Option<String>,
    /// The folder for what is kept [default: $LILYPAD_DATA_DIR or the platform's place]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Global {
    /// The command line that comes back to a job sent under these options.
    pub(crate) fn way_back(&self, id: &lilypad_sdk::JobId) -> String {
        let mut line = format!("lilypad result {id}");
        for (option, value) in [("--network", &self.network), ("--solver-url", &self.solver_url)] {
            if let Some(value) = value {
                line.push_str(&format!(" {option} {value}"));
            }
        }
        line
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a job and wait for its result
    Run(RunArguments),
    /// Send a job and print its id
    Submit(JobArguments),
    /// Show what a job would send, cost and make public, without sending it
    Plan(PlanArguments),
    /// Show how far a job is
    Status(JobId),
    /// Wait for a job's result and fetch it
    Result(ResultArguments),
    /// List your jobs
    Jobs(JobsArguments),
    /// Give a job up, and say what that could stop
    Cancel(JobId),
    /// Check the journal of your jobs on this machine
    Journal(JournalArguments),
    /// Check, render or make a module
    #[command(subcommand)]
    Module(ModuleCommand),
    /// A whole network on this machine
    #[command(subcommand)]
    Local(LocalCommand),
    /// Print the content id of a file or folder, as `ipfs add -Qrn` would
    Cid(CidArguments),
}

/// What makes a job.
#[derive(Debug, Args)]
pub(crate) struct JobArguments {
    /// The module: name:ref, host/owner/repo:ref, a URL with a ref, or a folder
    pub(crate) module: String,
    /// An input, taken literally. `Key=@path` reads a file, `Key=@-` standard input, `Key=@@text` stands for `@text`
    #[arg(short, long = "input", value_name = "KEY=VALUE")]
    pub(crate) inputs: Vec<String>,
    /// A file for the job's /inputs
    #[arg(long = "file", value_name = "NAME=PATH")]
    pub(crate) files: Vec<String>,
    /// A folder whose files go to the job's /inputs
    #[arg(long, value_name = "DIR")]
    pub(crate) inputs_path: Option<PathBuf>,
    /// Only this provider may take the job
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) target: Option<String>,
    /// Make this repeatable: the same key gives the same job, also after a crash
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
}

/// On which network.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PlaceArguments {
    /// Use a network of its own, on this machine, for the time of the command
    #[arg(long, conflicts_with_all = ["network", "solver_url"])]
    pub(crate) local: bool,
}

/// How to wait and where to put the result.
#[derive(Debug, Clone, Args)]
pub(crate) struct WaitArguments {
    /// Put the result's files into this folder, which must not exist yet, be empty, or hold this very result
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Stop waiting after this long (30, 30s, 5m, 2h); the job goes on
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Take a non-zero exit code of the job as success
    #[arg(long)]
    pub(crate) allow_exit_code: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) job: JobArguments,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    #[command(flatten)]
    pub(crate) wait: WaitArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) job: JobArguments,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct JobId {
    /// The job's id
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct ResultArguments {
    /// The job's id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) wait: WaitArguments,
}

#[derive(Debug, Args)]
pub(crate) struct JobsArguments {
    /// Only the newest so many
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct JournalArguments {
    /// Put damaged lines aside and go on with the rest
    #[arg(long)]
    pub(crate) repair: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModuleCommand {
    /// Look for mistakes in a module
    Check {
        /// The module: a folder, name:ref, host/owner/repo:ref, or a URL with a ref
        module: String,
    },
    /// Print what a module's template gives for some inputs
    Render {
        /// The module: a folder, name:ref, host/owner/repo:ref, or a URL with a ref
        module: String,
        /// An input, taken literally. `Key=@path` reads a file, `Key=@-` standard input
        #[arg(short, long = "input", value_name = "KEY=VALUE")]
        inputs: Vec<String>,
    },
    /// Make a new module in a folder that does not exist yet
    New {
        /// The folder
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Start a network on this machine and keep it until Ctrl-C
    Up {
        /// The solver's port. 0: any free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// How many providers
        #[arg(long, default_value_t = 1)]
        providers: usize,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CidArguments {
    /// A file or folder
    pub(crate) path: PathBuf,
}

/// Reads `30`, `30s`, `1.5m` or `2h`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|character: char| character.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let number = number.trim_end();
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        other => return Err(format!("`{other}` is no unit of time; write 30, 30s, 5m or 2h")),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    Duration::try_from_secs_f64(number * scale).map_err(|_| format!("`{text}` is no length of time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert!(duration("5 parsecs").unwrap_err().contains("no unit of time"));
        assert!(duration("5d").unwrap_err().contains("no unit of time"));
        assert!(duration("-1").unwrap_err().contains("no length of time"));
    }
}
