//! The HTTP interface: what is at which path, and what surrounds every answer.
//!
//! A request passes [`admit`] (rate limit, headers of every answer) and its handler. A handler reads and checks in the reference
//! solver's order, because the first thing that is wrong decides what the client is told. Faults that tests ask for surround
//! everything else in [`admit`].

mod deals;
mod files;
mod job_offers;
mod resource_offers;
mod transactions;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use super::rate_limit::client_of;
use super::refusal::Refusal;
use super::{Shared, faults, socket};

pub(super) use wire::Query;

/// JSON bodies may be this large. The reference solver has no limit; nothing honest comes near it.
const MAX_JSON_BODY: usize = 32 << 20;

/// Everything that the solver answers to.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let at = |methods: MethodRouter<Arc<Shared>>| methods.route_layer(from_fn_with_state(shared.clone(), admit));
    let inputs = DefaultBodyLimit::max(shared.options.max_file_input_bytes);
    let api = Router::new()
        .route("/job_offers", at(get(job_offers::list).post(job_offers::add)))
        // A GET here is one of an offer called `with_files`.
        .route(
            "/job_offers/with_files",
            at(post(job_offers::add_with_files).layer(inputs).get(async || Refusal::HangUp)),
        )
        .route("/job_offers/{id}", at(get(job_offers::show)))
        .route("/job_offers/{id}/files", at(get(files::download_job)))
        .route("/resource_offers", at(get(resource_offers::list).post(resource_offers::add)))
        .route("/deals", at(get(deals::list)))
        .route("/deals/{id}", at(get(deals::show)))
        .route("/deals/{id}/result", at(get(deals::result).post(deals::add_result)))
        .route("/deals/{id}/input_files", at(get(files::download_inputs)))
        .route("/deals/{id}/files", at(get(files::download_deal).post(files::upload)))
        .route("/deals/{id}/txs/job_creator", at(post(transactions::add_creators)))
        .route("/deals/{id}/txs/resource_provider", at(post(transactions::add_providers)))
        .route("/deals/{id}/txs/mediator", at(post(transactions::add_mediators)))
        .route("/validation_token", at(get(wire::validation_token)))
        .route("/ws", at(get(socket::open)))
        .layer(DefaultBodyLimit::max(MAX_JSON_BODY));
    Router::new()
        .nest("/api/v1", api)
        .fallback(async || Refusal::path())
        .method_not_allowed_fallback(async || Refusal::path())
        .with_state(shared)
}

/// Lets a request through to its answer, unless there is something wrong with it, or made to be.
async fn admit(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    // Routes for GET answer HEAD as well, which the reference solver doesn't.
    if request.method() == Method::HEAD {
        return Refusal::path().into_response();
    }
    if !shared.options.faults.any() {
        return answer(&shared, peer, request, next).await;
    }
    faults::strike(shared.clone(), request, async |request| answer(&shared, peer, request, next).await).await
}

/// Lets a request through to its handler, unless its client has sent too many.
async fn answer(shared: &Shared, peer: SocketAddr, request: Request, next: Next) -> Response {
    let client = client_of(request.headers(), peer.ip());
    let verdict = shared.count(&client, request.uri().path());
    let mut response = match &verdict {
        Some(verdict) if !verdict.allowed => Refusal::too_many().into_response(),
        _ => next.run(request).await,
    };
    // A connection that becomes a socket leaves HTTP with nothing but the handshake.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Some(verdict) = verdict {
        headers.insert("x-ratelimit-limit", verdict.limit.into());
        headers.insert("x-ratelimit-remaining", verdict.remaining.into());
        headers.insert("x-ratelimit-reset", verdict.reset.into());
        if !verdict.allowed {
            headers.insert(header::RETRY_AFTER, verdict.retry_after.into());
        }
    }
    response
}
