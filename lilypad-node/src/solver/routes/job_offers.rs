//! `/job_offers`

use std::sync::Arc;

use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use lilypad_sdk::protocol::{JobOffer, JobOfferContainer};

use super::wire::{Answer, Body, Query, check_timestamp, check_version, read, signer};
use crate::solver::Shared;
use crate::solver::archives::Incoming;
use crate::solver::refusal::Refusal;
use crate::solver::store::JobOfferFilter;

/// The form's part with the offer.
const OFFER_PART: &str = "job_offer.json";
/// The form's part with the files, and the name of their archive in its folder.
const INPUTS_PART: &str = "inputs.tar";

/// `GET /job_offers`
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Answer<Vec<Arc<JobOfferContainer>>>, Refusal> {
    let query = Query::new(query.as_deref());
    let cancelled = match query.get("cancelled").as_deref() {
        None => None,
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Some(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Some(false),
        Some(other) => return Err(Refusal::fault(format!("invalid cancelled filter value: {other}"))),
    };
    let filter = JobOfferFilter {
        creator: query.text("job_creator"),
        not_matched: query.is_true("not_matched"),
        active: query.is_true("active"),
        cancelled,
    };
    Ok(Answer(shared.lifecycle().store().list_jobs(&filter)))
}

/// `GET /job_offers/{id}`
pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Answer<Arc<JobOfferContainer>>, Refusal> {
    shared.lifecycle().store().job(&id).cloned().map(Answer).ok_or(Refusal::HangUp)
}

/// `POST /job_offers`
pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Body(offer): Body<JobOffer>,
) -> Result<Answer<Arc<JobOfferContainer>>, Refusal> {
    if is_busy(&shared) {
        return Err(Refusal::busy());
    }
    if signer(&headers)? != offer.job_creator {
        return Err(Refusal::not_creator());
    }
    check_version(&shared, &headers)?;
    check_timestamp(&shared, offer.created_at, "job offer")?;
    check(&offer).map_err(Refusal::fault)?;
    Ok(Answer(shared.lifecycle().take_job(offer)))
}

/// `POST /job_offers/with_files`: the same checks with other statuses and texts.
pub(super) async fn add_with_files(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Answer<Arc<JobOfferContainer>>, Refusal> {
    let bad_request = |text: String| Refusal::new(StatusCode::BAD_REQUEST, text);
    if is_busy(&shared) {
        return Err(Refusal::busy().with_status(StatusCode::SERVICE_UNAVAILABLE));
    }
    let signer = signer(&headers).map_err(|_| Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized"))?;
    let (offer, inputs) =
        receive(&shared, request).await.ok_or_else(|| bad_request("Error parsing form data".into()))?;
    let offer = offer.ok_or_else(|| bad_request("Missing job_offer.json part".into()))?;
    let mut offer: JobOffer = read(&offer).ok_or_else(|| bad_request("Invalid job offer JSON".into()))?;
    if signer != offer.job_creator {
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "Job creator address does not match signer address"));
    }
    check_version(&shared, &headers).map_err(|refusal| refusal.with_status(StatusCode::FORBIDDEN))?;
    check_timestamp(&shared, offer.created_at, "Job offer")
        .map_err(|refusal| refusal.with_status(StatusCode::BAD_REQUEST))?;
    check(&offer).map_err(|text| bad_request(format!("Invalid job offer: {text}")))?;
    let inputs = inputs.ok_or_else(|| bad_request("Missing inputs.tar part".into()))?;

    // In place before the offer is: a provider may ask for them as soon as it hears of the deal.
    offer.id = offer.content_id();
    let kept = shared.archives.keep(inputs, &shared.archives.inputs_of(&offer.id), INPUTS_PART).await;
    kept.map_err(|error| {
        tracing::warn!(%error, job = offer.id, "could not keep input files");
        Refusal::fault("Error saving input file")
    })?;
    Ok(Answer(shared.lifecycle().take_job(offer)))
}

/// Whether too many jobs wait already.
fn is_busy(shared: &Shared) -> bool {
    shared.lifecycle().store().open_job_count() > shared.options.capacity
}

/// Refuses an offer that trusts nobody.
fn check(offer: &JobOffer) -> Result<(), &'static str> {
    if offer.services.solver.is_empty() {
        return Err("job offer must name it's solver");
    }
    if offer.services.mediator.as_ref().is_none_or(Vec::is_empty) {
        return Err("job offer must have at least one trusted mediator");
    }
    Ok(())
}

/// The two parts, each where it is there: the offer in memory, the archive on disk. `None` if the body is no form or too large.
async fn receive(shared: &Shared, request: Request) -> Option<(Option<Vec<u8>>, Option<Incoming>)> {
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let (mut offer, mut inputs) = (None, None);
    while let Some(part) = form.next_field().await.ok()? {
        match (part.file_name(), part.name()) {
            (Some(_), Some(OFFER_PART)) if offer.is_none() => offer = Some(part.bytes().await.ok()?.to_vec()),
            (Some(_), Some(INPUTS_PART)) if inputs.is_none() => inputs = Some(save(shared, part).await?),
            _ => skip(part).await?,
        }
    }
    Some((offer, inputs))
}

/// Keeps a part on disk. `None` if it didn't arrive.
async fn save(shared: &Shared, part: Field<'_>) -> Option<Incoming> {
    let saved = shared.archives.receive(part).await;
    saved.inspect_err(|error| tracing::debug!(%error, "input files did not arrive")).ok()
}

/// Reads a part that nobody wants.
async fn skip(mut part: Field<'_>) -> Option<()> {
    while part.chunk().await.ok()?.is_some() {}
    Some(())
}
