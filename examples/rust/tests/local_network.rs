//! How a test uses the local network. The guide quotes it.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::time::Duration;

use lilypad_localnet::{Clock, LocalNetwork};
use lilypad_sdk::{ErrorKind, JobRequest, Result};

// region: test
#[tokio::test]
async fn the_cow_says_moo() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let result = network.client().run("cowsay", [("Message", "moo")]).await?;
    assert!(result.stdout_text()?.contains("< moo >"));
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}
// end region

// region: clock
#[tokio::test]
async fn a_job_that_nobody_takes_ends_with_the_match_timeout() -> Result<()> {
    // The solver's clock stands still until it is moved. Clients follow the solver's clock, so any time will do.
    let clock = Clock::manual(1_800_000_000_000);
    let network = LocalNetwork::builder().providers(0).clock(clock.clone()).start().await?;

    let job = network.client().submit(JobRequest::new("cowsay").input("Message", "moo")).await?;
    clock.advance(Duration::from_secs(60));

    let error = job.result().await.expect_err("there is no provider");
    assert_eq!(error.kind(), ErrorKind::MatchTimeout);
    Ok(())
}
// end region

// region: builder
#[tokio::test]
async fn two_providers_run_eight_jobs_at_once() -> Result<()> {
    let network = LocalNetwork::builder().providers(2).slots(4).start().await?;
    let client = network.client();
    let jobs = (0..8).map(|_| client.run("sleep", [("Seconds", "0.2")]));
    let results = futures_util::future::try_join_all(jobs).await?;
    assert_eq!(results.len(), 8);
    network.stop().await;
    Ok(())
}
// end region
