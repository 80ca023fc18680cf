//! Commits of remote repositories, kept on disk.
//!
//! One small file per git object, under its repository and commit: `<repository>/<commit>/<object>`. Files appear complete or not at
//! all and are never changed, so any number of processes may read and write at once without locks. What is read back is believed
//! only if its hash is its name; anything else is removed, and fetched again by whoever wanted it.

use std::io::Write;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::objs::Kind;
use sha2::{Digest, Sha256};

use super::source::Object;
use crate::error::{Error, Result};

/// What was being done when a file could not be written.
const OPERATION: &str = "keep module in cache";

/// The cache folder.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    /// Where it is.
    folder: PathBuf,
}

/// What is kept of one commit.
#[derive(Debug, Clone)]
pub(super) struct CachedCommit {
    /// Where its objects are.
    folder: PathBuf,
}

impl Cache {
    /// The cache in `folder`, which need not exist yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is kept of a commit, if anything.
    pub(super) fn commit(&self, repo: &str, commit: ObjectId) -> CachedCommit {
        CachedCommit { folder: self.folder.join(file_name(repo)).join(commit.to_string()) }
    }

    /// The commit that a ref stood for when its repository was last reached: to tell people, not to use instead.
    pub(super) fn last_known(&self, repo: &str, reference: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.ref_file(repo, reference)).ok()?;
        ObjectId::from_hex(text.trim().as_bytes()).ok().map(|id| id.to_string())
    }

    /// Notes the commit that a ref stands for now.
    pub(super) fn remember(&self, repo: &str, reference: &str, commit: ObjectId) -> Result<()> {
        let commit = commit.to_string();
        if self.last_known(repo, reference).as_deref() == Some(&commit) {
            return Ok(());
        }
        write_whole(&self.ref_file(repo, reference), &[commit.as_bytes()])
    }

    /// Where the commit of a ref is noted.
    fn ref_file(&self, repo: &str, reference: &str) -> PathBuf {
        self.folder.join(file_name(repo)).join("refs").join(file_name(reference))
    }
}

impl CachedCommit {
    /// An object, if it is there and whole.
    pub(super) fn object(&self, id: ObjectId) -> Option<Object> {
        let path = self.folder.join(id.to_string());
        let bytes = std::fs::read(&path).ok()?;
        let object = parse(&bytes);
        let is_whole = object.as_ref().is_some_and(|object| hash(object) == Some(id));
        if !is_whole {
            tracing::warn!(path = %path.display(), "cached file is damaged; fetching it again");
            // If it cannot be removed it will be replaced, or found damaged once more.
            let _ = std::fs::remove_file(&path);
            return None;
        }
        object
    }

    /// Keeps an object.
    pub(super) fn keep(&self, id: ObjectId, object: &Object) -> Result<()> {
        let path = self.folder.join(id.to_string());
        if path.exists() {
            return Ok(());
        }
        let header = format!("{} {}\0", object.kind, object.data.len());
        write_whole(&path, &[header.as_bytes(), &object.data])
    }
}

/// Reads an object from the form in which git hashes it.
fn parse(bytes: &[u8]) -> Option<Object> {
    let (kind, size, header) = gix::objs::decode::loose_header(bytes).ok()?;
    let data = bytes.get(header..)?;
    (data.len() as u64 == size).then(|| Object { kind, data: data.to_vec() })
}

/// The id that an object's content gives it.
fn hash(object: &Object) -> Option<ObjectId> {
    let kind: Kind = object.kind;
    gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, &object.data).ok()
}

/// Writes a file so that nobody ever sees a part of it.
fn write_whole(path: &Path, parts: &[&[u8]]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(".incoming-").tempfile_in(folder)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| Error::io(OPERATION, path, error))
}

/// A file name for a URL or ref: the beginning of it for people, a hash of it for certainty.
fn file_name(text: &str) -> String {
    /// How much of the text people see.
    const SHOWN: usize = 80;
    let shown: String = text
        .trim_start_matches("https://")
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '+' })
        .take(SHOWN)
        .collect();
    let digest = Sha256::digest(text.as_bytes());
    let short: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{short}", shown.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(text: &str) -> (ObjectId, Object) {
        let object = Object { kind: Kind::Blob, data: text.into() };
        (hash(&object).unwrap(), object)
    }

    #[test]
    fn what_is_kept_reads_back_and_damage_reads_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        let commit = Cache::new(folder.path().into()).commit("https://host/a/b", ObjectId::null(gix::hash::Kind::Sha1));
        let (id, object) = blob("moo");
        assert_eq!(commit.object(id), None);
        commit.keep(id, &object).unwrap();
        assert_eq!(commit.object(id), Some(object.clone()));

        for damage in [&b""[..], b"blob 3\0mop", b"blob 3\0mo", b"blob 4\0moo", b"tree 3\0moo", b"garbage"] {
            std::fs::write(commit.folder.join(id.to_string()), damage).unwrap();
            assert_eq!(commit.object(id), None, "{damage:?}");
            commit.keep(id, &object).unwrap();
            assert_eq!(commit.object(id), Some(object.clone()), "after {damage:?}");
        }
    }

    #[test]
    fn two_repositories_never_share_a_name() {
        let names =
            ["https://host/a/b", "http://host/a/b", "https://host/a+b", "https://host/A/b", "https://host/a/b/"];
        let mut found: Vec<_> = names.iter().map(|name| file_name(name)).collect();
        assert_eq!(found[0].split_once("-").unwrap().0, "host+a+b");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), names.len());
        assert!(file_name(&"x/".repeat(500)).len() < 120);
    }
}
