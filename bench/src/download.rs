//! A large result, from the wire to verified files on disk, against `curl URL | tar x` from the same server onto the same file system.
//!
//! The server is the scripted solver, which sends the archive from memory: with a solver that reads it from disk, both sides would wait for that.
//! Our side is a whole process: a client that is made, submits, reads the lists, fetches the result record, downloads, unpacks, computes the content
//! id, moves the folder into place, and accepts. The baseline unpacks and checks nothing.
//!
//! A folder that is kept is written through to the disk before it is accepted. The baseline for that does the same (`sync -f`).

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use lilypad_sdk::{JobRequest, ResultOptions};
use nix::sys::resource::UsageWho;

use crate::Outcome;
use crate::parts::{self, Name, Part, Talk, Usage, client, cpu};
use crate::report::{Figure, Report, median};

/// Counted rounds; one more comes first.
const ROUNDS: usize = 5;
/// Bytes of the result.
const SIZE: u64 = 1 << 30;
/// Bytes of the result to compare memory with.
const TENTH: u64 = SIZE / 10;

/// The client: fetches a result into `folder`, or into a temporary one if that is empty.
pub(crate) async fn part(talk: Talk, url: &str, folder: &str) -> Outcome {
    let start = Instant::now();
    let data = tempfile::tempdir()?;
    let client = client(url, data.path())?;
    let job = client.submit(JobRequest::new("cowsay:v0.0.4")).await?;
    let options = ResultOptions::default();
    let result = job.result_with(if folder.is_empty() { options } else { options.save_to(folder) }).await?;
    let usage = Usage::now(start.elapsed().as_secs_f64())?;
    drop(result);
    talk.say(&usage)
}

/// What one way of fetching took, run by run.
#[derive(Default)]
struct Runs {
    /// From start to end, in seconds.
    whole: Vec<f64>,
    /// Processor time, in seconds.
    cpu: Vec<f64>,
    /// The most memory, in MB.
    peak: Vec<f64>,
}

/// Measures downloads.
pub(crate) async fn run(report: &mut Report) -> Outcome {
    let mut server = Part::start(Name::Solver, &["result", &SIZE.to_string()])?;
    let mut small_server = Part::start(Name::Solver, &["result", &TENTH.to_string()])?;
    let (url, small_url): (String, String) = (server.hear().await?, small_server.hear().await?);
    let [mut ours, mut kept, mut small, mut piped, mut piped_through] = [(); 5].map(|()| Runs::default());
    for round in 0..=ROUNDS {
        let mut runs: [(&mut Runs, &str, Way); 5] = [
            (&mut ours, &url, Way::Ours { kept: false }),
            (&mut piped, &url, Way::Piped { through: false }),
            (&mut kept, &url, Way::Ours { kept: true }),
            (&mut piped_through, &url, Way::Piped { through: true }),
            (&mut small, &small_url, Way::Ours { kept: false }),
        ];
        // Who comes second finds the memory of who came first; so they take turns.
        if round % 2 == 1 {
            runs.swap(0, 1);
            runs.swap(2, 3);
        }
        for (runs, url, way) in runs {
            let (whole, usage) = way.fetch(url).await?;
            if round > 0 {
                runs.whole.push(whole);
                runs.cpu.push(usage.cpu);
                runs.peak.push(usage.peak);
            }
        }
    }
    server.end().await?;
    small_server.end().await?;

    let figure = |name, unit, ours, baseline, against| Figure { name, unit, ours, baseline, against };
    let speed = |runs: &Runs| SIZE as f64 / 1e6 / median(runs.whole.clone());
    let of = |values: &[f64]| median(values.to_vec());
    report.figure(&figure("download, verified", "MB/s", speed(&ours), speed(&piped), "curl | tar x, unverified"));
    report.figure(&figure(
        "download, verified, written through",
        "MB/s",
        speed(&kept),
        speed(&piped_through),
        "curl | tar x; sync -f",
    ));
    report.figure(&figure("processor time of a download", "s", of(&ours.cpu), of(&piped.cpu), "curl | tar x"));
    report.figure(&figure("peak memory of a 1 GB download", "MB", of(&kept.peak), of(&small.peak), "ours, of 0.1 GB"));
    Ok(())
}

/// A way to fetch a result.
#[derive(Clone, Copy)]
enum Way {
    /// By the SDK, into a folder that is kept or a temporary one.
    Ours {
        /// Whether it is kept.
        kept: bool,
    },
    /// By `curl` and `tar`, written through to the disk or not.
    Piped {
        /// Whether it is written through.
        through: bool,
    },
}

impl Way {
    /// Fetches once: seconds of the whole process, and what it used.
    async fn fetch(self, url: &str) -> Outcome<(f64, Usage)> {
        let around = tempfile::Builder::new().prefix("lilypad-bench-").tempdir()?;
        let folder = around.path().join("result");
        // What earlier runs left to write must not slow this one down.
        run_to_end("sync", &[])?;
        let start = Instant::now();
        Ok(match self {
            Self::Ours { kept } => {
                let folder = if kept { folder.to_str().ok_or("a path that is no text")? } else { "" };
                let mut part = Part::start(Name::Download, &[url, folder])?;
                let usage = part.hear().await?;
                let whole = start.elapsed().as_secs_f64();
                part.end().await?;
                (whole, usage)
            }
            Self::Piped { through } => {
                std::fs::create_dir(&folder)?;
                let url = url.to_owned();
                let cpu_before = cpu(UsageWho::RUSAGE_CHILDREN)?;
                tokio::task::spawn_blocking(move || pipe(&url, &folder, through).map_err(|error| error.to_string()))
                    .await??;
                let whole = start.elapsed().as_secs_f64();
                let cpu = cpu(UsageWho::RUSAGE_CHILDREN)? - cpu_before;
                (whole, parts::Usage { seconds: whole, cpu, peak: f64::NAN })
            }
        })
    }
}

/// The baseline.
fn pipe(url: &str, folder: &Path, through: bool) -> Outcome {
    let mut curl = Command::new("curl")
        .args(["--silent", "--fail", &format!("{url}api/v1/deals/any/files")])
        .stdout(Stdio::piped())
        .spawn()?;
    let archive = curl.stdout.take().ok_or("no output")?;
    // It ignores what follows the archive.
    let tar = Command::new("tar").arg("x").arg("-C").arg(folder).stdin(archive).status()?;
    let _ = curl.wait()?;
    if !tar.success() {
        return Err(format!("tar ended with {tar}").into());
    }
    if through { run_to_end("sync", &[OsStr::new("-f"), folder.as_os_str()]) } else { Ok(()) }
}

/// Runs a command that must succeed.
fn run_to_end(command: &str, arguments: &[&OsStr]) -> Outcome {
    let status = Command::new(command).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("`{command}` ended with {status}").into()) }
}
