//! The files that the solver relays: input files by job, results by deal.
//!
//! A file is written beside its place and moved there when it is complete, so that nobody reads half of it and a broken upload
//! leaves nothing.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use lilypad_sdk::error::{Error, Result};
use tempfile::{NamedTempFile, TempDir, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio_util::io::StreamReader;

use super::refusal::Refusal;

/// The solver's folder. It goes when the solver stops.
#[derive(Debug)]
pub(super) struct Archives(TempDir);

/// A complete file that has no place yet. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Incoming(TempPath);

impl Archives {
    /// A new folder inside `parent`, or among the system's temporary files.
    pub(super) fn new(parent: Option<&Path>) -> Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        tempfile::Builder::new()
            .prefix("lilypad-solver-")
            .tempdir_in(&parent)
            .map(Self)
            .map_err(|source| Error::io("make the solver's folder", &parent, source))
    }

    /// Removes the folder and all that is in it.
    pub(super) async fn remove(&self) {
        if let Err(error) = tokio::fs::remove_dir_all(self.0.path()).await {
            tracing::debug!(%error, "could not remove the solver's folder");
        }
    }

    /// Where the input files of a job are.
    pub(super) fn inputs_of(&self, job: &str) -> PathBuf {
        self.0.path().join("job-input-archives").join(job)
    }

    /// Where the result of a deal is.
    pub(super) fn results_of(&self, deal: &str) -> PathBuf {
        self.0.path().join("job-files").join(deal)
    }

    /// Writes what comes, in memory that doesn't grow with it.
    pub(super) async fn receive<E>(&self, chunks: impl Stream<Item = Result<Bytes, E>>) -> io::Result<Incoming>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let (file, path) = NamedTempFile::new_in(self.0.path())?.into_parts();
        let mut file = File::from_std(file);
        let mut chunks = std::pin::pin!(StreamReader::new(chunks.map_err(io::Error::other)));
        tokio::io::copy_buf(&mut chunks, &mut file).await?;
        file.flush().await?;
        Ok(Incoming(path))
    }

    /// Gives a file its place, in place of one of the same name.
    pub(super) async fn keep(&self, incoming: Incoming, folder: &Path, name: &str) -> io::Result<()> {
        tokio::fs::create_dir_all(folder).await?;
        incoming.0.persist(folder.join(name)).map_err(|error| error.error)
    }

    /// The first file of a folder by name, opened.
    pub(super) async fn open(&self, folder: &Path) -> Result<(String, File), Refusal> {
        let unreadable = |error| {
            // Go's words for the commonest of its errors; the folder is named as the reference solver names its own.
            let reason = match &error {
                error if io::Error::kind(error) == io::ErrorKind::NotFound => "no such file or directory".to_owned(),
                error => error.to_string(),
            };
            Refusal::fault(format!("error reading directory: open {}: {reason}", folder.display()))
        };
        let mut entries = tokio::fs::read_dir(folder).await.map_err(unreadable)?;
        let mut names = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
            names.push(entry.file_name());
        }
        let first = names.into_iter().min().ok_or_else(|| Refusal::fault("no regular files found in directory"))?;
        let file = File::open(folder.join(&first)).await.map_err(|error| Refusal::fault(error.to_string()))?;
        Ok((first.to_string_lossy().into_owned(), file))
    }
}

/// The name under which an upload is kept: what its header asks for, without any folders.
pub(super) fn file_name(content_disposition: Option<&str>) -> &str {
    let asked = content_disposition
        .and_then(|header| header.split("filename=").nth(1))
        .map(|name| name.trim_matches('"'))
        .and_then(|name| Path::new(name).file_name()?.to_str());
    asked.filter(|name| !name.contains('\0')).unwrap_or("results.tar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_stays_inside() {
        let cases = [
            (None, "results.tar"),
            (Some("attachment"), "results.tar"),
            (Some("attachment; filename=out.tar"), "out.tar"),
            (Some("attachment; filename=\"out.tar\""), "out.tar"),
            (Some("attachment; filename=../../etc/passwd"), "passwd"),
            (Some("attachment; filename=.."), "results.tar"),
            (Some("attachment; filename="), "results.tar"),
            (Some("attachment; filename=/"), "results.tar"),
        ];
        for (header, name) in cases {
            assert_eq!(file_name(header), name, "{header:?}");
        }
    }
}
