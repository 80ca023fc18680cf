//! Why a job came to no result.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a job came to no result. Its text is what the job's owner reads as the provider's own words.
///
/// A program that ended with a non-zero exit code is not among them: that is a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The task asks for something that no program could be given.
    #[error("the job cannot be run: {0}")]
    Task(String),
    /// The program is not a module that the sandbox can load: malformed, or with imports that it does not offer.
    #[error("the program cannot be loaded: {0}")]
    Program(String),
    /// The program has no such function, or not one without parameters and results.
    #[error("unable to find the entrypoint '{0}' in the WASM module, or it takes parameters or returns something")]
    EntryPoint(String),
    /// The program did what ends a WASM program: a panic, a division by zero, an access outside of its memory.
    #[error("the program crashed: {0}")]
    Trap(String),
    /// The program was still running when its time was over.
    #[error("execution timed out after {0:?}")]
    TimedOut(Duration),
    /// The program wanted more memory than it may have.
    #[error("the program needs more than its {limit} bytes of memory")]
    Memory {
        /// The most bytes that it may have.
        limit: u64,
    },
    /// The program wrote more than it may.
    #[error("the program wrote more than its {limit} bytes of output")]
    OutputBytes {
        /// The most bytes that its files, stdout and stderr may hold together.
        limit: u64,
    },
    /// The program made more files and folders than it may.
    #[error("the program made more than its {limit} files and folders")]
    Files {
        /// The most files and folders that it may see at any time.
        limit: u32,
    },
    /// The job was cancelled while it ran.
    #[error("the job was cancelled")]
    Cancelled,
    /// This machine could not read or write one of the job's files.
    #[error("could not {operation} {}: {source}", path.display())]
    Host {
        /// What was being done, as an imperative.
        operation: &'static str,
        /// The file that it was done to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Failure {
    /// Makes a [`Failure::Host`] of what the system said while doing `operation` to `path`; for `map_err`.
    pub(super) fn host(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Host { operation, path: path.to_owned(), source }
    }
}
