//! `/deals` and their results

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use lilypad_sdk::protocol::{AgreementState, DealContainer, ResultRecord};

use super::wire::{Answer, Body, Query, signer};
use crate::solver::Shared;
use crate::solver::refusal::Refusal;
use crate::solver::store::DealFilter;

/// `GET /deals`
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Answer<Vec<Arc<DealContainer>>>, Refusal> {
    let query = Query::new(query.as_deref());
    let state = query.get("state").map(|name| {
        AgreementState::from_name(&name).ok_or_else(|| Refusal::fault(format!("no AgreementState of type {name}")))
    });
    let filter = DealFilter {
        creator: query.text("job_creator"),
        provider: query.text("resource_provider"),
        state: state.transpose()?,
    };
    Ok(Answer(shared.lifecycle().store().list_deals(&filter)))
}

/// `GET /deals/{id}`
pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Answer<Arc<DealContainer>>, Refusal> {
    shared.deal(&id).map(Answer)
}

/// `GET /deals/{id}/result`
pub(super) async fn result(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Answer<ResultRecord>, Refusal> {
    let result = shared.lifecycle().store().result(&id).cloned();
    result.map(Answer).ok_or_else(|| Refusal::fault("result not found"))
}

/// `POST /deals/{id}/result`
pub(super) async fn add_result(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(result): Body<ResultRecord>,
) -> Result<Answer<ResultRecord>, Refusal> {
    let deal = shared.deal(&id)?;
    if deal.state.is_timeout() {
        return Err(Refusal::too_late(&deal));
    }
    if signer(&headers)? != deal.resource_provider {
        return Err(Refusal::not_provider());
    }
    if result.data_id.is_empty() && result.error.is_empty() {
        return Err(Refusal::fault("result must have a data id"));
    }
    let result = ResultRecord { deal_id: id, ..result };
    shared.lifecycle().take_result(result.clone());
    Ok(Answer(result))
}
