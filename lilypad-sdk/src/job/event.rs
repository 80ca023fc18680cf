//! What happens to a job, in order.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use futures_util::{Stream, StreamExt};

use super::status::JobView;
use super::tracked::Tracked;

/// A change in what is known of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobEvent {
    /// When this client learned of it.
    pub at: SystemTime,
    /// What is known since.
    pub view: JobView,
}

/// A job's events: first those that were already heard, then each as it comes.
///
/// Ends when nothing more can come: when the job is over, when the solver no longer knows it, or when its result waits at the solver and nobody here is fetching it.
#[must_use = "streams do nothing unless polled"]
pub struct JobEvents {
    inner: Pin<Box<dyn Stream<Item = JobEvent> + Send>>,
}

impl JobEvents {
    /// The events of `job`, from the first.
    pub(super) fn of(job: Arc<Tracked>) -> Self {
        let start = (job.subscribe(), job, 0usize);
        let inner = futures_util::stream::unfold(start, |(mut changes, job, next)| async move {
            loop {
                if let Some(event) = job.event(next) {
                    return Some((event, (changes, job, next + 1)));
                }
                if job.is_over() || job.is_forgotten() || (job.has_result() && !job.is_fetched()) {
                    // More may have been logged between the two looks.
                    return job.event(next).map(|event| (event, (changes, job, next + 1)));
                }
                changes.changed().await.ok()?;
            }
        });
        Self { inner: Box::pin(inner.fuse()) }
    }
}

impl Stream for JobEvents {
    type Item = JobEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<JobEvent>> {
        self.inner.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for JobEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JobEvents")
    }
}
