//! Hearing of deals.

use std::sync::Arc;
use std::time::Duration;

use lilypad_sdk::Result;
use lilypad_sdk::protocol::{DealContainer, Event, EventType, json};
use lilypad_sdk::solver::{EventSocket, Role};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Shared;

/// The first pause before what failed is tried again. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Pauses between attempts: each twice as long as the one before, up to a limit; half of it fixed and half random, so that many
/// providers don't come back together.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Pauses {
    /// The next one.
    pub(super) fn next(&mut self) -> Duration {
        let longest = self.0;
        self.0 = (longest * 2).min(LONGEST_PAUSE);
        longest / 2 + longest.mul_f64(rand::random::<f64>() / 2.0)
    }
}

/// What the desk is told.
#[derive(Debug)]
pub(super) enum Heard {
    /// The socket is open again. Events were missed, and the solver has forgotten the open offer.
    Reconnected,
    /// A deal of ours was made or has changed.
    Deal(Box<DealContainer>),
}

/// Opens the socket.
pub(super) async fn connect(shared: &Shared) -> Result<EventSocket> {
    shared.api.events(Role::ResourceProvider).await
}

/// Passes on what concerns this provider, until it stops.
pub(super) async fn listen(
    shared: Arc<Shared>,
    mut socket: EventSocket,
    heard: mpsc::Sender<Heard>,
    stop: CancellationToken,
) {
    loop {
        let end = tokio::select! {
            end = pass_on(&shared, &mut socket, &heard) => end,
            () = stop.cancelled() => return socket.close().await,
        };
        match end {
            // Nobody is at the desk any more.
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "lost the solver's events"),
        }
        socket = tokio::select! {
            socket = reconnect(&shared) => socket,
            () = stop.cancelled() => return,
        };
        if heard.send(Heard::Reconnected).await.is_err() {
            return;
        }
    }
}

/// Ends well when nobody is told any more, and with an error when the socket does.
async fn pass_on(shared: &Shared, socket: &mut EventSocket, heard: &mpsc::Sender<Heard>) -> Result<()> {
    let address = shared.api.address();
    loop {
        let text = socket.next().await?;
        // Everybody hears everything: most of it is about others and not worth reading.
        if !text.contains(address) {
            continue;
        }
        let event: Event = match json::from_str(&text) {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "an event that makes no sense");
                continue;
            }
        };
        if event.event_type != EventType::DEAL_ADDED && event.event_type != EventType::DEAL_STATE_UPDATED {
            continue;
        }
        if let Some(deal) = event.deal.filter(|deal| deal.resource_provider == address)
            && heard.send(Heard::Deal(Box::new(deal))).await.is_err()
        {
            return Ok(());
        }
    }
}

/// Opens the socket again, however long that takes.
async fn reconnect(shared: &Shared) -> EventSocket {
    let mut pauses = Pauses::default();
    loop {
        tokio::time::sleep(pauses.next()).await;
        match connect(shared).await {
            Ok(socket) => return socket,
            Err(error) => tracing::debug!(%error, "no events yet"),
        }
    }
}
