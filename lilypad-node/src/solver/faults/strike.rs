//! Doing harm to a request and its answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use lilypad_sdk::protocol::auth::{SIGNATURE_HEADER, USER_HEADER, recover};

use super::call::Call;
use super::harm::{Harm, Lie, Reply};
use super::{Cut, FaultId, Faults, Strike, archive, lie};
use crate::solver::Shared;
use crate::solver::refusal::Refusal;
use crate::solver::routes::Query;

/// Answers a request by `answer`, unless it is harmed.
pub(in crate::solver) async fn strike(
    shared: Arc<Shared>,
    mut request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let Some(call) = Call::of(request.method(), request.uri().path()) else { return answer(request).await };
    let faults = &shared.options.faults;
    let uri = request.uri().clone();
    let strikes = faults.strike_call(call, asker_of(&request).as_deref(), &uri);

    for Strike { id, harm, .. } in &strikes {
        match harm {
            Harm::Delay(by) => {
                faults.done(*id);
                pause(&shared, *by).await;
            }
            Harm::Instead(reply) => {
                faults.done(*id);
                return reply.clone().into_response();
            }
            Harm::HangUp => {
                faults.done(*id);
                return Refusal::HangUp.into_response();
            }
            Harm::CutUpload { at } => request = request.map(|body| cut_short(body, *at)),
            Harm::NoExitCode => request = without_exit_code(&shared, *id, request).await,
            _ => {}
        }
    }

    let mut response = answer(request).await;
    for Strike { id, harm, first_answer } in strikes {
        let cut = match harm {
            Harm::DelayAnswer(by) => {
                faults.done(id);
                pause(&shared, by).await;
                continue;
            }
            Harm::Lie(told) => {
                response = deceive(faults, id, told, call, &uri, first_answer, response).await;
                continue;
            }
            Harm::Damage(damage) => {
                if response.status() == StatusCode::OK {
                    faults.done(id);
                    response = response.map(|body| archive::damaged(body, damage));
                } else {
                    faults.miss(id);
                }
                continue;
            }
            Harm::Afterwards(reply) => {
                faults.done(id);
                return reply.into_response();
            }
            Harm::LoseAnswer | Harm::CutUpload { .. } => {
                faults.done(id);
                return Refusal::HangUp.into_response();
            }
            Harm::CutAnswer { at } => Cut::Answer(at),
            Harm::CutBody { at } => Cut::Body(at),
            // Done before the answer.
            Harm::Delay(_) | Harm::Instead(_) | Harm::HangUp | Harm::NoExitCode => continue,
        };
        faults.done(id);
        response.extensions_mut().insert(cut);
    }
    response
}

/// Waits, unless the solver stops: that should not take as long.
async fn pause(shared: &Shared, by: Duration) {
    tokio::select! {
        () = tokio::time::sleep(by) => {}
        () = shared.stop.cancelled() => {}
    }
}

/// Who asks: who signs, else whom the query names.
fn asker_of(request: &Request) -> Option<String> {
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    if let (Some(user), Some(signature)) = (header(USER_HEADER), header(SIGNATURE_HEADER)) {
        return recover(user, signature).ok();
    }
    let query = Query::new(request.uri().query());
    ["job_creator", "resource_provider", "ID"].iter().find_map(|name| query.text(name))
}

/// A body that breaks after so many bytes, or in place of its end.
fn cut_short(body: Body, at: u64) -> Body {
    let broken = || stream::once(async { Err(axum::Error::new(std::io::Error::from(std::io::ErrorKind::BrokenPipe))) });
    let mut left = at;
    let begin = body.into_data_stream().map_ok(move |mut chunk| {
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= chunk.len() as u64;
        chunk
    });
    let begin = begin.take_while(|chunk| std::future::ready(chunk.as_ref().is_ok_and(|chunk| !chunk.is_empty())));
    Body::from_stream(begin.chain(broken()))
}

/// A request with the record of a result that has no exit code. Counts only if there was one to take out.
async fn without_exit_code(shared: &Shared, id: FaultId, request: Request) -> Request {
    let (parts, body) = request.into_parts();
    let deal = parts.uri.path().split('/').nth(2).unwrap_or_default().to_owned();
    let record = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let changed = archive::without_exit_code(&shared.archives, &deal, &record).await;
    let changed = changed.inspect_err(|error| tracing::warn!(%error, "a fault could not strike")).ok().flatten();
    match &changed {
        Some(_) => shared.options.faults.done(id),
        None => shared.options.faults.miss(id),
    }
    let body = changed.map_or(record, Bytes::from);
    let mut request = Request::from_parts(parts, Body::from(body));
    request.headers_mut().remove(header::CONTENT_LENGTH);
    request
}

/// An answer that isn't true, if there is something to lie about.
async fn deceive(
    faults: &Faults,
    id: FaultId,
    told: Lie,
    call: Call,
    uri: &axum::http::Uri,
    first_answer: Option<Bytes>,
    response: Response,
) -> Response {
    let remembers = told == Lie::Stale && first_answer.is_none();
    if response.status() != StatusCode::OK {
        if !remembers {
            faults.miss(id);
        }
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let truth = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if remembers {
        faults.remember(id, uri, truth.clone());
        return Response::from_parts(parts, Body::from(truth));
    }
    let lie = lie::tell(told, call, &truth, first_answer);
    match &lie {
        Some(_) => faults.done(id),
        None => faults.miss(id),
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(lie.unwrap_or(truth)))
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, self.content_type)], self.body).into_response();
        if let Some(retry_after) = self.retry_after.and_then(|seconds| seconds.parse().ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
        }
        response
    }
}
