//! The event socket of a scripted solver. Frames are made before anybody listens, so that telling them is writing bytes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use lilypad_sdk::protocol::{AgreementState, Deal, DealContainer, Event, EventType, JobOffer, JobOfferContainer, json};
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Script;
use crate::Outcome;

/// Different frames that are told over and over.
const DIFFERENT: usize = 1024;

/// The events of others, as bytes of the wire.
pub(super) struct Firehose {
    /// [`DIFFERENT`] frames, one after another.
    frames: Vec<u8>,
    /// How often all of them are told.
    rounds: usize,
}

impl Firehose {
    /// About `count` frames of 2 to 10 kB, as events of real jobs are.
    pub(super) fn new(count: usize) -> Self {
        let mut random = rand::rngs::StdRng::seed_from_u64(7);
        let mut frames = Vec::new();
        for index in 0..DIFFERENT {
            push_frame(&mut frames, json::to_string(&of_others(&mut random, index)).as_bytes());
        }
        Self { frames, rounds: count.div_ceil(DIFFERENT) }
    }
}

/// An event of somebody else's job: every second one about an offer, the others about a deal, which holds the offer.
fn of_others(random: &mut impl Rng, index: usize) -> Event {
    let address = format!("0x{:040x}", random.random::<u128>());
    let words: String = (0..random.random_range(900..7_000))
        .map(|_| char::from(b"etaoin shrdlu\"<\n"[random.random_range(0..16)]))
        .collect();
    let mut offer = JobOffer {
        created_at: 1_795_365_093_567 + index as i64,
        nonce: format!("{:032x}", random.random::<u128>()),
        job_creator: address.clone(),
        inputs: Some([("prompt".to_owned(), words)].into()),
        ..JobOffer::default()
    };
    offer.id = offer.content_id();
    if index.is_multiple_of(2) {
        let container = JobOfferContainer {
            id: offer.id.clone(),
            job_creator: address,
            state: AgreementState::DEAL_AGREED,
            job_offer: offer,
            ..JobOfferContainer::default()
        };
        let event_type = EventType::JOB_OFFER_STATE_UPDATED;
        return Event { event_type, job_offer: Some(container), ..Event::default() };
    }
    let mut deal = Deal { job_offer: offer, ..Deal::default() };
    deal.id = deal.content_id();
    let container = DealContainer {
        id: deal.id.clone(),
        job_creator: address,
        job_offer: deal.job_offer.id.clone(),
        state: AgreementState::DEAL_AGREED,
        deal,
        ..DealContainer::default()
    };
    Event { event_type: EventType::DEAL_STATE_UPDATED, deal: Some(container), ..Event::default() }
}

/// Appends a text frame as a server sends it.
fn push_frame(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.push(0x81);
    match text.len() {
        length @ 0..126 => bytes.push(length as u8),
        length @ 126..65_536 => {
            bytes.push(126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(text);
}

/// `GET /ws`
pub(super) async fn open(State(script): State<Arc<Script>>, mut request: Request) -> Response {
    let Some(key) = request.headers().get("sec-websocket-key").map(|key| derive_accept_key(key.as_bytes())) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    script.records.sockets.fetch_add(1, Ordering::Relaxed);
    let is_client = request.uri().query().is_some_and(|query| query.contains("Type=JobCreator"));
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
        let _ = tell(&script, parts.io.into_inner(), is_client).await;
    });
    let headers =
        [(header::CONNECTION, "Upgrade"), (header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_ACCEPT, key.as_str())];
    (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response()
}

/// Says what the script wants said, and then nothing until the sockets are to close or the client goes.
async fn tell(script: &Script, mut socket: TcpStream, is_client: bool) -> Outcome {
    let dropped = script.records.drop_sockets.notified();
    if let Some(firehose) = &script.firehose {
        // A client's own job comes first and last, so that it can tell where the others' begin and end.
        let own = if is_client { script.records.first().await } else { None }.unwrap_or_default();
        let about = |state| {
            let event = Event {
                event_type: EventType::JOB_OFFER_STATE_UPDATED,
                job_offer: Some(JobOfferContainer { state, ..(*own).clone() }),
                ..Event::default()
            };
            let mut frame = Vec::new();
            push_frame(&mut frame, json::to_string(&event).as_bytes());
            frame
        };
        socket.write_all(&about(AgreementState::DEAL_AGREED)).await?;
        for _ in 0..firehose.rounds {
            socket.write_all(&firehose.frames).await?;
        }
        socket.write_all(&about(AgreementState::UPLOADING)).await?;
    }
    let mut heard = [0; 1024];
    tokio::pin!(dropped);
    loop {
        tokio::select! {
            () = &mut dropped => return Ok(()),
            // Pings need no answer for as long as a benchmark takes.
            count = socket.read(&mut heard) => if count? == 0 { return Ok(()) },
        }
    }
}
