//! When what goes wrong.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::http::Uri;
use lilypad_sdk::protocol::EventType;

use super::call::Call;
use super::harm::{EventHarm, Harm};

/// Something that goes wrong on purpose: what, when, and how often.
///
/// Without more, it strikes every time until it is removed.
///
/// ```
/// # use lilypad_node::solver::{Call, Fault, Harm};
/// // The answers to the second and third offer are lost.
/// let fault = Fault::new(Call::PostJobOffer, Harm::LoseAnswer).after(1).times(2);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "give it to a network's builder, or add it to its `faults()`"]
pub struct Fault {
    /// What goes wrong.
    pub(super) what: What,
    /// How many chances pass before the first strike.
    after: u64,
    /// The most strikes.
    times: u64,
    /// How likely a strike is at each chance.
    probability: f64,
    /// The only one whom it strikes.
    only: Option<String>,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// A request.
    Call(Call, Harm),
    /// An event, or each.
    Event(Option<EventType>, EventHarm),
}

impl Fault {
    /// Harms requests, whoever sends them.
    pub fn new(call: Call, harm: Harm) -> Self {
        Self::of(What::Call(call, harm))
    }

    /// Harms events of this type on their way to job creators. An event is one chance, however many listen.
    pub fn event(event: EventType, harm: EventHarm) -> Self {
        Self::of(What::Event(Some(event), harm))
    }

    /// Harms events of all types on their way to job creators.
    pub fn every_event(harm: EventHarm) -> Self {
        Self::of(What::Event(None, harm))
    }

    /// Lets the first `count` chances pass.
    pub fn after(mut self, count: u64) -> Self {
        self.after = count;
        self
    }

    /// Strikes no more than `count` times.
    pub fn times(mut self, count: u64) -> Self {
        self.times = count;
        self
    }

    /// Strikes at some of its chances: 0 is never, 1 is always. Which ones, the seed decides.
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Strikes only requests that this address signs or asks about, or events on their way to it, also if it is a provider's.
    pub fn only(mut self, address: impl ToString) -> Self {
        self.only = Some(address.to_string());
        self
    }

    /// Always, and for everybody.
    fn of(what: What) -> Self {
        Self { what, after: 0, times: u64::MAX, probability: 1.0, only: None }
    }

    /// Whether the request of `asker` is a chance.
    pub(super) fn concerns(&self, asker: Option<&str>) -> bool {
        self.only.as_deref().is_none_or(|only| asker == Some(only))
    }

    /// Whether events to this listener are harmed.
    pub(in crate::solver) fn reaches(&self, is_provider: bool, address: &str) -> bool {
        match &self.only {
            Some(only) => only == address,
            None => !is_provider,
        }
    }
}

/// A fault in force, and what became of it.
#[derive(Debug)]
pub(super) struct Rule {
    /// The fault.
    pub(super) fault: Fault,
    /// Whether it may still strike.
    pub(super) in_force: bool,
    /// How often it struck.
    pub(super) struck: u64,
    /// How often it struck or is about to.
    begun: u64,
    /// Chances so far.
    chances: u64,
    /// Where its random numbers begin.
    seed: u64,
    /// For a stale answer: what each request was answered first.
    pub(super) first_answers: HashMap<Uri, Bytes>,
}

impl Rule {
    /// A fault that has not struck yet, the `number`-th of those with this seed.
    pub(super) fn new(fault: Fault, seed: u64, number: u64) -> Self {
        let seed = mix(seed ^ mix(number));
        Self { fault, in_force: true, struck: 0, begun: 0, chances: 0, seed, first_answers: HashMap::new() }
    }

    /// Takes a chance: whether the fault strikes. It has when [`done`](Self::done), unless it [`miss`](Self::miss)es.
    pub(super) fn strikes(&mut self) -> bool {
        let chance = self.chances;
        self.chances += 1;
        let Fault { after, times, probability, .. } = self.fault;
        let strikes = chance >= after && self.begun < times && fraction(mix(self.seed ^ chance)) < probability;
        self.begun += u64::from(strikes);
        strikes
    }

    /// Counts a strike.
    pub(super) fn done(&mut self) {
        self.struck += 1;
    }

    /// Takes a strike back that had nothing to do after all.
    pub(super) fn miss(&mut self) {
        self.begun -= 1;
    }
}

/// A number that looks random, of which the same one always gives the same (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// From 0 to just below 1.
fn fraction(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(fault: Fault, seed: u64) -> Vec<bool> {
        let mut rule = Rule::new(fault, seed, 0);
        (0..200).map(|_| rule.strikes()).collect()
    }

    #[test]
    fn it_strikes_from_the_nth_time_on_and_so_many_times() {
        let fault = Fault::new(Call::Any, Harm::HangUp).after(2).times(3);
        let struck: Vec<_> =
            strikes(fault, 1).iter().enumerate().filter(|(_, strikes)| **strikes).map(|at| at.0).collect();
        assert_eq!(struck, [2, 3, 4]);
    }

    #[test]
    fn the_same_seed_strikes_at_the_same_times_and_another_at_others() {
        let fault = || Fault::new(Call::Any, Harm::HangUp).probability(0.3);
        let of_one = strikes(fault(), 1);
        assert_eq!(of_one, strikes(fault(), 1));
        assert_ne!(of_one, strikes(fault(), 2));
        let count = of_one.iter().filter(|strikes| **strikes).count();
        assert!((40..80).contains(&count), "{count} of 200 is not about 30 %");
        assert!(!strikes(fault().probability(0.0), 1).contains(&true));
        assert!(!strikes(fault().probability(1.0), 1).contains(&false));
    }
}
