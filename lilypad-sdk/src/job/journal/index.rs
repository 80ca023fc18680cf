//! What the entries of a journal add up to.

use std::collections::HashMap;

use super::entry::{Ended, Entry, KeyUse, Offered, Receiving};
use crate::protocol::JobId;

/// A journal is written anew when it has so many entries for each job that it keeps; four at most say all about one.
const WASTE: usize = 6;
/// A job of whose end nothing was heard is over all the same after a week: networks give jobs two hours.
const FORGOTTEN_MS: i64 = 7 * 24 * 3_600_000;

/// What is known of the fate of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It was about to leave. Whether the solver has it is open.
    Offered,
    /// The solver took it.
    Taken,
    /// The solver did not take it and can not any more.
    NotTaken,
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobRecord {
    /// Its offer.
    pub(crate) offered: Offered,
    /// Whether the solver has it.
    pub(crate) stage: Stage,
    /// The offer that took its place: the same job, stamped later.
    pub(crate) replaced_by: Option<JobId>,
    /// Where its result went, or was about to go.
    pub(crate) receiving: Option<Receiving>,
    /// How it ended.
    pub(crate) end: Option<Ended>,
    /// Its place in the order of offers.
    order: u64,
}

impl JobRecord {
    /// Its id.
    pub(crate) fn job(&self) -> &JobId {
        &self.offered.job
    }

    /// Whether nothing more is to come: it ended, or no network waits for so long.
    fn is_over(&self, now_ms: i64) -> bool {
        self.end.is_some() || self.stage == Stage::NotTaken || now_ms.saturating_sub(self.offered.at_ms) > FORGOTTEN_MS
    }

    /// The fewest entries that say the same.
    fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let job = self.job();
        let stage = match self.stage {
            Stage::Offered => None,
            Stage::Taken => Some(Entry::Taken { job: job.clone() }),
            Stage::NotTaken => Some(Entry::NotTaken { job: job.clone() }),
        };
        let receiving = self.receiving.clone().map(|into| Entry::Receiving { job: job.clone(), into });
        let end = self.end.clone().map(|end| Entry::Ended { job: job.clone(), end });
        [Some(Entry::Offered(self.offered.clone())), stage, receiving, end].into_iter().flatten()
    }
}

/// All jobs of a journal, by id and by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    jobs: HashMap<JobId, JobRecord>,
    /// The latest offer under each key.
    keys: HashMap<String, JobId>,
    /// How many offers there have been.
    offers: u64,
    /// How many entries it was made of.
    entries: usize,
}

impl Index {
    /// Takes in an entry. One about a job without an offer changes nothing: its offer was in a damaged line, or is forgotten.
    pub(super) fn apply(&mut self, entry: Entry) {
        self.entries += 1;
        if let Entry::Offered(offered) = entry {
            self.offers += 1;
            let replaced = offered.replaces.as_ref().and_then(|replaced| self.jobs.get_mut(replaced));
            if let Some(replaced) = replaced {
                if replaced.stage == Stage::Offered {
                    replaced.stage = Stage::NotTaken;
                }
                replaced.replaced_by = Some(offered.job.clone());
            }
            if let Some(KeyUse { key, .. }) = &offered.key {
                self.keys.insert(key.clone(), offered.job.clone());
            }
            let record = JobRecord {
                stage: Stage::Offered,
                replaced_by: None,
                receiving: None,
                end: None,
                order: self.offers,
                offered,
            };
            self.jobs.insert(record.job().clone(), record);
            return;
        }
        let Some(record) = self.jobs.get_mut(entry.job()) else { return };
        match entry {
            Entry::Offered(_) => {}
            Entry::Taken { .. } => record.stage = Stage::Taken,
            // A solver that has taken it cannot un-take it.
            Entry::NotTaken { .. } if record.stage == Stage::Taken => {}
            Entry::NotTaken { .. } => record.stage = Stage::NotTaken,
            // What has a result, or an end, was taken, whether or not that could be written down at the time.
            Entry::Receiving { into, .. } => {
                record.stage = Stage::Taken;
                record.receiving = Some(into);
            }
            Entry::Ended { end, .. } => {
                record.stage = Stage::Taken;
                if record.end.as_ref().is_none_or(|known| end.outweighs(known)) {
                    record.end = Some(end);
                }
            }
        }
    }

    /// Whether an entry about a job would say anything new.
    pub(super) fn would_change(&self, entry: &Entry) -> bool {
        let Some(record) = self.jobs.get(entry.job()) else { return matches!(entry, Entry::Offered(_)) };
        match entry {
            Entry::Offered(_) => true,
            Entry::Taken { .. } => record.stage != Stage::Taken,
            Entry::NotTaken { .. } => record.stage == Stage::Offered,
            Entry::Receiving { into, .. } => record.receiving.as_ref() != Some(into),
            Entry::Ended { end, .. } => record.end.as_ref().is_none_or(|known| end.outweighs(known)),
        }
    }

    /// What is known of a job.
    #[cfg(test)]
    pub(super) fn job(&self, id: &JobId) -> Option<&JobRecord> {
        self.jobs.get(id)
    }

    /// The latest offer of the same job.
    pub(super) fn latest(&self, id: &JobId) -> Option<&JobRecord> {
        let mut record = self.jobs.get(id)?;
        // Each step goes to a later offer, so this ends; a file that says otherwise was not written by us.
        for _ in 0..self.jobs.len() {
            match record.replaced_by.as_ref().and_then(|next| self.jobs.get(next)) {
                Some(next) if next.order > record.order => record = next,
                _ => break,
            }
        }
        Some(record)
    }

    /// The latest offer under a key.
    pub(super) fn under_key(&self, key: &str) -> Option<&JobRecord> {
        self.jobs.get(self.keys.get(key)?)
    }

    /// All jobs, the newest first, each by its latest offer.
    pub(super) fn all(&self) -> Vec<JobRecord> {
        let mut all: Vec<_> = self.jobs.values().filter(|record| record.replaced_by.is_none()).cloned().collect();
        all.sort_unstable_by_key(|record| std::cmp::Reverse(record.order));
        all
    }

    /// Whether writing it anew would make the file much shorter.
    pub(super) fn is_wasteful(&self, keep_ended: usize, now_ms: i64) -> bool {
        // At most four entries say all about a job. The cheap question first: this is asked after every write.
        let ended = keep_ended.min(self.jobs.len());
        self.entries > 1024
            && self.entries > ended * WASTE
            && self.entries > (ended + self.jobs.values().filter(|record| !record.is_over(now_ms)).count()) * WASTE
    }

    /// Forgets the oldest jobs that are over, beyond `keep_ended`; gives the fewest entries that say the rest.
    pub(super) fn compact(&mut self, keep_ended: usize, now_ms: i64) -> Vec<Entry> {
        let mut over: Vec<_> = self
            .jobs
            .values()
            .filter(|record| record.is_over(now_ms))
            .map(|record| (record.order, record.job().clone()))
            .collect();
        over.sort_unstable_by_key(|(order, _)| std::cmp::Reverse(*order));
        for (_, job) in over.into_iter().skip(keep_ended) {
            self.jobs.remove(&job);
        }
        let mut kept: Vec<_> = std::mem::take(&mut self.jobs).into_values().collect();
        kept.sort_unstable_by_key(|record| record.order);
        let entries: Vec<Entry> = kept.iter().flat_map(|record| record.entries()).collect();
        *self = Self::default();
        entries.iter().cloned().for_each(|entry| self.apply(entry));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::journal::tests::{job, offered};
    use crate::job::status::{JobStatus, JobView};
    use crate::protocol::AgreementState;

    fn ended(number: u32) -> Entry {
        let view = JobView { status: JobStatus::Succeeded, state: AgreementState::RESULTS_ACCEPTED, deal: None };
        Entry::Ended { job: job(number), end: Ended::of(&view) }
    }

    fn index(entries: impl IntoIterator<Item = Entry>) -> Index {
        let mut index = Index::default();
        entries.into_iter().for_each(|entry| index.apply(entry));
        index
    }

    #[test]
    fn a_job_that_was_stamped_anew_is_found_by_every_id_that_it_had() {
        let again = |number, replaces| Entry::Offered(Offered { replaces: Some(job(replaces)), ..offered(number) });
        let index = index([Entry::Offered(offered(1)), again(2, 1), again(3, 2)]);
        for number in 1..=3 {
            assert_eq!(index.latest(&job(number)).unwrap().job(), &job(3));
        }
        assert_eq!(index.job(&job(1)).unwrap().stage, Stage::NotTaken);
        assert_eq!(index.all().len(), 1);
    }

    #[test]
    fn what_was_taken_stays_taken_and_the_first_end_stays() {
        let index = index([
            Entry::Offered(offered(1)),
            Entry::Taken { job: job(1) },
            Entry::NotTaken { job: job(1) },
            ended(1),
            Entry::Ended {
                job: job(1),
                end: Ended::of(&JobView { status: JobStatus::Failed, state: AgreementState(16), deal: None }),
            },
        ]);
        let record = index.job(&job(1)).unwrap();
        assert_eq!(record.stage, Stage::Taken);
        assert_eq!(record.end.as_ref().unwrap().view().unwrap().status, JobStatus::Succeeded);
    }

    #[test]
    fn compaction_keeps_every_open_job_and_the_newest_that_are_over() {
        let mut entries: Vec<_> = (0..100).map(|number| Entry::Offered(offered(number))).collect();
        entries.extend((0..100).map(|number| Entry::Taken { job: job(number) }));
        entries.extend((10..100).map(ended));
        let mut index = index(entries);
        let before = index.all();
        index.compact(20, 0);
        let after = index.all();
        assert_eq!(after.len(), 30);
        for number in (0..10).chain(80..100) {
            let of = |all: &[JobRecord]| {
                all.iter().find(|record| record.job() == &job(number)).cloned().map(|record| (record.stage, record.end))
            };
            assert_eq!(of(&after), of(&before));
        }
    }

    #[test]
    fn compaction_changes_nothing_that_is_kept() {
        let under = |key: &str, number| {
            Entry::Offered(Offered { key: Some(KeyUse { key: key.into(), request: "r".into() }), ..offered(number) })
        };
        let mut index = index([
            under("a", 1),
            Entry::NotTaken { job: job(1) },
            Entry::Offered(Offered {
                key: Some(KeyUse { key: "a".into(), request: "r".into() }),
                replaces: Some(job(1)),
                ..offered(2)
            }),
            Entry::Taken { job: job(2) },
            under("b", 3),
        ]);
        let before = index.all();
        index.compact(100, 0);
        let unordered =
            |all: Vec<JobRecord>| all.into_iter().map(|record| JobRecord { order: 0, ..record }).collect::<Vec<_>>();
        assert_eq!(unordered(index.all()), unordered(before));
        assert_eq!(index.under_key("a").unwrap().job(), &job(2));
    }
}
