//! What time it is at the solver.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::platform::unix_millis;

/// Below this, the clocks are taken as equal: the `Date` header has whole seconds, and answers take time.
const TOLERANCE_MS: i64 = 2_000;

/// How far the solver's clock is ahead of ours, as its answers' `Date` headers tell. Offers are stamped by it, because a solver refuses
/// stamps that are more than 30 s off (PROTOCOL.md, section 4).
#[derive(Debug, Default)]
pub(super) struct SolverClock {
    ahead_ms: AtomicI64,
    learned: AtomicBool,
}

impl SolverClock {
    /// Learns from the `Date` header of an answer that has just arrived.
    pub(super) fn learn(&self, date: &str) {
        let Some(theirs) = parse_http_date(date) else { return };
        // The header is rounded down: half a second is the best guess of what was cut off.
        let ahead = theirs * 1000 + 500 - unix_millis();
        self.learned.store(true, Ordering::Relaxed);
        self.ahead_ms.store(if ahead.abs() < TOLERANCE_MS { 0 } else { ahead }, Ordering::Relaxed);
    }

    /// Whether any answer has told it.
    pub(super) fn is_learned(&self) -> bool {
        self.learned.load(Ordering::Relaxed)
    }

    /// The solver's time in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        unix_millis() + self.ahead_ms()
    }

    /// How far the solver's clock is ahead of ours, in milliseconds.
    pub(super) fn ahead_ms(&self) -> i64 {
        self.ahead_ms.load(Ordering::Relaxed)
    }
}

/// Reads `Sun, 22 Nov 2026 17:35:55 GMT` as seconds since 1970.
pub(super) fn parse_http_date(date: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(date).ok()?;
    i64::try_from(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_is_followed_and_a_close_one_is_not() {
        let clock = SolverClock::default();
        let in_an_hour = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
        clock.learn(&httpdate::fmt_http_date(in_an_hour));
        assert!((clock.ahead_ms() - 3_600_000).abs() < 2_000, "{}", clock.ahead_ms());
        clock.learn(&httpdate::fmt_http_date(std::time::SystemTime::now()));
        assert_eq!(clock.ahead_ms(), 0);
        clock.learn("yesterday");
        assert_eq!(clock.ahead_ms(), 0);
    }
}
