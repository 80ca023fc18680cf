//! Sending a result's files.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use bytes::Bytes;
use futures_util::stream;
use lilypad_sdk::Result;
use lilypad_sdk::protocol::DealId;
use lilypad_sdk::result::pack_directory;
use reqwest::Body;
use tokio::sync::mpsc;

use super::Shared;

/// How much is sent at a time.
const PIECE: usize = 64 << 10;
/// How many such pieces may wait. Together they are all the memory that an upload takes.
const PIECES: usize = 4;

/// Packs and sends `folder` as the result of `deal`, while it is read.
pub(super) async fn send(shared: &Shared, deal: &DealId, folder: &Path) -> Result<()> {
    let (sender, receiver) = mpsc::channel(PIECES);
    let folder = folder.to_owned();
    let packing = tokio::task::spawn_blocking(move || {
        let packed = pack_directory(folder, BufWriter::with_capacity(PIECE, Pipe(sender.clone())));
        if let Err(error) = &packed {
            // Without it the body would just end, and half an archive would be taken for a whole one.
            let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
        }
        packed
    });
    let pieces = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let sent = shared.api.upload_result_files(deal, Body::wrap_stream(pieces)).await;
    // Of two errors the packing's says more, unless packing only failed because sending had.
    match (packing.await, sent) {
        (_, Ok(_)) => Ok(()),
        (Ok(Err(error)), Err(_)) if !is_gone(&error) => Err(error),
        (_, Err(error)) => Err(error),
    }
}

/// What is written goes to whoever sends it.
struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        self.0.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether packing failed because nobody takes the archive any more.
fn is_gone(error: &lilypad_sdk::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
}
