//! The file of a journal: appended to, checked, repaired, written anew when it has grown.
//!
//! Several processes may use one file. Each reads and writes it under an exclusive lock on a file beside it, and first reads what others have
//! added since. Everything here blocks.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::entry::Entry;
use super::index::Index;
use crate::error::{Error, ErrorKind, Result};
use crate::platform::unix_millis;

/// The journal's file in its folder.
const FILE: &str = "jobs.log";
/// The file that is locked. It stays when the journal's file is replaced.
const LOCK: &str = "lock";
/// How the first line begins; a mark that changes with every replacement of the file follows.
const HEADER: &str = "lilypad-journal 1 ";
/// What errors say was being done.
const READING: &str = "read the journal of jobs";
/// What errors say was being done.
const WRITING: &str = "write the journal of jobs";

/// A line that cannot be read.
#[derive(Debug)]
struct DamagedLine {
    /// Where it begins, in bytes from the beginning of the file.
    offset: u64,
    /// What is wrong with it.
    reason: &'static str,
    /// The line as it is.
    text: Vec<u8>,
}

/// Lines that cannot be read, for an error.
#[derive(Debug, Clone)]
pub(super) struct Damage {
    path: PathBuf,
    lines: usize,
    offset: u64,
    reason: &'static str,
}

impl Damage {
    /// The error for whoever needs the whole journal.
    pub(super) fn error(&self) -> Error {
        let Self { path, lines, offset, reason } = self;
        let more = match lines - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        Error::new(ErrorKind::Journal, READING)
            .with_message(format_args!("{}: the line at byte {offset} is damaged: {reason}{more}", path.display()))
            .with_help(
                "a job or an idempotency key may be in it, and would be forgotten; `lilypad journal --repair` (`Client::repair_journal`) puts it aside and goes on \
                 with the rest",
            )
    }
}

/// A journal on disk, and what this process has read of it.
#[derive(Debug)]
pub(super) struct Log {
    folder: PathBuf,
    /// The first line of the file that was read.
    header: Vec<u8>,
    /// How much of it was read.
    read: u64,
    /// What that adds up to.
    index: Index,
    /// The lines of it that make no sense.
    damaged: Vec<DamagedLine>,
    /// How many jobs that are over are kept.
    keep_ended: usize,
}

impl Log {
    /// The journal in `folder`. Touches nothing yet.
    pub(super) fn new(folder: PathBuf, keep_ended: usize) -> Self {
        Self { folder, header: Vec::new(), read: 0, index: Index::default(), damaged: Vec::new(), keep_ended }
    }

    /// The file's path.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The lines that make no sense, if there are any.
    pub(super) fn damage(&self) -> Option<Damage> {
        let first = self.damaged.first()?;
        Some(Damage { path: self.path(), lines: self.damaged.len(), offset: first.offset, reason: first.reason })
    }

    /// What has been read.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Reads what is new. If there is no journal yet, none is made.
    pub(super) fn read(&mut self) -> Result<()> {
        if self.path().exists() {
            let _lock = self.lock()?;
            self.catch_up()?;
        }
        Ok(())
    }

    /// Lets `decide` see everything that any process has written, and appends what it adds. When this returns, that is on the disk, and before it
    /// does, no other process can write.
    pub(super) fn append<T>(&mut self, decide: impl FnOnce(&mut Batch<'_>) -> T) -> Result<T> {
        let _lock = self.lock()?;
        let mut file = self.catch_up()?;
        let damage = self.damage();
        let mut batch = Batch { index: &mut self.index, text: Vec::new(), damage };
        let decided = decide(&mut batch);
        let text = batch.text;
        if text.is_empty() {
            return Ok(decided);
        }
        if let Err(error) = file.write_all(&text).and_then(|()| file.sync_data()) {
            // Nothing of it counts. What is there of it is taken back here, or cut off as a torn line by whoever reads next.
            let _ = file.set_len(self.read);
            self.forget();
            return Err(Error::io(WRITING, &self.path(), error)
                .with_help("nothing was sent: make room or choose another data folder, then submit again"));
        }
        self.read += text.len() as u64;
        if self.damaged.is_empty()
            && self.index.is_wasteful(self.keep_ended, unix_millis())
            && let Err(error) = self.rewrite()
        {
            // What was to be written is. There will be another occasion.
            tracing::warn!(%error, "the journal could not be made shorter");
        }
        Ok(decided)
    }

    /// Puts damaged lines aside, into a file of their own, and writes the journal anew without them. Says how many there were and where they are.
    pub(super) fn repair(&mut self) -> Result<Option<(usize, PathBuf)>> {
        if !self.path().exists() {
            return Ok(None);
        }
        let _lock = self.lock()?;
        self.catch_up()?;
        if self.damaged.is_empty() {
            return Ok(None);
        }
        let aside = self.folder.join(format!("damaged-{}.log", nanoid::nanoid!(8)));
        let mut text = Vec::new();
        for line in &self.damaged {
            text.extend_from_slice(&line.text);
            text.push(b'\n');
        }
        durable(&aside, &text).map_err(|error| Error::io(WRITING, &aside, error))?;
        let count = std::mem::take(&mut self.damaged).len();
        self.rewrite()?;
        Ok(Some((count, aside)))
    }

    /// Takes the lock, which goes with the value. Makes the folder if there is none.
    fn lock(&self) -> Result<File> {
        let path = self.folder.join(LOCK);
        let locked = std::fs::create_dir_all(&self.folder)
            .and_then(|()| OpenOptions::new().create(true).append(true).open(&path))
            .and_then(|file| file.lock().map(|()| file));
        locked.map_err(|error| {
            let unsupported = error.kind() == io::ErrorKind::Unsupported;
            let error = Error::io("lock the journal of jobs", &path, error);
            match unsupported {
                true => error.with_help(
                    "its file system has no locks: choose a data folder on another one, or turn the journal off",
                ),
                false if error.help().is_none() => {
                    error.with_help("choose another data folder, or turn the journal off")
                }
                false => error,
            }
        })
    }

    /// Reads what is new in the file, or all of it if it was replaced; mends its end. Gives the file, at its end. Needs the lock.
    fn catch_up(&mut self) -> Result<File> {
        let path = self.path();
        let failed = |error| Error::io(READING, &path, error);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let mut header = vec![0; self.header.len()];
        let same = !header.is_empty() && file.read_exact(&mut header).is_ok() && header == self.header;
        let length = file.metadata().map_err(failed)?.len();
        if !same || length < self.read {
            self.forget();
            self.start(&mut file)?;
        }
        file.seek(SeekFrom::Start(self.read)).map_err(failed)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        for line in text[..complete].split_inclusive(|byte| *byte == b'\n') {
            let line = &line[..line.len() - 1];
            match Entry::read(line) {
                Ok(entry) => self.index.apply(entry),
                Err(reason) => {
                    tracing::error!(path = %path.display(), offset = self.read, reason, "a line of the journal is damaged");
                    self.damaged.push(DamagedLine { offset: self.read, reason, text: line.to_vec() });
                }
            }
            self.read += line.len() as u64 + 1;
        }
        if complete < text.len() {
            // Written by a process that died while it wrote. What the line was for has not happened: it waits for the write.
            tracing::warn!(path = %path.display(), bytes = text.len() - complete, "cut a torn line off the end of the journal");
            file.set_len(self.read).and_then(|()| file.sync_data()).map_err(failed)?;
            file.seek(SeekFrom::Start(self.read)).map_err(failed)?;
        }
        Ok(file)
    }

    /// Reads the first line, or writes it if the file is empty.
    fn start(&mut self, file: &mut File) -> Result<()> {
        let path = self.path();
        let failed = |error| Error::io(READING, &path, error);
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut first = Vec::new();
        Read::by_ref(file).take(128).read_to_end(&mut first).map_err(failed)?;
        let line = first.iter().position(|byte| *byte == b'\n').map(|end| &first[..=end]);
        match line {
            Some(line) if line.starts_with(HEADER.as_bytes()) => self.header = line.to_vec(),
            // Torn off before anything was in it.
            None if HEADER.as_bytes().starts_with(&first) || first.starts_with(HEADER.as_bytes()) => {
                self.header = new_header();
                file.set_len(0)
                    .and_then(|()| file.seek(SeekFrom::Start(0)))
                    .and_then(|_| file.write_all(&self.header))
                    .and_then(|()| file.sync_all())
                    .and_then(|()| sync_folder(&self.folder))
                    .map_err(|error| Error::io(WRITING, &path, error))?;
            }
            _ => {
                return Err(Error::new(ErrorKind::Journal, READING)
                    .with_message(format_args!("{} is no journal of this release", path.display()))
                    .with_help("upgrade if a newer release wrote it; otherwise move the file away, or choose another data folder"));
            }
        }
        self.read = self.header.len() as u64;
        Ok(())
    }

    /// Writes the journal anew, as short as it can be. Needs the lock, and everything read.
    fn rewrite(&mut self) -> Result<()> {
        let entries = self.index.compact(self.keep_ended, unix_millis());
        let mut text = new_header();
        let header = text.len();
        entries.iter().for_each(|entry| entry.write(&mut text));
        let (path, new) = (self.path(), self.folder.join("jobs.log.new"));
        durable(&new, &text)
            .and_then(|()| std::fs::rename(&new, &path))
            .and_then(|()| sync_folder(&self.folder))
            .map_err(|error| Error::io(WRITING, &path, error))
            .inspect_err(|_| self.forget())?;
        self.read = text.len() as u64;
        text.truncate(header);
        self.header = text;
        Ok(())
    }

    /// Makes the next look at the file start from its beginning.
    fn forget(&mut self) {
        self.header.clear();
        self.read = 0;
        self.index = Index::default();
        self.damaged.clear();
    }
}

/// Entries that are going to be written together.
pub(super) struct Batch<'a> {
    index: &'a mut Index,
    text: Vec<u8>,
    damage: Option<Damage>,
}

impl<'a> Batch<'a> {
    /// A batch for an index without a file.
    pub(super) fn in_memory(index: &'a mut Index) -> Self {
        Self { index, text: Vec::new(), damage: None }
    }

    /// The lines that make no sense, if there are any.
    pub(super) fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// What is known, with this batch.
    pub(super) fn index(&self) -> &Index {
        self.index
    }

    /// Adds an entry about a job that is known, unless it says nothing new.
    pub(super) fn note(&mut self, entry: Entry) {
        if self.index.would_change(&entry) {
            self.add(entry);
        }
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, entry: Entry) {
        entry.write(&mut self.text);
        self.index.apply(entry);
    }
}

/// A first line, unlike that of every other file.
fn new_header() -> Vec<u8> {
    format!("{HEADER}{}\n", nanoid::nanoid!()).into_bytes()
}

/// Writes a file and waits until it is on the disk.
fn durable(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Waits until a folder's list of names is on the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere there is no way to ask for it.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
