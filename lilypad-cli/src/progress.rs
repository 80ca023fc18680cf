//! Telling a person how far a job is: one moving line on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use lilypad_sdk::{Job, JobStatus, JobView};

/// Shows a job's progress on standard error until dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    start: Instant,
}

impl Progress {
    /// Begins with `message`.
    pub(crate) fn start(message: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let progress = Self { bar, start: Instant::now() };
        progress.say(message);
        progress
    }

    /// Says something new.
    fn say(&self, message: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(message.to_owned()),
            None => eprintln!("{message} [{:.1} s]", self.start.elapsed().as_secs_f64()),
        }
    }

    /// Follows `job` until it is over.
    pub(crate) async fn follow(&self, job: &Job) {
        let mut events = job.events();
        let mut last = None;
        while let Some(event) = events.next().await {
            let message = describe(job, &event.view);
            if last.as_ref() != Some(&message) {
                self.say(&message);
                last = Some(message);
            }
        }
        // The end is told by the result.
        std::future::pending::<()>().await;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn describe(job: &Job, view: &JobView) -> String {
    let provider = view.deal.as_ref().map(|deal| format!(" on {}", deal.provider)).unwrap_or_default();
    let what = match view.status {
        JobStatus::Queued => "queued: waiting for a provider".to_owned(),
        JobStatus::Running => format!("running{provider}"),
        JobStatus::Uploading => format!("uploading the result{provider}"),
        JobStatus::Downloading => "fetching the result".to_owned(),
        status => status.to_string(),
    };
    format!("job {}: {what}", job.id())
}
