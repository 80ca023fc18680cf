//! A commit of a remote repository: from the cache where it can be, from its server where it must be.

use gix::ObjectId;

use super::pack::{GitError, Pack};
use super::remote::Session;
use super::tree::{Found, Object, find_file};
use super::{InnerPath, Limits, Remote, unreadable};
use crate::error::{Error, ErrorKind, Result};
use crate::module::cache::{Cache, CachedCommit};

/// The largest object that is kept although nobody asked for it yet.
const KEEP_BYTES: usize = 256 << 10;
/// How many objects are kept although nobody asked for them yet.
const KEEP_COUNT: usize = 500;

/// A commit of a remote repository.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The repository.
    remote: Remote,
    /// The commit.
    commit: ObjectId,
    /// Where it is kept.
    cache: Cache,
    /// What is kept of it.
    cached: CachedCommit,
}

impl Fetched {
    /// Finds the commit that a ref stands for at this moment. Only a full commit id can do without the server.
    pub(crate) fn open(remote: Remote, reference: &str, cache: Cache, limits: &Limits) -> Result<Self> {
        let commit = match ObjectId::from_hex(reference.as_bytes()) {
            Ok(commit) => commit,
            Err(_) => Self::look_up(&remote, reference, &cache, limits)?,
        };
        let cached = cache.commit(remote.url(), commit);
        Ok(Self { remote, commit, cache, cached })
    }

    /// Asks the server which commit a ref stands for, and fetches it in the same conversation.
    fn look_up(remote: &Remote, reference: &str, cache: &Cache, limits: &Limits) -> Result<ObjectId> {
        let found = remote.connect(limits).and_then(|mut session| {
            let commit = session.resolve(reference)?;
            let cached = cache.commit(remote.url(), commit);
            if cached.object(commit).is_none() {
                let pack = session.fetch_commit(commit, cache.folder())?;
                keep_small(&cached, &pack).map_err(|error| unusable(remote, error))?;
            }
            Ok(commit)
        });
        match found {
            Ok(commit) => {
                cache.remember(remote.url(), reference, commit)?;
                Ok(commit)
            }
            // A tag can move, so what it was is not what it is; but the commit is there for those who ask for it.
            Err(error) if error.kind() == ErrorKind::Connection => match cache.last_known(remote.url(), reference) {
                Some(commit) => Err(error.with_help(format!(
                    "{reference} was commit {commit} when the repository last answered; \
                     name that commit instead of {reference} to use it from the cache"
                ))),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The commit.
    pub(super) fn commit(&self) -> String {
        self.commit.to_string()
    }

    /// The repository's URL.
    pub(crate) fn url(&self) -> &str {
        self.remote.url()
    }

    /// Reads a file. `None` if there is none at that path.
    pub(super) fn read(&self, path: &InnerPath, limits: &Limits) -> Result<Option<Vec<u8>>> {
        let mut session = None;
        let mut packs: Vec<Pack> = Vec::new();
        // The commit, then a file that was too large to come with it, then everything at once.
        for _ in 0..4 {
            match find_file(self.commit, path, |id| self.object(id, &packs))? {
                Found::File(content) => return Ok(Some(content)),
                Found::Absent => return Ok(None),
                Found::Missing { id, is_file } => {
                    let pack = self.fetch(&mut session, id, is_file, packs.len(), limits)?;
                    packs.push(pack);
                }
            }
        }
        Err(Error::new(ErrorKind::Module, "fetch module").with_message(format_args!(
            "the server of {} does not send {path} of commit {}",
            self.remote.url(),
            self.commit
        )))
    }

    /// An object from the cache or from what was just fetched.
    fn object(&self, id: ObjectId, packs: &[Pack]) -> Result<Option<Object>> {
        if let Some(object) = self.cached.object(id) {
            return Ok(Some(object));
        }
        for pack in packs {
            if let Some(object) = pack.object(id).map_err(|error| unusable(&self.remote, error))? {
                self.cached.keep(id, &object)?;
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    /// Fetches what holds an object that is not at hand.
    fn fetch(
        &self,
        session: &mut Option<Session>,
        id: ObjectId,
        is_file: bool,
        round: usize,
        limits: &Limits,
    ) -> Result<Pack> {
        let folder = self.cache.folder();
        let current = match session.take() {
            Some(current) => current,
            None => self.remote.connect(limits)?,
        };
        let current = session.insert(current);
        let pack = match (is_file, round) {
            (false, 0) => current.fetch_commit(self.commit, folder)?,
            (true, 0 | 1) => match current.fetch_file(id, folder) {
                Ok(pack) => pack,
                // Older servers send commits only.
                Err(error) if error.kind() == ErrorKind::Module => {
                    *session = None;
                    self.remote.connect(limits)?.fetch_everything(self.commit, folder)?
                }
                Err(error) => return Err(error),
            },
            _ => current.fetch_everything(self.commit, folder)?,
        };
        keep_small(&self.cached, &pack).map_err(|error| unusable(&self.remote, error))?;
        Ok(pack)
    }
}

/// Keeps the small objects of a pack, so that the next file needs no server.
fn keep_small(cached: &CachedCommit, pack: &Pack) -> Result<(), GitError> {
    for id in pack.ids().take(KEEP_COUNT) {
        if let Some(object) = pack.object(id)?.filter(|object| object.data.len() <= KEEP_BYTES) {
            cached.keep(id, &object)?;
        }
    }
    Ok(())
}

/// Says that what a server sent cannot be used.
fn unusable(remote: &Remote, source: GitError) -> Error {
    match source.downcast::<Error>() {
        Ok(error) => *error,
        Err(source) => match source.downcast::<gix::Error>() {
            Ok(source) => unreadable(remote.url(), *source),
            Err(source) => unreadable(remote.url(), std::io::Error::other(source)),
        },
    }
}
