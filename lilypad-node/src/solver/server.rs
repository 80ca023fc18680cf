//! Connections.
//!
//! Below the routes, because three things can't be done from there: closing a connection without an answer or in the middle of one,
//! and telling the time of a clock that tests move.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::net::{TcpListener, TcpStream};

use super::Shared;
use super::clock::Clock;
use super::faults::{Cut, Wire, WireState};
use super::refusal::HangUp;

/// How long requests that are under way may take to end when the solver stops.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait when no connection can be taken, as with too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes connections until the solver stops.
pub(super) async fn listen(listener: TcpListener, router: Router, shared: Arc<Shared>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                shared.tasks.spawn(serve(stream, peer, router.clone(), shared.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "could not take a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Answers the requests of one connection until it ends or the solver stops.
async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, shared: Arc<Shared>) {
    // Answers are small and wanted now. If the option can't be set they are merely later.
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let clock = shared.options.clock.clone();
    let wire = Arc::new(WireState::default());
    let io = TokioIo::new(Wire::new(stream, wire.clone()));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (answer, clock, wire) = (router.call(request), clock.clone(), wire.clone());
        async move {
            let answer: Result<Response, Infallible> = answer.await;
            let Ok(mut response) = answer;
            if response.extensions().get::<HangUp>().is_some() {
                return Err(HungUp);
            }
            if response.status() != StatusCode::SWITCHING_PROTOCOLS
                && let Some(date) = http_date(&clock)
            {
                response.headers_mut().insert(header::DATE, date);
            }
            if let Some(cut) = response.extensions_mut().remove::<Cut>() {
                response = wire.cut(response, cut);
            }
            Ok(response)
        }
    });
    let connection = http1::Builder::new()
        .title_case_headers(true)
        .auto_date_header(false)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // A crash comes before everything: nothing of what the solver does is finished then.
    let end = tokio::select! {
        biased;
        () = shared.crash.cancelled() => return,
        end = connection.as_mut() => end,
        () = shared.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                () = shared.crash.cancelled() => return,
                end = connection => end,
                () = tokio::time::sleep(GRACE) => Ok(()),
            }
        }
    };
    if let Err(error) = end {
        tracing::debug!(%error, %peer, "connection ended");
    }
}

/// The time as HTTP writes it.
fn http_date(clock: &Clock) -> Option<HeaderValue> {
    let now = Timestamp::from_millisecond(clock.now()).ok()?;
    let text = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok()?;
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()
}

/// A connection closed on purpose.
#[derive(Debug)]
struct HungUp;

impl fmt::Display for HungUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed without an answer")
    }
}

impl std::error::Error for HungUp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_that_of_the_clock() {
        let date = http_date(&Clock::manual(1_795_365_093_567)).unwrap();
        assert_eq!(date, "Sun, 22 Nov 2026 16:31:33 GMT");
    }
}
