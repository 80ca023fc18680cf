//! Work that waits for disks.

use crate::error::{Error, ErrorKind, Result};

/// Runs `work` where it keeps nobody else waiting. A call that is dropped lets it run to its end and drops what it made.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(Error::new(ErrorKind::Closed, "use the disk").with_source(cancelled)),
        },
    }
}
