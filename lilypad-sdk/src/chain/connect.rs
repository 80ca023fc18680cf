//! Finding an RPC URL that works.
//!
//! RPC URLs hold access keys, and what libraries and servers say about trouble often holds the URL. So no such error is passed on:
//! [`reason`] puts it into words without any key.

use std::error::Error as StdError;
use std::time::Duration;

use alloy::primitives::U64;
use alloy::rpc::client::RpcClient;
use alloy::transports::{RpcError, TransportError, TransportErrorKind};

use super::http::HttpTransport;
use super::ws::ConnectOnce;
use crate::error::{Error, ErrorKind, Result};
use crate::network::RpcUrl;

/// What is being done, for errors.
const OPERATION: &str = "connect to the chain";
/// Characters of somebody else's words that are repeated.
const LONGEST_QUOTE: usize = 200;

/// Why an RPC URL is passed over.
enum Trouble {
    /// It did not answer, or not with a chain id.
    Silent(String),
    /// It answers for another chain: asking again will not help.
    OtherChain(String),
}

/// The first of `urls` that answers within `patience` and is of the right chain. They are tried in order, as their order is a preference.
pub(super) async fn first_answering(
    urls: &[RpcUrl],
    chain_id: Option<u64>,
    patience: Duration,
) -> Result<(RpcClient, RpcUrl)> {
    if urls.is_empty() {
        return Err(Error::new(ErrorKind::Config, OPERATION)
            .with_message("the network has no RPC URL")
            .with_help("set LILYPAD_RPC_URL or the option `rpc_urls`"));
    }
    let mut troubles = Vec::new();
    let mut may_pass = false;
    for url in urls {
        let trouble = match tokio::time::timeout(patience, open(url, chain_id, patience)).await {
            Ok(Ok(client)) => return Ok((client, url.clone())),
            Ok(Err(trouble)) => trouble,
            Err(_) => Trouble::Silent(no_answer(patience)),
        };
        let (Trouble::Silent(why) | Trouble::OtherChain(why)) = &trouble;
        may_pass |= matches!(trouble, Trouble::Silent(_));
        troubles.push(format!("{url}: {why}"));
    }
    let error = Error::new(ErrorKind::Chain, OPERATION)
        .with_message(format_args!("none of {} RPC URLs will do: {}", urls.len(), troubles.join("; ")))
        .with_help("give other RPC URLs with LILYPAD_RPC_URL, or the solver's URL with LILYPAD_SOLVER_URL, which needs no chain");
    Err(if may_pass { error.retryable() } else { error })
}

/// Connects to `url` and checks its chain.
async fn open(url: &RpcUrl, chain_id: Option<u64>, patience: Duration) -> Result<RpcClient, Trouble> {
    let client = match url.reveal().scheme() {
        "ws" | "wss" => RpcClient::connect_pubsub(ConnectOnce::new(url.reveal())).await,
        _ => HttpTransport::new(url.reveal().clone(), patience).map(|transport| RpcClient::new(transport, false)),
    };
    let client = client.map_err(|error| Trouble::Silent(reason(&error, url)))?;
    let found: U64 =
        client.request_noparams("eth_chainId").await.map_err(|error| Trouble::Silent(reason(&error, url)))?;
    match chain_id {
        Some(wanted) if found.to::<u64>() != wanted => {
            Err(Trouble::OtherChain(format!("it is of chain {}, the network is on chain {wanted}", found.to::<u64>())))
        }
        _ => Ok(client),
    }
}

/// What went wrong, without anything that could be a key of `url`.
pub(super) fn reason(error: &TransportError, url: &RpcUrl) -> String {
    let text = match error {
        RpcError::ErrorResp(answer) => format!("it answers with error {}: {}", answer.code, answer.message),
        RpcError::DeserError { .. } => "its answer makes no sense".into(),
        RpcError::NullResp => "its answer is empty".into(),
        RpcError::Transport(TransportErrorKind::BackendGone) => "it closed the connection".into(),
        RpcError::Transport(kind) => match kind.as_http_error() {
            Some(answer) => format!("it answers with HTTP status {}", answer.status),
            None => innermost(kind),
        },
        other => innermost(other),
    };
    let text = url.redact(&text);
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The first cause, which is the one that knows: "connection refused" under three layers of "could not send".
pub(super) fn innermost(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Says that `patience` has ended.
pub(super) fn no_answer(patience: Duration) -> String {
    format!("no answer within {} s", patience.as_secs_f64())
}
