//! A git repository on this machine, read in place.

use std::path::{Path, PathBuf};

use gix::ObjectId;

use super::tree::{Found, Object, find_file};
use super::{InnerPath, unreadable};
use crate::error::{Error, ErrorKind, Result};
use crate::module::nearest::nearest;
use crate::module::resolver::no_such_folder;

/// A commit of a repository on this machine, with or without a work tree. Opened anew for each file, which takes less than reading one.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Where it is.
    path: PathBuf,
    /// The commit.
    commit: ObjectId,
}

impl Repository {
    /// Opens the repository at `path` at a tag, branch or commit.
    pub(crate) fn open(path: PathBuf, reference: &str) -> Result<Self> {
        let commit = resolve(&open(&path, reference)?, &path.display().to_string(), reference)?;
        Ok(Self { path, commit })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The commit that the ref stood for when it was opened.
    pub(super) fn commit(&self) -> String {
        self.commit.to_string()
    }

    /// Reads a file. `None` if there is none at that path.
    pub(super) fn read(&self, path: &InnerPath) -> Result<Option<Vec<u8>>> {
        let place = self.path.display().to_string();
        let repository = open(&self.path, &self.commit.to_string())?;
        let found = find_file(self.commit, path, |id| {
            let object = repository.try_find_object(id).map_err(|source| unreadable(&place, source))?;
            Ok(object.map(|object| Object { kind: object.kind, data: object.data.clone() }))
        })?;
        match found {
            Found::File(content) => Ok(Some(content)),
            Found::Absent => Ok(None),
            Found::Missing { id, .. } => Err(Error::new(ErrorKind::Module, "read module")
                .with_message(format_args!("{place} has no object {id}, which commit {} needs", self.commit))
                .with_help("fetch the missing history with `git fetch --refetch`")),
        }
    }
}

/// Opens the repository at `path`, in which somebody looks for `reference`.
fn open(path: &Path, reference: &str) -> Result<gix::Repository> {
    if !path.is_dir() {
        return Err(no_such_folder(path));
    }
    // Isolated: neither the user's nor the system's configuration has a say in what a module is.
    gix::open_opts(path, gix::open::Options::isolated()).map_err(|source| {
        Error::new(ErrorKind::Module, "find module")
            .with_message(format_args!("{} is not a git repository, so it has no {reference:?}", path.display()))
            .with_help("leave out the ref to use the folder as it is")
            .with_source(source)
    })
}

/// The commit that a ref stands for, as `git rev-parse` would choose it: the full id first, then tags, then branches.
fn resolve(repository: &gix::Repository, place: &str, reference: &str) -> Result<ObjectId> {
    if let Ok(id) = ObjectId::from_hex(reference.as_bytes()) {
        return match repository.try_find_object(id).map_err(|source| unreadable(place, source))? {
            Some(_) => Ok(id),
            None => Err(Error::new(ErrorKind::Module, "find module")
                .with_message(format_args!("{place} has no commit {id}"))
                .with_help("check the id, or fetch it into the repository first")),
        };
    }
    let found = repository.try_find_reference(reference).map_err(|source| unreadable(place, source))?;
    match found {
        Some(mut found) => Ok(found.peel_to_id().map_err(|source| unreadable(place, source))?.detach()),
        None => Err(no_such_ref(place, reference, &names(repository))),
    }
}

/// The short names of all tags and branches; none if they cannot be listed.
fn names(repository: &gix::Repository) -> Vec<String> {
    let Ok(references) = repository.references() else { return Vec::new() };
    let Ok(all) = references.all() else { return Vec::new() };
    all.filter_map(std::result::Result::ok)
        .filter_map(|reference| short_name(&reference.name().as_bstr().to_string()))
        .collect()
}

/// `v1` for `refs/tags/v1`, `main` for `refs/heads/main`, nothing for other refs.
pub(super) fn short_name(full: &str) -> Option<String> {
    full.strip_prefix("refs/tags/").or_else(|| full.strip_prefix("refs/heads/")).map(str::to_owned)
}

/// Says that a repository has no such ref, and which it has.
pub(super) fn no_such_ref(place: &str, reference: &str, names: &[String]) -> Error {
    let error = Error::new(ErrorKind::Module, "find module")
        .with_message(format_args!("{place} has no tag, branch or commit {reference:?}"));
    let is_short_id = (4..40).contains(&reference.len()) && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_short_id {
        return error
            .with_help("a commit is named by all 40 digits of its id; only tags and branches have short names");
    }
    match nearest(reference, names.iter().map(String::as_str)) {
        Some(name) => error.with_help(format!("did you mean `{name}`?{}", listing(names))),
        None if names.is_empty() => error.with_help("the repository is empty"),
        None => error.with_help(listing(names).trim_start().to_owned()),
    }
}

/// A sentence that lists refs, a few of them when there are many.
fn listing(names: &[String]) -> String {
    /// How many names people read.
    const SHOWN: usize = 12;
    // The newest versions sort last, and they are the likely ones.
    let mut shown: Vec<_> = names.iter().rev().take(SHOWN).map(String::as_str).collect();
    shown.dedup();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!(" it has {}{more}", shown.join(", "))
}
