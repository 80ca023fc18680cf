//! Many jobs at once from one client, on a whole local network in another process.
//!
//! Baselines: the same client with one job after another, and a process of the `lilypad` command for each job; and what was recorded once of the
//! reference client, which is a process a job too.

use std::process::{Command, Stdio};
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use lilypad_localnet::LocalNetwork;
use lilypad_sdk::JobRequest;
use nix::sys::resource::UsageWho;

use crate::Outcome;
use crate::command::{REFERENCE, command_beside_this};
use crate::parts::{Name, Part, Talk, Usage, client, cpu};
use crate::report::{Figure, Report, median};

/// Counted rounds.
const ROUNDS: usize = 3;
/// Jobs in flight at once.
const JOBS: usize = 200;
/// How long each takes, in seconds: long enough that all have begun before the first ends.
const SECONDS: &str = "5";
/// Processes of the command that run at once.
const PROCESSES: usize = 8;

/// The network: its URL first, then nothing until it is to end.
pub(crate) async fn network(mut talk: Talk, slots: usize) -> Outcome {
    let network = LocalNetwork::builder().slots(slots).start().await?;
    talk.say(&network.solver_url().as_str())?;
    while talk.hear().await.is_some() {}
    network.stop().await;
    Ok(())
}

/// The client: runs `count` jobs, `at_once` at a time, and holds all results until the end.
pub(crate) async fn part(talk: Talk, url: &str, count: usize, at_once: usize, seconds: &str) -> Outcome {
    let start = Instant::now();
    let data = tempfile::tempdir()?;
    let client = client(url, data.path())?;
    let running = stream::iter(0..count).map(|_| async {
        let job = client.submit(JobRequest::new("sleep:v0.0.1").inputs([("Seconds", seconds)])).await?;
        job.result().await
    });
    let results: Vec<_> = running.buffer_unordered(at_once).try_collect().await?;
    talk.say(&Usage::now(start.elapsed().as_secs_f64())?)?;
    drop(results);
    Ok(())
}

/// Measures jobs in flight.
pub(crate) async fn run(report: &mut Report) -> Outcome {
    let [mut together, mut in_turn, mut alone] = [(); 3].map(|()| Vec::new());
    let mut processes = Vec::new();
    for _ in 0..ROUNDS {
        together.push(client_runs(JOBS, JOBS, SECONDS).await?);
        in_turn.push(client_runs(JOBS, 1, "0").await?);
        alone.push(client_runs(1, 1, "0").await?);
        processes.push(command_runs().await?);
    }

    let figure = |name, unit, ours, baseline, against| Figure { name, unit, ours, baseline, against };
    let each = |runs: &[Usage]| median(runs.iter().map(|usage| usage.cpu).collect()) / JOBS as f64;
    let peak = |runs: &[Usage]| median(runs.iter().map(|usage| usage.peak).collect());
    let (together_cpu, process_cpu) = (each(&together), median(processes) / JOBS as f64);
    let name = "processor time a job, 200 in flight";
    report.figure(&figure(name, "s", together_cpu, each(&in_turn), "one after another"));
    report.figure(&figure(name, "s", together_cpu, process_cpu, "a `lilypad` process each"));
    report.figure(&figure(name, "s", together_cpu, 0.65, REFERENCE));
    report.figure(&figure("peak memory, 200 in flight", "MB", peak(&together), peak(&alone), "one job"));
    let name = "peak memory a job, 200 in flight";
    report.figure(&figure(name, "MB", peak(&together) / JOBS as f64, 56.0, REFERENCE));
    Ok(())
}

/// A network that remembers nothing: what a client reads from its solver's lists grows with the jobs of its key.
async fn new_network() -> Outcome<(Part, String)> {
    let mut network = Part::start(Name::Network, &[&JOBS.to_string()])?;
    let url = network.hear().await?;
    Ok((network, url))
}

/// Runs the client once.
async fn client_runs(count: usize, at_once: usize, seconds: &str) -> Outcome<Usage> {
    let (network, url) = new_network().await?;
    let mut part = Part::start(Name::Jobs, &[&url, &count.to_string(), &at_once.to_string(), seconds])?;
    let usage = part.hear().await?;
    part.end().await?;
    network.end().await?;
    Ok(usage)
}

/// Runs a process of the command for each job. Processor time of all of them, in seconds.
async fn command_runs() -> Outcome<f64> {
    let (network, url) = new_network().await?;
    let (command, data) = (command_beside_this()?, tempfile::tempdir()?);
    let before = cpu(UsageWho::RUSAGE_CHILDREN)?;
    let running = stream::iter(0..JOBS).map(|_| {
        let mut process = Command::new(&command);
        process.args(["run", "sleep:v0.0.1", "-i", "Seconds=0", "--network", "local", "--solver-url", &url]);
        process.arg("--data-dir").arg(data.path()).stdout(Stdio::null()).stderr(Stdio::null());
        tokio::task::spawn_blocking(move || process.status())
    });
    let ended: Vec<_> = running.buffer_unordered(PROCESSES).try_collect().await?;
    for status in ended {
        let status = status?;
        if !status.success() {
            return Err(format!("the command ended with {status}").into());
        }
    }
    // The network has not ended, so it does not count yet.
    let used = cpu(UsageWho::RUSAGE_CHILDREN)? - before;
    network.end().await?;
    Ok(used)
}
