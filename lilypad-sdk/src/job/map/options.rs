//! How to run many jobs.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind};

/// Rows that are under way at once, unless the options say otherwise.
const CONCURRENCY: usize = 16;

/// How to run many jobs. Every field has a default.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MapOptions {
    /// How many rows are under way at once, from their offer to their result in hand. Default: 16. At least 1.
    pub concurrency: usize,
    /// In which order rows come out.
    pub order: RowOrder,
    /// Whether the first row that fails is the last one that comes out: nothing more is sent then; what was sent goes on. Default: `false`.
    pub stop_on_error: bool,
    /// Which rows are run again.
    pub retries: RowRetries,
    /// Makes the whole map repeatable: with the same key and the same rows, rows that were sent before are not sent again, also after a crash.
    /// 1 to 200 bytes, and no more than 20,000 rows.
    pub key: Option<String>,
    /// Put each row's files into the folder of its number in here: `save_to/0`, `save_to/1`. `None`: temporary folders that go with the results.
    pub save_to: Option<PathBuf>,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self {
            concurrency: CONCURRENCY,
            order: RowOrder::default(),
            stop_on_error: false,
            retries: RowRetries::default(),
            key: None,
            save_to: None,
        }
    }
}

/// In which order rows come out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// As they went in. A row that takes long holds up those after it.
    #[default]
    Input,
    /// As they are done.
    Completion,
}

/// Which rows are run again. What happened through no fault of the row's own program deserves another provider; a program that ended with an exit
/// code does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowRetries {
    /// How often a row is offered again that nobody took: no provider in time, or a solver that is too busy. It costs nothing. Default: 2.
    pub unmatched: u32,
    /// How often a row is run again whose provider failed: it could not run it, took too long, or its result was not what it promised. Each run is
    /// paid for. Default: 0.
    pub paid: u32,
}

impl Default for RowRetries {
    fn default() -> Self {
        Self { unmatched: 2, paid: 0 }
    }
}

impl RowRetries {
    /// Runs a row again this often whose provider failed. Each run is paid for.
    #[must_use]
    pub fn paid(mut self, count: u32) -> Self {
        self.paid = count;
        self
    }

    /// Offers a row again this often that nobody took.
    #[must_use]
    pub fn unmatched(mut self, count: u32) -> Self {
        self.unmatched = count;
        self
    }

    /// Whether a row that failed like this is run again; counts it.
    pub(super) fn take(&mut self, error: &Error) -> bool {
        let left = match error.kind() {
            _ if error.may_have_acted() => return false,
            ErrorKind::MatchTimeout | ErrorKind::NetworkBusy | ErrorKind::RateLimited => &mut self.unmatched,
            ErrorKind::JobFailed | ErrorKind::ExecutionTimeout | ErrorKind::JobTimeout | ErrorKind::Integrity => {
                &mut self.paid
            }
            _ => return false,
        };
        let again = *left > 0;
        *left = left.saturating_sub(1);
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_another_provider_could_do_better_is_run_again_and_paid_runs_are_asked_for() {
        let error = |kind| Error::new(kind, "get the result");
        let mut standard = RowRetries::default();
        assert!(standard.take(&error(ErrorKind::MatchTimeout)) && standard.take(&error(ErrorKind::MatchTimeout)));
        assert!(!standard.take(&error(ErrorKind::MatchTimeout)));
        assert!(!standard.take(&error(ErrorKind::JobFailed)));
        let mut paid = RowRetries { unmatched: 0, paid: 1 };
        assert!(!paid.take(&error(ErrorKind::ModuleExit)) && !paid.take(&error(ErrorKind::Connection)));
        assert!(!paid.take(&error(ErrorKind::Integrity).maybe_done()));
        assert!(paid.take(&error(ErrorKind::JobFailed)) && !paid.take(&error(ErrorKind::JobFailed)));
    }
}
