//! JSON-RPC over HTTP.
//!
//! alloy has such a transport, which puts the whole URL into its log spans and reads answers of any size; with keys in URLs and servers
//! that are not trusted, neither will do.

use std::task::{Context, Poll};
use std::time::Duration;

use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::transports::{BoxFuture, TransportError, TransportErrorKind};
use reqwest::header::CONTENT_TYPE;
use tower_service::Service;
use url::Url;

use super::connect::innermost;

/// Bytes of an answer that are read. What is looked up here has a few hundred.
const LONGEST_ANSWER: usize = 1 << 20;

/// Sends each request as a POST to one URL.
#[derive(Clone)]
pub(super) struct HttpTransport {
    /// Keeps the connection.
    client: reqwest::Client,
    /// Where to; may hold a key.
    url: Url,
}

impl HttpTransport {
    /// A transport whose requests end after `patience`. Nothing is connected yet.
    pub(super) fn new(url: Url, patience: Duration) -> Result<Self, TransportError> {
        let client = reqwest::Client::builder().timeout(patience).build().map_err(|error| trouble(&error))?;
        Ok(Self { client, url })
    }

    /// Sends a request and reads its answer.
    async fn send(self, request: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let body = serde_json::to_vec(&request).map_err(TransportError::ser_err)?;
        let request = self.client.post(self.url).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|error| trouble(&error))?;
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| trouble(&error))? {
            if answer.len() + chunk.len() > LONGEST_ANSWER {
                return Err(TransportErrorKind::custom_str("its answer is far too long"));
            }
            answer.extend_from_slice(&chunk);
        }
        // Before the status: some servers send errors of their own with 4xx, and those say more.
        match serde_json::from_slice(&answer) {
            Ok(packet) => Ok(packet),
            Err(_) if !response.status().is_success() => {
                Err(TransportErrorKind::http_error(response.status().as_u16(), String::new()))
            }
            Err(error) => Err(TransportError::deser_err(error, String::new())),
        }
    }
}

impl Service<RequestPacket> for HttpTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = BoxFuture<'static, Result<ResponsePacket, TransportError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}

/// A failure in its first cause's words: the outer ones name the URL.
fn trouble(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        return TransportErrorKind::custom_str("no answer in time");
    }
    TransportErrorKind::custom_str(&innermost(error))
}
