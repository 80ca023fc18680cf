//! What writing jobs down before they leave costs.
//!
//! The same jobs with the journal on disk and with none, against the benchmark's own small solver: a real one would be most of what is measured. One after
//! another, each offer waits for the disk by itself; many at once share a wait.

use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use lilypad_sdk::{JobRequest, JournalMode};

use crate::Outcome;
use crate::parts::{Name, Part, Talk, Usage, client_with};
use crate::report::{Figure, Report, median};

/// Counted rounds.
const ROUNDS: usize = 5;
/// Jobs of a round.
const JOBS: usize = 400;

/// The client: submits the jobs, `at_once` at a time, and says what that took.
pub(crate) async fn part(talk: Talk, url: &str, at_once: usize, journal: bool) -> Outcome {
    let data = tempfile::tempdir()?;
    let mode = if journal { JournalMode::DataDir } else { JournalMode::Off };
    let client = client_with(url, data.path(), mode)?;
    // The module, the connection and the socket are there before anything is measured.
    let mut jobs = vec![client.submit(JobRequest::new("cowsay").input("Message", "moo")).await?];
    let (start, before) = (Instant::now(), Usage::now(0.0)?);
    let submitting = stream::iter(0..JOBS).map(|_| client.submit(JobRequest::new("cowsay").input("Message", "moo")));
    jobs.extend(submitting.buffer_unordered(at_once).try_collect::<Vec<_>>().await?);
    let mut usage = Usage::now(start.elapsed().as_secs_f64())?;
    usage.cpu -= before.cpu;
    talk.say(&usage)?;
    drop(jobs);
    Ok(())
}

/// Measures the journal.
pub(crate) async fn run(report: &mut Report) -> Outcome {
    for (name, cpu, at_once) in [
        ("submit a job, one after another", "processor time a job, one after another", 1),
        ("submit a job, 64 at once", "processor time a job, 64 at once", 64),
    ] {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            with.push(round(at_once, true).await?);
            without.push(round(at_once, false).await?);
        }
        let each = |runs: &[Usage], of: fn(&Usage) -> f64| median(runs.iter().map(of).collect()) / JOBS as f64;
        let against = "the same without a journal";
        let (ours, baseline) = (each(&with, |usage| usage.seconds), each(&without, |usage| usage.seconds));
        report.figure(&Figure { name, unit: "s", ours, baseline, against });
        let (ours, baseline) = (each(&with, |usage| usage.cpu), each(&without, |usage| usage.cpu));
        report.figure(&Figure { name: cpu, unit: "s", ours, baseline, against });
    }
    Ok(())
}

/// One round, with a solver of its own.
async fn round(at_once: usize, journal: bool) -> Outcome<Usage> {
    let mut solver = Part::start(Name::Solver, &["jobs"])?;
    let url: String = solver.hear().await?;
    let mut part = Part::start(Name::Journal, &[&url, &at_once.to_string(), &journal.to_string()])?;
    let usage: Usage = part.hear().await?;
    part.end().await?;
    solver.end().await?;
    Ok(usage)
}
