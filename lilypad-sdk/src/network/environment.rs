//! Environment variables, by name.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};

/// Looks a variable up by its name.
type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// Where environment variables come from: the process, or anything else that knows values by name. An empty value counts as none. The
/// default one has no variables at all.
#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

impl Environment {
    /// Which network, by name.
    pub const NETWORK: &str = "LILYPAD_NETWORK";
    /// Base of the solver's API.
    pub const SOLVER_URL: &str = "LILYPAD_SOLVER_URL";
    /// RPC URLs of the chain, separated by commas; after it, the reference client's variable.
    pub const RPC_URL: [&str; 2] = ["LILYPAD_RPC_URL", "WEB3_RPC_URL"];
    /// The private key; after it, the reference client's variable.
    pub const PRIVATE_KEY: [&str; 2] = ["LILYPAD_PRIVATE_KEY", "WEB3_PRIVATE_KEY"];
    /// The folder for what the client keeps.
    pub const DATA_DIR: &str = "LILYPAD_DATA_DIR";

    /// The variables of this process, each read when it is asked for.
    pub fn process() -> Self {
        Self::new(|name| std::env::var_os(name))
    }

    /// Variables that `lookup` knows.
    pub fn new(lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// The folder for what the client keeps.
    pub fn data_dir(&self) -> Option<PathBuf> {
        self.raw(Self::DATA_DIR).map(PathBuf::from)
    }

    /// Name of the network.
    pub(super) fn network(&self) -> Result<Option<String>> {
        Ok(self.first(&[Self::NETWORK])?.map(|(_, value)| value.to_string()))
    }

    /// Base of the solver's API.
    pub(super) fn solver_url(&self) -> Result<Option<String>> {
        Ok(self.first(&[Self::SOLVER_URL])?.map(|(_, value)| value.to_string()))
    }

    /// RPC URLs, and the variable they are from. They may hold access keys.
    pub(super) fn rpc_urls(&self) -> Result<Option<(&'static str, Zeroizing<String>)>> {
        self.first(&Self::RPC_URL)
    }

    /// The private key, and the variable it is from.
    pub(crate) fn private_key(&self) -> Result<Option<(&'static str, Zeroizing<String>)>> {
        self.first(&Self::PRIVATE_KEY)
    }

    /// The first of `names` that is set.
    fn first(&self, names: &[&'static str]) -> Result<Option<(&'static str, Zeroizing<String>)>> {
        let Some((name, value)) = names.iter().find_map(|name| Some((*name, self.raw(name)?))) else { return Ok(None) };
        let text = value.into_string().map_err(|_| {
            Error::new(ErrorKind::Config, "read environment").with_message(format_args!("{name} is not valid Unicode"))
        })?;
        Ok(Some((name, Zeroizing::new(text))))
    }

    /// The value of `name`, unless it is empty or blank.
    fn raw(&self, name: &str) -> Option<OsString> {
        (self.0)(name).filter(|value| value.to_str().is_none_or(|text| !text.trim().is_empty()))
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl<Name, Value, const N: usize> From<[(Name, Value); N]> for Environment
where
    Name: Into<String>,
    Value: Into<OsString>,
{
    fn from(variables: [(Name, Value); N]) -> Self {
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        Self::new(move |name| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
    }
}

/// Shows no values: they may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_none() {
        for value in ["", " \n"] {
            let environment = Environment::from([("LILYPAD_NETWORK", value), ("LILYPAD_DATA_DIR", value)]);
            assert_eq!(environment.network().unwrap(), None);
            assert_eq!(environment.data_dir(), None);
        }
    }

    #[test]
    fn our_own_variable_goes_before_the_one_of_the_reference_client() {
        let both = Environment::from([("WEB3_RPC_URL", "ws://theirs"), ("LILYPAD_RPC_URL", "ws://ours")]);
        assert_eq!(&*both.rpc_urls().unwrap().unwrap().1, "ws://ours");
        let theirs = Environment::from([("WEB3_RPC_URL", "ws://theirs")]);
        assert_eq!(theirs.rpc_urls().unwrap().unwrap().0, "WEB3_RPC_URL");
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_that_is_no_text_is_named() {
        use std::os::unix::ffi::OsStringExt;
        let broken = OsString::from_vec(vec![b'a', 0xff]);
        let environment =
            Environment::from([("LILYPAD_NETWORK", broken.clone()), ("LILYPAD_DATA_DIR", broken.clone())]);
        assert!(environment.network().unwrap_err().to_string().contains("LILYPAD_NETWORK"));
        assert_eq!(environment.data_dir(), Some(PathBuf::from(broken)));
    }
}
