//! Processes of their own: what is measured, and what it talks to.
//!
//! A part is this program, started again. The two talk in lines: the part writes what it has to say, the benchmark answers, and a part ends when
//! the benchmark lets go of it.

use std::path::PathBuf;
use std::process::Stdio;

use lilypad_localnet::{bundled_modules, job_creator, network_at};
use lilypad_sdk::network::Environment;
use lilypad_sdk::{Client, JournalMode};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use crate::{Outcome, download, firehose, in_flight, journal, solver, tracked};

/// The parts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    /// A solver that answers from a script.
    Solver,
    /// A whole local network.
    Network,
    /// A client that fetches a result.
    Download,
    /// A client that skips the events of others.
    Firehose,
    /// What reads the same events and does nothing else.
    BareSocket,
    /// A client that runs jobs.
    Jobs,
    /// A client that submits jobs, with a journal or without.
    Journal,
    /// A client that follows jobs.
    Tracked,
}

/// Is a part, with these arguments.
pub(crate) async fn run(name: Name, arguments: &[String]) -> Outcome {
    let talk = Talk::begin();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match (name, arguments.as_slice()) {
        (Name::Solver, script) => solver::part(talk, script).await,
        (Name::Network, [slots]) => in_flight::network(talk, slots.parse()?).await,
        (Name::Download, [url, folder]) => download::part(talk, url, folder).await,
        (Name::Firehose, [url]) => firehose::part(talk, url).await,
        (Name::BareSocket, [url, frames]) => firehose::bare(talk, url, frames.parse()?).await,
        (Name::Jobs, [url, count, at_once, seconds]) => {
            in_flight::part(talk, url, count.parse()?, at_once.parse()?, seconds).await
        }
        (Name::Journal, [url, at_once, kept]) => journal::part(talk, url, at_once.parse()?, kept.parse()?).await,
        (Name::Tracked, [url, count]) => tracked::part(talk, url, count.parse()?).await,
        _ => Err(format!("{name:?} does not take {arguments:?}").into()),
    }
}

/// A part's side of the conversation.
pub(crate) struct Talk(mpsc::Receiver<String>);

impl Talk {
    /// Begins to listen.
    fn begin() -> Self {
        let (sender, words) = mpsc::channel(1);
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self(words)
    }

    /// Tells the benchmark something.
    pub(crate) fn say(&self, word: &impl Serialize) -> Outcome {
        println!("{}", serde_json::to_string(word)?);
        Ok(())
    }

    /// What the benchmark wants next. `None`: nothing more.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        self.0.recv().await
    }
}

/// A benchmark's side of the conversation. The process ends when this is dropped.
pub(crate) struct Part {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts a part.
    pub(crate) fn start(name: Name, arguments: &[&str]) -> Outcome<Self> {
        let name = clap::ValueEnum::to_possible_value(&name).ok_or("a part without a name")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--part", name.get_name()]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let input = child.stdin.take().ok_or("no input")?;
        let output = child.stdout.take().ok_or("no output")?;
        Ok(Self { child, input, output: BufReader::new(output).lines() })
    }

    /// What the part says next.
    pub(crate) async fn hear<T: for<'de> Deserialize<'de>>(&mut self) -> Outcome<T> {
        let line = self.output.next_line().await?.ok_or("a part of the benchmark ended early")?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Asks the part for something, and hears its answer.
    pub(crate) async fn ask<T: for<'de> Deserialize<'de>>(&mut self, word: &str) -> Outcome<T> {
        self.input.write_all(format!("{word}\n").as_bytes()).await?;
        self.hear().await
    }

    /// Lets the part end, and waits for that.
    pub(crate) async fn end(self) -> Outcome {
        let Self { mut child, input, output } = self;
        drop(input);
        let status = child.wait().await?;
        drop(output);
        if status.success() { Ok(()) } else { Err(format!("a part of the benchmark ended with {status}").into()) }
    }
}

/// What a part used of the machine.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// How long what is measured took, in seconds.
    pub(crate) seconds: f64,
    /// Processor time of user and system since the process's start, in seconds.
    pub(crate) cpu: f64,
    /// The most memory that was resident at a time, in MB.
    pub(crate) peak: f64,
}

impl Usage {
    /// Of this process until now.
    pub(crate) fn now(seconds: f64) -> Outcome<Self> {
        // Not what `getrusage` says: a process inherits that from the one that started it.
        let status = std::fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        let peak: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(Self { seconds, cpu: cpu(UsageWho::RUSAGE_SELF)?, peak: peak / 1024.0 })
    }
}

/// Processor time of user and system, in seconds.
pub(crate) fn cpu(who: UsageWho) -> Outcome<f64> {
    let usage = getrusage(who)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// A client of the solver at `url`, as a user would make it. Keeps what it keeps in `folder`.
pub(crate) fn client(url: &str, folder: impl Into<PathBuf>) -> Outcome<Client> {
    client_with(url, folder, JournalMode::default())
}

/// A client that keeps its journal elsewhere, or nowhere.
pub(crate) fn client_with(url: &str, folder: impl Into<PathBuf>, journal: JournalMode) -> Outcome<Client> {
    let builder =
        Client::builder().environment(Environment::default()).network(network_at(url)?).wallet(job_creator()?);
    Ok(builder.bundle(bundled_modules()).data_dir(folder).journal(journal).build()?)
}
