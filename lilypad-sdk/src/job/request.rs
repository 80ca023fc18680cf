//! What somebody wants to have run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::module::InputFile;
use crate::wallet::Address;

/// How to run a job. Every field has a default that suits a first run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Only this provider may take the job. `None`: any.
    pub target: Option<Address>,
    /// Whether a non-zero exit code of the job's program is a result like any other. `false`: it is an error,
    /// [`ErrorKind::ModuleExit`](crate::ErrorKind::ModuleExit).
    pub allow_exit_code: bool,
    /// Makes submitting repeatable: the same key gives the same job, also after a crash and from other processes that share the journal. 1 to 255
    /// bytes, kept on this machine only, and remembered for the last 50,000 jobs that are over. `None`: every call is a job of its own.
    pub idempotency_key: Option<String>,
}

/// A job to run: a module, its inputs and files.
///
/// ```
/// use lilypad_sdk::JobRequest;
///
/// let request = JobRequest::new("cowsay:v0.0.4").input("Message", "moo");
/// assert_eq!(request.inputs["Message"], "moo");
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Client::submit`, `Client::run` or `Client::plan`"]
#[non_exhaustive]
pub struct JobRequest {
    /// The module: `name:ref`, `host/owner/repo:ref`, a URL with a ref, or a folder.
    pub module: String,
    /// The module's inputs, taken literally. They become public.
    pub inputs: BTreeMap<String, String>,
    /// Files that the job finds in `/inputs`. They are seen by the solver and the provider.
    pub files: Vec<InputFile>,
    /// A folder whose files the job finds in `/inputs`, beside `files`. It must be flat.
    pub inputs_dir: Option<PathBuf>,
    /// How to run it.
    pub options: RunOptions,
}

impl JobRequest {
    /// A job without inputs.
    pub fn new(module: impl Into<String>) -> Self {
        Self { module: module.into(), ..Self::default() }
    }

    /// Sets one input.
    pub fn input(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.inputs.insert(name.into(), value.into());
        self
    }

    /// Sets several inputs.
    pub fn inputs<K: Into<String>, V: Into<String>>(mut self, inputs: impl IntoIterator<Item = (K, V)>) -> Self {
        self.inputs.extend(inputs.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Adds a file.
    pub fn file(mut self, file: InputFile) -> Self {
        self.files.push(file);
        self
    }

    /// Adds a folder's files.
    pub fn inputs_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.inputs_dir = Some(folder.into());
        self
    }

    /// Lets only this provider take the job.
    pub fn target(mut self, provider: Address) -> Self {
        self.options.target = Some(provider);
        self
    }

    /// Makes submitting repeatable: the same key gives the same job.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.options.idempotency_key = Some(key.into());
        self
    }

    /// Takes a non-zero exit code as a result like any other.
    pub fn allow_exit_code(mut self) -> Self {
        self.options.allow_exit_code = true;
        self
    }
}

impl From<&str> for JobRequest {
    fn from(module: &str) -> Self {
        Self::new(module)
    }
}

impl From<String> for JobRequest {
    fn from(module: String) -> Self {
        Self::new(module)
    }
}
