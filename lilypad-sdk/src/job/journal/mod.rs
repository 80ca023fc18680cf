//! What a client remembers when it dies.
//!
//! Before an offer leaves, a line about it is on the disk: its id, its stamp, its idempotency key. Later lines say that the solver took it, where its
//! result goes, how it ended. After a crash the lines and the solver's lists together tell everything: [`Client::jobs`](crate::Client::jobs) and
//! [`Client::job`](crate::Client::job) read both.
//!
//! - `entry` is a line, `index` what the lines add up to, `log` the file
//! - [`Journal`] gathers what many tasks write at once into one write and one wait for the disk

mod entry;
mod index;
mod log;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

pub(crate) use entry::{Ended, Entry, KeyUse, Offered, Receiving};
pub(crate) use index::{JobRecord, Stage};

use self::index::Index;
use self::log::{Batch, Damage, Log};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::{blocking, detach_blocking};
use crate::protocol::JobId;

/// How many jobs that are over are remembered, with their idempotency keys. Jobs that are not over are never forgotten.
pub(in crate::job) const KEEP_ENDED: usize = 50_000;

/// Where a client keeps its journal of jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalMode {
    /// In the client's data folder, one journal for each network and address. Several processes may share it.
    #[default]
    DataDir,
    /// In this folder, which must be for one network and address only. Several processes may share it.
    Folder(PathBuf),
    /// In memory: idempotency keys work for as long as the client lives, and a crash forgets everything that the solver does not list.
    Memory,
    /// Nowhere. Idempotency keys are refused.
    Off,
}

/// What [`Client::repair_journal`](crate::Client::repair_journal) did. Look into the file before you submit under an old idempotency key again: a key whose
/// line was damaged is forgotten, and its job would run, and cost, again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalRepair {
    /// How many damaged lines there were.
    pub lines: usize,
    /// The file where they are now, to look at.
    pub aside: PathBuf,
}

/// A journal of jobs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Journal(Option<Arc<Shared>>);

/// What clones of a journal share.
struct Shared {
    store: Mutex<Store>,
    queue: Mutex<Queue>,
}

/// Where entries are.
enum Store {
    Disk(Log),
    Memory(Index),
}

/// What waits to be written.
#[derive(Default)]
struct Queue {
    waiting: Vec<Work>,
    /// Whether somebody is writing.
    busy: bool,
}

/// Decides, knowing everything, what to write. Or learns that nothing can be known, and has nothing to say then.
type Work = Box<dyn FnOnce(std::result::Result<&mut Batch<'_>, &Error>) -> Option<Reply> + Send>;
/// Learns whether what it wrote is on the disk.
type Reply = Box<dyn FnOnce(std::result::Result<(), &Error>) + Send>;

/// Whether an offer may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is written down.
    Recorded,
    /// Its key is in use: this is the latest offer under it. Nothing was written.
    InUse(Box<JobRecord>),
}

impl Journal {
    /// The journal of an address on a network, where `mode` says.
    pub(crate) fn new(mode: &JournalMode, data_dir: &Path, network: &str, address: Option<&str>) -> Self {
        let store = match (mode, address) {
            // Without a key nothing can be submitted.
            (JournalMode::Off, _) | (_, None) => return Self(None),
            (JournalMode::Memory, _) => Store::Memory(Index::default()),
            (JournalMode::Folder(folder), _) => Store::Disk(Log::new(folder.clone(), KEEP_ENDED)),
            (JournalMode::DataDir, Some(address)) => {
                let folder = data_dir.join("journal").join(file_name(network)).join(address);
                Store::Disk(Log::new(folder, KEEP_ENDED))
            }
        };
        Self(Some(Arc::new(Shared { store: Mutex::new(store), queue: Mutex::default() })))
    }

    /// Whether nothing is remembered.
    pub(crate) fn is_off(&self) -> bool {
        self.0.is_none()
    }

    /// Writes an offer down before it leaves. If it has a key, only if the latest offer under that key is the one that it replaces: whoever comes
    /// second, in this process or another, learns of the first.
    pub(crate) async fn offer(&self, offered: Offered) -> Result<Claim> {
        self.commit(move |batch| {
            if let Some(used) = &offered.key {
                if let Some(damage) = batch.damage() {
                    return Err(damage.error());
                }
                if let Some(known) = batch.index().under_key(&used.key)
                    && (Some(known.job()) != offered.replaces.as_ref() || known.stage == Stage::Taken)
                {
                    return Ok(Claim::InUse(Box::new(known.clone())));
                }
            }
            batch.add(Entry::Offered(offered));
            Ok(Claim::Recorded)
        })
        .await?
        .unwrap_or(Ok(Claim::Recorded))
    }

    /// Writes something down about a job that is in the journal, and waits until it is on the disk.
    pub(crate) async fn note(&self, entry: Entry) -> Result<()> {
        self.commit(move |batch| batch.note(entry)).await.map(|_| ())
    }

    /// Writes something down about a job that is in the journal, some time soon. For what can be found out again.
    pub(crate) fn note_soon(&self, entry: Entry) {
        let Some(shared) = &self.0 else { return };
        let job = entry.job().clone();
        let report = move |outcome: std::result::Result<(), &Error>| {
            if let Err(error) = outcome {
                tracing::warn!(%error, %job, "could not write down what became of a job");
            }
        };
        shared.enqueue(Box::new(move |batch| match batch {
            Ok(batch) => {
                batch.note(entry);
                Some(Box::new(report))
            }
            Err(error) => {
                report(Err(error));
                None
            }
        }));
    }

    /// The latest offer of a job.
    pub(crate) async fn job(&self, id: &JobId) -> Result<Option<JobRecord>> {
        let id = id.clone();
        self.read(move |index, _| Ok(index.latest(&id).cloned())).await
    }

    /// The latest offer under an idempotency key.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`] if lines are damaged: the key may be in one of them.
    pub(crate) async fn under_key(&self, key: &str) -> Result<Option<JobRecord>> {
        let key = key.to_owned();
        self.read(move |index, damage| match damage {
            Some(damage) => Err(damage.error()),
            None => Ok(index.under_key(&key).cloned()),
        })
        .await
    }

    /// All jobs, the newest first.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`] if lines are damaged: a job may be in one of them.
    pub(crate) async fn jobs(&self) -> Result<Vec<JobRecord>> {
        self.read(|index, damage| match damage {
            Some(damage) => Err(damage.error()),
            None => Ok(index.all()),
        })
        .await
    }

    /// Puts damaged lines aside. `None` if there are none.
    pub(crate) async fn repair(&self) -> Result<Option<JournalRepair>> {
        let Some(shared) = self.0.clone() else { return Ok(None) };
        blocking("repair the journal of jobs", move || match &mut *shared.store() {
            Store::Memory(_) => Ok(None),
            Store::Disk(log) => Ok(log.repair()?.map(|(lines, aside)| JournalRepair { lines, aside })),
        })
        .await
    }

    /// Reads everything that any process has written, and looks at it.
    async fn read<T: Default + Send + 'static>(
        &self,
        look: impl FnOnce(&Index, Option<Damage>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Some(shared) = self.0.clone() else { return Ok(T::default()) };
        blocking("read the journal of jobs", move || match &mut *shared.store() {
            Store::Memory(index) => look(index, None),
            Store::Disk(log) => {
                log.read()?;
                look(log.index(), log.damage())
            }
        })
        .await
    }

    /// Decides under the lock what to write, and waits until it is on the disk. `None` if there is no journal.
    async fn commit<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Batch<'_>) -> T + Send + 'static,
    ) -> Result<Option<T>> {
        let Some(shared) = &self.0 else { return Ok(None) };
        let (sender, decided) = oneshot::channel();
        // Nobody may be waiting any more when something is sent.
        shared.enqueue(Box::new(move |batch| match batch {
            Ok(batch) => {
                let decided = decide(batch);
                Some(Box::new(move |outcome| _ = sender.send(outcome.map(|()| decided).map_err(Error::again))))
            }
            Err(error) => {
                let _ = sender.send(Err(error.again()));
                None
            }
        }));
        match decided.await {
            Ok(outcome) => outcome.map(Some),
            Err(_) => Err(Error::new(ErrorKind::Internal, "write the journal of jobs")),
        }
    }
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds work. Whoever finds nobody writing starts; the others' work goes along with the next write.
    fn enqueue(self: &Arc<Self>, work: Work) {
        let mut queue = self.queue();
        queue.waiting.push(work);
        if !std::mem::replace(&mut queue.busy, true) {
            let writer = Writer { shared: self.clone(), is_done: false };
            detach_blocking(move || writer.run());
        }
    }

    /// Writes until nothing waits.
    fn write_all(&self) {
        loop {
            let batch = {
                let mut queue = self.queue();
                if queue.waiting.is_empty() {
                    queue.busy = false;
                    return;
                }
                std::mem::take(&mut queue.waiting)
            };
            self.write(batch);
        }
    }

    /// Writes what several have decided at once.
    fn write(&self, works: Vec<Work>) {
        let mut works = Some(works);
        let mut replies = Vec::new();
        let mut decide = |batch: &mut Batch<'_>| {
            replies.extend(works.take().into_iter().flatten().filter_map(|work| work(Ok(&mut *batch))));
        };
        let outcome = match &mut *self.store() {
            Store::Memory(index) => {
                decide(&mut Batch::in_memory(index));
                Ok(())
            }
            Store::Disk(log) => log.append(decide),
        };
        if let Err(error) = &outcome {
            // Those that are left were not asked: the file could not even be read.
            works.into_iter().flatten().for_each(|work| _ = work(Err(error)));
        }
        replies.into_iter().for_each(|reply| reply(outcome.as_ref().copied()));
    }
}

/// Whoever writes. However that ends, the next one can start.
struct Writer {
    shared: Arc<Shared>,
    /// Whether it came to its end, and so has made room for the next one itself.
    is_done: bool,
}

impl Writer {
    /// Writes until nothing waits.
    fn run(mut self) {
        self.shared.write_all();
        self.is_done = true;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // After a panic, or without a thread: those who wait learn that nothing was written, by what they hold being dropped.
        let mut queue = self.shared.queue();
        queue.busy = false;
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        drop(waiting);
    }
}

/// A network's name as the name of a folder.
fn file_name(network: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let name: String = network.chars().map(|character| if plain(character) { character } else { '_' }).collect();
    if name == network && !name.is_empty() {
        name
    } else {
        format!("{name}-{:08x}", crc32fast::hash(network.as_bytes()))
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_off() { "Journal(off)" } else { "Journal" })
    }
}

#[cfg(test)]
mod tests;
