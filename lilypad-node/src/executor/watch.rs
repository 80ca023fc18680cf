//! When a program has to stop.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Failure;

/// Knows when a program has to stop: its time is over, or nobody wants it any more.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    cancelled: CancellationToken,
    limit: Duration,
    /// `None` where the limit lies beyond what a clock can show: never.
    deadline: Option<Instant>,
}

impl Watch {
    /// Starts the time of a program.
    pub(super) fn start(limit: Duration, cancelled: CancellationToken) -> Self {
        Self { cancelled, limit, deadline: Instant::now().checked_add(limit) }
    }

    /// An error if the program has to stop. Cheap enough to ask at every call that a program makes.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.cancelled.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Failure::TimedOut(self.limit)),
            _ => Ok(()),
        }
    }

    /// Lets `duration` pass, unless the program has to stop before.
    pub(super) async fn sleep(&self, duration: Duration) -> Result<(), Failure> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let pause = left.map_or(duration, |left| left.min(duration));
        // No result to look at: whichever of the two ended the pause, `check` knows.
        let _ = self.cancelled.run_until_cancelled(tokio::time::sleep(pause)).await;
        self.check()
    }
}
