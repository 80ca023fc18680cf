//! Clocks that differ, solvers that restart, providers that go away.

use std::time::Duration;

use lilypad_localnet::{Call, Clock, Fault, Harm, Memory, Reply};
use lilypad_sdk::protocol::{AgreementState, EventType};
use lilypad_sdk::solver::{DealFilter, JobOfferFilter};
use lilypad_sdk::{ErrorKind, Result};
use reqwest::Method;

use super::{Bench, deal_in, next};

#[tokio::test]
async fn a_solver_tells_the_time_of_its_own_clock() {
    let bench = Bench::with(|builder| builder.providers(0).clock(Clock::skewed(-3_600_000))).await;
    let refusal = bench.offer("cowsay", &[], "");
    bench.network.clock().advance(Duration::from_secs(7200));
    // Stamped an hour ago by this machine's clock, two hours ago by the solver's.
    let error = bench.api.post_job_offer(&refusal).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClockSkew);
    bench.api.post_job_offer(&bench.offer("cowsay", &[], "")).await.unwrap();
    // The answers said what time it is there.
    assert!(bench.api.now_ms().abs_diff(bench.network.clock().now()) < 2_000);
}

#[tokio::test]
async fn a_match_timeout_takes_no_time() {
    let bench = Bench::new().await;
    let mut events = bench.listen().await;
    bench.api.post_job_offer(&bench.offer("cowsay", &[], "")).await.unwrap();
    bench.network.clock().advance(Duration::from_secs(41));
    while next(&mut events).await.event_type != EventType::JOB_OFFER_STATE_UPDATED {}
    let jobs = bench.api.job_offers(&JobOfferFilter::default()).await.unwrap();
    assert_eq!(jobs[0].state, AgreementState::TIMEOUT_MATCH);
}

#[tokio::test]
async fn a_restart_breaks_whatever_is_under_way_and_keeps_the_records() {
    let bench = Bench::new().await;
    bench.api.post_job_offer(&bench.offer("cowsay", &[], "")).await.unwrap();
    let mut events = bench.listen().await;
    let stuck = bench.add(Fault::new(Call::ListDeals, Harm::Delay(Duration::from_secs(3600))).times(1));
    let under_way = tokio::spawn(bench.request(Method::GET, "deals").send());
    bench.network.faults().reached(stuck, 1).await;

    let before = bench.network.solver_url().clone();
    bench.network.restart_solver(Memory::Kept).await.unwrap();
    assert!(under_way.await.unwrap().is_err());
    assert_eq!(events.next().await.unwrap_err().kind(), ErrorKind::Connection);
    assert_eq!(*bench.network.solver_url(), before);
    assert_eq!(bench.api.job_offers(&JobOfferFilter::default()).await.unwrap().len(), 1);
    assert_eq!(bench.network.offers_taken(), 1);
}

#[tokio::test]
async fn a_restart_without_memory_loses_everything_and_providers_come_back() {
    let bench = Bench::with(|builder| builder.providers(2).slots(1)).await;
    let deal = bench.run().await;
    bench.network.restart_solver(Memory::Lost).await.unwrap();
    assert_eq!(bench.api.deal(&deal).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(bench.api.job_offers(&JobOfferFilter::default()).await.unwrap(), []);
    bench.until_open(2).await;
    assert_ne!(bench.run().await, deal);
    assert_eq!(bench.network.offers_taken(), 2, "what was counted is still known");
}

#[tokio::test]
async fn a_job_that_the_solver_forgot_frees_its_slot() {
    let bench = Bench::with(|builder| builder.slots(1)).await;
    let mut events = bench.listen().await;
    bench.api.post_job_offer(&bench.offer("sleep", &[("Seconds", "600")], "")).await.unwrap();
    while next(&mut events).await.event_type != EventType::DEAL_ADDED {}
    bench.network.restart_solver(Memory::Lost).await.unwrap();
    bench.until_open(1).await;
}

#[tokio::test]
async fn a_provider_that_crashes_says_nothing_and_does_the_job_when_it_is_back() {
    let bench = Bench::with(|builder| builder.providers(1)).await;
    let provider = &bench.network.providers()[0];
    let mut events = bench.listen().await;
    // It has the job and does not get on with it.
    let stuck = bench.add(Fault::new(Call::PostResultFiles, Harm::Delay(Duration::from_secs(3600))).times(1));
    bench.api.post_job_offer(&bench.offer("cowsay", &[], "")).await.unwrap();
    bench.network.faults().reached(stuck, 1).await;
    provider.crash().await;
    bench.until_open(0).await;
    let deals = bench.api.deals(&DealFilter::default()).await.unwrap();
    assert_eq!(deals[0].state, AgreementState::DEAL_AGREED, "nobody heard that anything is wrong");

    provider.restart().await.unwrap();
    let done = deal_in(&mut events, AgreementState::RESULTS_SUBMITTED).await;
    assert_eq!(done.as_str(), deals[0].id);
    assert_eq!(bench.api.result(&done).await.unwrap().error, "");
}

#[tokio::test]
async fn a_finished_result_is_handed_in_whatever_stands_before_the_solver_says() {
    let harms = [
        Harm::Instead(Reply::html()),
        Harm::Instead(Reply::new(404, "404 page not found\n")),
        Harm::HangUp,
        Harm::LoseAnswer,
    ];
    let faults = harms.map(|harm| Fault::new(Call::PostResult, harm).times(1));
    let bench = Bench::with(|builder| faults.into_iter().fold(builder, |builder, fault| builder.fault(fault))).await;
    bench.run().await;
    for count in bench.network.faults().counts() {
        bench.network.faults().reached(count.id, 1).await;
    }
}

#[tokio::test]
async fn a_network_with_faults_stops_and_leaves_nothing() -> Result<()> {
    let bench = Bench::with(|builder| builder).await;
    bench.network.providers()[0].crash().await;
    bench.network.restart_solver(Memory::Lost).await?;
    let port = bench.network.solver_url().port().unwrap();
    bench.network.stop().await;
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
    Ok(())
}
