//! Ten thousand open jobs in one client, against a thousand: what following costs, and how it grows.
//!
//! The solver is the scripted one, which holds as many open jobs as it is given; a real one refuses more than 1000 that nobody has taken. The client
//! submits all jobs through the public API. Then every job moves on without an event while the sockets drop: the client has to notice, connect
//! again, and learn everything from the lists.

use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use lilypad_sdk::JobRequest;
use lilypad_sdk::protocol::AgreementState;

use crate::Outcome;
use crate::parts::{Name, Part, Talk, Usage, client};
use crate::report::{Figure, Report, median};
use crate::solver::Counts;

/// Counted rounds.
const ROUNDS: usize = 3;
/// Jobs that are followed.
const MANY: usize = 10_000;
/// Jobs to compare with.
const FEW: usize = 1_000;
/// Offers on their way at once.
const AT_ONCE: usize = 32;

/// The client: submits `count` jobs and says so; when told, waits until every job has moved on, and says what that took.
pub(crate) async fn part(mut talk: Talk, url: &str, count: usize) -> Outcome {
    let data = tempfile::tempdir()?;
    let client = client(url, data.path())?;
    let submitting = stream::iter(0..count)
        .map(|index| client.submit(JobRequest::new("cowsay:v0.0.4").inputs([("Message", index.to_string())])));
    let jobs: Vec<_> = submitting.buffer_unordered(AT_ONCE).try_collect().await?;
    talk.say(&Usage::now(0.0)?)?;
    talk.hear().await.ok_or("the benchmark is gone")?;
    let start = Instant::now();
    talk.say(&())?;
    for job in &jobs {
        let mut events = job.events();
        while job.state() != AgreementState::UPLOADING {
            events.next().await.ok_or("a job ended early")?;
        }
    }
    talk.say(&Usage::now(start.elapsed().as_secs_f64())?)
}

/// What a round came to.
struct Round {
    /// Before and after catching up.
    submitted: Usage,
    caught_up: Usage,
    /// What the solver was asked in the whole round.
    counts: Counts,
}

/// Measures tracking.
pub(crate) async fn run(report: &mut Report) -> Outcome {
    let (mut many, mut few) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        many.push(round(MANY).await?);
        few.push(round(FEW).await?);
    }
    let of = |rounds: &[Round], field: fn(&Round) -> f64| median(rounds.iter().map(field).collect());
    let against = "1,000 open jobs";
    let mut figure = |name, unit, field: fn(&Round) -> f64| {
        report.figure(&Figure { name, unit, ours: of(&many, field), baseline: of(&few, field), against });
    };
    figure("peak memory, 10,000 submitted", "MB", |round| round.submitted.peak);
    figure("peak memory, 10,000 caught up with", "MB", |round| round.caught_up.peak);
    figure("sockets, one drop included", "", |round| round.counts.sockets as f64);
    figure("list calls, one drop included", "", |round| round.counts.lists as f64);
    figure("list of deals", "MB", |round| round.counts.list_bytes as f64 / 1e6);
    figure("socket dropped to all jobs known again", "s", |round| round.caught_up.seconds);
    Ok(())
}

/// One client with `count` jobs, from start to end.
async fn round(count: usize) -> Outcome<Round> {
    let mut solver = Part::start(Name::Solver, &["jobs"])?;
    let url: String = solver.hear().await?;
    let mut client = Part::start(Name::Tracked, &[&url, &count.to_string()])?;
    let submitted = client.hear().await?;
    client.ask::<()>("watch").await?;
    solver.ask::<Counts>("advance").await?;
    let caught_up = client.hear().await?;
    let counts = solver.ask("counts").await?;
    client.end().await?;
    solver.end().await?;
    Ok(Round { submitted, caught_up, counts })
}
