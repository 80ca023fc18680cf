//! What a git server sends: objects in a pack.

use std::io::{BufRead, Read};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::odb::pack::{Bundle, bundle::write::Options, cache::Never};
use gix::progress::Discard;

use super::FILE_LIMIT;
use super::tree::Object;

/// The most that a server may send. A fetch leaves out large files where the server can, so this is for servers that cannot.
const PACK_LIMIT: u64 = 256 << 20;

/// An error of gix or of reading from the network.
pub(super) type GitError = Box<dyn std::error::Error + Send + Sync>;

/// A pack that was received, checked and indexed, in a temporary folder that goes with it.
pub(super) struct Pack {
    /// The pack and its index. Before the folder, since their files are mapped into memory.
    bundle: Option<Bundle>,
    /// Where they are.
    _folder: tempfile::TempDir,
}

impl Pack {
    /// Reads a pack to its end, into a folder inside `parent`. Every object's id is computed from its content on the way.
    pub(super) fn receive(reader: impl BufRead, parent: &Path, interrupt: &AtomicBool) -> Result<Self, GitError> {
        std::fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix(".incoming-").tempdir_in(parent)?;
        let options = Options {
            thread_limit: Some(1),
            // A few bytes can promise an object of any size: refuse before making room for it.
            alloc_limit_bytes: Some(FILE_LIMIT),
            ..Options::default()
        };
        let outcome = Bundle::write_to_directory(
            &mut Limited { reader, left: PACK_LIMIT },
            Some(folder.path()),
            &mut Discard,
            interrupt,
            None::<gix::objs::find::Never>,
            gix::hash::Kind::Sha1,
            options,
        )?;
        Ok(Self { bundle: outcome.to_bundle().transpose()?, _folder: folder })
    }

    /// An object of the pack.
    pub(super) fn object(&self, id: ObjectId) -> Result<Option<Object>, GitError> {
        let Some(bundle) = &self.bundle else { return Ok(None) };
        let mut data = Vec::new();
        let found = bundle.find(&id, &mut data, &mut gix::zlib::Inflate::default(), &mut Never)?;
        let Some(kind) = found.map(|(object, _)| object.kind) else { return Ok(None) };
        Ok(Some(Object { kind, data }))
    }

    /// The ids of all objects.
    pub(super) fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.bundle.iter().flat_map(|bundle| bundle.index.iter().map(|entry| entry.oid))
    }
}

/// A reader that fails once more than an allowance was read.
struct Limited<R> {
    /// What is read.
    reader: R,
    /// How many bytes may still come.
    left: u64,
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Limited<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.left == 0 {
            return Err(std::io::Error::other(format!("the server sends more than {} MB", PACK_LIMIT >> 20)));
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count as u64);
        self.reader.consume(count);
    }
}
