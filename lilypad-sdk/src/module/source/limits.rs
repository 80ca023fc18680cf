//! Blocking work that a caller can give up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::platform::timeout as timeout_after;

/// How long a conversation with a server may take, and how to end it earlier.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// The longest wait for a connection, and for an answer.
    pub(super) timeout: Duration,
    /// Ends the conversation when set.
    pub(super) interrupt: Arc<AtomicBool>,
}

impl Limits {
    /// The longest wait.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Asks the work to end when nobody waits for it any more.
struct InterruptOnDrop(Arc<AtomicBool>);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` where it keeps nobody else waiting, for at most `timeout`. A caller that gives up interrupts it.
pub(crate) async fn limited<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce(&Limits) -> Result<T> + Send + 'static,
) -> Result<T> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let _guard = InterruptOnDrop(interrupt.clone());
    let limits = Limits { timeout, interrupt };
    match timeout_after(timeout, tokio::task::spawn_blocking(move || work(&limits))).await {
        Ok(Ok(outcome)) => outcome,
        // What a stranger's server says must not end the process, whatever the parser makes of it.
        Ok(Err(source)) => Err(Error::new(ErrorKind::Module, "fetch module")
            .with_message("what the server or repository says makes no sense")
            .with_source(source)),
        Err(_) => Err(Error::new(ErrorKind::Connection, "fetch module")
            .with_message(format_args!("no complete answer within {} s", timeout.as_secs_f32()))
            .with_help("check the connection, then try again")),
    }
}
