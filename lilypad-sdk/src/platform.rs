//! What differs between native targets and the browser: tasks, timers and clocks.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorKind, Result};

pub(crate) use tokio::task::AbortHandle;
pub(crate) use tokio::time::{Instant, sleep, timeout};

/// Runs `future` on its own; the handle stops it.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    tokio::spawn(future).abort_handle()
}

/// Does work that waits for disks where it keeps nobody else waiting. A call that is dropped lets it run to its end and drops what it made.
pub(crate) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(Error::new(ErrorKind::Closed, operation).with_source(cancelled)),
        },
    }
}

/// Does work that waits for disks, with nobody waiting for it. May be called from anywhere, and goes on when the caller's runtime ends.
pub(crate) fn detach_blocking(work: impl FnOnce() + Send + 'static) {
    if let Err(error) = std::thread::Builder::new().name("lilypad-disk".into()).spawn(work) {
        tracing::error!(%error, "could not start a thread");
    }
}

/// Runs `future` on its own, so that it goes on whether or not anybody polls for it; stops it when the caller is dropped.
///
/// # Errors
/// [`ErrorKind::Closed`] if the runtime ends before it does.
pub(crate) async fn apart<T: Send + 'static>(
    operation: &'static str,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T> {
    /// Stops a task when it is dropped.
    struct Stop(AbortHandle);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let (sender, outcome) = tokio::sync::oneshot::channel();
    // Nobody may be waiting any more when it is done.
    let _stop = Stop(spawn(async move { _ = sender.send(future.await) }));
    outcome.await.map_err(|_| {
        Error::new(ErrorKind::Closed, operation).with_message("the runtime is shutting down, or the call panicked")
    })
}

/// This machine's clock, in milliseconds since 1970.
pub(crate) fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
