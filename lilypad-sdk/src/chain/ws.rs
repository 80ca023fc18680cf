//! JSON-RPC over WebSocket.

use alloy::pubsub::{ConnectionHandle, PubSubConnect};
use alloy::rpc::client::WsConnect;
use alloy::transports::{TransportErrorKind, TransportResult};
use url::Url;

/// Connects once. alloy's own way of connecting again does so at once and without end while a server takes connections and then drops
/// them; for a few look-ups, the list of RPC URLs is the way to try again.
pub(super) struct ConnectOnce(WsConnect);

impl ConnectOnce {
    /// For a connection to `url`, which may hold a key.
    pub(super) fn new(url: &Url) -> Self {
        Self(WsConnect::new(url.as_str()))
    }
}

impl PubSubConnect for ConnectOnce {
    fn is_local(&self) -> bool {
        self.0.is_local()
    }

    async fn connect(&self) -> TransportResult<ConnectionHandle> {
        self.0.connect().await
    }

    async fn try_reconnect(&self) -> TransportResult<ConnectionHandle> {
        Err(TransportErrorKind::non_retryable_str("the connection broke"))
    }
}
