//! Telling everybody.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use lilypad_sdk::protocol::{Event, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many events a listener may be behind before it is dropped.
const PATIENCE: usize = 4096;

/// Who listens to events. Telling never waits: a listener that doesn't keep up is dropped, and the others don't notice.
#[derive(Debug, Default)]
pub(super) struct Events(Mutex<Vec<Listener>>);

/// Somebody who listens.
#[derive(Debug)]
struct Listener {
    /// Events on their way.
    queue: mpsc::Sender<Utf8Bytes>,
    /// Set when the listener was too slow.
    dropped: CancellationToken,
}

/// A listener's end of the line.
#[derive(Debug)]
pub(super) struct Subscription {
    /// Events as they are written to sockets, in order.
    pub(super) queue: mpsc::Receiver<Utf8Bytes>,
    /// Set when the listener was too slow.
    pub(super) dropped: CancellationToken,
}

impl Events {
    /// Begins to listen.
    pub(super) fn subscribe(&self) -> Subscription {
        let (sender, queue) = mpsc::channel(PATIENCE);
        let dropped = CancellationToken::new();
        self.listeners().push(Listener { queue: sender, dropped: dropped.clone() });
        Subscription { queue, dropped }
    }

    /// Tells an event, which is only made if somebody listens.
    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        let mut listeners = self.listeners();
        listeners.retain(|listener| !listener.queue.is_closed());
        if listeners.is_empty() {
            return;
        }
        let text = Utf8Bytes::from(json::to_string(&event()));
        listeners.retain(|listener| {
            let heard = listener.queue.try_send(text.clone()).is_ok();
            if !heard {
                listener.dropped.cancel();
            }
            heard
        });
    }

    /// Those who listen, for as long as nobody else needs them.
    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_does_not_keep_up_is_dropped_and_the_others_hear_everything() {
        let events = Events::default();
        let slow = events.subscribe();
        let mut quick = events.subscribe();
        for _ in 0..=PATIENCE {
            assert!(!slow.dropped.is_cancelled());
            events.tell(Event::default);
            assert!(quick.queue.try_recv().is_ok());
        }
        assert!(slow.dropped.is_cancelled());
        assert!(!quick.dropped.is_cancelled());
    }
}
