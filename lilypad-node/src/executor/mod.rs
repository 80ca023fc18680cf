//! Runs a job's WASM program in a sandbox.
//!
//! [`run`] takes a [`Task`] and leaves a result as the protocol wants it: files `stdout`, `stderr` and `exitCode`, and a folder for
//! each output. The program sees WASI preview 1 and nothing else of this machine: its arguments and environment, the job's inputs at
//! `/inputs`, folders to write to, clocks and randomness. There is no network.
//!
//! # How it is held
//!
//! - *Time*: the program runs in slices of fuel; between two, and at every call that it makes, the wall clock and the cancellation
//!   are looked at. A program that sleeps holds no thread.
//! - *Memory*: the interpreter asks before memory grows. It must be built with its feature `portable-dispatch`: the faster kind
//!   relies on the optimiser to turn its calls into jumps, and where that fails, a mere endless loop overflows this process's stack.
//! - *Files*: names live in memory, bytes in numbered scratch files (see `tree`), so that no path can lead outside. What is
//!   written is counted before it is.
//!
//! # Why WASI is our own
//!
//! The interpreter has a ready-made WASI in `wasmi_wasi`. It stands on `wasi-common`, which its authors have given up; its sleep
//! holds the thread and cannot be ended, nothing in it limits what a program writes, it opens the machine's real folders, and it
//! brings seventy crates, where the calls here need none besides the interpreter.
//!
//! # Where it differs from Bacalhau
//!
//! A `_start` that just returns ends with exit code 0, as WASI has it, not −1. The modules that it runs need no name section.

mod failure;
mod machine;
mod quota;
mod tree;
mod wasi;
mod watch;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

pub use self::failure::Failure;
use self::machine::{Machine, Pause};
use self::tree::is_plain;
use self::watch::Watch;

/// A program and all that it is given.
#[derive(Debug, Clone)]
pub struct Task {
    /// The program: a WASM module.
    pub program: Arc<[u8]>,
    /// The function that it begins with, without parameters and results. Empty: `_start`.
    pub entry_point: String,
    /// Its arguments, without a name of the program before them.
    pub arguments: Vec<String>,
    /// Its environment: names and values.
    pub environment: Vec<(String, String)>,
    /// A folder of this machine whose files the program sees at `/inputs`. It may change what it sees; the folder stays as it is.
    pub inputs: Option<PathBuf>,
    /// The folders that make up the result.
    pub outputs: Vec<Output>,
    /// What the program may use.
    pub limits: Limits,
}

/// A folder that the program fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The folder's name in the result.
    pub name: String,
    /// Its absolute path in the program's eyes, such as `/outputs`. It exists when the program starts.
    pub path: String,
}

/// What a program may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run, by the clock on the wall.
    pub time: Duration,
    /// The most bytes of memory.
    pub memory: u64,
    /// The most bytes that its files, stdout and stderr may hold together. Inputs count once the program writes to them.
    pub output_bytes: u64,
    /// The most files and folders that it may see at any time, inputs included.
    pub files: u32,
}

impl Default for Limits {
    /// Half an hour, 1 GiB of memory, 1 GiB of output, 10,000 files.
    fn default() -> Self {
        Self { time: Duration::from_secs(1800), memory: 1 << 30, output_bytes: 1 << 30, files: 10_000 }
    }
}

/// How a program ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Execution {
    /// The code that it ended with.
    pub exit_code: i32,
    /// How long it took, from loading the program to the finished result.
    pub time: Duration,
    /// How much it did: the interpreter's fuel, roughly one an instruction.
    pub fuel: u64,
}

/// Runs `task` and leaves its result in `result_dir`, an existing folder that is best empty.
///
/// A program that ends with a non-zero exit code has a result. When `cancel` fires, or the returned future is dropped, the program
/// stops within a fraction of a second.
///
/// # Errors
///
/// A [`Failure`] if the program could not be run to its end, or its files could not be kept. `result_dir` then holds as much of
/// `stdout` and `stderr` as there is, and nothing that can be mistaken for a result: no `exitCode`.
pub async fn run(task: Task, result_dir: &Path, cancel: CancellationToken) -> Result<Execution, Failure> {
    let started = Instant::now();
    check_outputs(&task.outputs)?;
    // A child, so that dropping this future stops the program too, and nothing else.
    let stop = cancel.child_token();
    let _stop_on_drop = stop.clone().drop_guard();
    let watch = Watch::start(task.limits.time, stop);
    let result_dir = result_dir.to_owned();

    let outputs = task.outputs.clone();
    let mut machine = {
        let (result_dir, watch) = (result_dir.clone(), watch.clone());
        blocking(move || Machine::load(&task, &result_dir, watch)).await?
    };
    let exit_code = loop {
        let (paused, pause) = blocking(move || machine.run()).await?;
        machine = paused;
        match pause {
            Pause::Ended(exit_code) => break exit_code,
            Pause::Sleep(duration) => watch.sleep(duration).await?,
        }
    };
    blocking(move || {
        let fuel = machine.collect(&outputs, &result_dir)?;
        // The last file, as the sign that the others are complete.
        let path = result_dir.join("exitCode");
        fs::write(&path, exit_code.to_string()).map_err(Failure::host("write", &path))?;
        Ok(Execution { exit_code, time: started.elapsed(), fuel })
    })
    .await
}

/// Does `work` on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and everything with it.
            Err(_) => Err(Failure::Cancelled),
        },
    }
}

/// An error unless every output has a place of its own in the program's eyes and in the result.
fn check_outputs(outputs: &[Output]) -> Result<(), Failure> {
    let mut names = HashSet::from(["stdout", "stderr", "exitCode"]);
    let mut paths: Vec<Vec<&str>> = Vec::new();
    for Output { name, path } in outputs {
        if !is_plain(name) || !names.insert(name) {
            return Err(Failure::Task(format!("the output name `{name}` is no folder name, or is taken")));
        }
        let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if !path.starts_with('/') || parts.is_empty() || parts.contains(&"..") {
            return Err(Failure::Task(format!("the output path `{path}` is not the absolute path of a folder")));
        }
        if let Some(other) = paths.iter().find(|other| other.starts_with(&parts) || parts.starts_with(other)) {
            return Err(Failure::Task(format!("the output path `{path}` overlaps with `/{}`", other.join("/"))));
        }
        paths.push(parts);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
