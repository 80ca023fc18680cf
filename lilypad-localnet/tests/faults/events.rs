//! Events that get lost, repeated, late or false, and sockets that break.

use std::time::Duration;

use lilypad_localnet::{Call, EventHarm, Fault, Harm, Reply};
use lilypad_sdk::protocol::{Event, EventType};
use lilypad_sdk::solver::{EventSocket, Role, SolverApi, SolverApiOptions};
use lilypad_sdk::{ErrorKind, Wallet};

use super::{Bench, next};

/// Posts three offers and tells which ones are heard of, in which order.
async fn heard(bench: &Bench, events: &mut EventSocket, count: usize) -> Vec<String> {
    for nonce in ["one", "two", "three"] {
        bench.api.post_job_offer(&bench.offer("cowsay", &[], nonce)).await.unwrap();
    }
    let mut nonces = Vec::new();
    for _ in 0..count {
        nonces.push(next(events).await.job_offer.unwrap().job_offer.nonce);
    }
    nonces
}

#[tokio::test]
async fn each_harm_strikes_the_event_that_it_should_and_nobody_elses() {
    let cases = [
        (EventHarm::Drop, &["one", "three"][..]),
        (EventHarm::Duplicate, &["one", "two", "two", "three"]),
        (EventHarm::Reorder, &["one", "three", "two"]),
        (EventHarm::Delay(Duration::from_millis(200)), &["one", "three", "two"]),
        // Without a deal in it there is nothing to falsify.
        (EventHarm::FalseDeal, &["one", "two", "three"]),
    ];
    for (harm, expected) in cases {
        let bench = Bench::new().await;
        let mut creator = bench.listen().await;
        let other =
            SolverApi::new(bench.network.solver_url(), &Wallet::random(), &SolverApiOptions::default()).unwrap();
        let mut other = other.events(Role::JobCreator).await.unwrap();
        let fault = Fault::event(EventType::JOB_OFFER_ADDED, harm).after(1).times(1).only(bench.api.address());
        let id = bench.add(fault);
        assert_eq!(heard(&bench, &mut creator, expected.len()).await, expected, "{harm:?}");
        assert_eq!(bench.struck(id), u64::from(harm != EventHarm::FalseDeal), "{harm:?}");
        for nonce in ["one", "two", "three"] {
            assert_eq!(next(&mut other).await.job_offer.unwrap().job_offer.nonce, nonce, "{harm:?}");
        }
    }
}

#[tokio::test]
async fn a_deal_can_be_told_falsely() {
    let bench = Bench::with(|builder| builder).await;
    let id = bench.add(Fault::every_event(EventHarm::FalseDeal).times(1));
    let mut events = bench.listen().await;
    bench.api.post_job_offer(&bench.offer("cowsay", &[], "")).await.unwrap();
    let mut deals = Vec::new();
    while deals.len() < 2 {
        let event: Event = next(&mut events).await;
        deals.extend(event.deal);
    }
    assert_ne!(deals[0].deal.content_id(), deals[0].id);
    assert_eq!(deals[1].deal.content_id(), deals[1].id);
    assert_eq!(bench.struck(id), 1);
}

#[tokio::test]
async fn a_socket_breaks_at_the_event_that_it_should() {
    let bench = Bench::new().await;
    let mut events = bench.listen().await;
    let id = bench.add(Fault::every_event(EventHarm::Cut).after(1).times(1));
    assert_eq!(heard(&bench, &mut events, 1).await, ["one"]);
    assert_eq!(events.next().await.unwrap_err().kind(), ErrorKind::Connection);
    assert_eq!(bench.struck(id), 1);
}

#[tokio::test]
async fn every_socket_breaks_and_new_ones_are_refused_for_a_while() {
    let bench = Bench::with(|builder| builder.providers(1)).await;
    let mut events = bench.listen().await;
    let creators = bench.api.address();
    let id = bench.add(Fault::new(Call::OpenSocket, Harm::Instead(Reply::status(503))).times(2).only(creators));
    // That of the provider, too. It comes back, and so does its offer.
    assert_eq!(bench.network.faults().cut_sockets(), 2);
    assert_eq!(events.next().await.unwrap_err().kind(), ErrorKind::Connection);
    for _ in 0..2 {
        assert_eq!(bench.api.events(Role::JobCreator).await.unwrap_err().kind(), ErrorKind::Connection);
    }
    assert_eq!(bench.struck(id), 2);
    bench.until_open(1).await;
}
