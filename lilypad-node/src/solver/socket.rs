//! The event socket.

use std::sync::Arc;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt;
use tokio::sync::watch;
use url::Url;

use super::Shared;
use super::events::{Party, Subscription};
use super::refusal::Refusal;
use super::routes::Query;

/// How many events are written before they are pushed out.
const BATCH: usize = 64;

/// The party whose offers go when its socket does.
const PROVIDER: &str = "ResourceProvider";

/// `GET /ws`: every event of the network, until the client goes or is too slow.
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let status = match upgrade {
        _ if !is_same_origin(&headers) => StatusCode::FORBIDDEN,
        Err(_) => StatusCode::BAD_REQUEST,
        Ok(upgrade) => {
            let query = Query::new(query.as_deref());
            let party = Party {
                is_provider: query.get("Type").is_some_and(|party| party == PROVIDER),
                address: query.text("ID").unwrap_or_default(),
            };
            // From here on, so that nothing is missed that happens before the client knows that the socket is open.
            let heard = (shared.events.subscribe(party.clone()), shared.options.faults.cuts());
            let running = shared.tasks.token();
            return upgrade.on_upgrade(move |socket| async move {
                // Held until the socket is closed: stopping the solver waits for it.
                let _running = running;
                tell(&shared, heard, socket).await;
                // A solver that has crashed does nothing more.
                if party.is_provider && !shared.crash.is_cancelled() {
                    shared.lifecycle().withdraw_machines(&party.address);
                }
            });
        }
    };
    let refusal = Refusal::new(status, status.canonical_reason().unwrap_or_default());
    ([(header::SEC_WEBSOCKET_VERSION, "13")], refusal).into_response()
}

/// Writes events until the client goes, is too slow, or the solver stops.
async fn tell(shared: &Shared, heard: (Subscription, watch::Receiver<()>), mut socket: WebSocket) {
    let (Subscription { mut queue, dropped }, mut cuts) = heard;
    let mut batch = Vec::with_capacity(BATCH);
    let talk = async {
        loop {
            tokio::select! {
                heard = socket.recv() => match heard {
                    // Pings are answered underneath; nothing else that clients say means anything.
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break,
                },
                count = queue.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    for text in batch.drain(..) {
                        if socket.feed(Message::Text(text)).await.is_err() {
                            return;
                        }
                    }
                    if socket.flush().await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::select! {
        // Of sockets that end together, none hears of another.
        biased;
        _ = cuts.changed() => {}
        () = shared.stop.cancelled() => {}
        () = dropped.cancelled() => tracing::debug!("dropped a listener that did not keep up"),
        () = talk => {}
    }
}

/// Whether a browser's page, if it is one, comes from this solver itself.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let origin = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok());
    origin.is_some_and(|origin| {
        let authority = match (origin.host_str(), origin.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => String::new(),
        };
        authority.eq_ignore_ascii_case(host)
    })
}
