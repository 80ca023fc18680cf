//! One error for the whole SDK.
//!
//! An [`Error`] says what was being done, to which job, what went wrong and what to do about it. Its [`ErrorKind`] is for code that
//! decides; its text is for people. A job that ran and failed is an *outcome*, not a fault of the network: see [`Error::is_outcome`].

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::protocol::{DealId, JobId};

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// What kind of thing went wrong. Stable: programs match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option, an environment variable or a network definition is wrong.
    Config,
    /// The private key or the keystore file cannot be used.
    Wallet,
    /// An input, a file or an argument of a call is wrong.
    InvalidInput,
    /// The module cannot be found, rendered or understood.
    Module,
    /// Nobody answered, or the connection broke.
    Connection,
    /// The solver refused, for a reason without a kind of its own.
    Solver,
    /// The solver has too many requests from this address.
    RateLimited,
    /// The solver has too many unmatched offers.
    NetworkBusy,
    /// The clocks of this machine and the solver are too far apart.
    ClockSkew,
    /// The solver wants a newer client.
    VersionRejected,
    /// The solver does not accept the signature, or the record is somebody else's.
    Unauthorized,
    /// There is no such job, deal or result.
    NotFound,
    /// The chain could not be read or refused a call.
    Chain,
    /// What came back is not what was promised: a content id, an archive or a record does not hold.
    Integrity,
    /// A local file or folder could not be read or written.
    Io,
    /// The journal of jobs on this machine is damaged: something that depends on all of it cannot be done.
    Journal,
    /// The job ran and failed; the message holds the provider's own words.
    JobFailed,
    /// The job's program ended with a non-zero exit code.
    ModuleExit,
    /// No provider took the job in time.
    MatchTimeout,
    /// The job ran longer than its limit.
    ExecutionTimeout,
    /// The job took longer than the network allows, after it was matched.
    JobTimeout,
    /// The job was cancelled.
    Cancelled,
    /// Waiting ended before the job did. The job goes on.
    WaitTimeout,
    /// The client was closed.
    Closed,
    /// A bug in this crate.
    Internal,
}

impl ErrorKind {
    /// Every kind, so that bindings can prove that each one arrives.
    pub const ALL: &[ErrorKind] = &[
        ErrorKind::Config,
        ErrorKind::Wallet,
        ErrorKind::InvalidInput,
        ErrorKind::Module,
        ErrorKind::Connection,
        ErrorKind::Solver,
        ErrorKind::RateLimited,
        ErrorKind::NetworkBusy,
        ErrorKind::ClockSkew,
        ErrorKind::VersionRejected,
        ErrorKind::Unauthorized,
        ErrorKind::NotFound,
        ErrorKind::Chain,
        ErrorKind::Integrity,
        ErrorKind::Io,
        ErrorKind::Journal,
        ErrorKind::JobFailed,
        ErrorKind::ModuleExit,
        ErrorKind::MatchTimeout,
        ErrorKind::ExecutionTimeout,
        ErrorKind::JobTimeout,
        ErrorKind::Cancelled,
        ErrorKind::WaitTimeout,
        ErrorKind::Closed,
        ErrorKind::Internal,
    ];

    /// The kind's stable name in `snake_case`, the same in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Wallet => "wallet",
            Self::InvalidInput => "invalid_input",
            Self::Module => "module",
            Self::Connection => "connection",
            Self::Solver => "solver",
            Self::RateLimited => "rate_limited",
            Self::NetworkBusy => "network_busy",
            Self::ClockSkew => "clock_skew",
            Self::VersionRejected => "version_rejected",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::Chain => "chain",
            Self::Integrity => "integrity",
            Self::Io => "io",
            Self::Journal => "journal",
            Self::JobFailed => "job_failed",
            Self::ModuleExit => "module_exit",
            Self::MatchTimeout => "match_timeout",
            Self::ExecutionTimeout => "execution_timeout",
            Self::JobTimeout => "job_timeout",
            Self::Cancelled => "cancelled",
            Self::WaitTimeout => "wait_timeout",
            Self::Closed => "closed",
            Self::Internal => "internal",
        }
    }

    /// Whose doing it is.
    pub fn fault(self) -> Fault {
        match self {
            Self::Config | Self::Wallet | Self::InvalidInput | Self::Module | Self::Io | Self::Closed => Fault::Caller,
            Self::VersionRejected | Self::Unauthorized | Self::NotFound | Self::Journal => Fault::Caller,
            Self::Connection | Self::Solver | Self::RateLimited | Self::NetworkBusy | Self::ClockSkew => Fault::Network,
            Self::Chain | Self::Integrity | Self::Internal => Fault::Network,
            Self::JobFailed | Self::ModuleExit | Self::MatchTimeout | Self::ExecutionTimeout => Fault::Job,
            Self::JobTimeout | Self::Cancelled => Fault::Job,
            Self::WaitTimeout => Fault::Nobody,
        }
    }

    /// How an error of this kind begins, before the operation.
    fn lead(self) -> &'static str {
        match self {
            Self::Solver | Self::RateLimited | Self::NetworkBusy | Self::ClockSkew => "solver refused to",
            Self::VersionRejected | Self::Unauthorized => "solver refused to",
            Self::WaitTimeout => "stopped waiting to",
            Self::Internal => "bug while trying to",
            _ => "could not",
        }
    }

    /// Whether the same call may succeed later without any change, unless the error says otherwise.
    fn retryable_by_default(self) -> bool {
        matches!(
            self,
            Self::Connection | Self::RateLimited | Self::NetworkBusy | Self::WaitTimeout | Self::MatchTimeout
        )
    }
}

/// Whose doing an error is; decides whether to mend the call, to try again later, or to look at the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Something in the call or on this machine has to change.
    Caller,
    /// The solver, the chain or the way to them.
    Network,
    /// The job itself, or the provider that ran it.
    Job,
    /// Nobody's: waiting ended, the job goes on.
    Nobody,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong, while doing what, to which job, and what to do.
///
/// Printed on two lines at most: what happened, then the job, the deal and the help where there are any. The cause, if any, is at
/// [`source`](StdError::source). Never holds a key, a signature or a signed header.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: Cow<'static, str>,
    message: Option<String>,
    help: Option<Cow<'static, str>>,
    retryable: bool,
    job: Option<JobId>,
    deal: Option<DealId>,
    exit_code: Option<i32>,
    retry_after: Option<Duration>,
    maybe_done: bool,
    source: Option<Source>,
}

impl Error {
    /// An error of `kind`, raised while doing `operation`: an imperative such as `"post job offer"`.
    pub fn new(kind: ErrorKind, operation: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: operation.into(),
            message: None,
            help: None,
            retryable: kind.retryable_by_default(),
            job: None,
            deal: None,
            exit_code: None,
            retry_after: None,
            maybe_done: false,
            source: None,
        }))
    }

    /// What happened, in the words of whoever knows.
    #[must_use]
    pub fn with_message(mut self, message: impl fmt::Display) -> Self {
        self.0.message = Some(message.to_string());
        self
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The job that it is about.
    #[must_use]
    pub fn with_job(mut self, job: &JobId) -> Self {
        self.0.job = Some(job.clone());
        self
    }

    /// The deal that it is about.
    #[must_use]
    pub fn with_deal(mut self, deal: &DealId) -> Self {
        self.0.deal = Some(deal.clone());
        self
    }

    /// The error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The exit code of the job's program.
    #[must_use]
    pub fn with_exit_code(mut self, code: i32) -> Self {
        self.0.exit_code = Some(code);
        self
    }

    /// How long whoever refused asks to wait before the next call.
    pub(crate) fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Says that the other side may have acted although its answer did not arrive.
    pub(crate) fn maybe_done(mut self) -> Self {
        self.0.maybe_done = true;
        self
    }

    /// Says that the other side did not act after all.
    pub(crate) fn not_done(mut self) -> Self {
        self.0.maybe_done = false;
        self
    }

    /// Says that the same call cannot succeed without a change.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.0.retryable = false;
        self
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// The same error for somebody else whom the same failure hit.
    pub(crate) fn again(&self) -> Self {
        let inner = &self.0;
        Self(Box::new(Inner {
            operation: inner.operation.clone(),
            message: inner.message.clone().or_else(|| inner.source.as_ref().map(ToString::to_string)),
            help: inner.help.clone(),
            job: inner.job.clone(),
            deal: inner.deal.clone(),
            source: None,
            ..**inner
        }))
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was being done, as an imperative: `"post job offer"`.
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// What happened, without the operation, the job or the help.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether this is the way a job ended, rather than a fault on the way to it.
    pub fn is_outcome(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::JobFailed
                | ErrorKind::ModuleExit
                | ErrorKind::MatchTimeout
                | ErrorKind::ExecutionTimeout
                | ErrorKind::JobTimeout
                | ErrorKind::Cancelled
        )
    }

    /// How long whoever refused asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the other side may have acted although its answer did not arrive. Repeating such a call can do the thing twice.
    pub fn may_have_acted(&self) -> bool {
        self.0.maybe_done
    }

    /// Whose doing it is.
    pub fn fault(&self) -> Fault {
        self.0.kind.fault()
    }

    /// The job that it is about, where there is one.
    pub fn job_id(&self) -> Option<&JobId> {
        self.0.job.as_ref()
    }

    /// The deal that it is about, where there is one.
    pub fn deal_id(&self) -> Option<&DealId> {
        self.0.deal.as_ref()
    }

    /// The exit code of the job's program, for [`ErrorKind::ModuleExit`].
    pub fn exit_code(&self) -> Option<i32> {
        self.0.exit_code
    }

    /// A local file operation that failed, with the path in the message and a help for the causes that people can mend.
    pub fn io(operation: impl Into<Cow<'static, str>>, path: &std::path::Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let error = Self::new(ErrorKind::Io, operation).with_message(format_args!("{}: {source}", path.display()));
        let error = match source.kind() {
            Io::StorageFull | Io::QuotaExceeded => {
                error.with_help("the disk is full: free some room and call again; nothing was lost").retryable()
            }
            Io::PermissionDenied | Io::ReadOnlyFilesystem => error.with_help("choose a folder that you may write to"),
            _ => error,
        };
        error.with_source(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        write!(f, "{} {}", inner.kind.lead(), inner.operation)?;
        match (&inner.message, &inner.source) {
            (Some(message), _) => write!(f, ": {message}")?,
            (None, Some(source)) => write!(f, ": {source}")?,
            (None, None) => {}
        }
        let mut gap = "\n  ";
        if let Some(job) = &inner.job {
            write!(f, "{gap}job {job}")?;
            gap = "  ";
        }
        if let Some(deal) = &inner.deal {
            write!(f, "{gap}deal {deal}")?;
            gap = "  ";
        }
        if let Some(help) = &inner.help {
            write!(f, "{gap}help: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("operation", &inner.operation)
            .field("message", &inner.message)
            .field("job", &inner.job)
            .field("deal", &inner.deal)
            .field("retryable", &inner.retryable)
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_happened_then_what_to_do() {
        let error = Error::new(ErrorKind::VersionRejected, "post job offer")
            .with_message("Please update to minimum supported version v3 or newer")
            .with_help("upgrade, or set `client_version`");
        assert_eq!(
            error.to_string(),
            "solver refused to post job offer: Please update to minimum supported version v3 or newer\n  help: upgrade, or set `client_version`"
        );
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let mut names: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_with_what_to_do() {
        let path = std::path::Path::new("/dev/full");
        let error = Error::io("save result", path, std::fs::write(path, "x").unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Io);
        let text = error.to_string();
        assert!(text.contains("/dev/full: No space left") && text.contains("free some room"), "{text}");
        assert!(error.is_retryable());
    }

    #[test]
    fn outcomes_are_not_faults() {
        assert!(Error::new(ErrorKind::ModuleExit, "run job").is_outcome());
        assert!(!Error::new(ErrorKind::Connection, "run job").is_outcome());
    }
}
