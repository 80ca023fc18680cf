//! Receiving a result: from the wire to verified files in their place.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::pin::pin;

use bytes::{Buf, Bytes};
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::contents::Contents;
use super::files::ResultFiles;
use super::limits::UnpackLimits;
use super::staging::Staging;
use super::unixfs::Node;
use super::unpack::Unpacker;
use super::verified::Verified;
use super::walk::Hidden;
use crate::error::{Error, Result};
use crate::platform::blocking;
use crate::protocol::DataId;

/// What errors say was being done.
const OPERATION: &str = "unpack result";
/// How many pieces of the archive may wait for the disk. Then the network waits too.
const QUEUE: usize = 16;

/// Where a result's files go.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// A folder that is kept. It must not exist yet, or be empty.
    Folder(PathBuf),
    /// A temporary folder, removed with the last handle on it.
    Temporary,
}

/// Unpacks the archive of a result while it arrives, checks it against the id `expected`, and moves it into place.
///
/// The files appear complete and verified or not at all, also when the future is dropped half-way; a kept folder is written
/// through to the disk first. Memory does not grow with the archive. An error of the stream is passed on as it is, unless the
/// archive was complete before it.
///
/// `look` sees the verified folder before it is put in place, and may refuse it.
///
/// # Errors
///
/// Of kind [`Integrity`](crate::error::ErrorKind::Integrity) when the archive is damaged, tries something or has another id; of
/// kind [`Io`](crate::error::ErrorKind::Io) when the destination exists or cannot be written; what `look` says.
pub(crate) async fn receive<S, E>(
    archive: S,
    destination: Destination,
    expected: &DataId,
    limits: &UnpackLimits,
    look: impl FnOnce(&Path) -> Result<()> + Send + 'static,
) -> Result<Verified<ResultFiles>>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Error>,
{
    let (sender, pieces) = mpsc::channel(QUEUE);
    let (expected, limits) = (expected.clone(), limits.clone());
    let worker = blocking("use the disk", move || {
        let incoming = Incoming { pieces, current: Bytes::new() };
        let verified = Verified::check(Unpacked::make(incoming, &destination, &limits)?, &expected)?;
        look(verified.folder())?;
        verified.sync()?;
        Ok(verified)
    });
    let feeder = async move {
        let mut archive = pin!(archive);
        while let Some(piece) = archive.next().await {
            let is_last = piece.is_err();
            if sender.send(piece.map_err(Into::into)).await.is_err() || is_last {
                break;
            }
        }
        drop(sender);
    };
    // A worker that refuses the archive does not wait for the rest of it.
    let verified = match select(pin!(worker), pin!(feeder)).await {
        Either::Left((verified, _)) => verified?,
        Either::Right(((), worker)) => worker.await?,
    };
    // A step of its own: a call that is dropped before this point leaves nothing behind.
    blocking("use the disk", move || verified.place()).await
}

/// A result that is unpacked out of sight. Nothing vouches for it yet.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// Where it is.
    folder: Folder,
    /// What is in it.
    contents: Contents,
    /// The folder's node.
    pub(super) node: Node,
}

/// The folder of an unpacked result.
#[derive(Debug)]
enum Folder {
    /// On its way to a place of its own.
    Staged(Staging),
    /// To be removed after use.
    Temporary(TempDir),
}

impl Unpacked {
    /// Unpacks `archive` on the way to `destination`.
    fn make(archive: impl BufRead, destination: &Destination, limits: &UnpackLimits) -> Result<Self> {
        let folder = match destination {
            Destination::Folder(path) => Folder::Staged(Staging::beside(path, OPERATION)?),
            Destination::Temporary => {
                let made = tempfile::Builder::new().prefix("lilypad-result-").tempdir();
                Folder::Temporary(made.map_err(|error| Error::io(OPERATION, &std::env::temp_dir(), error))?)
            }
        };
        let (contents, node) = Unpacker::new(folder.path(), Hidden::Skip, limits, OPERATION).run(archive)?;
        Ok(Self { folder, contents, node })
    }

    /// Where it is until then.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes through to the disk what is going to stay.
    fn sync(&self) -> Result<()> {
        match &self.folder {
            Folder::Staged(staging) => staging.sync(),
            Folder::Temporary(_) => Ok(()),
        }
    }

    /// Moves the folder into place.
    pub(super) fn place(self) -> Result<ResultFiles> {
        let data_id = self.node.cid();
        Ok(match self.folder {
            Folder::Staged(staging) => ResultFiles::new(staging.commit()?, None, self.contents, data_id),
            Folder::Temporary(temporary) => {
                ResultFiles::new(temporary.path().to_owned(), Some(temporary), self.contents, data_id)
            }
        })
    }
}

impl Folder {
    /// Where it is.
    fn path(&self) -> &Path {
        match self {
            Self::Staged(staging) => staging.path(),
            Self::Temporary(temporary) => temporary.path(),
        }
    }
}

/// The archive as the unpacking thread reads it: pieces in the order of arrival, never joined.
struct Incoming {
    /// The pieces that have arrived, or the error that ended them.
    pieces: mpsc::Receiver<Result<Bytes>>,
    /// What is left of the current piece.
    current: Bytes,
}

impl BufRead for Incoming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.current = piece.map_err(io::Error::other)?,
                None => break,
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, count: usize) {
        self.current.advance(count);
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
