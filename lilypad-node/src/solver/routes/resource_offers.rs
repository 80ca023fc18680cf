//! `/resource_offers`

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use lilypad_sdk::protocol::{PricingMode, ResourceOffer, ResourceOfferContainer};

use super::wire::{Answer, Body, Query, check_timestamp, check_version, signer};
use crate::solver::Shared;
use crate::solver::refusal::Refusal;
use crate::solver::store::ResourceOfferFilter;

/// `GET /resource_offers`
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Answer<Vec<Arc<ResourceOfferContainer>>> {
    let query = Query::new(query.as_deref());
    let filter = ResourceOfferFilter {
        provider: query.text("resource_provider"),
        not_matched: query.is_true("not_matched"),
        active: query.is_true("active"),
    };
    Answer(shared.lifecycle().store().list_machines(&filter))
}

/// `POST /resource_offers`. The answer is `null` if the same offer is open already.
pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Body(offer): Body<ResourceOffer>,
) -> Result<Answer<Option<Arc<ResourceOfferContainer>>>, Refusal> {
    if signer(&headers)? != offer.resource_provider {
        return Err(Refusal::not_provider());
    }
    check_version(&shared, &headers)?;
    check_timestamp(&shared, offer.created_at, "resource offer")?;
    check(&offer).map_err(Refusal::fault)?;
    Ok(Answer(shared.lifecycle().take_machine(offer)))
}

/// Refuses an offer without a price or that trusts nobody.
fn check(offer: &ResourceOffer) -> Result<(), &'static str> {
    if offer.mode == PricingMode::market() {
        return Err("resource offer mode cannot be market price");
    }
    if offer.services.solver.is_empty() {
        return Err("resource offer must name it's solver");
    }
    if offer.services.mediator.as_ref().is_none_or(Vec::is_empty) {
        return Err("resource offer must have at least one trusted mediator");
    }
    Ok(())
}
