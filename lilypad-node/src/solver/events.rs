//! Telling everybody.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use lilypad_sdk::protocol::{Event, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::faults::{EventHarm, Fault, Faults, falsify_event};

/// How many events a listener may be behind before it is dropped.
const PATIENCE: usize = 4096;

/// Who listens to events. Telling never waits: a listener that doesn't keep up is dropped, and the others don't notice.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The listeners, and what they are still to be told.
    audience: Mutex<Audience>,
    /// What goes wrong on purpose.
    faults: Faults,
}

/// The listeners, and what they are still to be told.
#[derive(Debug, Default)]
struct Audience {
    /// Who listens.
    listeners: Vec<Listener>,
    /// Events that are told after the next one, and to whom: a fault has held them back.
    held: Vec<(Utf8Bytes, Fault)>,
}

/// Somebody who listens.
#[derive(Debug)]
struct Listener {
    /// Who it is.
    party: Party,
    /// Events on their way.
    queue: mpsc::Sender<Utf8Bytes>,
    /// Set when the listener was too slow.
    dropped: CancellationToken,
}

/// Who a listener says that it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Party {
    /// Whether it is a provider. Everybody else is taken for a job creator.
    pub(super) is_provider: bool,
    /// Its address.
    pub(super) address: String,
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
    /// Nobody listens yet.
    pub(super) fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// Begins to listen.
    pub(super) fn subscribe(&self, party: Party) -> Subscription {
        let (sender, queue) = mpsc::channel(PATIENCE);
        let dropped = CancellationToken::new();
        self.audience().listeners.push(Listener { party, queue: sender, dropped: dropped.clone() });
        Subscription { queue, dropped }
    }

    /// Tells an event, which is only made if somebody listens.
    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        let mut audience = self.audience();
        audience.listeners.retain(|listener| !listener.queue.is_closed());
        if audience.listeners.is_empty() {
            return;
        }
        let event = event();
        let text = Utf8Bytes::from(json::to_string(&event));
        let held = std::mem::take(&mut audience.held);
        match self.harm(&audience, &event) {
            None => audience.tell(&text, |_| true),
            Some((harm, fault)) => audience.tell_harmed(event, text, harm, fault),
        }
        for (text, fault) in held {
            audience.tell(&text, |listener| listener.is_struck(&fault));
        }
    }

    /// What goes wrong with this event.
    fn harm(&self, audience: &Audience, event: &Event) -> Option<(EventHarm, Fault)> {
        if !self.faults.any() {
            return None;
        }
        let heard = |fault: &Fault| audience.listeners.iter().any(|listener| listener.is_struck(fault));
        self.faults.strike_event(&event.event_type, event.deal.is_some(), heard)
    }

    /// Those who listen, for as long as nobody else needs them.
    fn audience(&self) -> MutexGuard<'_, Audience> {
        self.audience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Audience {
    /// Tells those whom `concerns` names. Who does not keep up is dropped.
    fn tell(&mut self, text: &Utf8Bytes, concerns: impl Fn(&Listener) -> bool) {
        self.listeners.retain(|listener| {
            let heard = !concerns(listener) || listener.queue.try_send(text.clone()).is_ok();
            if !heard {
                listener.dropped.cancel();
            }
            heard
        });
    }

    /// Tells those as always whom the fault does not strike, and the others in its way.
    fn tell_harmed(&mut self, event: Event, text: Utf8Bytes, harm: EventHarm, fault: Fault) {
        self.tell(&text, |listener| !listener.is_struck(&fault));
        match harm {
            EventHarm::Drop => {}
            EventHarm::Delay(by) => self.tell_later(text, by, &fault),
            EventHarm::Duplicate => {
                self.tell(&text, |listener| listener.is_struck(&fault));
                self.tell(&text, |listener| listener.is_struck(&fault));
            }
            EventHarm::Reorder => self.held.push((text, fault)),
            EventHarm::FalseDeal => {
                let text = Utf8Bytes::from(json::to_string(&falsify_event(event)));
                self.tell(&text, |listener| listener.is_struck(&fault));
            }
            // Its queue ends here, and the socket when what is in it has been written.
            EventHarm::Cut => self.listeners.retain(|listener| !listener.is_struck(&fault)),
        }
    }

    /// Tells those whom the fault strikes, if they still listen by then.
    fn tell_later(&self, text: Utf8Bytes, by: Duration, fault: &Fault) {
        let struck = self.listeners.iter().filter(|listener| listener.is_struck(fault));
        let queues: Vec<_> = struck.map(|listener| listener.queue.downgrade()).collect();
        tokio::spawn(async move {
            tokio::time::sleep(by).await;
            for queue in queues.iter().filter_map(mpsc::WeakSender::upgrade) {
                // One that is full is dropped at the next event.
                let _ = queue.try_send(text.clone());
            }
        });
    }
}

impl Listener {
    /// Whether this fault strikes events to it.
    fn is_struck(&self, fault: &Fault) -> bool {
        fault.reaches(self.party.is_provider, &self.party.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_does_not_keep_up_is_dropped_and_the_others_hear_everything() {
        let events = Events::default();
        let slow = events.subscribe(Party::default());
        let mut quick = events.subscribe(Party::default());
        for _ in 0..=PATIENCE {
            assert!(!slow.dropped.is_cancelled());
            events.tell(Event::default);
            assert!(quick.queue.try_recv().is_ok());
        }
        assert!(slow.dropped.is_cancelled());
        assert!(!quick.dropped.is_cancelled());
    }
}
