//! The result of a scripted solver: its archive, in memory.

use std::convert::Infallible;
use std::fs::File;
use std::io::Write;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use lilypad_sdk::DataId;
use lilypad_sdk::result::pack_directory;
use lilypad_sdk::result::unixfs::cid_of_path;
use rand::{Rng, SeedableRng};

use crate::Outcome;

/// How many bytes are handed to the socket at a time.
const PIECE: usize = 1 << 20;
/// What a real solver sends after an archive.
const TRAILER: &[u8] = b"{}\n";
/// Small files of every result, such as a log for each step.
const SMALL_FILES: usize = 200;
/// Large files that share most of the bytes.
const LARGE_FILES: u64 = 4;

/// The archive of a result, which is what a provider would have uploaded.
pub(super) struct Archive {
    bytes: Bytes,
    data_id: DataId,
}

impl Archive {
    /// Of a result with about `size` bytes: a few large files that do not compress, and many small ones.
    pub(super) fn make(size: u64) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("lilypad-bench-").tempdir()?;
        let outputs = folder.path().join("outputs");
        std::fs::create_dir(&outputs)?;
        for (name, text) in [("exitCode", "0"), ("stdout", "done\n"), ("stderr", "")] {
            std::fs::write(folder.path().join(name), text)?;
        }
        let mut random = rand::rngs::StdRng::seed_from_u64(7);
        let mut piece = vec![0; PIECE];
        for index in 0..SMALL_FILES {
            let length = random.random_range(100..40_000);
            random.fill(&mut piece[..length]);
            std::fs::write(outputs.join(format!("step-{index:03}.log")), &piece[..length])?;
        }
        for index in 0..LARGE_FILES {
            let mut file = File::create(outputs.join(format!("part-{index}.bin")))?;
            let mut left = size / LARGE_FILES;
            while left > 0 {
                let length = left.min(PIECE as u64);
                random.fill(&mut piece[..]);
                file.write_all(&piece[..length as usize])?;
                left -= length;
            }
        }
        let mut bytes = Vec::with_capacity(size as usize + (16 << 20));
        pack_directory(folder.path(), &mut bytes)?;
        bytes.extend_from_slice(TRAILER);
        Ok(Self { bytes: bytes.into(), data_id: cid_of_path(folder.path())? })
    }

    /// The content id of the result.
    pub(super) fn data_id(&self) -> &DataId {
        &self.data_id
    }

    /// The archive as a body, in pieces whose length is not announced: as real solvers send it.
    pub(super) fn pieces(&self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
        let bytes = self.bytes.clone();
        stream::iter((0..bytes.len()).step_by(PIECE))
            .map(move |start| Ok(bytes.slice(start..bytes.len().min(start + PIECE))))
    }
}
