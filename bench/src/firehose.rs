//! The events of others, at full speed: what they cost a client that has a job open, against a reader that does nothing with them.
//!
//! A solver tells every client everything. Ours is a whole client with one job; its own events come first and last, and the time between the two
//! is what the others' took. The baseline reads the same bytes with `tokio-tungstenite` as it comes, drops each frame, and counts.

use std::time::Instant;

use futures_util::StreamExt;
use lilypad_sdk::JobRequest;
use lilypad_sdk::protocol::AgreementState;
use tokio_tungstenite::tungstenite::Message;

use crate::Outcome;
use crate::parts::{Name, Part, Talk, Usage, client};
use crate::report::{Figure, Report, median};

/// Counted rounds; one more comes first.
const ROUNDS: usize = 7;
/// Frames of others in a round: 2 to 10 kB each.
const FRAMES: usize = 200 * 1024;

/// The client.
pub(crate) async fn part(talk: Talk, url: &str) -> Outcome {
    let data = tempfile::tempdir()?;
    let client = client(url, data.path())?;
    let job = client.submit(JobRequest::new("cowsay:v0.0.4")).await?;
    let (mut events, mut start) = (job.events(), None);
    while let Some(event) = events.next().await {
        match event.view.state {
            AgreementState::DEAL_AGREED => start = Some(Instant::now()),
            AgreementState::UPLOADING => break,
            _ => {}
        }
    }
    let seconds = start.ok_or("the first event of the job did not come")?.elapsed().as_secs_f64();
    talk.say(&Usage::now(seconds)?)
}

/// The baseline.
pub(crate) async fn bare(talk: Talk, url: &str, frames: usize) -> Outcome {
    let url = format!("{}api/v1/ws?&Type=Bare&ID=0x0", url.replace("http:", "ws:"));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    // In a task, as a client has it.
    let reading = tokio::spawn(async move {
        let (mut start, mut count) = (None, 0);
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(_) = message {
                start.get_or_insert_with(Instant::now);
                count += 1;
                if count == frames + 2 {
                    break;
                }
            }
        }
        start.filter(|_| count == frames + 2).map(|start| start.elapsed().as_secs_f64())
    });
    let seconds = reading.await?.ok_or("the socket closed early")?;
    talk.say(&Usage::now(seconds)?)
}

/// Measures the firehose.
pub(crate) async fn run(report: &mut Report) -> Outcome {
    let frames = FRAMES.to_string();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for turn in 0..2 {
            let is_ours = (round + turn) % 2 == 0;
            let mut server = Part::start(Name::Solver, &["events", &frames])?;
            let url: String = server.hear().await?;
            let mut reader = if is_ours {
                Part::start(Name::Firehose, &[&url])?
            } else {
                Part::start(Name::BareSocket, &[&url, &frames])?
            };
            let usage: Usage = reader.hear().await?;
            reader.end().await?;
            server.end().await?;
            if round > 0 {
                if is_ours { &mut ours } else { &mut bare }.push(usage);
            }
        }
    }
    let figure = |name, unit, ours, baseline| Figure { name, unit, ours, baseline, against: "bare tokio-tungstenite" };
    let speed = |runs: &[Usage]| FRAMES as f64 / median(runs.iter().map(|usage| usage.seconds).collect());
    let cpu = |runs: &[Usage]| median(runs.iter().map(|usage| usage.cpu).collect()) / FRAMES as f64 * 1e6;
    report.figure(&figure("events of others, skipped", "1/s", speed(&ours), speed(&bare)));
    report.figure(&figure("processor time an event of others", "us", cpu(&ours), cpu(&bare)));
    Ok(())
}
