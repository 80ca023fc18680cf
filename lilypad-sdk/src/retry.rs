//! The one retry loop.
//!
//! Whether a call may be repeated is a value, not a habit: [`Idempotence`]. A call that moves money is repeated only when the other
//! side said that it did nothing.

use std::future::Future;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::platform::{Instant, sleep};

/// How long a rate limit is waited for at least, however brief the policy.
const PATIENCE_WITH_LIMITS: Duration = Duration::from_secs(60);

/// What doing a call twice does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotence {
    /// The same as doing it once: reading, or writing what is already there.
    Repeatable,
    /// Perhaps twice as much: repeated only after an explicit refusal.
    Once,
}

/// How long and how often a call is tried.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The first pause; doubles up to `longest_pause`.
    pub first_pause: Duration,
    /// No pause is longer, also when the other side asks for more.
    pub longest_pause: Duration,
    /// No attempt begins later than this after the first; for [`transfers`](Self::transfers), the time that attempts themselves took does not count.
    pub budget: Duration,
    /// Whether only pauses count against the budget.
    pub only_pauses: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(15),
            budget: Duration::from_secs(60),
            only_pauses: false,
        }
    }
}

impl RetryPolicy {
    /// For calls that somebody waits for: no attempt begins later than 10 s after the first.
    pub fn brief() -> Self {
        Self { budget: Duration::from_secs(10), ..Self::default() }
    }

    /// For what may take long by itself, such as a download: a minute of pauses in all, however long the attempts between them took.
    pub fn transfers() -> Self {
        Self { only_pauses: true, ..Self::default() }
    }

    /// The pause before attempt `attempt + 1`: half of it fixed, half random, so that many clients don't come back together.
    fn pause(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << attempt.min(16));
        let wanted = asked.map_or(doubled, |asked| asked.max(self.first_pause)).min(self.longest_pause);
        wanted / 2 + wanted.mul_f64(rand::random::<f64>() / 2.0)
    }
}

/// Calls `attempt` until it succeeds, its error is permanent, or the budget is used up.
///
/// # Errors
/// The last attempt's.
pub async fn retry<T, F, Fut>(policy: RetryPolicy, idempotence: Idempotence, mut attempt: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let start = Instant::now();
    let mut trying = Duration::ZERO;
    for count in 0.. {
        let began = Instant::now();
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        trying += began.elapsed();
        // A full disk does not empty itself while everything is fetched again.
        let here = error.kind() == ErrorKind::Io;
        let may_repeat =
            error.is_retryable() && !here && (idempotence == Idempotence::Repeatable || !error.may_have_acted());
        // What asks for a certain pause asks for all of it: coming back earlier is refused again.
        let pause = match error.retry_after() {
            Some(asked) => asked.min(policy.longest_pause) + policy.pause(0, None),
            None => policy.pause(count, None),
        };
        // Whoever says when to come back will answer then.
        let budget = match error.retry_after() {
            Some(_) => policy.budget.max(PATIENCE_WITH_LIMITS),
            None => policy.budget,
        };
        let spent = if policy.only_pauses { start.elapsed().saturating_sub(trying) } else { start.elapsed() };
        if !may_repeat || spent + pause > budget {
            return Err(error);
        }
        tracing::debug!(%error, ?pause, "trying again");
        sleep(pause).await;
    }
    Err(Error::new(ErrorKind::Internal, "retry a call"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn attempts(idempotence: Idempotence, error: impl Fn() -> Error) -> u32 {
        let count = AtomicU32::new(0);
        let outcome: Result<()> = retry(RetryPolicy::default(), idempotence, || async {
            if count.fetch_add(1, Ordering::Relaxed) < 3 { Err(error()) } else { Ok(()) }
        })
        .await;
        let _ = outcome;
        count.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_that_broke_after_an_hour_is_tried_again() {
        let attempts = AtomicU32::new(0);
        let outcome: Result<()> = retry(RetryPolicy::transfers(), Idempotence::Repeatable, || async {
            sleep(Duration::from_secs(3600)).await;
            match attempts.fetch_add(1, Ordering::Relaxed) {
                0..3 => Err(Error::new(ErrorKind::Connection, "fetch result files")),
                _ => Ok(()),
            }
        })
        .await;
        assert!(outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_done_is_not_done_again_unless_that_is_harmless() {
        let lost = || Error::new(ErrorKind::Connection, "post job offer").maybe_done();
        assert_eq!(attempts(Idempotence::Once, lost).await, 1);
        assert_eq!(attempts(Idempotence::Repeatable, lost).await, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn an_explicit_refusal_may_be_answered_by_another_try() {
        let busy = || Error::new(ErrorKind::NetworkBusy, "post job offer");
        assert_eq!(attempts(Idempotence::Once, busy).await, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permanent_refusal_is_not_repeated() {
        let refused = || Error::new(ErrorKind::VersionRejected, "post job offer");
        assert_eq!(attempts(Idempotence::Repeatable, refused).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_is_not_filled_again() {
        let full = || Error::new(ErrorKind::Io, "unpack result").retryable();
        assert_eq!(attempts(Idempotence::Repeatable, full).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_is_honoured_and_clamped() {
        let start = Instant::now();
        attempts(Idempotence::Repeatable, || {
            Error::new(ErrorKind::RateLimited, "list deals").with_retry_after(Duration::from_secs(2))
        })
        .await;
        assert!(start.elapsed() >= Duration::from_secs(6), "{:?}", start.elapsed());
        let start = Instant::now();
        let brief: Result<()> = retry(RetryPolicy::brief(), Idempotence::Repeatable, || async {
            match start.elapsed() < Duration::from_secs(12) {
                true => Err(Error::new(ErrorKind::RateLimited, "list deals").with_retry_after(Duration::from_secs(10))),
                false => Ok(()),
            }
        })
        .await;
        assert!(brief.is_ok(), "a rate limit is waited for, however brief the policy");
        let start = Instant::now();
        attempts(Idempotence::Repeatable, || {
            Error::new(ErrorKind::RateLimited, "list deals").with_retry_after(Duration::from_secs(86_400))
        })
        .await;
        assert!(start.elapsed() < Duration::from_secs(61), "{:?}", start.elapsed());
    }
}
