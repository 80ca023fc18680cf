//! One signed request and its answer.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Body, Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use tracing::Instrument;
use url::Url;

use super::clock::SolverClock;
use super::list::ListReader;
use super::pace::{Lane, Pacer, Permit};
use super::refusal::classify;
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Counters;
use crate::platform::{Instant, timeout};
use crate::protocol::json;
use crate::wallet::Wallet;

/// A body as it arrives.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// The version that the client says it is. A solver refuses offers of clients older than its own major version.
pub const DEFAULT_CLIENT_VERSION: &str = "v2.23.0";

/// The longest record that is read. Those of real jobs take 2 to 10 kB.
const MAX_RECORD: usize = 16 << 20;
/// The longest list that is read, record by record. One of 10,000 deals takes about 30 MB.
const MAX_LIST: u64 = 1 << 30;
/// The longest text of a refusal that is read.
const MAX_TEXT: usize = 4 << 10;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an upload may take, from its first byte to the end of its answer.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(3600);
/// How long a body may stand still.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A request.
pub(super) struct Call {
    /// What it is for, as an imperative: `"post job offer"`.
    pub(super) operation: &'static str,
    /// Its method.
    pub(super) method: Method,
    /// Its path under `/api/v1`, without a leading slash.
    pub(super) path: String,
    /// Its query.
    pub(super) query: Vec<(&'static str, String)>,
    /// Its body.
    pub(super) body: Payload,
    /// How its answer is read.
    answer: Answer,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// At once: one time limit holds for all of it.
    Whole,
    /// As it comes: it may take as long as it keeps coming.
    Stream,
}

/// What a request carries.
pub(super) enum Payload {
    /// Nothing.
    Empty,
    /// A record.
    Json(Vec<u8>),
    /// A form with file parts.
    Form(reqwest::multipart::Form),
    /// A body that is read while it is sent.
    Stream(Body),
}

impl Call {
    /// A request without a body.
    pub(super) fn get(operation: &'static str, path: impl Into<String>) -> Self {
        Self {
            operation,
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            body: Payload::Empty,
            answer: Answer::Whole,
        }
    }

    /// A request that sends something.
    pub(super) fn post(operation: &'static str, path: impl Into<String>, body: Payload) -> Self {
        Self { operation, method: Method::POST, path: path.into(), query: Vec::new(), body, answer: Answer::Whole }
    }

    /// The queue that it waits in.
    fn lane(&self) -> Lane {
        if self.method == Method::GET { Lane::Read } else { Lane::Write }
    }

    /// Adds a query parameter.
    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// Sends requests to one solver.
pub(super) struct Transport {
    http: reqwest::Client,
    /// For what is uploaded: a body may take long until its answer begins.
    uploads: reqwest::Client,
    base: Url,
    headers: HeaderMap,
    pacer: Pacer,
    clock: SolverClock,
    request_timeout: Duration,
    counters: Arc<Counters>,
}

impl Transport {
    /// For requests to the solver at `base`, signed by `wallet`.
    pub(super) fn new(
        base: &Url,
        wallet: &Wallet,
        version: &str,
        request_timeout: Duration,
        counters: Arc<Counters>,
    ) -> Result<Self> {
        let operation = "set up the solver connection";
        let builder = || {
            reqwest::Client::builder()
                // A signed header pair is valid for ever: it must not follow a redirect to anybody.
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .tcp_nodelay(true)
        };
        let failed = |error| Error::new(ErrorKind::Config, operation).with_source(error);
        let http = builder().read_timeout(IDLE_TIMEOUT).build().map_err(failed)?;
        let uploads = builder().timeout(UPLOAD_TIMEOUT).build().map_err(failed)?;
        let version = HeaderValue::from_str(version).map_err(|_| {
            Error::new(ErrorKind::Config, operation)
                .with_message(format_args!("client version `{version}` does not fit a header"))
                .with_help("use a version such as `v2.23.0`")
        })?;
        let signed = wallet.request_headers();
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-lilypad-user", signed.user()), ("x-lilypad-signature", signed.signature())] {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| Error::new(ErrorKind::Internal, operation).with_message("a signed header is not ASCII"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers.insert("x-lilypad-version", version);
        let base = api_base(base)?;
        Ok(Self {
            http,
            uploads,
            base,
            headers,
            pacer: Pacer::default(),
            clock: SolverClock::default(),
            request_timeout,
            counters,
        })
    }

    /// The solver's clock.
    pub(super) fn clock(&self) -> &SolverClock {
        &self.clock
    }

    /// Where the API is: ends with `/api/v1/`.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Waits until a request to `path`, under the API's base, is likely to be taken.
    pub(super) async fn admit(&self, path: &str, lane: Lane) -> Permit<'_> {
        self.pacer.admit(&format!("{}{path}", self.base.path()), lane).await
    }

    /// Sends one request when it is its turn. An answer that is no success becomes an error.
    pub(super) async fn send(&self, call: Call) -> Result<Response> {
        let permit = self.admit(&call.path, call.lane()).await;
        self.send_admitted(permit, call).await
    }

    /// [`send`](Self::send) for a request whose turn it is.
    async fn send_admitted(&self, permit: Permit<'_>, call: Call) -> Result<Response> {
        let span = tracing::debug_span!("request", method = %call.method, path = call.path);
        let (operation, start) = (call.operation, Instant::now());
        self.counters.requests.increment();
        let outcome = self.exchange(permit, call).instrument(span.clone()).await;
        span.in_scope(|| match &outcome {
            Ok(response) => tracing::debug!(status = response.status().as_u16(), took = ?start.elapsed(), operation),
            Err(error) => tracing::debug!(kind = %error.kind(), took = ?start.elapsed(), operation, "no success"),
        });
        outcome
    }

    /// Sends one request and takes the head of its answer.
    async fn exchange(&self, permit: Permit<'_>, call: Call) -> Result<Response> {
        let operation = call.operation;
        let mut url = self
            .base
            .join(&call.path)
            .map_err(|error| Error::new(ErrorKind::InvalidInput, operation).with_message(error).permanent())?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let moves = call.method != Method::GET;
        let uploads = matches!(call.body, Payload::Form(_) | Payload::Stream(_));
        let http = if uploads { &self.uploads } else { &self.http };
        let mut request = http.request(call.method, url).headers(self.headers.clone());
        // How long it may take until the answer begins.
        let mut limit = None;
        request = match call.body {
            Payload::Empty if call.answer == Answer::Stream => {
                limit = Some(self.request_timeout);
                request
            }
            Payload::Empty => request.timeout(self.request_timeout),
            Payload::Json(bytes) => {
                request.timeout(self.request_timeout).header("content-type", "application/json").body(bytes)
            }
            Payload::Form(form) => request.multipart(form),
            Payload::Stream(body) => request.body(body),
        };
        let outcome = match limit {
            Some(limit) => timeout(limit, request.send()).await.map_err(|_| self.late(operation))?,
            None => request.send().await,
        };
        let response = outcome.map_err(|error| self.unanswered(operation, error, moves))?;
        if let Some(date) = response.headers().get("date").and_then(|date| date.to_str().ok()) {
            self.clock.learn(date);
        }
        let status = response.status();
        let wait = permit.settle(response.headers(), status == StatusCode::TOO_MANY_REQUESTS);
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.counters.requests_refused.increment();
            self.counters.rate_limited.increment();
            return Err(Error::new(ErrorKind::RateLimited, operation)
                .with_message("too many requests from this address")
                .with_retry_after(wait));
        }
        if !status.is_success() {
            self.counters.requests_refused.increment();
            let text = self.without_secrets(first_line(response).await);
            let error = classify(operation, status.as_u16(), &text);
            return Err(if error.kind() == ErrorKind::ClockSkew { self.with_clocks(error) } else { error });
        }
        Ok(response)
    }

    /// Sends one request and reads its JSON answer. `None` for `null`.
    pub(super) async fn send_json<T: DeserializeOwned>(&self, call: Call) -> Result<Option<T>> {
        let permit = self.admit(&call.path, call.lane()).await;
        self.send_json_admitted(permit, call).await
    }

    /// [`send_json`](Self::send_json) for a request whose turn it is.
    pub(super) async fn send_json_admitted<T: DeserializeOwned>(
        &self,
        permit: Permit<'_>,
        call: Call,
    ) -> Result<Option<T>> {
        let operation = call.operation;
        let moves = call.method != Method::GET;
        let response = self.send_admitted(permit, call).await?;
        let body = read_bounded(response, MAX_RECORD).await.map_err(|failure| match failure {
            ReadFailure::Broken(error) => self.unanswered(operation, error, moves),
            ReadFailure::TooLong => {
                let error = Error::new(ErrorKind::Integrity, operation)
                    .with_message(format_args!("the solver's answer is longer than {} MB", MAX_RECORD >> 20));
                if moves { error.maybe_done() } else { error }
            }
        })?;
        json::from_slice(&body).map_err(|error| {
            let error = Error::new(ErrorKind::Integrity, operation)
                .with_message(format_args!("the solver's answer makes no sense: {error}"))
                .with_help("check that the solver URL points to a Lilypad solver");
            if moves { error.maybe_done() } else { error }
        })
    }

    /// Sends one request and hands the records of the list that answers it to `each`, while they arrive. What came before an error has been
    /// handed on.
    pub(super) async fn send_list<T: DeserializeOwned>(
        &self,
        mut call: Call,
        each: impl FnMut(T) + Send,
    ) -> Result<()> {
        let operation = call.operation;
        call.answer = Answer::Stream;
        let mut pieces = self.send(call).await?.bytes_stream();
        let mut list = ListReader::new(operation, MAX_LIST, each);
        while let Some(piece) = pieces.next().await {
            list.push(&piece.map_err(|error| self.unanswered(operation, error, false))?)?;
        }
        list.finish()
    }

    /// Sends one request and gives its body as it arrives.
    pub(super) async fn send_stream(&self, mut call: Call) -> Result<ByteStream> {
        let operation = call.operation;
        call.answer = Answer::Stream;
        let response = self.send(call).await?;
        let host = self.host();
        Ok(Box::pin(response.bytes_stream().map(move |chunk| {
            chunk.map_err(|error| {
                Error::new(ErrorKind::Connection, operation)
                    .with_message(format_args!("the connection to {host} broke in the middle of the files"))
                    .with_source(error.without_url())
            })
        })))
    }

    /// Blanks out our own headers, which whatever stands before a solver may echo.
    fn without_secrets(&self, text: String) -> String {
        let secrets = ["x-lilypad-user", "x-lilypad-signature"].map(|name| self.headers.get(name));
        let secrets = secrets.into_iter().flatten().filter_map(|value| value.to_str().ok());
        secrets.fold(text, |text, secret| if text.contains(secret) { text.replace(secret, "…") } else { text })
    }

    /// Host and port, for messages.
    pub(super) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The error for an answer that did not begin in time.
    fn late(&self, operation: &'static str) -> Error {
        self.counters.requests_unanswered.increment();
        Error::new(ErrorKind::Connection, operation)
            .with_message(format_args!("the solver at {} did not answer in time", self.host()))
            .with_help("check that the solver runs, and the solver URL")
    }

    /// The error for a request that got no answer.
    fn unanswered(&self, operation: &'static str, error: reqwest::Error, moves: bool) -> Error {
        self.counters.requests_unanswered.increment();
        let host = self.host();
        let sent = !error.is_connect() && !error.is_builder();
        let message = if error.is_connect() {
            format!("no solver answers at {host}")
        } else if error.is_timeout() {
            format!("the solver at {host} did not answer in time")
        } else {
            format!("the connection to the solver at {host} broke")
        };
        let error = Error::new(ErrorKind::Connection, operation)
            .with_message(message)
            .with_help("check that the solver runs, and the solver URL")
            .with_source(error.without_url());
        if moves && sent { error.maybe_done() } else { error }
    }

    /// Names both clocks in an error about them.
    fn with_clocks(&self, error: Error) -> Error {
        let ahead = self.clock.ahead_ms();
        if ahead == 0 {
            return error;
        }
        let text = error.message().unwrap_or_default().to_owned();
        let (seconds, which) = (ahead.abs() / 1000, if ahead > 0 { "ahead of" } else { "behind" });
        error.with_message(format_args!("{text}; the solver's clock is {seconds} s {which} this machine's"))
    }
}

/// `https://host/anything` → `https://host/anything/api/v1/`.
fn api_base(base: &Url) -> Result<Url> {
    let mut base = base.clone();
    base.set_query(None);
    base.set_fragment(None);
    let path = format!("{}/api/v1/", base.path().trim_end_matches('/'));
    base.set_path(&path);
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        return Err(Error::new(ErrorKind::Config, "set up the solver connection")
            .with_message(format_args!("`{}:` is not a scheme that solvers speak", base.scheme()))
            .with_help("a solver URL starts with http:// or https://"));
    }
    Ok(base)
}

/// Why a body could not be read.
enum ReadFailure {
    /// The connection broke.
    Broken(reqwest::Error),
    /// It is longer than allowed.
    TooLong,
}

async fn read_bounded(response: Response, limit: usize) -> Result<Vec<u8>, ReadFailure> {
    let mut body = Vec::with_capacity(response.content_length().unwrap_or(0).min(1 << 20) as usize);
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(ReadFailure::Broken)?;
        if body.len() + chunk.len() > limit {
            return Err(ReadFailure::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The first line of a refusal, without control characters.
async fn first_line(response: Response) -> String {
    let mut chunks = response.bytes_stream();
    let mut body = Vec::new();
    while let Some(Ok(chunk)) = chunks.next().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_TEXT || body.contains(&b'\n') {
            break;
        }
    }
    body.truncate(MAX_TEXT);
    let text = String::from_utf8_lossy(&body);
    text.lines().next().unwrap_or_default().chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests;
