//! The result of a job.

use std::path::Path;

use super::files::{ResultFile, ResultFiles};
use super::verified::Verified;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{DataId, DealId, JobId};

/// Where every result keeps what its program wrote to standard output.
const STDOUT: &str = "stdout";
/// Where every result keeps what its program wrote to standard error.
const STDERR: &str = "stderr";
/// Where every result keeps its program's exit code, in decimal digits.
const EXIT_CODE: &str = "exitCode";
/// An exit code has no more bytes than this, whatever the file may have.
const EXIT_CODE_LIMIT: u64 = 64;

/// The result of a job: what its program printed, how it ended, and the files that it made. Cheap to clone.
///
/// Everything in it has been checked against the content id that the provider vouched for. The files lie in the folder that was
/// asked for, or in a temporary one, which goes with the last handle on it: [`save`](Self::save) what should stay.
///
/// ```no_run
/// # async fn example(result: lilypad_sdk::JobResult) -> lilypad_sdk::Result<()> {
/// println!("{}", result.stdout_text()?);
/// for file in result.files() {
///     println!("{} has {} bytes", file.path(), file.size());
/// }
/// result.file("outputs/image.png")?.save("image.png").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct JobResult {
    /// The job.
    job: JobId,
    /// The deal under which it ran.
    deal: DealId,
    /// How its program ended.
    exit_code: i32,
    /// All files.
    files: ResultFiles,
}

impl JobResult {
    /// Makes the result of `job` out of its files. To be made before a result is accepted: one without an exit code is not whole.
    pub(crate) fn new(files: &Verified<ResultFiles>, job: JobId, deal: DealId) -> Result<Self> {
        let files = ResultFiles::clone(files);
        let exit_code = read_exit_code(files.path()).map_err(|error| error.with_job(&job).with_deal(&deal))?;
        Ok(Self { job, deal, exit_code, files })
    }

    /// The job.
    pub fn job_id(&self) -> &JobId {
        &self.job
    }

    /// The deal under which it ran.
    pub fn deal_id(&self) -> &DealId {
        &self.deal
    }

    /// The content id of the result's folder.
    pub fn data_id(&self) -> &DataId {
        self.files.data_id()
    }

    /// The exit code of the job's program: zero when it ended well.
    pub fn exit_code(&self) -> i32 {
        self.exit_code
    }

    /// What the program wrote to standard output.
    ///
    /// # Errors
    ///
    /// When it cannot be read any more, or the result came without it.
    pub fn stdout(&self) -> Result<Vec<u8>> {
        self.read(STDOUT)
    }

    /// What the program wrote to standard output, as text; bytes that are no text become `�`.
    ///
    /// # Errors
    ///
    /// When it cannot be read any more, or the result came without it.
    pub fn stdout_text(&self) -> Result<String> {
        self.stdout().map(text)
    }

    /// What the program wrote to standard error.
    ///
    /// # Errors
    ///
    /// When it cannot be read any more, or the result came without it.
    pub fn stderr(&self) -> Result<Vec<u8>> {
        self.read(STDERR)
    }

    /// What the program wrote to standard error, as text; bytes that are no text become `�`.
    ///
    /// # Errors
    ///
    /// When it cannot be read any more, or the result came without it.
    pub fn stderr_text(&self) -> Result<String> {
        self.stderr().map(text)
    }

    /// The files that the job made, sorted by path: everything but `stdout`, `stderr` and `exitCode`.
    pub fn files(&self) -> impl Iterator<Item = ResultFile> + '_ {
        self.files.iter().filter(|file| ![STDOUT, STDERR, EXIT_CODE].contains(&file.path()))
    }

    /// The file at `path`, relative and separated by `/`: `outputs/image.png`.
    ///
    /// # Errors
    ///
    /// Of kind [`NotFound`](ErrorKind::NotFound) when there is none; it says which names come near.
    pub fn file(&self, path: &str) -> Result<ResultFile> {
        self.files.get(path).map_err(|error| self.about(error))
    }

    /// What came with the result but is not in its folder: files and folders whose name starts with a dot. The content id does not
    /// cover them, so anyone on the way could have added or changed them.
    pub fn skipped(&self) -> &[String] {
        self.files.skipped()
    }

    /// The folder on disk.
    pub fn path(&self) -> &Path {
        self.files.path()
    }

    /// Copies the whole result to `folder`, which must not exist yet, or be empty. It appears there complete or not at all.
    ///
    /// # Errors
    ///
    /// Of kind [`Io`](ErrorKind::Io) when `folder` holds something already, or cannot be written.
    pub async fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        self.files.save(folder).await.map_err(|error| self.about(error))
    }

    /// Computes the content id of the folder on disk again and compares it with [`data_id`](Self::data_id).
    ///
    /// # Errors
    ///
    /// Of kind [`Integrity`](ErrorKind::Integrity) when something in the folder was changed since it was unpacked.
    pub async fn verify(&self) -> Result<()> {
        self.files.verify().await.map_err(|error| self.about(error))
    }

    /// Reads one of the files that every result has.
    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.file(name)?.path_on_disk();
        std::fs::read(&path).map_err(|error| self.about(Error::io("read result", &path, error)))
    }

    /// Says which job an error is about.
    fn about(&self, error: Error) -> Error {
        error.with_job(&self.job).with_deal(&self.deal)
    }
}

/// Bytes as text, whatever they are.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Reads the exit code of the job's program from the folder of a result.
pub(crate) fn read_exit_code(folder: &Path) -> Result<i32> {
    let operation = "read exit code";
    let incomplete = |message: String| {
        Error::new(ErrorKind::Integrity, operation)
            .with_message(message)
            .with_help("the provider left out how the job ended")
    };
    let path = folder.join(EXIT_CODE);
    let file = path.symlink_metadata().ok().filter(|file| file.is_file());
    let file = file.ok_or_else(|| incomplete(format!("the result has no file `{EXIT_CODE}`")))?;
    if file.len() > EXIT_CODE_LIMIT {
        return Err(incomplete(format!("`{EXIT_CODE}` has {} bytes, which is no number", file.len())));
    }
    let bytes = std::fs::read(&path).map_err(|error| Error::io(operation, &path, error))?;
    let digits = text(bytes);
    digits.trim().parse().map_err(|_| incomplete(format!("`{EXIT_CODE}` says {digits:?}, which is no number")))
}
