//! `/deals/{id}/txs`: what each party says that it sent to the chain

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use lilypad_sdk::protocol::{
    DealContainer, JobCreatorTransactions, MediatorTransactions, ResourceProviderTransactions,
};

use super::wire::{Answer, Body, signer};
use crate::solver::Shared;
use crate::solver::refusal::Refusal;

/// The deal with what was noted.
type Noted = Result<Answer<Arc<DealContainer>>, Refusal>;

/// `POST /deals/{id}/txs/job_creator`
pub(super) async fn add_creators(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(sent): Body<JobCreatorTransactions>,
) -> Noted {
    let deal = shared.deal(&id)?;
    if signer(&headers)? != deal.job_creator {
        return Err(Refusal::not_creator());
    }
    shared.lifecycle().note_creator(&id, sent).map(Answer).ok_or_else(Refusal::no_deal)
}

/// `POST /deals/{id}/txs/resource_provider`
pub(super) async fn add_providers(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(sent): Body<ResourceProviderTransactions>,
) -> Noted {
    let deal = shared.deal(&id)?;
    if signer(&headers)? != deal.resource_provider {
        return Err(Refusal::not_provider());
    }
    shared.lifecycle().note_provider(&id, sent).map(Answer).ok_or_else(Refusal::no_deal)
}

/// `POST /deals/{id}/txs/mediator`
pub(super) async fn add_mediators(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(sent): Body<MediatorTransactions>,
) -> Noted {
    let deal = shared.deal(&id)?;
    if signer(&headers)? != deal.mediator {
        return Err(Refusal::fault("job creator address does not match mediator address"));
    }
    shared.lifecycle().note_mediator(&id, sent).map(Answer).ok_or_else(Refusal::no_deal)
}
