//! Putting a network together: what is asked for beats the environment, which beats the known network.

use std::fmt;

use alloy::primitives::Address;

use super::{Contracts, Environment, Network, RpcUrl, known, parse_solver_url};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::ServiceConfig;

/// What a network starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NetworkBase {
    /// The known network that the environment names, else [`Network::DEFAULT`].
    #[default]
    Environment,
    /// The known network of this name.
    Named(String),
    /// Nothing but this name. The environment has no say in such a network.
    Custom(String),
}

/// A network as somebody asks for it. What is left out comes from the environment, then from the network it starts from.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct NetworkOptions {
    /// What to start from.
    pub base: NetworkBase,
    /// Base of the solver's API. With it, the chain is not asked.
    pub solver_url: Option<String>,
    /// Where to ask the chain; the first that answers is used.
    pub rpc_urls: Vec<String>,
    /// Id of the chain.
    pub chain_id: Option<u64>,
    /// Contracts that are elsewhere.
    pub contracts: Contracts,
    /// Address of the solver, as it goes into job offers.
    pub solver: Option<String>,
    /// Addresses of the mediators, as they go into job offers.
    pub mediators: Vec<String>,
    /// The dashboard's URL, as it goes into job offers.
    pub api_host: Option<String>,
}

impl NetworkOptions {
    /// The network asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with the value that is wrong or missing, and whether it is an option's or a variable's.
    pub fn resolve(&self, environment: &Environment) -> Result<Network> {
        let mut network = match &self.base {
            NetworkBase::Environment => match environment.network()? {
                Some(name) => named(&name, Some(Environment::NETWORK))?,
                None => named(Network::DEFAULT, None)?,
            },
            NetworkBase::Named(name) => named(name, None)?,
            NetworkBase::Custom(name) => empty(name),
        };
        if !matches!(self.base, NetworkBase::Custom(_)) {
            apply_environment(&mut network, environment)?;
        }
        self.apply(&mut network)?;
        check(&network)?;
        Ok(network)
    }

    /// Changes what these options name.
    fn apply(&self, network: &mut Network) -> Result<()> {
        if let Some(text) = &self.solver_url {
            network.solver_url = Some(parse_solver_url(text).map_err(|flaw| wrong("solver URL", &flaw))?);
        }
        if !self.rpc_urls.is_empty() {
            network.rpc_urls = RpcUrl::parse_list(&self.rpc_urls.join(",")).map_err(|flaw| wrong("RPC URL", &flaw))?;
        }
        network.chain_id = self.chain_id.or(network.chain_id);
        network.contracts.update(&self.contracts);
        if let Some(solver) = &self.solver {
            network.services.solver.clone_from(solver);
        }
        if !self.mediators.is_empty() {
            network.services.mediator = Some(self.mediators.clone());
        }
        if let Some(api_host) = &self.api_host {
            network.services.api_host.clone_from(api_host);
        }
        Ok(())
    }
}

/// Leaves out RPC URLs, which may hold access keys, and the solver URL, which is not checked yet.
impl fmt::Debug for NetworkOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkOptions")
            .field("base", &self.base)
            .field("chain_id", &self.chain_id)
            .field("contracts", &self.contracts)
            .field("solver", &self.solver)
            .field("mediators", &self.mediators)
            .field("api_host", &self.api_host)
            .finish_non_exhaustive()
    }
}

/// Builds a [`Network`]; sugar over [`NetworkOptions`]. Finish with [`build`](Self::build) or [`resolve`](Self::resolve).
#[derive(Debug, Clone)]
#[must_use = "a network builder does nothing until `build` or `resolve` is called"]
pub struct NetworkBuilder(NetworkOptions);

impl NetworkBuilder {
    /// Starts from `base`.
    pub(super) fn new(base: NetworkBase) -> Self {
        Self(NetworkOptions { base, ..NetworkOptions::default() })
    }

    /// Base of the solver's API. With it, the chain is not asked.
    pub fn solver_url(mut self, url: impl Into<String>) -> Self {
        self.0.solver_url = Some(url.into());
        self
    }

    /// Where to ask the chain; the first that answers is used.
    pub fn rpc_urls(mut self, urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.rpc_urls = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Id of the chain, which every RPC URL has to be of.
    pub fn chain_id(mut self, id: u64) -> Self {
        self.0.chain_id = Some(id);
        self
    }

    /// Contracts that are elsewhere; those left out stay as they are.
    pub fn contracts(mut self, contracts: Contracts) -> Self {
        self.0.contracts = contracts;
        self
    }

    /// Address of the solver, as it goes into job offers: providers must write it the same way.
    pub fn solver(mut self, address: impl Into<String>) -> Self {
        self.0.solver = Some(address.into());
        self
    }

    /// Addresses of the mediators, as they go into job offers.
    pub fn mediators(mut self, addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.mediators = addresses.into_iter().map(Into::into).collect();
        self
    }

    /// The dashboard's URL, as it goes into job offers. Nothing is asked there.
    pub fn api_host(mut self, url: impl Into<String>) -> Self {
        self.0.api_host = Some(url.into());
        self
    }

    /// The network, whatever the environment says.
    ///
    /// # Errors
    /// As [`NetworkOptions::resolve`].
    pub fn build(self) -> Result<Network> {
        self.resolve(&Environment::default())
    }

    /// The network, with the environment's word between this builder's and the known network's.
    ///
    /// # Errors
    /// As [`NetworkOptions::resolve`].
    pub fn resolve(self, environment: &Environment) -> Result<Network> {
        self.0.resolve(environment)
    }
}

/// A known network; `variable` is where its name is from, if not from an option.
fn named(name: &str, variable: Option<&str>) -> Result<Network> {
    known::find(name.trim()).map_err(|unknown| {
        let source = variable.map(|variable| format!("{variable}: ")).unwrap_or_default();
        Error::new(ErrorKind::Config, "choose network").with_message(source + &unknown.message).with_help(unknown.help)
    })
}

/// A network with a name and nothing else.
fn empty(name: &str) -> Network {
    Network {
        name: name.to_owned(),
        solver_url: None,
        rpc_urls: Vec::new(),
        chain_id: None,
        contracts: Contracts::default(),
        services: ServiceConfig { mediator: Some(Vec::new()), ..ServiceConfig::default() },
    }
}

/// Changes what the environment names.
fn apply_environment(network: &mut Network, environment: &Environment) -> Result<()> {
    if let Some(text) = environment.solver_url()? {
        let url = parse_solver_url(&text).map_err(|flaw| wrong(Environment::SOLVER_URL, &flaw))?;
        network.solver_url = Some(url);
    }
    if let Some((variable, list)) = environment.rpc_urls()? {
        network.rpc_urls = RpcUrl::parse_list(&list).map_err(|flaw| wrong(variable, &flaw))?;
    }
    Ok(())
}

/// Refuses a network on which no job could be posted.
fn check(network: &Network) -> Result<()> {
    let services = &network.services;
    let mediators = services.mediator.as_deref().unwrap_or_default();
    if services.solver.is_empty() {
        return Err(missing(network, "the address of its solver", "job offers must name it"));
    }
    if mediators.is_empty() {
        return Err(missing(network, "a mediator", "job offers must name at least one"));
    }
    for (role, address) in [("solver", &services.solver)].into_iter().chain(mediators.iter().map(|it| ("mediator", it)))
    {
        if let Err(flaw) = check_address(address) {
            return Err(wrong(role, &format!("`{address}` {flaw}")));
        }
    }
    let chain = !network.rpc_urls.is_empty() && (network.contracts.users.or(network.contracts.controller)).is_some();
    if network.solver_url.is_none() && !chain {
        return Err(missing(
            network,
            "a solver URL",
            "without one, RPC URLs and the address of the users or controller contract are needed to look it up",
        ));
    }
    Ok(())
}

/// Says what breaks an address. Mixed case must be the checksum's; one case alone is how some networks write them.
fn check_address(text: &str) -> std::result::Result<(), &'static str> {
    text.parse::<Address>().map_err(|_| "is not an address of 0x and 40 hexadecimal digits")?;
    let digits = text.strip_prefix("0x").ok_or("does not begin with 0x")?;
    let mixed = digits.contains(|digit: char| digit.is_ascii_lowercase())
        && digits.contains(|digit: char| digit.is_ascii_uppercase());
    if mixed && Address::parse_checksummed(text, None).is_err() {
        return Err("has a wrong checksum: a letter or digit was mistyped");
    }
    Ok(())
}

/// An error about a value that breaks a rule.
fn wrong(what: &str, flaw: &str) -> Error {
    Error::new(ErrorKind::Config, "set up network").with_message(format_args!("{what} {flaw}"))
}

/// An error about a value that is not there.
fn missing(network: &Network, what: &str, why: &'static str) -> Error {
    Error::new(ErrorKind::Config, "set up network")
        .with_message(format_args!("network `{}` lacks {what}", network.name))
        .with_help(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOLVER: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    const MEDIATOR: &str = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";

    fn custom() -> NetworkBuilder {
        Network::custom("mine").solver_url("http://127.0.0.1:1").solver(SOLVER).mediators([MEDIATOR])
    }

    #[test]
    fn without_a_word_it_is_the_default_network() {
        let network = NetworkOptions::default().resolve(&Environment::default()).unwrap();
        assert_eq!(network, Network::named(Network::DEFAULT).unwrap());
    }

    #[test]
    fn options_beat_the_environment_which_beats_the_known_network() {
        let environment = Environment::from([
            ("LILYPAD_NETWORK", "devnet"),
            ("LILYPAD_SOLVER_URL", "http://environment.example"),
            ("LILYPAD_RPC_URL", "ws://one.example,https://two.example"),
        ]);
        let network = NetworkOptions::default().resolve(&environment).unwrap();
        assert_eq!(network.name, "devnet");
        assert_eq!(network.solver_url.unwrap().as_str(), "http://environment.example/");
        assert_eq!(network.rpc_urls.len(), 2);
        assert_eq!(network.chain_id, Some(412_346));

        let network = Network::builder("demonet")
            .solver_url("http://option.example")
            .rpc_urls(["ws://option.example"])
            .resolve(&environment)
            .unwrap();
        assert_eq!(network.name, "demonet");
        assert_eq!(network.solver_url.unwrap().as_str(), "http://option.example/");
        assert_eq!(network.rpc_urls[0].to_string(), "ws://option.example");
    }

    #[test]
    fn every_value_can_be_changed() {
        let contracts = Contracts { users: Some(Address::repeat_byte(7)), ..Contracts::default() };
        let network = Network::builder("testnet")
            .chain_id(5)
            .contracts(contracts)
            .solver(SOLVER)
            .mediators([MEDIATOR, SOLVER])
            .api_host("https://dashboard.example")
            .build()
            .unwrap();
        let original = Network::named("testnet").unwrap();
        assert_eq!(network.chain_id, Some(5));
        assert_eq!(network.contracts.users, Some(Address::repeat_byte(7)));
        assert_eq!(network.contracts.token, original.contracts.token);
        assert_eq!(network.services.solver, SOLVER);
        assert_eq!(network.services.mediator.unwrap().len(), 2);
        assert_eq!(network.services.api_host, "https://dashboard.example");
    }

    #[test]
    fn the_environment_has_no_say_in_a_custom_network() {
        let environment =
            Environment::from([("LILYPAD_SOLVER_URL", "http://elsewhere.example"), ("LILYPAD_NETWORK", "dev")]);
        let network = custom().resolve(&environment).unwrap();
        assert_eq!(network.name, "mine");
        assert_eq!(network.solver_url.unwrap().as_str(), "http://127.0.0.1:1/");
        assert!(network.rpc_urls.is_empty());
    }

    #[test]
    fn a_wrong_variable_is_named() {
        for (variable, value, reason) in [
            ("LILYPAD_NETWORK", "tesnet", "LILYPAD_NETWORK: there is no network `tesnet`; did you mean `testnet`?"),
            ("LILYPAD_SOLVER_URL", "solver.example", "LILYPAD_SOLVER_URL `solver.example` is not a URL"),
            ("LILYPAD_RPC_URL", "ftp://a", "LILYPAD_RPC_URL does not begin with http://"),
            ("WEB3_RPC_URL", "ws://a,b", "WEB3_RPC_URL is not a URL: relative URL without a base (number 2 of 2)"),
        ] {
            let error = NetworkOptions::default().resolve(&Environment::from([(variable, value)])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn a_network_on_which_no_job_could_run_is_refused() {
        for (builder, reason) in [
            (Network::custom("mine").solver_url("http://a").mediators([MEDIATOR]), "lacks the address of its solver"),
            (Network::custom("mine").solver_url("http://a").solver(SOLVER), "lacks a mediator"),
            (Network::custom("mine").solver(SOLVER).mediators([MEDIATOR]), "lacks a solver URL"),
            (custom().solver("0x12"), "solver `0x12` is not an address"),
            (custom().mediators([&MEDIATOR[2..]]), "does not begin with 0x"),
            (custom().solver(SOLVER.replace('D', "d")), "wrong checksum"),
            (custom().solver_url("ftp://a"), "solver URL `ftp://a` does not begin with"),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn keys_in_urls_are_not_printed() {
        let key = "0123456789abcdef";
        let builder = custom().rpc_urls([format!("https://rpc.example/{key}")]);
        let printed = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(!printed.contains(key), "{printed}");
    }
}
