//! Keeping within what the solver allows.
//!
//! The solver counts requests by client address and path without query, over a sliding window, and every answer says how many are left
//! (PROTOCOL.md, section 5). A request waits here until it is likely to be taken, so that a 429 is rare; when one comes all the same,
//! because somebody else shares the address, it only means another wait.
//!
//! Requests to one path leave in the order in which they came, so that no job waits for ever behind others. Reading and writing queue apart: a
//! thousand offers that wait must not keep the client from learning what became of those that left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::sync::Notify;

use super::clock::parse_http_date;
use crate::platform::{Instant, sleep};

/// No wait is longer, whatever a header asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Windows beyond this many are forgotten when they are over: every deal has paths of its own.
const REMEMBERED_PATHS: usize = 1024;

/// Paces requests by path.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    windows: Mutex<HashMap<String, Window>>,
    queues: Mutex<HashMap<(String, Lane), Queue>>,
    changed: Notify,
}

/// Who waits for a path: the lock is fair, so its holder has waited longest.
type Queue = Arc<tokio::sync::Mutex<()>>;

/// Which queue a request waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// It asks for something.
    Read,
    /// It sends something.
    Write,
}

/// What is known of one path.
#[derive(Debug, Clone, Copy)]
enum Window {
    /// Nothing yet: one request finds out, others wait for its answer.
    Asking,
    /// Answers carry no limit.
    Open,
    /// So many more requests until then.
    Limited {
        /// Requests that may still be sent.
        left: u32,
        /// Requests sent and not yet answered.
        in_flight: u32,
        /// When `left` is worth nothing any more.
        until: Instant,
    },
}

impl Pacer {
    fn windows(&self) -> MutexGuard<'_, HashMap<String, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request to `path` is likely to be taken. The permit must be settled with the answer, or dropped if there is none.
    pub(super) async fn admit(&self, path: &str, lane: Lane) -> Permit<'_> {
        let queue = self.queue(path, lane);
        let _first = queue.lock().await;
        loop {
            let changed = self.changed.notified();
            match self.try_admit(path) {
                Verdict::Go => return Permit { pacer: self, path: path.to_owned(), settled: false },
                Verdict::WaitForAnswer => changed.await,
                Verdict::WaitFor(pause) => {
                    tracing::debug!(path, ?pause, "waiting for the solver's rate limit");
                    sleep(pause).await;
                }
            }
        }
    }

    /// The queue for a path.
    fn queue(&self, path: &str, lane: Lane) -> Queue {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if queues.len() > REMEMBERED_PATHS {
            // Whoever waits holds a second reference.
            queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        queues.entry((path.to_owned(), lane)).or_default().clone()
    }

    fn try_admit(&self, path: &str) -> Verdict {
        let now = Instant::now();
        let mut windows = self.windows();
        if windows.len() > REMEMBERED_PATHS {
            windows.retain(|_, window| match window {
                Window::Limited { in_flight, until, .. } => *in_flight > 0 || *until > now,
                Window::Asking => true,
                Window::Open => false,
            });
        }
        match windows.get_mut(path) {
            None => {
                windows.insert(path.to_owned(), Window::Asking);
                Verdict::Go
            }
            Some(Window::Asking) => Verdict::WaitForAnswer,
            Some(Window::Open) => Verdict::Go,
            Some(Window::Limited { left, in_flight, until }) => {
                if *left == 0 && *until <= now {
                    // A new window: its first answer tells how much the sliding count of the old one leaves.
                    if *in_flight > 0 {
                        return Verdict::WaitForAnswer;
                    }
                    *left = 1;
                }
                if *left == 0 {
                    return Verdict::WaitFor(until.saturating_duration_since(now));
                }
                *left -= 1;
                *in_flight += 1;
                Verdict::Go
            }
        }
    }

    fn update(&self, path: &str, change: impl FnOnce(Option<Window>) -> Option<Window>) {
        let mut windows = self.windows();
        let before = windows.get(path).copied();
        match change(before) {
            Some(after) => windows.insert(path.to_owned(), after),
            None => windows.remove(path),
        };
        drop(windows);
        self.changed.notify_waiters();
    }
}

/// Whether a request may leave.
enum Verdict {
    Go,
    WaitForAnswer,
    WaitFor(Duration),
}

/// One request's leave to go.
#[must_use = "settle it with the answer's headers"]
pub(super) struct Permit<'a> {
    pacer: &'a Pacer,
    path: String,
    settled: bool,
}

impl Permit<'_> {
    /// Learns from an answer. Returns how long to wait if it was refused for its rate.
    pub(super) fn settle(mut self, headers: &HeaderMap, refused: bool) -> Duration {
        self.settled = true;
        let limits = Limits::read(headers);
        let now = Instant::now();
        let mut wait = Duration::ZERO;
        self.pacer.update(&self.path, |before| {
            let others = match before {
                Some(Window::Limited { in_flight, .. }) => in_flight.saturating_sub(1),
                _ => 0,
            };
            let Some(limits) = limits else { return (!refused).then_some(Window::Open) };
            let (left, pause) = match (refused, limits.left) {
                (true, _) => (0, limits.after_refusal),
                (false, 0) => (0, limits.until_reset),
                (false, left) => (left.saturating_sub(others), limits.until_reset),
            };
            wait = pause.min(LONGEST_WAIT);
            Some(Window::Limited { left, in_flight: others, until: now + wait })
        });
        if refused && wait.is_zero() { Duration::from_secs(1) } else { wait }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        self.pacer.update(&self.path, |before| match before {
            Some(Window::Limited { left, in_flight, until }) => {
                Some(Window::Limited { left, in_flight: in_flight.saturating_sub(1), until })
            }
            Some(Window::Open) => Some(Window::Open),
            Some(Window::Asking) | None => None,
        });
    }
}

/// What an answer's headers say.
struct Limits {
    /// Requests left in this window.
    left: u32,
    /// Time to the next window.
    until_reset: Duration,
    /// How long to wait after a 429: to the next window if it is this one that is full; but right after a reset the old window still
    /// counts in part, and then one request's share of the window is enough.
    after_refusal: Duration,
}

impl Limits {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
        let left = u32::try_from(number("x-ratelimit-remaining")?).unwrap_or(0);
        let reset = number("x-ratelimit-reset")?;
        // The solver's own clock, so that ours may be off.
        let now = headers.get("date").and_then(|date| parse_http_date(date.to_str().ok()?))?;
        let until_reset = Duration::from_secs(u64::try_from(reset.saturating_sub(now)).unwrap_or(0));
        let window = u64::try_from(number("retry-after").unwrap_or(10)).unwrap_or(10).clamp(1, 60);
        let limit = u64::try_from(number("x-ratelimit-limit").unwrap_or(1)).unwrap_or(1).max(1);
        let share = Duration::from_millis(window * 1000 / limit);
        let window = Duration::from_secs(window);
        let just_reset = until_reset <= window && until_reset + share >= window;
        let after_refusal = if just_reset { share } else { until_reset.max(share) };
        Some(Self { left, until_reset, after_refusal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(left: u32, until_reset: i64, refused: bool) -> HeaderMap {
        let now = std::time::SystemTime::now();
        let unix = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
        let mut headers = HeaderMap::new();
        headers.insert("date", httpdate::fmt_http_date(now).parse().unwrap());
        headers.insert("x-ratelimit-limit", "5".parse().unwrap());
        headers.insert("x-ratelimit-remaining", left.into());
        headers.insert("x-ratelimit-reset", (unix + until_reset).into());
        if refused {
            headers.insert("retry-after", "10".parse().unwrap());
        }
        headers
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_for_the_next_window_when_none_is_left() {
        let pacer = Pacer::default();
        let start = Instant::now();
        let _ = pacer.admit("/deals", Lane::Read).await.settle(&answer(0, 7, false), false);
        let _other_path = pacer.admit("/job_offers", Lane::Write).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        let _second = pacer.admit("/deals", Lane::Read).await;
        assert!(start.elapsed() >= Duration::from_secs(6), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_leave_only_as_the_first_answer_allows() {
        let pacer = Pacer::default();
        let first = pacer.admit("/job_offers", Lane::Write).await;
        let second = pacer.admit("/job_offers", Lane::Write);
        tokio::pin!(second);
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        let _ = first.settle(&answer(1, 7, false), false);
        let second = second.await;
        let third = pacer.admit("/job_offers", Lane::Write);
        tokio::pin!(third);
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        drop(second);
    }

    #[tokio::test(start_paused = true)]
    async fn a_solver_without_limits_is_not_slowed_down() {
        let pacer = Pacer::default();
        let start = Instant::now();
        let _ = pacer.admit("/deals", Lane::Read).await.settle(&HeaderMap::new(), false);
        for _ in 0..1000 {
            let _ = pacer.admit("/deals", Lane::Read).await.settle(&HeaderMap::new(), false);
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_does_not_hold_up_the_others() {
        let pacer = Pacer::default();
        drop(pacer.admit("/deals", Lane::Read).await);
        let _next = pacer.admit("/deals", Lane::Read).await;
    }

    #[tokio::test(start_paused = true)]
    async fn no_header_makes_anybody_wait_for_ever() {
        let pacer = Pacer::default();
        let wait = pacer.admit("/deals", Lane::Read).await.settle(&answer(0, 1_000_000, true), true);
        assert_eq!(wait, LONGEST_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_leave_in_the_order_in_which_they_came() {
        let pacer = Pacer::default();
        let _ = pacer.admit("/job_offers", Lane::Write).await.settle(&answer(0, 10, false), false);
        let order = Mutex::new(Vec::new());
        let requests = (0..12).map(|number| {
            let (pacer, order) = (&pacer, &order);
            async move {
                let permit = pacer.admit("/job_offers", Lane::Write).await;
                order.lock().unwrap().push(number);
                let left = 4 - number % 5;
                let _ = permit.settle(&answer(left, 10, false), false);
            }
        });
        futures_util::future::join_all(requests).await;
        assert_eq!(order.into_inner().unwrap(), (0..12).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn reading_does_not_wait_behind_a_thousand_offers() {
        let pacer = Arc::new(Pacer::default());
        let _ = pacer.admit("/job_offers", Lane::Write).await.settle(&answer(0, 10, false), false);
        let offers: Vec<_> = (0..1000)
            .map(|_| {
                let pacer = pacer.clone();
                tokio::spawn(async move {
                    let _ = pacer.admit("/job_offers", Lane::Write).await.settle(&answer(0, 10, false), false);
                })
            })
            .collect();
        let start = Instant::now();
        tokio::task::yield_now().await;
        for _ in 0..2 {
            let _ = pacer.admit("/job_offers", Lane::Read).await.settle(&answer(0, 10, false), false);
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
        offers.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
