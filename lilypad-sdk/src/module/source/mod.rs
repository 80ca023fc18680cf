//! Where the files of a module come from.
//!
//! A remote repository is fetched at depth 1, without a git program and without the user's git configuration, and kept in the
//! [cache](super::cache); a repository on this machine is read in place; a plain folder and a bundled module have no history at all.
//! Everything here blocks: callers run it on a thread that may.

mod directory;
mod fetched;
mod limits;
mod pack;
mod remote;
mod repository;
mod tree;

#[cfg(test)]
pub(super) mod git_server;

use super::bundle::BundledFiles;
use crate::error::{Error, ErrorKind, Result};

pub(super) use directory::Directory;
pub(super) use fetched::Fetched;
pub(super) use limits::{Limits, limited};
pub(super) use remote::Remote;
pub(super) use repository::Repository;
pub(super) use tree::Object;

/// The largest file of a module that is read. Templates have a few kilobytes, programs a few megabytes.
pub(super) const FILE_LIMIT: usize = 64 << 20;

/// The files of one module.
#[derive(Debug)]
pub(super) enum Source {
    /// Files that came with the client.
    Bundled(BundledFiles),
    /// A folder of this machine, as it is now.
    Directory(Directory),
    /// A commit of a git repository on this machine.
    Repository(Repository),
    /// A commit of a remote git repository.
    Fetched(Fetched),
}

impl Source {
    /// Reads a file. `None` if there is none at that path.
    pub(super) fn read(&self, path: &InnerPath, limits: &Limits) -> Result<Option<Vec<u8>>> {
        let content = match self {
            Self::Bundled(files) => files.get(&path.to_string()).map(|content| content.to_vec()),
            Self::Directory(directory) => directory.read(path)?,
            Self::Repository(repository) => repository.read(path)?,
            Self::Fetched(fetched) => fetched.read(path, limits)?,
        };
        match content {
            Some(content) if content.len() > FILE_LIMIT => Err(too_large(path)),
            content => Ok(content),
        }
    }

    /// The commit that the files belong to, where they belong to one.
    pub(super) fn commit(&self) -> Option<String> {
        match self {
            Self::Bundled(_) | Self::Directory(_) => None,
            Self::Repository(repository) => Some(repository.commit()),
            Self::Fetched(fetched) => Some(fetched.commit()),
        }
    }
}

/// Says that a file of a module is larger than any that is read.
fn too_large(path: &InnerPath) -> Error {
    Error::new(ErrorKind::Module, "read module")
        .with_message(format_args!("{path} is larger than {} MB", FILE_LIMIT >> 20))
}

/// Says that a repository on this machine or elsewhere cannot be understood.
fn unreadable(place: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Module, "read module repository")
        .with_message(format_args!("{place}: {source}"))
        .with_source(source)
}

/// The path of a file inside a module: plain names only, so that it cannot lead outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InnerPath(Vec<String>);

impl InnerPath {
    /// Reads a path as offers write it, with or without a `/` before it.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let segments: Vec<_> = text.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
        let unsafe_segment = |segment: &&str| *segment == ".." || segment.contains(['\\', ':', '\0']);
        if segments.is_empty() || text.ends_with('/') || segments.iter().any(unsafe_segment) {
            return Err(Error::new(ErrorKind::Module, "read module")
                .with_message(format_args!("{text:?} is not the path of a file inside a module")));
        }
        Ok(Self(segments.into_iter().map(str::to_owned).collect()))
    }

    /// The path of `name` beside this file.
    pub(super) fn sibling(&self, name: &str) -> Result<Self> {
        let mut segments = self.0[..self.0.len() - 1].to_vec();
        segments.extend(Self::parse(name)?.0);
        Ok(Self(segments))
    }

    /// The names on the way, the file's own last.
    fn segments(&self) -> &[String] {
        &self.0
    }
}

impl std::fmt::Display for InnerPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leads_outside_a_module() {
        for text in ["", "/", ".", "..", "../x", "a/../../x", "a/..", "dir/", "a\\b", "C:x"] {
            assert!(InnerPath::parse(text).is_err(), "{text:?}");
        }
        let template = InnerPath::parse("/sub/lilypad_module.json.tmpl").unwrap();
        assert_eq!(template.sibling("program.wasm").unwrap().to_string(), "sub/program.wasm");
        assert!(template.sibling("../program.wasm").is_err());
    }
}
