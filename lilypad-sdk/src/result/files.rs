//! The files of a result, for people.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::contents::Contents;
use super::nearest::nearest;
use super::staging::{Staging, persist_file};
use super::{unixfs, verified};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::blocking;
use crate::protocol::DataId;

/// The files of a result on disk, checked against the result's content id when they were unpacked. Cheap to clone.
///
/// They lie in the folder that was asked for, or in a temporary one, which goes with the last handle on it: keep the value, or a
/// [`ResultFile`] of it, for as long as you use its paths.
#[derive(Clone)]
pub struct ResultFiles(Arc<Inner>);

/// What all handles on a result's files share.
struct Inner {
    /// The folder.
    folder: PathBuf,
    /// What is in it.
    contents: Contents,
    /// Its content id.
    data_id: DataId,
    /// Removes the folder when it is a temporary one.
    _temporary: Option<TempDir>,
}

impl ResultFiles {
    /// Files that lie in `folder`.
    pub(super) fn new(folder: PathBuf, temporary: Option<TempDir>, contents: Contents, data_id: DataId) -> Self {
        Self(Arc::new(Inner { folder, contents, data_id, _temporary: temporary }))
    }

    /// The folder on disk.
    pub fn path(&self) -> &Path {
        &self.0.folder
    }

    /// The content id of the folder.
    pub fn data_id(&self) -> &DataId {
        &self.0.data_id
    }

    /// What came with the result but is not in its folder: files and folders whose name starts with a dot. The content id does not
    /// cover them, so anyone on the way could have added or changed them.
    pub fn skipped(&self) -> &[String] {
        &self.0.contents.skipped
    }

    /// All files, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = ResultFile> + '_ {
        (0..self.0.contents.files.len()).map(|index| ResultFile { files: self.clone(), index })
    }

    /// The file at `path`, relative and separated by `/`: `outputs/image.png`.
    ///
    /// # Errors
    ///
    /// Of kind [`NotFound`](ErrorKind::NotFound) when there is none; it says which names come near.
    pub fn get(&self, path: &str) -> Result<ResultFile> {
        let files = &self.0.contents.files;
        if let Ok(index) = files.binary_search_by(|(name, _)| name.as_str().cmp(path)) {
            return Ok(ResultFile { files: self.clone(), index });
        }
        let near = nearest(path, files.iter().map(|(name, _)| name.as_str()));
        let error = Error::new(ErrorKind::NotFound, "find result file")
            .with_message(format_args!("the result has no file `{path}`"));
        Err(if near.is_empty() {
            error.with_help("the result has no files at all")
        } else {
            error.with_help(format!("it has `{}`", near.join("`, `")))
        })
    }

    /// Copies the whole folder to `folder`, which must not exist yet, or be empty. It appears there complete or not at all.
    ///
    /// # Errors
    ///
    /// Of kind [`Io`](ErrorKind::Io) when `folder` holds something already, or cannot be written.
    pub async fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let (files, folder) = (self.clone(), folder.as_ref().to_owned());
        blocking("use the disk", move || files.copy_to(&folder)).await
    }

    /// Computes the content id of the folder on disk again and compares it with [`data_id`](Self::data_id).
    ///
    /// # Errors
    ///
    /// Of kind [`Integrity`](ErrorKind::Integrity) when something in the folder was changed since it was unpacked.
    pub async fn verify(&self) -> Result<()> {
        let files = self.clone();
        blocking("use the disk", move || {
            verified::compare(&unixfs::cid_of_path(files.path())?, files.data_id(), "verify result")
        })
        .await
    }

    /// Does what [`save`](Self::save) promises. Blocks the thread.
    fn copy_to(&self, destination: &Path) -> Result<()> {
        let operation = "save result";
        let staging = Staging::beside(destination, operation)?;
        for folder in &self.0.contents.folders {
            let to = staging.path().join(folder);
            std::fs::create_dir(&to).map_err(|error| Error::io(operation, &to, error))?;
        }
        for (name, _) in &self.0.contents.files {
            let (from, to) = (self.path().join(name), staging.path().join(name));
            let mut source = std::fs::File::open(&from).map_err(|error| Error::io(operation, &from, error))?;
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&to)
                .and_then(|mut copy| io::copy(&mut source, &mut copy))
                .map_err(|error| Error::io(operation, &to, error))?;
        }
        staging.sync()?;
        staging.commit()?;
        Ok(())
    }
}

impl fmt::Debug for ResultFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultFiles")
            .field("path", &self.path())
            .field("data_id", self.data_id())
            .field("files", &self.0.contents.files.len())
            .finish_non_exhaustive()
    }
}

/// A file of a result. Cheap to clone; keeps the result's folder while it lives.
#[derive(Clone)]
pub struct ResultFile {
    /// The files that it is one of.
    files: ResultFiles,
    /// Its place among them.
    index: usize,
}

impl ResultFile {
    /// Its path in the result, separated by `/`: `outputs/image.png`.
    pub fn path(&self) -> &str {
        &self.files.0.contents.files[self.index].0
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.files.0.contents.files[self.index].1
    }

    /// Where it lies on disk.
    pub fn path_on_disk(&self) -> PathBuf {
        self.files.path().join(self.path())
    }

    /// The whole content.
    ///
    /// # Errors
    ///
    /// When it cannot be read any more.
    pub async fn read(&self) -> Result<Vec<u8>> {
        let path = self.path_on_disk();
        tokio::fs::read(&path).await.map_err(|error| Error::io("read result file", &path, error))
    }

    /// The whole content as text.
    ///
    /// # Errors
    ///
    /// When it cannot be read any more, or is not UTF-8.
    pub async fn text(&self) -> Result<String> {
        String::from_utf8(self.read().await?).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "read result file as text")
                .with_message(format_args!("`{}` is not UTF-8: {}", self.path(), error.utf8_error()))
                .with_help("read its bytes instead")
        })
    }

    /// Opens it for reading piece by piece.
    ///
    /// # Errors
    ///
    /// When it cannot be opened any more.
    pub async fn open(&self) -> Result<tokio::fs::File> {
        let path = self.path_on_disk();
        tokio::fs::File::open(&path).await.map_err(|error| Error::io("open result file", &path, error))
    }

    /// Copies it to `path`, which must not exist yet. It appears there complete or not at all.
    ///
    /// # Errors
    ///
    /// Of kind [`Io`](ErrorKind::Io) when `path` exists or cannot be written.
    pub async fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let (file, path) = (self.clone(), path.as_ref().to_owned());
        blocking("use the disk", move || persist_file(&file.path_on_disk(), &path, "save result file")).await
    }
}

impl fmt::Debug for ResultFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultFile").field("path", &self.path()).field("size", &self.size()).finish_non_exhaustive()
    }
}
