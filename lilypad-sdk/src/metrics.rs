//! Counters that a service can read.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a client has done since it was made. Numbers only grow.
        ///
        /// Read them with [`Client::metrics`](crate::Client::metrics) as often as you like: they cost nothing.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Metrics {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Metrics {
            /// Each with its name, to hand on to a monitoring system.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }

        /// The numbers while they grow.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $($(#[$doc])* pub(crate) $name: Counter,)*
        }

        impl Counters {
            /// The numbers now.
            pub(crate) fn read(&self) -> Metrics {
                Metrics { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

metrics! {
    /// Requests sent to the solver, each attempt for itself.
    requests,
    /// Requests that got no answer: no connection, a broken one, a time-out.
    requests_unanswered,
    /// Answers that were refusals, rate limits included.
    requests_refused,
    /// Answers that were refusals for the rate of requests.
    rate_limited,
    /// Event sockets that were opened.
    sockets_opened,
    /// Event sockets that broke or were closed by the other side.
    sockets_lost,
    /// Events heard, everybody's.
    events,
    /// Events heard that were about jobs of this key.
    events_own,
    /// Times that the solver's lists were read to learn what was missed.
    reconciliations,
    /// Offers that the solver took.
    jobs_submitted,
    /// Offers that were sent again, after a refusal or because the first was not taken.
    offers_repeated,
    /// Submissions that were found done under their idempotency key.
    jobs_recalled,
    /// Jobs followed here whose result was accepted.
    jobs_succeeded,
    /// Jobs followed here that failed.
    jobs_failed,
    /// Jobs followed here that a time limit ended.
    jobs_timed_out,
    /// Results received, verified and on disk.
    results_received,
    /// Results that were not what was promised, and were thrown away.
    results_refused,
    /// Bytes of results that arrived, also of those that were thrown away.
    result_bytes,
    /// Deals that were not about the offer that was posted, and were not believed.
    deals_refused,
}

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_name() {
        let counters = Counters::default();
        counters.jobs_submitted.increment();
        counters.result_bytes.add(7);
        let metrics = counters.read();
        assert_eq!(
            metrics.iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>(),
            [("jobs_submitted", 1), ("result_bytes", 7)]
        );
    }
}
