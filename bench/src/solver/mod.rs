//! A solver that answers from a script: as fast as the machine allows, with as many jobs as a benchmark wants, and no opinion on any.
//!
//! Where the real solver would be part of what is measured, clients and baselines talk to this one instead, over the same sockets. It speaks
//! the calls that a client makes, takes every offer, and holds a deal for each at once.

mod events;
mod records;
mod result;
mod routes;

use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use lilypad_sdk::protocol::AgreementState;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use self::events::Firehose;
use self::records::Records;
use self::result::Archive;
use crate::Outcome;
use crate::parts::Talk;

/// What the script says.
struct Script {
    /// The jobs.
    records: Records,
    /// The result that every job has.
    archive: Option<Archive>,
    /// What the event socket says.
    firehose: Option<Firehose>,
}

/// How often the solver was asked.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// For a list.
    pub(crate) lists: u64,
    /// For an event socket.
    pub(crate) sockets: u64,
    /// Bytes of the last list of deals.
    pub(crate) list_bytes: u64,
}

/// Is the solver. `script` is one of `result BYTES`, `events FRAMES`, `jobs`. Says its URL first; then does what it hears: `counts`, or `advance`,
/// which moves every job on without a word and drops the sockets.
pub(crate) async fn part(mut talk: Talk, script: &[&str]) -> Outcome {
    let script = match script {
        ["result", bytes] => Script {
            records: Records::new(AgreementState::RESULTS_SUBMITTED),
            archive: Some(Archive::make(bytes.parse()?)?),
            firehose: None,
        },
        ["events", frames] => Script {
            records: Records::new(AgreementState::DEAL_NEGOTIATING),
            archive: None,
            firehose: Some(Firehose::new(frames.parse()?)),
        },
        ["jobs"] => Script { records: Records::new(AgreementState::DEAL_AGREED), archive: None, firehose: None },
        _ => return Err(format!("there is no script {script:?}").into()),
    };
    let script = Arc::new(script);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(listen(listener, routes::router(script.clone())));
    talk.say(&url)?;
    while let Some(word) = talk.hear().await {
        match word.as_str() {
            "advance" => script.records.advance(),
            "counts" => {}
            word => return Err(format!("the solver does not know `{word}`").into()),
        }
        talk.say(&script.records.counts())?;
    }
    Ok(())
}

/// Takes connections.
async fn listen(listener: TcpListener, router: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::spawn(connection);
    }
}
