//! The whole command, as a user starts it: one `lilypad run` a job, against a solver and a provider in this process.
//!
//! Two baselines. The reference client's figures for the same steps were recorded on one machine, with everything on loopback and a job
//! that does nothing (release 2.23.0); they are no measurement of this run. In this run, `curl` is measured beside the command: what
//! it takes a process to start and make one request of the same solver is what no client can go below.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lilypad_localnet::LocalNetwork;
use lilypad_sdk::protocol::{AgreementState, Event, EventType, json};
use lilypad_sdk::solver::{Role, SolverApi, SolverApiOptions};
use nix::sys::resource::UsageWho;

use crate::Outcome;
use crate::parts::cpu;
use crate::report::{Figure, Report, median};

/// Counted runs; one more comes first.
const RUNS: usize = 15;
/// Events that do not come in this time will not come.
const PATIENCE: Duration = Duration::from_secs(30);
/// The recorded baseline.
pub(crate) const REFERENCE: &str = "reference client 2.23.0 (recorded)";
/// The baseline of this run.
const CURL: &str = "curl, one request";

/// What one run of the command took.
struct Run {
    /// From its start to its offer at the solver, in seconds.
    to_offer: f64,
    /// From the result's record at the solver to the result's acceptance, in seconds.
    to_result: f64,
    /// From its start to its end, in seconds.
    whole: f64,
    /// Processor time of user and system, in seconds.
    cpu: f64,
    /// The most memory that was resident at a time, in MB. Two thirds of it are pages of the program's file.
    peak: f64,
}

/// Measures the command.
pub(crate) async fn run(report: &mut Report) -> Outcome {
    let network = LocalNetwork::start().await?;
    let command = command_beside_this()?;
    let data = std::env::temp_dir().join(format!("lilypad-bench-{}", std::process::id()));
    let mut runs = Vec::with_capacity(RUNS);
    let mut curls = Vec::with_capacity(RUNS);
    for count in 0..=RUNS {
        let run = once(&network, &command, &data).await?;
        let curl = curl_once(&network).await?;
        if count > 0 {
            runs.push(run);
            curls.push(curl);
        }
    }
    let of = |field: fn(&Run) -> f64| median(runs.iter().map(field).collect());
    let curl = median(curls);
    let figure = |name, unit, ours, baseline, against| Figure { name, unit, ours, baseline, against };
    report.figure(&figure("command start to offer accepted", "s", of(|run| run.to_offer), 0.75, REFERENCE));
    report.figure(&figure("result ready to result accepted", "s", of(|run| run.to_result), 4.8, REFERENCE));
    report.figure(&figure("processor time a job", "s", of(|run| run.cpu), 0.65, REFERENCE));
    report.figure(&figure("peak memory of the command", "MB", of(|run| run.peak), 56.0, REFERENCE));
    report.figure(&figure("command start to offer accepted", "s", of(|run| run.to_offer), curl, CURL));
    report.figure(&figure("whole command, no-op job", "s", of(|run| run.whole), curl, CURL));
    network.stop().await;
    let _ = (std::fs::remove_dir_all(&data), std::fs::remove_file(data.with_extension("peak")));
    Ok(())
}

/// The `lilypad` command that was built beside this program.
pub(crate) fn command_beside_this() -> Outcome<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("lilypad");
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("{} is missing; run `cargo xtask bench`", path.display()).into())
    }
}

/// Runs the command once and watches the solver meanwhile.
async fn once(network: &LocalNetwork, command: &Path, data: &Path) -> Outcome<Run> {
    let watcher = SolverApi::new(network.solver_url(), network.wallet(), &SolverApiOptions::default())?;
    let mut socket = watcher.events(Role::JobCreator).await?;
    let watching = tokio::spawn(async move {
        let (mut offered, mut ready) = (None, None);
        loop {
            let text = tokio::time::timeout(PATIENCE, socket.next()).await.map_err(|_| "an event did not come")?;
            let event: Event = json::from_str(&text.map_err(|error| error.to_string())?).map_err(|_| "bad event")?;
            if event.event_type == EventType::JOB_OFFER_ADDED {
                offered = Some(Instant::now());
            }
            if let Some(deal) = event.deal.filter(|_| event.event_type == EventType::DEAL_STATE_UPDATED) {
                if deal.state == AgreementState::RESULTS_SUBMITTED && ready.is_none() {
                    ready = Some(Instant::now());
                }
                if deal.state == AgreementState::RESULTS_ACCEPTED {
                    return Ok::<_, String>((offered, ready, Instant::now()));
                }
            }
        }
    });
    let peak_file = data.with_extension("peak");
    let before = cpu(UsageWho::RUSAGE_CHILDREN)?;
    let start = Instant::now();
    // By way of `time`, because a process that this one starts itself counts this one's memory as its own.
    let mut child = Command::new("/usr/bin/time")
        .args(["--format=%M", "--output"])
        .arg(&peak_file)
        .arg(command)
        .args(["run", "cowsay:v0.0.4", "-i", "Message=moo", "--network", "local"])
        .arg("--solver-url")
        .arg(network.solver_url().as_str())
        .arg("--data-dir")
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = tokio::task::spawn_blocking(move || child.wait()).await??;
    let whole = start.elapsed();
    if !status.success() {
        return Err(format!("the command ended with {status}").into());
    }
    let cpu = cpu(UsageWho::RUSAGE_CHILDREN)? - before;
    let (offered, ready, accepted) = watching.await??;
    let (Some(offered), Some(ready)) = (offered, ready) else { return Err("an event is missing".into()) };
    Ok(Run {
        to_offer: offered.duration_since(start).as_secs_f64(),
        to_result: accepted.duration_since(ready).as_secs_f64(),
        whole: whole.as_secs_f64(),
        cpu,
        peak: std::fs::read_to_string(&peak_file)?.trim().parse::<f64>()? / 1024.0,
    })
}

/// One request by `curl`, from start to end, in seconds.
async fn curl_once(network: &LocalNetwork) -> Outcome<f64> {
    let url = network.solver_url().join("api/v1/job_offers?job_creator=0x0")?;
    let start = Instant::now();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", url.as_str()]).stdout(Stdio::null());
    let status = tokio::task::spawn_blocking(move || curl.status()).await??;
    let whole = start.elapsed().as_secs_f64();
    if status.success() { Ok(whole) } else { Err(format!("curl ended with {status}").into()) }
}
