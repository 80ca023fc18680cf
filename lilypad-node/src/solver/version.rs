//! Which clients are too old.

use lilypad_sdk::error::{Error, ErrorKind, Result};
use semver::Version;

use super::options::SolverOptions;

/// The oldest client version that is taken.
#[derive(Debug)]
pub(super) struct VersionGate(Option<Minimum>);

/// A version, and how it was written.
#[derive(Debug)]
struct Minimum {
    /// As refused clients are told.
    text: String,
    /// As it compares.
    version: Version,
}

impl VersionGate {
    /// The gate that the options ask for: their minimum, else the major version of the release that the solver claims to be.
    pub(super) fn new(options: &SolverOptions) -> Result<Self> {
        let read = |text: &str| {
            parse(text).ok_or_else(|| {
                Error::new(ErrorKind::Config, "start solver")
                    .with_message(format_args!("`{text}` is not a version"))
                    .with_help("write versions as in v2.23.0")
            })
        };
        let own = options.version.as_deref().map(read).transpose()?;
        let minimum = match (&options.minimum_version, own) {
            (Some(text), _) => Some(Minimum { text: text.clone(), version: read(text)? }),
            (None, Some(own)) => {
                Some(Minimum { text: format!("v{}", own.major), version: Version::new(own.major, 0, 0) })
            }
            (None, None) => None,
        };
        Ok(Self(minimum))
    }

    /// `Err` with the minimum, as text, if a client of this version is refused.
    pub(super) fn check(&self, client: &str) -> Result<(), &str> {
        match &self.0 {
            None => Ok(()),
            Some(minimum) => match parse(client) {
                Some(version) if version.cmp_precedence(&minimum.version).is_ge() => Ok(()),
                _ => Err(&minimum.text),
            },
        }
    }
}

/// Reads a version as Go's `semver` does: with a leading `v`; minor and patch may be missing.
fn parse(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v')?;
    let short = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let missing = if short { 2_usize.saturating_sub(text.matches('.').count()) } else { 0 };
    Version::parse(&format!("{text}{}", ".0".repeat(missing))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_takes_clients_of_its_major_version_and_newer() {
        let gate = VersionGate::new(&SolverOptions::default()).unwrap();
        for taken in ["v2.23.0", "v2.23.0-rc1", "v3.0.0", "v2", "v2.1", "v2.0.0+build"] {
            assert_eq!(gate.check(taken), Ok(()), "{taken}");
        }
        for refused in ["", "2.23.0", "main", "v1.0.0", "v2.0.0-rc1", "v", "v2.", "v02.0.0"] {
            assert_eq!(gate.check(refused), Err("v2"), "{refused}");
        }
    }

    #[test]
    fn a_solver_that_is_no_release_takes_everybody() {
        let options = SolverOptions { version: None, ..SolverOptions::default() };
        assert_eq!(VersionGate::new(&options).unwrap().check("main"), Ok(()));
    }

    #[test]
    fn a_minimum_that_is_no_version_is_told_at_the_start() {
        let options = SolverOptions { minimum_version: Some("2.23".into()), ..SolverOptions::default() };
        assert!(VersionGate::new(&options).unwrap_err().to_string().contains("`2.23` is not a version"));
    }
}
