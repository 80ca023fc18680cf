//! What the solver says when it doesn't do what it was asked.
//!
//! Status and text are the reference solver's, which clients tell refusals apart by. The status alone says little: most come as 500.

use std::borrow::Cow;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use lilypad_sdk::protocol::DealContainer;

/// A refused request.
#[derive(Debug)]
pub(super) enum Refusal {
    /// An answer of one line.
    Answer {
        /// The status.
        status: StatusCode,
        /// The line, without its end.
        text: Cow<'static, str>,
    },
    /// No answer: the connection is closed. The reference solver crashes on these requests.
    HangUp,
}

/// Marks a response in whose stead the connection is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct HangUp;

impl Refusal {
    /// An answer with this status and text.
    pub(super) fn new(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Answer { status, text: text.into() }
    }

    /// An answer with status 500, as most are.
    pub(super) fn fault(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }

    /// The body is not the JSON that was expected.
    pub(super) fn body() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Error parsing request body")
    }

    /// There is nothing at this path, or nothing with this method.
    pub(super) fn path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "404 page not found")
    }

    /// Too many requests from this client.
    pub(super) fn too_many() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests")
    }

    /// Too many job offers wait for a match.
    pub(super) fn busy() -> Self {
        Self::fault("network busy")
    }

    /// No such deal.
    pub(super) fn no_deal() -> Self {
        Self::fault("deal not found")
    }

    /// The deal has ended before the provider was ready.
    pub(super) fn too_late(deal: &DealContainer) -> Self {
        Self::fault(format!("job with deal ID {} timed out with a {} state", deal.id, deal.state))
    }

    /// The job creator of the record did not sign.
    pub(super) fn not_creator() -> Self {
        Self::fault("job creator address does not match signer address")
    }

    /// The provider of the record did not sign.
    pub(super) fn not_provider() -> Self {
        Self::fault("resource provider address does not match signer address")
    }

    /// The client's version is below `minimum`.
    pub(super) fn version(minimum: &str) -> Self {
        Self::fault(format!(
            "Please update to minimum supported version {minimum} or newer: https://github.com/Lilypad-Tech/lilypad/releases"
        ))
    }

    /// The same text with another status.
    pub(super) fn with_status(self, new: StatusCode) -> Self {
        match self {
            Self::Answer { text, .. } => Self::new(new, text),
            Self::HangUp => Self::HangUp,
        }
    }

    /// The same status with a text made of the old one.
    pub(super) fn map_text(self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Answer { status, text } => Self::new(status, change(&text)),
            Self::HangUp => Self::HangUp,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Answer { status, text } => {
                let headers =
                    [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
                (status, headers, format!("{text}\n")).into_response()
            }
            Self::HangUp => {
                let mut response = ().into_response();
                response.extensions_mut().insert(HangUp);
                response
            }
        }
    }
}
