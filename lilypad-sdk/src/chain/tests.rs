//! Looking things up, against servers that work, fail, dawdle and lie.

use std::collections::HashMap;

use alloy::primitives::{address, hex};
use alloy::sol_types::SolValue;
use serde_json::Value;

use super::rpc_server::{Reply, RpcServer, dead_url};
use super::*;

const CHAIN_ID: u64 = 412_346;
const SOLVER: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
const USERS: Address = address!("0DCd1Bf9A1b36cE34237eEaFef220932846BCD82");
const CONTROLLER: Address = address!("a85233C63b9Ee964Add6F2cffe00Fd84eb32338f");
const PAYMENTS: Address = address!("2279B7A0a67DB372996a5FaB50D91eAA73d2eBe6");
const TOKEN: Address = address!("a513E6E4b8f2a923D98304ec87F64353C4D5C853");
/// Stands for an access key in URLs.
const KEY: &str = "0123456789abcdef0123";
/// Long enough for a busy machine.
const LONG: Duration = Duration::from_secs(20);
/// For those who never answer.
const SHORT: Duration = Duration::from_secs(2);

/// What `getUser` answers, word by word as the contract lays it out, for a URL of up to 32 bytes.
fn user(address: Address, url: &str) -> Vec<u8> {
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    let mut text = [0; 32];
    text[..url.len()].copy_from_slice(url.as_bytes());
    let url_length = word(url.len() as u64);
    [word(0x20), address.into_word().0, word(0x80), word(0xa0), word(0xe0), word(0), url_length, text, word(1), word(0)]
        .concat()
}

/// A chain whose contracts answer to (contract, selector).
#[derive(Clone)]
struct FakeChain(HashMap<(Address, [u8; 4]), Vec<u8>>);

impl FakeChain {
    fn with_user(user: Vec<u8>) -> Self {
        Self(HashMap::from([
            ((USERS, hex!("6f77926b")), user),
            ((USERS, Users::showUsersInListCall::SELECTOR), vec![SOLVER].abi_encode()),
            ((CONTROLLER, Controller::getUsersAddressCall::SELECTOR), USERS.abi_encode()),
            ((CONTROLLER, Controller::getPaymentsAddressCall::SELECTOR), PAYMENTS.abi_encode()),
            ((PAYMENTS, Payments::getTokenAddressCall::SELECTOR), TOKEN.abi_encode()),
            ((TOKEN, hex!("70a08231")), U256::from(2_500_000_000_000_000_000_u64).abi_encode()),
        ]))
    }

    fn answer(&self, method: &str, parameters: &Value) -> Reply {
        match method {
            "eth_chainId" => Reply::Result(json!(format!("{CHAIN_ID:#x}"))),
            "eth_getBalance" => Reply::Result(json!("0xde0b6b3a7640000")),
            "eth_call" => {
                let call = &parameters[0];
                let data: Bytes = serde_json::from_value(call["data"].clone()).unwrap();
                let contract: Address = serde_json::from_value(call["to"].clone()).unwrap();
                let selector = data[..4].try_into().unwrap();
                Reply::Result(json!(Bytes::from(self.0.get(&(contract, selector)).cloned().unwrap_or_default())))
            }
            other => Reply::Error(-32601, format!("the method {other} does not exist")),
        }
    }

    async fn http(self) -> RpcServer {
        RpcServer::http(move |method, parameters| self.answer(method, parameters)).await
    }
}

fn working() -> FakeChain {
    FakeChain::with_user(user(SOLVER, "http://127.0.0.1:8081"))
}

/// Answers the chain id, then `reply`.
async fn server(reply: impl Fn() -> Reply + Send + Sync + 'static) -> RpcServer {
    RpcServer::http(move |method, parameters| match method {
        "eth_chainId" => working().answer(method, parameters),
        _ => reply(),
    })
    .await
}

fn network(urls: &[String]) -> Network {
    let contracts = Contracts { users: Some(USERS), token: Some(TOKEN), ..Contracts::default() };
    Network::custom("mine")
        .solver_url("http://unused.example")
        .solver(SOLVER.to_string())
        .mediators([SOLVER.to_string()])
        .rpc_urls(urls)
        .chain_id(CHAIN_ID)
        .contracts(contracts)
        .build()
        .unwrap()
}

async fn connected(server: &RpcServer) -> Chain {
    Chain::connect_within(&network(&[server.url(KEY)]), LONG).await.unwrap()
}

#[tokio::test]
async fn a_solver_is_looked_up_over_http_and_over_websocket() {
    let ws = RpcServer::ws(|method, parameters| working().answer(method, parameters)).await;
    for server in [working().http().await, ws] {
        let chain = connected(&server).await;
        assert_eq!(chain.solver_url(SOLVER).await.unwrap().as_str(), "http://127.0.0.1:8081/");
        assert_eq!(chain.solvers().await.unwrap(), [SOLVER]);
    }
}

#[tokio::test]
async fn balances_are_read_in_both_currencies() {
    let server = working().http().await;
    let balances = connected(&server).await.balances(SOLVER).await.unwrap();
    assert_eq!((balances.gas.to_string(), balances.lp.to_string()), ("1".to_owned(), "2.5".to_owned()));
}

#[tokio::test]
async fn from_the_controller_alone_the_other_contracts_are_found() {
    let server = working().http().await;
    let mut network = network(&[server.url(KEY)]);
    network.contracts = Contracts { controller: Some(CONTROLLER), ..Contracts::default() };
    let chain = Chain::connect_within(&network, LONG).await.unwrap();
    assert_eq!(chain.solver_url(SOLVER).await.unwrap().as_str(), "http://127.0.0.1:8081/");
    assert_eq!(chain.balances(SOLVER).await.unwrap().lp.to_string(), "2.5");
}

#[tokio::test]
async fn without_the_controller_an_unknown_contract_is_a_matter_of_configuration() {
    let server = working().http().await;
    let mut network = network(&[server.url(KEY)]);
    network.contracts = Contracts::default();
    let chain = Chain::connect_within(&network, LONG).await.unwrap();
    assert_eq!(chain.solver_url(SOLVER).await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn the_first_rpc_that_answers_for_the_right_chain_wins() {
    let silent = RpcServer::ws(|_, _| Reply::Nothing).await;
    let other = RpcServer::http(|_, _| Reply::Result(json!("0x1"))).await;
    let (good, late) = (working().http().await, working().http().await);
    let urls = [dead_url().await, silent.url(KEY), other.url(KEY), good.url(KEY), late.url(KEY)];
    let chain = Chain::connect_within(&network(&urls), SHORT).await.unwrap();
    assert_eq!(chain.url.reveal().as_str(), good.url(KEY));
}

#[tokio::test]
async fn when_none_will_do_the_trouble_of_each_is_told_and_no_key() {
    let servers = [
        RpcServer::ws(|_, _| Reply::Nothing).await,
        RpcServer::http(|_, _| Reply::Nothing).await,
        RpcServer::http(|_, _| Reply::Status(403, format!("no such key: {KEY}"))).await,
        RpcServer::http(|_, _| Reply::Error(-32001, format!("no such key: {KEY}"))).await,
        RpcServer::http(|_, _| Reply::Text("<html>".into())).await,
        RpcServer::http(|_, _| Reply::Text("x".repeat(2 << 20))).await,
        RpcServer::http(|_, _| Reply::Result(json!("pond"))).await,
        RpcServer::http(|_, _| Reply::Result(json!("0x1"))).await,
        RpcServer::ws(|_, _| Reply::Text("<html>".into())).await,
        RpcServer::ws(|_, _| Reply::Status(0, String::new())).await,
    ];
    let mut urls = vec![dead_url().await];
    urls.extend(servers.iter().map(|server| server.url(KEY)));
    let error = Chain::connect_within(&network(&urls), SHORT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Chain);
    assert!(error.is_retryable());
    let troubles: Vec<_> = error.message().unwrap().split("; ").collect();
    for (trouble, reason) in troubles.iter().zip([
        "onnection refused",
        "no answer within 2 s",
        "no answer",
        "HTTP status 403",
        "error -32001: no such key: …",
        "makes no sense",
        "far too long",
        "makes no sense",
        "it is of chain 1, the network is on chain 412346",
        "closed the connection",
        "closed the connection",
    ]) {
        assert!(trouble.contains(reason), "{trouble} should tell of {reason}");
    }
    assert_eq!(troubles.len(), urls.len());
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
}

#[tokio::test]
async fn another_chain_stays_another_chain_however_often_it_is_asked() {
    let other = RpcServer::http(|_, _| Reply::Result(json!("0x1"))).await;
    let error = Chain::connect_within(&network(&[other.url(KEY)]), LONG).await.unwrap_err();
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_server_without_encryption_is_a_trouble_like_others() {
    let server = working().http().await;
    for scheme in ["https", "wss"] {
        let error = Chain::connect_within(&network(&[server.url_as(scheme)]), LONG).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Chain, "{error}");
    }
}

#[tokio::test]
async fn a_network_without_a_chain_says_what_to_set() {
    let error = Chain::connect(&network(&[])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("LILYPAD_RPC_URL"), "{error}");
}

#[tokio::test]
async fn a_solver_that_cannot_be_used_is_explained() {
    for (user, reason) in [
        (user(Address::ZERO, ""), "is not registered on this chain"),
        (user(SOLVER, ""), "is registered without a URL"),
        (user(SOLVER, "solver.example"), "registered with a URL that `solver.example` is not a URL"),
        (user(SOLVER, "ftp://solver.example"), "does not begin with http:// or https://"),
        (Vec::new(), "there is no contract at 0x0DCd1Bf9A1b36cE34237eEaFef220932846BCD82, asked for getUser(address)"),
        (vec![1; 31], "does not answer getUser(address) as it should"),
        (vec![0xff; 320], "does not answer getUser(address) as it should"),
    ] {
        let server = FakeChain::with_user(user).http().await;
        let error = connected(&server).await.solver_url(SOLVER).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Chain);
        assert!(!error.is_retryable(), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_fails_later_is_named_without_its_key() {
    for (server, reason) in [
        (server(|| Reply::Error(-32005, format!("key {KEY} {}", "x".repeat(500)))).await, "key … xxx"),
        (server(|| Reply::Status(429, String::new())).await, "HTTP status 429"),
        (server(|| Reply::Text("{}".into())).await, "makes no sense"),
    ] {
        let chain = connected(&server).await;
        let error = chain.solver_url(SOLVER).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Chain);
        assert!(error.is_retryable() && error.to_string().contains(reason), "{error}");
        let printed = format!("{error} {error:?} {chain:?}");
        assert!(!printed.contains(KEY) && printed.len() < 1_500, "{printed}");
    }
}

#[tokio::test]
async fn what_a_contract_refuses_it_refuses_for_good() {
    let server = server(|| Reply::Error(3, "execution reverted: Pond".into())).await;
    let error = connected(&server).await.solver_url(SOLVER).await.unwrap_err();
    assert!(!error.is_retryable() && error.to_string().contains("error 3: execution reverted: Pond"), "{error}");
}

#[tokio::test]
async fn a_server_that_falls_silent_does_not_hold_the_caller() {
    let server = server(|| Reply::Nothing).await;
    let chain = Chain::connect_within(&network(&[server.url(KEY)]), SHORT).await.unwrap();
    let error = chain.solver_url(SOLVER).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("no answer"), "{error}");
}
