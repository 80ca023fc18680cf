//! Faults on purpose, for tests of whoever talks to a solver.
//!
//! [`Faults`] holds what shall go wrong and counts what did. It decides at two places: `routes::admit` asks it about each request, and
//! [`Events`](super::events::Events) about each event. With no fault in force both go on as if it were not there.
//!
//! - `rule` says when and how often a [`Fault`] strikes, `harm` what it does, `call` to what
//! - `strike` does it to a request and its answer; `lie` and `archive` change what the answer says
//! - `wire` closes connections after so many bytes

mod archive;
mod call;
mod harm;
mod lie;
mod rule;
mod strike;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::Uri;
use lilypad_sdk::protocol::EventType;
use tokio::sync::watch;

use self::rule::{Rule, What};

pub use self::call::Call;
pub use self::harm::{Damage, EventHarm, Harm, Lie, Reply};
pub use self::rule::Fault;

pub(super) use self::lie::falsify_event;
pub(super) use self::strike::strike;
pub(super) use self::wire::{Cut, Wire, WireState};

/// What goes wrong on purpose in a solver. Clones are the same faults; a test keeps one to add faults and to see whether they struck.
///
/// What strikes when depends on the seed and on the order in which requests come, on nothing else.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Shared>);

/// What clones have in common.
#[derive(Debug, Default)]
struct Shared {
    /// Where random choices begin.
    seed: u64,
    /// Whether any rule is in force, to be seen without waiting.
    any: AtomicBool,
    /// All rules, also those no longer in force. A rule's place is its id.
    rules: Mutex<Vec<Rule>>,
    /// Told whenever a fault struck.
    struck: watch::Sender<()>,
    /// Told when all sockets are to break.
    cut: watch::Sender<()>,
}

/// One fault among those of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(usize);

/// How often a fault struck.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FaultCount {
    /// Which one.
    pub id: FaultId,
    /// What it is.
    pub fault: Fault,
    /// How often it struck.
    pub struck: u64,
}

impl Faults {
    /// No faults yet, and a seed for the random choices of those to come. [`Faults::default`] has seed 0.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Shared { seed, ..Shared::default() }))
    }

    /// Puts a fault in force. Of several that strike the same request, those that were added first do so first.
    pub fn add(&self, fault: Fault) -> FaultId {
        let mut rules = self.rules();
        let id = FaultId(rules.len());
        rules.push(Rule::new(fault, self.0.seed, id.0 as u64));
        self.0.any.store(true, Ordering::Release);
        id
    }

    /// Ends a fault. How often it struck is still known.
    pub fn remove(&self, id: FaultId) {
        let mut rules = self.rules();
        if let Some(rule) = rules.get_mut(id.0) {
            rule.in_force = false;
        }
        self.0.any.store(rules.iter().any(|rule| rule.in_force), Ordering::Release);
    }

    /// Ends all faults. How often they struck is still known.
    pub fn clear(&self) {
        let mut rules = self.rules();
        rules.iter_mut().for_each(|rule| rule.in_force = false);
        self.0.any.store(false, Ordering::Release);
    }

    /// How often each fault struck, in the order in which they were added.
    pub fn counts(&self) -> Vec<FaultCount> {
        let count =
            |(id, rule): (usize, &Rule)| FaultCount { id: FaultId(id), fault: rule.fault.clone(), struck: rule.struck };
        self.rules().iter().enumerate().map(count).collect()
    }

    /// How often this fault struck.
    pub fn struck(&self, id: FaultId) -> u64 {
        self.rules().get(id.0).map_or(0, |rule| rule.struck)
    }

    /// How often faults struck, all together.
    pub fn total(&self) -> u64 {
        self.rules().iter().map(|rule| rule.struck).sum()
    }

    /// Waits until this fault has struck `count` times.
    pub async fn reached(&self, id: FaultId, count: u64) {
        let mut struck = self.0.struck.subscribe();
        // The sender is ours and lives; there is no error to handle.
        let _ = struck.wait_for(|()| self.struck(id) >= count).await;
    }

    /// Breaks every event socket that is open, providers' too, without a word. Gives how many there were.
    pub fn cut_sockets(&self) -> usize {
        let count = self.0.cut.receiver_count();
        self.0.cut.send_replace(());
        count
    }

    /// Hears when sockets are to break.
    pub(super) fn cuts(&self) -> watch::Receiver<()> {
        self.0.cut.subscribe()
    }

    /// Whether any fault is in force.
    pub(super) fn any(&self) -> bool {
        self.0.any.load(Ordering::Acquire)
    }

    /// What strikes this request, in order.
    fn strike_call(&self, call: Call, asker: Option<&str>, uri: &Uri) -> Vec<Strike> {
        let mut strikes = Vec::new();
        for (id, rule) in self.rules().iter_mut().enumerate() {
            let What::Call(of, harm) = &rule.fault.what else { continue };
            if !rule.in_force || !of.covers(call) || !harm.suits(call) || !rule.fault.concerns(asker) {
                continue;
            }
            let harm = harm.clone();
            let first_answer = rule.first_answers.get(uri).cloned();
            // The first time there is nothing stale yet, only something to remember.
            let remembers = harm == Harm::Lie(Lie::Stale) && first_answer.is_none();
            if remembers || rule.strikes() {
                let is_final = harm.is_final();
                strikes.push(Strike { id: FaultId(id), harm, first_answer });
                if is_final {
                    break;
                }
            }
        }
        strikes
    }

    /// Counts a strike, and wakes those who wait for it.
    fn done(&self, id: FaultId) {
        self.rules()[id.0].done();
        self.0.struck.send_replace(());
    }

    /// Remembers what a request was answered, for a fault that gives the same answer later.
    fn remember(&self, id: FaultId, uri: &Uri, answer: Bytes) {
        self.rules()[id.0].first_answers.entry(uri.clone()).or_insert(answer);
    }

    /// Takes a strike back that had nothing to do after all.
    fn miss(&self, id: FaultId) {
        self.rules()[id.0].miss();
    }

    /// What strikes an event of this type, if one of `listeners` would hear it: what happens, and to whom.
    pub(super) fn strike_event(
        &self,
        event: &EventType,
        has_deal: bool,
        listeners: impl Fn(&Fault) -> bool,
    ) -> Option<(EventHarm, Fault)> {
        let mut rules = self.rules();
        let struck = rules.iter_mut().find_map(|rule| {
            let What::Event(of, harm) = &rule.fault.what else { return None };
            let harm = *harm;
            let concerns = rule.in_force
                && of.as_ref().is_none_or(|of| of == event)
                && (has_deal || harm != EventHarm::FalseDeal)
                && listeners(&rule.fault);
            let strikes = concerns && rule.strikes();
            strikes.then(|| {
                rule.done();
                (harm, rule.fault.clone())
            })
        });
        drop(rules);
        if struck.is_some() {
            self.0.struck.send_replace(());
        }
        struck
    }

    /// The rules, for as long as nobody else needs them.
    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault that strikes one request.
#[derive(Debug)]
struct Strike {
    /// Which fault.
    id: FaultId,
    /// What it does.
    harm: Harm,
    /// For a stale answer: the first one.
    first_answer: Option<Bytes>,
}
