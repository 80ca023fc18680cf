//! From a commit to a file, over git objects wherever they are kept.

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{CommitRefIter, Kind, TagRefIter, TreeRefIter};

use super::{InnerPath, unreadable};
use crate::error::{Error, ErrorKind, Result};

/// A git object, unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its content, without git's header.
    pub(crate) data: Vec<u8>,
}

/// What a walk came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The file.
    File(Vec<u8>),
    /// The commit has no such file.
    Absent,
    /// An object on the way is not at hand.
    Missing {
        /// The object.
        id: ObjectId,
        /// Whether it is the file itself, rather than something on the way to it.
        is_file: bool,
    },
}

/// How many tags may point to tags.
const TAG_LIMIT: usize = 8;

/// Looks for the file at `path` in the commit, or tag of a commit, `root`; `object` gives objects, or `None` for those not at hand.
pub(super) fn find_file(
    root: ObjectId,
    path: &InnerPath,
    mut object: impl FnMut(ObjectId) -> Result<Option<Object>>,
) -> Result<Found> {
    let mut tree = root;
    for _ in 0..TAG_LIMIT {
        let Some(Object { kind, data }) = object(tree)? else {
            return Ok(Found::Missing { id: tree, is_file: false });
        };
        match kind {
            Kind::Tag => tree = TagRefIter::from_bytes(&data, root.kind()).target_id().map_err(|e| broken(root, e))?,
            Kind::Commit => {
                tree = CommitRefIter::from_bytes(&data, root.kind()).tree_id().map_err(|e| broken(root, e))?;
                break;
            }
            Kind::Tree | Kind::Blob => return Err(not_a_commit(root, kind)),
        }
    }

    let segments = path.segments();
    for (depth, segment) in segments.iter().enumerate() {
        let Some(Object { data, .. }) = object(tree)? else {
            return Ok(Found::Missing { id: tree, is_file: false });
        };
        let mut entry = None;
        for candidate in TreeRefIter::from_bytes(&data, root.kind()) {
            let candidate = candidate.map_err(|error| broken(root, error))?;
            if candidate.filename == segment.as_str() {
                entry = Some((candidate.mode.kind(), candidate.oid.to_owned()));
                break;
            }
        }
        let is_last = depth + 1 == segments.len();
        match entry {
            Some((EntryKind::Tree, id)) if !is_last => tree = id,
            Some((EntryKind::Blob | EntryKind::BlobExecutable, id)) if is_last => {
                return Ok(match object(id)? {
                    Some(Object { data, .. }) => Found::File(data),
                    None => Found::Missing { id, is_file: true },
                });
            }
            Some((EntryKind::Link, _)) => return Err(is_special(path, segment, "a symbolic link")),
            Some((EntryKind::Commit, _)) => return Err(is_special(path, segment, "a git submodule")),
            Some(_) | None => return Ok(Found::Absent),
        }
    }
    Ok(Found::Absent)
}

/// Says that an object is not what git would have written.
fn broken(root: ObjectId, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    unreadable(&format!("commit {root} has an object that git would not have written"), source)
}

/// Says that a full id names something other than a commit.
fn not_a_commit(root: ObjectId, kind: Kind) -> Error {
    Error::new(ErrorKind::Module, "find module")
        .with_message(format_args!("{root} is a {kind}, not a commit"))
        .with_help("give the id of a commit, a tag or a branch")
}

/// Says that a file cannot be read because something on its path is not stored as a file or folder.
fn is_special(path: &InnerPath, segment: &str, what: &str) -> Error {
    Error::new(ErrorKind::Module, "read module")
        .with_message(format_args!("{path} cannot be read: {segment} is {what}"))
        .with_help("put the file itself into the module's repository")
}
