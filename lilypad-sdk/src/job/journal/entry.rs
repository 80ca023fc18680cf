//! What is written down, and how a line of it looks.

use serde::{Deserialize, Serialize};

use crate::job::status::{DealSummary, JobStatus, JobView};
use crate::protocol::{AgreementState, DataId, DealId, JobId};

/// One thing that happened to a job. The file is a list of these; what is known of a job is their sum.
///
/// Nothing secret is in them: ids, times, the module's public name, a folder of this machine, and the caller's own idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// An offer is about to leave.
    Offered(Offered),
    /// The solver is known to have taken the offer.
    Taken {
        /// The job.
        job: JobId,
    },
    /// The solver is known not to have taken the offer, and can not do so any more.
    NotTaken {
        /// The job.
        job: JobId,
    },
    /// A result is about to be received into a folder that is kept.
    Receiving {
        /// The job.
        job: JobId,
        /// Where it goes, and what it must be.
        into: Receiving,
    },
    /// The job came to its end.
    Ended {
        /// The job.
        job: JobId,
        /// How.
        end: Ended,
    },
}

/// An offer that is about to leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offered {
    /// The job's id.
    pub(crate) job: JobId,
    /// The offer's stamp, by the solver's clock, in milliseconds since 1970.
    pub(crate) stamped_ms: i64,
    /// The same moment by this machine's clock.
    pub(crate) at_ms: i64,
    /// The module, as the offer names it.
    pub(crate) module: String,
    /// Whether a non-zero exit code is a result like any other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) allow_exit_code: bool,
    /// The idempotency key, if the caller gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<KeyUse>,
    /// The offer that this one takes the place of: the same job, stamped earlier and not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<JobId>,
}

/// An idempotency key, and what it was used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyUse {
    /// The key.
    pub(crate) key: String,
    /// What was asked for under it: the content id of the offer without stamp and nonce, and of its files.
    pub(crate) request: String,
}

/// A folder that a result goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receiving {
    /// The deal whose result it is.
    pub(crate) deal: DealId,
    /// The content id that the folder must have.
    pub(crate) data: DataId,
    /// The folder, absolute.
    pub(crate) folder: std::path::PathBuf,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// For people.
    status: String,
    /// In the wire's own words.
    state: u8,
    /// Its deal, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deal: Option<EndedDeal>,
}

/// The deal of a job that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct EndedDeal {
    /// Its id.
    id: DealId,
    /// The provider's address.
    provider: String,
    /// When it was made.
    agreed_at_ms: i64,
    /// When the result arrived at the solver.
    uploaded_at_ms: i64,
}

impl Ended {
    /// The end that `view` shows.
    pub(crate) fn of(view: &JobView) -> Self {
        Self {
            status: view.status.as_str().to_owned(),
            state: view.state.0,
            deal: view.deal.as_ref().map(|deal| EndedDeal {
                id: deal.id.clone(),
                provider: deal.provider.clone(),
                agreed_at_ms: deal.agreed_at_ms,
                uploaded_at_ms: deal.uploaded_at_ms,
            }),
        }
    }

    /// Whether this end takes the place of one that was known: the first end stays, but a result in hand is more than a time-out.
    pub(super) fn outweighs(&self, known: &Self) -> bool {
        let succeeded = |end: &Self| end.status == JobStatus::Succeeded.as_str();
        succeeded(self) && !succeeded(known)
    }

    /// What is known of the job. `None` for a status that this release does not know.
    pub(crate) fn view(&self) -> Option<JobView> {
        let deal = self.deal.clone().map(|deal| DealSummary {
            id: deal.id,
            provider: deal.provider,
            agreed_at_ms: deal.agreed_at_ms,
            uploaded_at_ms: deal.uploaded_at_ms,
        });
        Some(JobView { status: JobStatus::from_name(&self.status)?, state: AgreementState(self.state), deal })
    }
}

impl Entry {
    /// The job that it is about.
    pub(crate) fn job(&self) -> &JobId {
        match self {
            Self::Offered(offered) => &offered.job,
            Self::Taken { job } | Self::NotTaken { job } | Self::Receiving { job, .. } | Self::Ended { job, .. } => job,
        }
    }

    /// Adds its line to `text`: the CRC-32 of the rest in eight hexadecimal digits, a space, JSON, a line feed. JSON has no line feeds of its
    /// own, so a line that does not end with one was torn off.
    pub(super) fn write(&self, text: &mut Vec<u8>) {
        let json = match serde_json::to_vec(self) {
            Ok(json) => json,
            // No entry has anything that JSON cannot say: folders are checked before they get here.
            Err(error) => return tracing::error!(%error, "an entry that cannot be written was left out of the journal"),
        };
        text.extend_from_slice(format!("{:08x} ", crc32fast::hash(&json)).as_bytes());
        text.extend_from_slice(&json);
        text.push(b'\n');
    }

    /// Reads a line, without its line feed; says what is wrong with it.
    pub(super) fn read(line: &[u8]) -> Result<Self, &'static str> {
        let (sum, json) = line.split_at_checked(9).ok_or("it is too short")?;
        let sum = std::str::from_utf8(sum).ok().and_then(|sum| sum.strip_suffix(' '));
        let sum = sum.and_then(|sum| u32::from_str_radix(sum, 16).ok()).ok_or("it does not begin with a checksum")?;
        if sum != crc32fast::hash(json) {
            return Err("its checksum does not hold");
        }
        serde_json::from_slice(json).map_err(|_| "it was written by another release")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::journal::tests::{job, offered};

    #[test]
    fn a_line_reads_as_it_was_written() {
        let end = JobView { status: JobStatus::Failed, state: AgreementState(16), deal: None };
        for entry in [
            Entry::Offered(offered(1)),
            Entry::Offered(Offered {
                key: Some(KeyUse { key: "a \"key\"\nof two lines".into(), request: "Qm".into() }),
                replaces: Some(job(2)),
                ..offered(1)
            }),
            Entry::Ended { job: job(1), end: Ended::of(&end) },
            Entry::NotTaken { job: job(1) },
        ] {
            let mut line = Vec::new();
            entry.write(&mut line);
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            assert_eq!(Entry::read(&line[..line.len() - 1]), Ok(entry));
        }
        assert_eq!(Ended::of(&end).view(), Some(end));
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let mut line = Vec::new();
        Entry::Offered(offered(1)).write(&mut line);
        line.pop();
        for place in 0..line.len() {
            let mut changed = line.clone();
            changed[place] ^= 4;
            assert!(Entry::read(&changed).is_err(), "{}", String::from_utf8_lossy(&changed));
        }
    }
}
