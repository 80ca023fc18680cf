//! Files that the solver relays: a job's input files to its provider, a deal's result to its job creator
//!
//! Nothing is held in memory: uploads go to disk and downloads come from there as the other side reads or writes.

use std::path::Path as Folder;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use lilypad_sdk::protocol::{AgreementState, ResultRecord};
use tokio_util::io::ReaderStream;

use super::wire::{Answer, signer};
use crate::solver::Shared;
use crate::solver::archives::file_name;
use crate::solver::refusal::Refusal;

/// How much of a file is read at a time.
const CHUNK: usize = 64 << 10;

/// What follows every archive: the reference solver writes an empty record after it.
const TRAILER: &[u8] = b"{}\n";

/// `GET /deals/{id}/input_files`
pub(super) async fn download_inputs(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let deal = shared.deal(&id)?;
    if signer(&headers).map_err(|_| Refusal::fault("unauthorized"))? != deal.resource_provider {
        return Err(Refusal::fault(
            "not authorized: only the resource provider running this job can download input files",
        ));
    }
    let folder = shared.archives.inputs_of(&deal.job_offer);
    // Asking for files of a job without any is no error of the folder's.
    if let Err(error) = tokio::fs::create_dir_all(&folder).await {
        tracing::warn!(%error, "could not make the folder of a job's input files");
        return Err(Refusal::fault("error accessing input files"));
    }
    send(&shared, &folder, None).await
}

/// `GET /deals/{id}/files`. Even if there are none yet, the deal is from now on being downloaded, as with the reference solver.
pub(super) async fn download_deal(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let deal = shared.deal(&id)?;
    if signer(&headers).map_err(|_| Refusal::fault("not authorized"))? != deal.job_creator {
        return Err(Refusal::not_creator().map_text(|text| format!("not authorized: {text}")));
    }
    shared.lifecycle().download_begins(&id);
    send(&shared, &shared.archives.results_of(&id), Some(id)).await
}

/// `GET /job_offers/{id}/files`: the files of the job's deal, which accepts them.
pub(super) async fn download_job(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let job = shared.lifecycle().store().job(&id).cloned().ok_or(Refusal::HangUp)?;
    let not_authorized = || Refusal::fault("not authorized");
    if signer(&headers).map_err(|_| not_authorized())? != job.job_creator {
        return Err(not_authorized());
    }
    if job.deal_id.is_empty() {
        return Err(Refusal::HangUp);
    }
    shared.lifecycle().move_deal_twice(&job.deal_id, AgreementState::RESULTS_ACCEPTED);
    send(&shared, &shared.archives.results_of(&job.deal_id), Some(job.deal_id.clone())).await
}

/// `POST /deals/{id}/files`
pub(super) async fn upload(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Answer<ResultRecord>, Refusal> {
    let answer = Answer(ResultRecord { data_id: id.clone(), ..ResultRecord::default() });
    // Files of a deal that isn't there are not read and not refused. That is how the reference solver answers.
    let Ok(deal) = shared.deal(&id) else { return Ok(answer) };
    if deal.state.is_timeout() {
        return Err(Refusal::too_late(&deal));
    }
    let signer = signer(&headers).map_err(|refusal| refusal.with_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    if signer != deal.resource_provider {
        return Err(Refusal::not_provider());
    }
    shared.lifecycle().upload_begins(&id);
    let folder = shared.archives.results_of(&id);
    let name = file_name(headers.get(header::CONTENT_DISPOSITION).and_then(|value| value.to_str().ok()));
    let kept = async {
        let incoming = shared.archives.receive(request.into_body().into_data_stream()).await?;
        shared.archives.keep(incoming, &folder, name).await
    };
    kept.await.map_err(|error| Refusal::fault(error.to_string()))?;
    shared.lifecycle().upload_ends(&id);
    Ok(answer)
}

/// Sends the first file of a folder. When all of it was taken, notes that `deal` has been downloaded.
async fn send(shared: &Arc<Shared>, folder: &Folder, deal: Option<String>) -> Result<Response, Refusal> {
    let (name, file) = shared.archives.open(folder).await?;
    let shared = shared.clone();
    let end = stream::once(async move {
        if let Some(deal) = deal {
            shared.lifecycle().download_ends(&deal);
        }
        Ok(Bytes::from_static(TRAILER))
    });
    let body = Body::from_stream(ReaderStream::with_capacity(file, CHUNK).chain(end));
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename={name}")),
    ];
    Ok((headers, body).into_response())
}
