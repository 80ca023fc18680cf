//! How many requests a client may send.
//!
//! The reference solver counts per client and path in fixed windows, and lets the window before fade out: of its requests as many
//! still count as that window overlaps the last window's length.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;

use super::clock::millis;
use super::options::RateLimit;

/// Milliseconds from the first day of year 1, from which the reference solver counts its windows, to 1970.
const YEAR_ONE_TO_UNIX: i64 = 62_135_596_800_000;

/// Counts requests per client and path.
#[derive(Debug)]
pub(super) struct RateLimiter {
    /// The most requests in a window.
    limit: i64,
    /// The window's length in milliseconds.
    window: i64,
    /// When the window of `latest` began.
    since: i64,
    /// Requests in the latest window.
    latest: HashMap<String, u32>,
    /// Requests in the window before.
    previous: HashMap<String, u32>,
}

/// What the limiter says to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether the request may go on.
    pub(super) allowed: bool,
    /// The most requests in a window.
    pub(super) limit: i64,
    /// How many more may come.
    pub(super) remaining: i64,
    /// When the window ends, in seconds since 1970.
    pub(super) reset: i64,
    /// What a refused client is told to wait: the window's length in seconds.
    pub(super) retry_after: i64,
}

impl RateLimiter {
    /// Nobody has sent anything yet.
    pub(super) fn new(limit: &RateLimit) -> Self {
        Self {
            limit: limit.requests.into(),
            window: millis(limit.window).max(1),
            since: i64::MIN,
            latest: HashMap::new(),
            previous: HashMap::new(),
        }
    }

    /// Counts a request of `client` for `path`, unless it is one too many.
    pub(super) fn take(&mut self, client: &str, path: &str, now: i64) -> Verdict {
        let into = (now + YEAR_ONE_TO_UNIX).rem_euclid(self.window);
        self.turn_to(now - into);

        let key = format!("{client}:{path}");
        let latest = self.latest.get(&key).copied().unwrap_or(0);
        let previous = self.previous.get(&key).copied().unwrap_or(0);
        let faded = f64::from(previous) * (self.window - into) as f64 / self.window as f64;
        let rate = (faded + f64::from(latest)).round() as i64;

        let allowed = rate < self.limit;
        if allowed {
            self.latest.insert(key, latest + 1);
        }
        Verdict {
            allowed,
            limit: self.limit,
            remaining: self.limit - rate - i64::from(allowed),
            reset: (self.since + self.window).div_euclid(1000),
            retry_after: self.window / 1000,
        }
    }

    /// Begins the window at `start`, forgetting those that no longer count.
    fn turn_to(&mut self, start: i64) {
        if self.since == start {
            return;
        }
        let follows = self.since.checked_add(self.window) == Some(start);
        let latest = std::mem::take(&mut self.latest);
        self.previous = if follows { latest } else { HashMap::new() };
        self.since = start;
    }
}

/// Who a request counts for: the address that a proxy in front names, else that of the connection. Of an IPv6 address, its network.
pub(super) fn client_of(headers: &HeaderMap, peer: IpAddr) -> String {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    let named = header("true-client-ip")
        .or_else(|| header("x-real-ip"))
        .or_else(|| header("x-forwarded-for").map(|list| list.split(", ").next().unwrap_or(list)));
    match named {
        Some(named) => named.parse().map_or_else(|_| named.to_owned(), network_of),
        None => network_of(peer),
    }
}

/// The part of an address that stands for one client.
fn network_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limiter() -> RateLimiter {
        RateLimiter::new(&RateLimit::new(5, Duration::from_secs(10)))
    }

    #[test]
    fn the_sixth_request_of_a_window_is_refused_and_told_when_it_ends() {
        let mut limiter = limiter();
        for remaining in (0..5).rev() {
            let verdict = limiter.take("::1", "/deals", 1_795_365_072_000);
            assert_eq!((verdict.allowed, verdict.remaining), (true, remaining));
        }
        assert_eq!(
            limiter.take("::1", "/deals", 1_795_365_076_000),
            Verdict { allowed: false, limit: 5, remaining: 0, reset: 1_795_365_080, retry_after: 10 }
        );
        assert!(limiter.take("::1", "/job_offers", 1_795_365_076_000).allowed);
        assert!(limiter.take("::2", "/deals", 1_795_365_076_000).allowed);
    }

    #[test]
    fn the_window_before_fades_out() {
        let mut limiter = limiter();
        for _ in 0..5 {
            limiter.take("a", "/deals", 9_000);
        }
        assert!(!limiter.take("a", "/deals", 10_900).allowed, "4.55 of 5 still count, which rounds to 5");
        assert_eq!(limiter.take("a", "/deals", 15_000).remaining, 1, "2.5 of 5 still count, which rounds to 3");
        assert_eq!(limiter.take("a", "/deals", 30_000).remaining, 4, "nothing of two windows ago counts");
    }

    #[test]
    fn a_proxy_names_its_client() {
        let peer = IpAddr::from([127, 0, 0, 1]);
        let mut headers = HeaderMap::new();
        assert_eq!(client_of(&headers, peer), "127.0.0.1");
        headers.insert("x-forwarded-for", "203.0.113.9, 10.0.0.1".parse().unwrap());
        assert_eq!(client_of(&headers, peer), "203.0.113.9");
        headers.insert("x-real-ip", "2001:db8:1:2:3:4:5:6".parse().unwrap());
        assert_eq!(client_of(&headers, peer), "2001:db8:1:2::");
    }
}
