//! A solver that repeats what was recorded, over real sockets.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use lilypad_sdk::Wallet;
use lilypad_sdk::protocol::{AgreementState, DealContainer, JobOffer, json};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::script::Script;
use super::stage::Stage;
use super::unpack;
use crate::conversation;
use crate::multipart;
use crate::record::segments;
use crate::report::Outcome;

/// No request is larger.
const LARGEST_REQUEST: usize = 64 << 20;
/// How long an offer waits for its sender's socket: whoever recorded listened first.
const SOCKET_PATIENCE: Duration = Duration::from_secs(5);

/// A running recorded solver. Stops when it is dropped.
pub(super) struct RecordedSolver {
    /// Where it answers.
    url: String,
    /// What its requests have in common.
    shared: Arc<Shared>,
    /// What takes connections.
    task: JoinHandle<()>,
}

/// What its requests have in common.
struct Shared {
    /// How far the play is.
    stage: Mutex<Stage>,
    /// How many sockets were opened.
    sockets: watch::Sender<usize>,
    /// The headers that a signed request of our client has.
    signed: [(&'static str, String); 2],
}

impl RecordedSolver {
    /// Starts to play `script` to the owner of `wallet`.
    pub(super) async fn start(script: Script, wallet: &Wallet) -> std::io::Result<Self> {
        let headers = wallet.request_headers();
        let shared = Arc::new(Shared {
            stage: Mutex::new(Stage::new(script)),
            sockets: watch::Sender::new(0),
            signed: [
                ("X-Lilypad-User", headers.user().to_owned()),
                ("X-Lilypad-Signature", headers.signature().to_owned()),
            ],
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/api/v1/ws", get(open_socket)).fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move {
            // Ends with the task: the listener is never closed before.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, shared, task })
    }

    /// Where it answers.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Whether our client behaved.
    pub(super) fn complaints(&self) -> Outcome {
        let complaints = self.shared.stage().complaints();
        if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
    }
}

impl Drop for RecordedSolver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// The state of the play.
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens an event socket.
async fn open_socket(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| tell(shared, socket))
}

/// Tells events until the client goes.
async fn tell(shared: Arc<Shared>, mut socket: WebSocket) {
    let (sender, mut events) = mpsc::unbounded_channel();
    shared.stage().listen(sender);
    shared.sockets.send_modify(|count| *count += 1);
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(text) = event else { return };
                if socket.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
            heard = socket.recv() => if !matches!(heard, Some(Ok(_))) { return },
        }
    }
}

/// Answers a request as the recorded solver did, or would have done.
async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST_REQUEST).await.unwrap_or_default();
    let (method, path) = (head.method.as_str(), head.uri.path());
    if let Some(refusal) = shared.stage().throttle(path) {
        return repeat(&refusal);
    }
    check_signature(&shared, &head.headers, method, path);
    let query = Query(head.uri.query().unwrap_or_default());
    let content = match (method, segments(path).as_slice()) {
        ("POST", ["job_offers"]) => match take(&shared, &body, None).await {
            Ok(content) => content,
            Err(refusal) => return refusal,
        },
        ("POST", ["job_offers", "with_files"]) => match take_form(&shared, &body).await {
            Ok(content) => content,
            Err(refusal) => return refusal,
        },
        // Asked for the time that comes with every answer.
        ("GET", ["validation_token"]) => line(&BTreeMap::from([("JWT", "")])),
        ("GET", ["job_offers"]) => {
            let stage = shared.stage();
            line(&stage.offers().filter(|offer| query.allows("job_creator", &offer.job_creator)).collect::<Vec<_>>())
        }
        ("GET", ["deals"]) => {
            let stage = shared.stage();
            line(&stage.deals().filter(|deal| query.allows_deal(deal)).collect::<Vec<_>>())
        }
        ("GET", ["deals", id]) => match shared.stage().deals().find(|deal| deal.id == *id) {
            Some(deal) => line(deal),
            None => return refuse("deal not found"),
        },
        ("GET", ["deals", id, "result"]) => match shared.stage().result(id) {
            Some(result) => line(&result),
            None => return refuse("result not found"),
        },
        ("GET", ["deals", id, "files"]) => match shared.stage().fetch(id) {
            Some(archive) => archive,
            None => return refuse("open files: no such file or directory"),
        },
        ("POST", ["deals", id, "txs", "job_creator"]) => match shared.stage().accept(id) {
            Some(deal) => line(&deal),
            None => return refuse("deal not found"),
        },
        _ => {
            shared.stage().complain(format!("asked for {method} {path}, which nobody answers"));
            return respond(StatusCode::NOT_FOUND, &BTreeMap::new(), "404 page not found\n".into());
        }
    };
    // What follows this answer is told once it is on its way.
    let headers = shared.stage().headers(method, path);
    tokio::spawn(async move { shared.stage().play_on() });
    respond(StatusCode::OK, &headers, content.into())
}

/// Takes an offer, once its sender listens.
async fn take(shared: &Shared, body: &[u8], files: Option<BTreeMap<String, Vec<u8>>>) -> Result<Vec<u8>, Response> {
    let mut sockets = shared.sockets.subscribe();
    if tokio::time::timeout(SOCKET_PATIENCE, sockets.wait_for(|count| *count > 0)).await.is_err() {
        shared.stage().complain("nobody listened to events when the job was posted");
    }
    let mut stage = shared.stage();
    let offer: JobOffer = match json::from_slice(body) {
        Ok(offer) => offer,
        Err(error) => {
            stage.complain(format!("the offer makes no sense: {error}"));
            return Err(respond(StatusCode::BAD_REQUEST, &BTreeMap::new(), "Error parsing request body\n".into()));
        }
    };
    stage.compare(&offer, files);
    match stage.take(offer) {
        Ok(container) => Ok(line(&container)),
        Err(refusal) => Err(repeat(&refusal)),
    }
}

/// Takes an offer with files.
async fn take_form(shared: &Shared, body: &[u8]) -> Result<Vec<u8>, Response> {
    let offer = multipart::part(body, "job_offer.json").unwrap_or_default();
    let files = unpack(multipart::part(body, "inputs.tar").unwrap_or_default());
    match files {
        Ok(files) => take(shared, offer, Some(files)).await,
        Err(error) => {
            shared.stage().complain(error);
            Err(refuse("unexpected EOF"))
        }
    }
}

/// Checks that a request is signed, where a solver wants it to be.
fn check_signature(shared: &Shared, headers: &HeaderMap, method: &str, path: &str) {
    if method == "GET" && !path.ends_with("/files") {
        return;
    }
    let mut stage = shared.stage();
    for (name, expected) in &shared.signed {
        if headers.get(*name).is_none_or(|found| found.as_bytes() != expected.as_bytes()) {
            stage.complain(format!("{method} {path} has not the right {name}"));
        }
    }
    if !headers.contains_key("X-Lilypad-Version") {
        stage.complain(format!("{method} {path} has no X-Lilypad-Version"));
    }
}

/// The query of a request.
struct Query<'a>(&'a str);

impl Query<'_> {
    /// Whether a record with this value is asked for.
    fn allows(&self, name: &str, value: &str) -> bool {
        let mut wanted = self.0.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
        wanted.all(|(_, wanted)| wanted == value)
    }

    /// Whether a deal is asked for.
    fn allows_deal(&self, deal: &DealContainer) -> bool {
        self.allows("job_creator", &deal.job_creator)
            && self.allows("resource_provider", &deal.resource_provider)
            && self.allows("state", AgreementState::name(deal.state).unwrap_or_default())
    }
}

/// A record as a solver writes it, with a line feed behind it.
fn line<T: Serialize + ?Sized>(record: &T) -> Vec<u8> {
    let mut text = json::to_vec(record);
    text.push(b'\n');
    text
}

/// A refusal as most are.
fn refuse(text: &str) -> Response {
    respond(StatusCode::INTERNAL_SERVER_ERROR, &BTreeMap::new(), format!("{text}\n").into())
}

/// An answer exactly as it was recorded.
fn repeat(recorded: &conversation::Response) -> Response {
    let status = StatusCode::from_u16(recorded.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = recorded.body.as_ref().map_or(&[][..], |body| body.bytes());
    respond(status, &recorded.headers, Bytes::copy_from_slice(body))
}

/// An answer with recorded headers, except those that are about the recorded connection.
fn respond(status: StatusCode, headers: &BTreeMap<String, String>, body: Bytes) -> Response {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        let about_connection = ["content-length", "transfer-encoding", "connection"];
        if !about_connection.contains(&name.to_ascii_lowercase().as_str()) {
            builder = builder.header(name, value);
        }
    }
    builder.body(Body::from(body)).unwrap_or_else(|_| Response::new(Body::from("a recorded header is none")))
}
