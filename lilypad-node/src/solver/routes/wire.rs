//! Reading requests and writing answers as the reference solver does.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lilypad_sdk::protocol::auth::{SIGNATURE_HEADER, USER_HEADER, VERSION_HEADER, recover};
use lilypad_sdk::protocol::json;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use url::form_urlencoded;

use crate::solver::Shared;
use crate::solver::refusal::Refusal;
use crate::solver::token::ValidationToken;

/// A record as an answer: JSON with a line's end, called plain text.
pub(super) struct Answer<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut body = json::to_vec(&self.0);
        body.push(b'\n');
        ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
    }
}

/// A record as a request's body, whatever type the request calls it.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Refusal::body())?;
        read(&bytes).map(Self).ok_or_else(Refusal::body)
    }
}

/// Reads the first JSON value of `bytes`. What follows it is ignored, as Go's decoder does.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    json::from_slice(bytes).ok().or_else(|| {
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        json::from_slice(&bytes[..values.byte_offset()]).ok()
    })
}

/// What stands behind the `?`. Of a name that comes more than once, the first counts.
pub(in crate::solver) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// Of this text, or of nothing.
    pub(in crate::solver) fn new(query: Option<&'a str>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// The value of `name`, unless it is missing or empty.
    pub(in crate::solver) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let (_, value) = form_urlencoded::parse(self.0.as_bytes()).find(|(key, _)| key == name)?;
        Some(value).filter(|value| !value.is_empty())
    }

    /// The value of `name`, as one's own.
    pub(in crate::solver) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(Cow::into_owned)
    }

    /// Whether `name` is `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).as_deref() == Some("true")
    }
}

/// The address that signed the request.
pub(super) fn signer(headers: &HeaderMap) -> Result<String, Refusal> {
    let header = |name| headers.get(name).map_or(&[][..], |value| value.as_bytes());
    recover(header(USER_HEADER), header(SIGNATURE_HEADER))
        .map_err(|error| Refusal::new(StatusCode::UNAUTHORIZED, error.to_string()))
}

/// Refuses clients that are too old.
pub(super) fn check_version(shared: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    let version = headers.get(VERSION_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    shared.versions.check(version).map_err(Refusal::version)
}

/// Refuses an offer, called `what`, whose clock is too far from the solver's.
pub(super) fn check_timestamp(shared: &Shared, created_at: i64, what: &str) -> Result<(), Refusal> {
    let tolerance = u64::try_from(shared.options.timestamp_tolerance.as_millis()).unwrap_or(u64::MAX);
    if shared.options.clock.now().abs_diff(created_at) <= tolerance {
        return Ok(());
    }
    Err(Refusal::fault(format!(
        "{what} rejected because CreatedAt time is not recent, check your computer's time settings and network connection"
    )))
}

/// `GET /validation_token`: a token for whoever signs.
pub(super) async fn validation_token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Answer<ValidationToken>, Refusal> {
    let signer = signer(&headers)?;
    Ok(Answer(shared.tokens.sign(&signer, shared.options.clock.now())))
}
