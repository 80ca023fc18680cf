//! URLs of solvers and chains, checked, and printed only as far as they are public.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::error::{Error, ErrorKind};

/// Parts of a URL from this length on are looked for in texts that others wrote. Shorter ones are no keys, and common words.
const SHORTEST_KEY: usize = 8;

/// Where to ask the chain. Such URLs often hold an access key, so it prints its scheme, host and port and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcUrl(Url);

impl RpcUrl {
    /// Reads URLs separated by commas. The error says which of them breaks what rule, without repeating it.
    pub(super) fn parse_list(list: &str) -> Result<Vec<Self>, String> {
        let texts = || list.split(',').map(str::trim).filter(|text| !text.is_empty());
        let count = texts().count();
        texts()
            .enumerate()
            .map(|(index, text)| {
                Self::parse(text).map_err(|flaw| match count {
                    1 => flaw,
                    _ => format!("{flaw} (number {} of {count})", index + 1),
                })
            })
            .collect()
    }

    /// Reads a URL. The error says which rule it breaks, without repeating it.
    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text.trim()).map_err(|error| format!("is not a URL: {error}"))?;
        match url.scheme() {
            "http" | "https" | "ws" | "wss" if url.host().is_some() => Ok(Self(url)),
            _ => Err("does not begin with http://, https://, ws:// or wss://".into()),
        }
    }

    /// The whole URL, for opening a connection. Do not print it.
    pub(crate) fn reveal(&self) -> &Url {
        &self.0
    }

    /// `text`, which the other side or a library wrote, without what could be a key of this URL.
    pub(crate) fn redact(&self, text: &str) -> String {
        let url = &self.0;
        let credentials = [url.username(), url.password().unwrap_or_default()];
        let query = url.query().unwrap_or_default();
        let parts = credentials.into_iter().chain(url.path().split('/')).chain(query.split(['&', '=']));
        let mut text = text.to_owned();
        for part in parts.filter(|part| part.len() >= SHORTEST_KEY) {
            text = text.replace(part, "…");
        }
        text
    }
}

impl FromStr for RpcUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text).map_err(|flaw| Error::new(ErrorKind::Config, "read RPC URL").with_message(flaw))
    }
}

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        match self.0.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RpcUrl({self})")
    }
}

/// Reads the base of a solver's API. Its path has no slash at the end, unless it is nothing else. The error says which rule the text breaks.
///
/// No name and password: requests are signed instead, and the URL is printed in many places.
pub(crate) fn parse_solver_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let shown = if text.contains('@') { String::new() } else { format!("`{text}` ") };
    let mut url = Url::parse(text).map_err(|error| format!("{shown}is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{shown}does not begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name or a password, which solvers do not take".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{shown}has a `?` or `#` part; only the base of the API is wanted"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rpc_url_prints_no_more_than_its_host() {
        let url: RpcUrl =
            "wss://alice:hunter22@chain.example:8443/v3/0123456789abcdef?apikey=fedcba9876543210".parse().unwrap();
        assert_eq!(url.to_string(), "wss://chain.example:8443");
        assert_eq!(format!("{url:?}"), "RpcUrl(wss://chain.example:8443)");
    }

    #[test]
    fn keys_are_taken_out_of_what_others_wrote() {
        let url: RpcUrl =
            "wss://alice:hunter22@chain.example/v3/0123456789abcdef?apikey=fedcba9876543210".parse().unwrap();
        let text = "no project 0123456789abcdef for hunter22 at v3, key fedcba9876543210";
        assert_eq!(url.redact(text), "no project … for … at v3, key …");
    }

    #[test]
    fn a_wrong_rpc_url_is_counted_but_not_repeated() {
        for (list, reason) in [
            ("chain.example/0123456789", "is not a URL"),
            ("ws://a,ftp://b/0123456789", "does not begin with http://, https://, ws:// or wss:// (number 2 of 2)"),
            ("localhost:8545/0123456789", "does not begin with"),
        ] {
            let flaw = RpcUrl::parse_list(list).unwrap_err();
            assert!(flaw.contains(reason), "{flaw}");
            assert!(!flaw.contains("0123456789"), "{flaw}");
        }
    }

    #[test]
    fn a_list_of_rpc_urls_may_have_spaces_and_gaps() {
        let urls = RpcUrl::parse_list(" ws://a , https://b/x,, ").unwrap();
        assert_eq!(urls.iter().map(RpcUrl::to_string).collect::<Vec<_>>(), ["ws://a", "https://b"]);
    }

    #[test]
    fn a_solver_url_is_the_base_of_an_api() {
        for (text, url) in [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081/"),
            (" https://solver.example/ ", "https://solver.example/"),
            ("https://solver.example/base//", "https://solver.example/base"),
        ] {
            assert_eq!(parse_solver_url(text).unwrap().as_str(), url);
        }
    }

    #[test]
    fn a_wrong_solver_url_says_what_is_wrong() {
        for (text, reason) in [
            ("solver.example", "`solver.example` is not a URL"),
            ("", "is not a URL"),
            ("localhost:8081", "`localhost:8081` does not begin with http:// or https://"),
            ("ws://solver.example", "does not begin with http:// or https://"),
            ("http://", "is not a URL"),
            ("http://alice:hunter22@solver.example", "has a user name or a password"),
            ("http://solver.example/?key=1", "`?` or `#`"),
        ] {
            let flaw = parse_solver_url(text).unwrap_err();
            assert!(flaw.contains(reason), "{flaw}");
            assert!(!flaw.contains("hunter22"), "{flaw}");
        }
    }
}
