//! The calls that a client makes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use lilypad_sdk::protocol::{JobOffer, ResultRecord, json};
use serde::Serialize;

use super::{Script, events};

/// All routes.
pub(super) fn router(script: Arc<Script>) -> Router {
    let api = Router::new()
        .route("/job_offers", get(job_offers).post(take_offer))
        .route("/deals", get(deals))
        .route("/deals/{id}/result", get(result))
        .route("/deals/{id}/files", get(files))
        .route("/deals/{id}/txs/job_creator", post(accept))
        .route("/ws", get(events::open));
    Router::new().nest("/api/v1", api).with_state(script)
}

/// A record as an answer.
fn answer(record: &impl Serialize) -> Response {
    json::to_vec(record).into_response()
}

/// The answer for what is not in the script.
fn refuse(text: &'static str) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

/// `GET /job_offers`
async fn job_offers(State(script): State<Arc<Script>>) -> Response {
    answer(&script.records.offers())
}

/// `POST /job_offers`
async fn take_offer(State(script): State<Arc<Script>>, body: Bytes) -> Response {
    match json::from_slice::<JobOffer>(&body) {
        Ok(offer) => answer(&script.records.take(offer)),
        Err(_) => refuse("Error parsing request body"),
    }
}

/// `GET /deals`
async fn deals(State(script): State<Arc<Script>>) -> Response {
    let list = json::to_vec(&script.records.deals());
    script.records.list_bytes.store(list.len() as u64, Ordering::Relaxed);
    list.into_response()
}

/// `GET /deals/{id}/result`
async fn result(State(script): State<Arc<Script>>, Path(id): Path<String>) -> Response {
    match &script.archive {
        Some(archive) => {
            let data_id = archive.data_id().to_string();
            answer(&ResultRecord { deal_id: id, data_id, ..ResultRecord::default() })
        }
        None => refuse("result not found"),
    }
}

/// `GET /deals/{id}/files`: the same files for every deal.
async fn files(State(script): State<Arc<Script>>) -> Response {
    match &script.archive {
        Some(archive) => Body::from_stream(archive.pieces()).into_response(),
        None => refuse("error reading directory"),
    }
}

/// `POST /deals/{id}/txs/job_creator`
async fn accept(State(script): State<Arc<Script>>, Path(id): Path<String>) -> Response {
    script.records.deal(&id).map_or_else(|| refuse("deal not found"), |deal| answer(&deal))
}
