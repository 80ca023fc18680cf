//! The public networks, and what somebody meant who wrote another name.

use std::collections::HashMap;

use alloy::primitives::Address;
use serde::Deserialize;
use strsim::damerau_levenshtein;

use super::{Contracts, Network, RpcUrl};
use crate::protocol::ServiceConfig;

/// The public networks, the default one first.
pub(super) const NAMES: [&str; 4] = [Network::DEFAULT, "demonet", "devnet", "dev"];
/// The network that this machine runs itself: no public one, but a name that people will try.
const LOCAL: &str = "local";

/// The networks' values, as their operators publish them.
const VALUES: &str = include_str!("networks.json");

/// A network in [`VALUES`].
#[derive(Deserialize)]
struct Entry {
    /// Whom jobs trust.
    services: ServiceConfig,
    /// The chain.
    web3: Web3,
}

/// The chain of a network in [`VALUES`].
#[derive(Deserialize)]
struct Web3 {
    /// RPC URLs, separated by commas.
    rpc_url: String,
    /// Id of the chain.
    chain_id: u64,
    /// See [`Contracts::controller`].
    controller_address: Address,
    /// See [`Contracts::payments`].
    payments_address: Address,
    /// See [`Contracts::storage`].
    storage_address: Address,
    /// See [`Contracts::users`].
    users_address: Address,
    /// See [`Contracts::token`].
    token_address: Address,
    /// See [`Contracts::mediation`].
    mediation_address: Address,
    /// See [`Contracts::job_creator`].
    jobcreator_address: Address,
    /// See [`Contracts::pow`].
    pow_address: Address,
}

/// Why there is no network of a name, and what to do instead.
pub(super) struct Unknown {
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: &'static str,
}

/// The public network of this name.
pub(super) fn find(name: &str) -> Result<Network, Unknown> {
    let Some(known) = NAMES.iter().find(|known| **known == name) else { return Err(unknown(name)) };
    let mut entries: HashMap<String, Entry> = serde_json::from_str(VALUES).expect("the embedded networks are sound");
    let Entry { services, web3 } = entries.remove(*known).expect("every known network is embedded");
    Ok(Network {
        name: name.to_owned(),
        solver_url: None,
        rpc_urls: RpcUrl::parse_list(&web3.rpc_url).expect("the embedded RPC URLs are sound"),
        chain_id: Some(web3.chain_id),
        contracts: Contracts {
            controller: Some(web3.controller_address),
            payments: Some(web3.payments_address),
            storage: Some(web3.storage_address),
            users: Some(web3.users_address),
            token: Some(web3.token_address),
            mediation: Some(web3.mediation_address),
            job_creator: Some(web3.jobcreator_address),
            pow: Some(web3.pow_address),
        },
        services,
    })
}

/// Says what `name` probably means.
fn unknown(name: &str) -> Unknown {
    let message = format!("there is no network `{name}`");
    if name.trim().eq_ignore_ascii_case(LOCAL) {
        return Unknown {
            message: format!("{message} until one is started on this machine"),
            help: "start one with `LocalNetwork::start()` and take its client, or use `lilypad run --local`",
        };
    }
    let meant = match nearest(name) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => String::new(),
    };
    Unknown {
        message: format!("{message}{meant} (known: {})", NAMES.join(", ")),
        help: "name a known network, or describe your own with `Network::custom`",
    }
}

/// The known name that is most like `name`, if any is alike at all.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.trim().to_lowercase();
    let longer = NAMES.iter().filter(|known| !name.is_empty() && known.starts_with(&name));
    if let Some(longer) = longer.min_by_key(|known| known.len()) {
        return Some(longer);
    }
    let (edits, nearest) =
        NAMES.iter().map(|known| (damerau_levenshtein(&name, known), *known)).min_by_key(|(edits, _)| *edits)?;
    (2 * edits <= nearest.len()).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn every_known_network_is_complete() {
        for name in Network::known() {
            let network = Network::named(name).unwrap();
            assert_eq!(network.name, name);
            assert_eq!(network.solver_url, None);
            assert!(!network.rpc_urls.is_empty() && network.chain_id.is_some());
            assert!(network.contracts.users.is_some() && network.contracts.controller.is_some());
            assert!(!network.services.solver.is_empty());
        }
        assert_eq!(serde_json::from_str::<HashMap<String, Entry>>(VALUES).unwrap().len(), NAMES.len());
    }

    #[test]
    fn the_default_network_is_testnet_with_its_solver_letter_by_letter() {
        let network = Network::named(Network::DEFAULT).unwrap();
        assert_eq!(network.name, "testnet");
        assert_eq!(network.chain_id, Some(421_614));
        assert_eq!(network.rpc_urls.len(), 5);
        assert_eq!(network.services.solver, "0xe05e1b71955da4934938a6b16f97e1db9de6b764");
        assert_eq!(network.services.api_host, "https://api-testnet.lilypad.tech/");
    }

    #[test]
    fn an_unknown_network_is_answered_with_the_known_ones_and_the_nearest() {
        for (name, meant) in [
            ("tesnet", Some("testnet")),
            ("Testnet", Some("testnet")),
            ("test", Some("testnet")),
            ("demo", Some("demonet")),
            ("dvenet", Some("devnet")),
            ("DEV", Some("dev")),
            ("deb", Some("dev")),
            ("mainnet", None),
            ("", None),
        ] {
            let error = Network::named(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = error.to_string();
            assert!(text.contains("testnet, demonet, devnet, dev"), "{text}");
            match meant {
                Some(meant) => assert!(text.contains(&format!("did you mean `{meant}`?")), "{name}: {text}"),
                None => assert!(!text.contains("did you mean"), "{name}: {text}"),
            }
        }
    }

    #[test]
    fn the_local_network_has_to_be_started_first() {
        let error = Network::named("local").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("LocalNetwork::start()"), "{error}");
    }
}
