//! Files that arrive damaged, and results that lack a part.

use std::io;
use std::path::Path;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, TryStreamExt, stream};
use lilypad_sdk::protocol::{DataId, ResultRecord, json};
use lilypad_sdk::result::unixfs::cid_of_path;
use lilypad_sdk::result::{UnpackLimits, pack_directory, unpack_directory};
use lilypad_sdk::{Error, ErrorKind, Result};

use super::harm::Damage;
use crate::solver::archives::Archives;

/// How long a block of an archive is.
const BLOCK: usize = 512;

/// A body that arrives complete, and damaged.
pub(super) fn damaged(body: Body, damage: Damage) -> Body {
    let chunks = body.into_data_stream();
    match damage {
        Damage::FlipByte { at } => {
            let mut offset = 0_u64;
            Body::from_stream(chunks.map_ok(move |chunk| {
                let begin = offset;
                offset += chunk.len() as u64;
                let place = at.checked_sub(begin).and_then(|place| usize::try_from(place).ok());
                match place.filter(|place| *place < chunk.len()) {
                    None => chunk,
                    Some(place) => {
                        let mut bytes = chunk.to_vec();
                        bytes[place] ^= 1;
                        Bytes::from(bytes)
                    }
                }
            }))
        }
        Damage::Truncate { at } => {
            let mut left = at;
            Body::from_stream(
                chunks
                    .map_ok(move |mut chunk| {
                        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                        left -= chunk.len() as u64;
                        chunk
                    })
                    .try_take_while(|chunk| std::future::ready(Ok(!chunk.is_empty()))),
            )
        }
        Damage::Append(bytes) => Body::from_stream(chunks.chain(stream::once(async { Ok(bytes.into()) }))),
        Damage::Traversal => Body::from(traversal()),
    }
}

/// An archive with a file whose name leads out of the folder that it is unpacked into.
fn traversal() -> Vec<u8> {
    let content = b"out of the pond\n";
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    // Name, mode, owner, group, size, time, type and format, as POSIX lays them out. The sum is taken over blanks in its place.
    put(0, b"../escaped.txt");
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = block.to_vec();
    archive.extend_from_slice(content);
    // The rest of the block, and two empty ones for the end.
    archive.resize(4 * BLOCK, 0);
    archive
}

/// Takes the `exitCode` out of the archive of the deal with this id, and gives its record an id that fits. `None` if the record is
/// that of a job that failed: it has no archive.
pub(super) async fn without_exit_code(archives: &Archives, deal: &str, record: &[u8]) -> Result<Option<Vec<u8>>> {
    let unreadable =
        |error| Error::new(ErrorKind::InvalidInput, "take the exit code out of a result").with_source(error);
    let mut record: ResultRecord = json::from_slice(record).map_err(unreadable)?;
    if record.data_id.is_empty() {
        return Ok(None);
    }
    let folder = archives.results_of(deal);
    let changed = tokio::task::spawn_blocking(move || repack(&folder)).await;
    record.data_id = changed
        .map_err(|error| Error::new(ErrorKind::Internal, "take the exit code out of a result").with_source(error))??
        .to_string();
    Ok(Some(json::to_vec(&record)))
}

/// Replaces the archives of a folder by ones without `exitCode`. Gives the id of what is in the last one: there is one.
fn repack(folder: &Path) -> Result<DataId> {
    let failed = |source: io::Error| Error::io("take the exit code out of a result", folder, source);
    let mut id = None;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let archive = entry.map_err(failed)?.path();
        let root = tempfile::tempdir().map_err(failed)?;
        let files = root.path().join("result");
        unpack_directory(std::fs::File::open(&archive).map_err(failed)?, &files, &UnpackLimits::default())?;
        std::fs::remove_file(files.join("exitCode")).map_err(failed)?;
        id = Some(cid_of_path(&files)?);
        pack_directory(&files, io::BufWriter::new(std::fs::File::create(&archive).map_err(failed)?))?;
    }
    id.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What arrives of a body in three pieces.
    async fn arrives(damage: Damage) -> Vec<u8> {
        let pieces = ["lily", "pad", "pond"].map(|piece| Ok::<_, io::Error>(Bytes::from(piece)));
        let body = damaged(Body::from_stream(stream::iter(pieces)), damage);
        axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn damage_is_done_where_it_was_asked_for_whatever_pieces_come() {
        assert_eq!(arrives(Damage::FlipByte { at: 4 }).await, b"lilyqadpond");
        assert_eq!(arrives(Damage::FlipByte { at: 100 }).await, b"lilypadpond");
        assert_eq!(arrives(Damage::Truncate { at: 5 }).await, b"lilyp");
        assert_eq!(arrives(Damage::Truncate { at: 7 }).await, b"lilypad");
        assert_eq!(arrives(Damage::Truncate { at: 0 }).await, b"");
        assert_eq!(arrives(Damage::Append(b"!".to_vec())).await, b"lilypadpond!");
    }

    #[test]
    fn what_would_escape_is_refused_for_its_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("result");
        let error = unpack_directory(traversal().as_slice(), &place, &UnpackLimits::default()).unwrap_err();
        assert!(error.to_string().contains("../escaped.txt"), "{error}");
        assert!(!folder.path().join("escaped.txt").exists());
    }
}
