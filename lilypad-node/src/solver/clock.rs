//! What time the solver thinks it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The solver's clock: the system's, or one that a test moves by hand.
///
/// It drives everything that the solver does with time: timestamps, time limits and the sweep that enforces them, rate limits, and
/// the `Date` of its answers. With a clock moved by hand a time-out of two hours is tested in no time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

/// Where the time comes from.
#[derive(Debug, Clone)]
enum Source {
    /// The system's clock.
    System,
    /// A clock moved by hand: milliseconds since 1970.
    Manual(watch::Sender<i64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `unix_millis` until it is moved. Its clones move with it.
    pub fn manual(unix_millis: i64) -> Self {
        Self(Source::Manual(watch::Sender::new(unix_millis)))
    }

    /// Moves a clock that is moved by hand.
    ///
    /// # Panics
    /// On the system's clock, which nobody can move.
    pub fn advance(&self, by: Duration) {
        self.hand().send_modify(|now| *now += millis(by));
    }

    /// Sets a clock that is moved by hand.
    ///
    /// # Panics
    /// On the system's clock, which nobody can move.
    pub fn set(&self, unix_millis: i64) {
        self.hand().send_replace(unix_millis);
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        match &self.0 {
            Source::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis),
            Source::Manual(now) => *now.borrow(),
        }
    }

    /// Waits until it is `unix_millis` or later.
    pub(super) async fn reached(&self, unix_millis: i64) {
        match &self.0 {
            Source::System => {
                let left = u64::try_from(unix_millis - self.now()).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(left)).await;
            }
            Source::Manual(now) => {
                // The sender is ours and lives; there is no error to handle.
                let _ = now.subscribe().wait_for(|now| *now >= unix_millis).await;
            }
        }
    }

    /// The hand of a clock that has one.
    fn hand(&self) -> &watch::Sender<i64> {
        match &self.0 {
            Source::Manual(now) => now,
            Source::System => panic!("the system's clock cannot be moved; use Clock::manual"),
        }
    }
}

/// A duration in whole milliseconds, as timestamps count them.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_moved_by_hand_wakes_those_who_wait_for_it() {
        let clock = Clock::manual(1_000);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reached(11_000).await }
        });
        clock.advance(Duration::from_secs(10));
        sleeper.await.unwrap();
        assert_eq!(clock.now(), 11_000);
    }
}
