//! What time the solver thinks it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The solver's clock: the system's, perhaps with an offset, or one that stands still until a test moves it.
///
/// It drives everything that the solver does with time: timestamps, time limits and the sweep that enforces them, rate limits, and
/// the `Date` of its answers. With a clock moved by hand a time-out of two hours is tested in no time.
///
/// Clones are the same clock: move one, and all have moved.
#[derive(Debug, Clone)]
pub struct Clock(Source);

/// Where the time comes from.
#[derive(Debug, Clone)]
enum Source {
    /// The system's clock, and by how many milliseconds this one is ahead of it.
    System(watch::Sender<i64>),
    /// A clock moved by hand: milliseconds since 1970.
    Manual(watch::Sender<i64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::skewed(0)
    }

    /// A clock that goes as the system's does, `ahead_millis` ahead of it, or behind if that is negative.
    pub fn skewed(ahead_millis: i64) -> Self {
        Self(Source::System(watch::Sender::new(ahead_millis)))
    }

    /// A clock that stands at `unix_millis` until it is moved.
    pub fn manual(unix_millis: i64) -> Self {
        Self(Source::Manual(watch::Sender::new(unix_millis)))
    }

    /// Moves the clock on. One that goes goes on from there.
    pub fn advance(&self, by: Duration) {
        self.hand().send_modify(|hand| *hand = hand.saturating_add(millis(by)));
    }

    /// Sets the clock, also back. One that goes goes on from there.
    pub fn set(&self, unix_millis: i64) {
        let hand = match &self.0 {
            Source::System(_) => unix_millis.saturating_sub(system_now()),
            Source::Manual(_) => unix_millis,
        };
        self.hand().send_replace(hand);
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.with_hand_at(*self.hand().borrow())
    }

    /// Waits until it is `unix_millis` or later.
    pub(super) async fn reached(&self, unix_millis: i64) {
        let mut moved = self.hand().subscribe();
        loop {
            let left = unix_millis.saturating_sub(self.with_hand_at(*moved.borrow_and_update()));
            let Ok(left @ 1..) = u64::try_from(left) else { return };
            let goes = matches!(self.0, Source::System(_));
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)), if goes => {}
                // The sender is ours and lives; there is no error to handle.
                _ = moved.changed() => {}
            }
        }
    }

    /// What tests move: the time itself, or the offset.
    fn hand(&self) -> &watch::Sender<i64> {
        match &self.0 {
            Source::System(hand) | Source::Manual(hand) => hand,
        }
    }

    /// The time with the hand there.
    fn with_hand_at(&self, hand: i64) -> i64 {
        match &self.0 {
            Source::System(_) => system_now().saturating_add(hand),
            Source::Manual(_) => hand,
        }
    }
}

/// The system's time: milliseconds since 1970.
fn system_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
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

    #[tokio::test]
    async fn a_clock_that_goes_is_moved_on_and_wakes_those_who_wait_for_it() {
        let clock = Clock::skewed(-60_000);
        assert!((59_000..=60_000).contains(&(system_now() - clock.now())));
        let later = clock.now() + 3_600_000;
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reached(later).await }
        });
        clock.advance(Duration::from_secs(3_600));
        sleeper.await.unwrap();
        clock.set(1_000);
        assert!((1_000..60_000).contains(&clock.now()), "it goes on from there");
    }
}
