//! What a client remembers, on a real network: jobs found again, keys that give the same job.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use lilypad_localnet::{Call, Clock, Fault, Harm, LocalNetwork};
use lilypad_sdk::{Client, ErrorKind, JobRequest, JobStatus, JournalMode, Result, ResultOptions};

/// A client of `network` whose journal is in `folder`, as a process that has just started makes it.
fn client(network: &LocalNetwork, folder: &Path) -> Client {
    network.client_builder().journal(JournalMode::Folder(folder.to_owned())).build().unwrap()
}

/// A job that says `text`.
fn cow(text: &str) -> JobRequest {
    JobRequest::new("cowsay:v0.0.4").input("Message", text)
}

#[tokio::test]
async fn a_client_that_comes_back_finds_its_jobs_and_their_results() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let first = client(&network, folder.path());
    let open = first.submit(cow("still to be fetched")).await?.id().clone();
    let done = first.submit(cow("fetched")).await?;
    done.result().await?;
    let done = done.id().clone();
    drop(first);

    let second = client(&network, folder.path());
    let jobs = second.jobs().await?;
    assert_eq!(jobs.iter().map(|job| job.id().clone()).collect::<Vec<_>>(), [done.clone(), open.clone()]);
    assert!(second.job(&open).await?.result().await?.stdout_text()?.contains("still to be fetched"));
    assert_eq!(second.job(&done).await?.status(), JobStatus::Succeeded);
    Ok(())
}

#[tokio::test]
async fn what_became_of_a_job_is_known_when_the_solver_has_forgotten_it() -> Result<()> {
    let (first_network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let first = client(&first_network, folder.path());
    let done = first.submit(cow("moo")).await?;
    done.result().await?;
    let done = done.id().clone();
    let lost = first.submit(JobRequest::new("sleep:v1").input("Seconds", "60")).await?.id().clone();
    drop(first);
    first_network.stop().await;

    let network = LocalNetwork::start().await?;
    let second = client(&network, folder.path());
    assert_eq!(second.job(&done).await?.status(), JobStatus::Succeeded);
    let error = second.job(&lost).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("has forgotten it since"), "{error}");
    let known: Vec<_> = second.jobs().await?.iter().map(|job| job.id().clone()).collect();
    assert_eq!(known, [lost, done]);
    Ok(())
}

#[tokio::test]
async fn the_same_key_gives_the_same_job_however_often_and_from_wherever() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let clients = [client(&network, folder.path()), client(&network, folder.path())];
    let request = cow("once").idempotency_key("invoice 7");
    let jobs = join_all((0..8).map(|index| clients[index % 2].submit(request.clone()))).await;
    let ids: Vec<_> = jobs.into_iter().map(|job| job.unwrap().id().clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    drop(clients);
    let later = client(&network, folder.path()).submit(request).await?;
    assert_eq!(later.id(), &ids[0]);
    assert!(later.result().await?.stdout_text()?.contains("once"));
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn a_key_is_for_one_request_only() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let client = client(&network, folder.path());
    let first = client.submit(cow("one").idempotency_key("k")).await?;
    let error = client.submit(cow("other").idempotency_key("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.job_id(), Some(first.id()));
    assert!(error.to_string().contains("the idempotency key `k` was used before, for another job"), "{error}");
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn a_key_that_cannot_work_is_refused_before_anything_is_sent() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let without = network.client_builder().journal(JournalMode::Off).build()?;
    let error = without.submit(cow("moo").idempotency_key("k")).await.unwrap_err();
    assert!(error.to_string().contains("needs a journal"), "{error}");
    for key in [String::new(), "k".repeat(256)] {
        let error = network.client().submit(cow("moo").idempotency_key(key)).await.unwrap_err();
        assert!(error.to_string().contains("1 to 255 bytes"), "{error}");
    }
    assert_eq!(network.offers_taken(), 0);
    Ok(())
}

#[tokio::test]
async fn a_result_can_be_saved_to_the_same_folder_again_also_after_a_restart() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let (journal, out) = (folder.path().join("journal"), folder.path().join("out"));
    let options = || ResultOptions::default().save_to(&out);
    let job = client(&network, &journal).submit(cow("moo")).await?;
    job.result_with(options()).await?;
    job.result_with(options()).await?;
    let again = client(&network, &journal).job(job.id()).await?.result_with(options()).await?;
    assert!(again.stdout_text()?.contains("moo"));

    std::fs::write(out.join("stdout"), "something else").unwrap();
    let error = client(&network, &journal).job(job.id()).await?.result_with(options()).await.unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(std::fs::read_to_string(out.join("stdout")).unwrap(), "something else");
    Ok(())
}

#[tokio::test]
async fn a_result_on_disk_needs_no_solver() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let (journal, out) = (folder.path().join("journal"), folder.path().join("out"));
    let job = client(&network, &journal).submit(cow("moo")).await?;
    job.result_with(ResultOptions::default().save_to(&out)).await?;
    let second = client(&network, &journal);
    network.stop().await;
    assert!(second.job(job.id()).await?.result().await?.stdout_text()?.contains("moo"));
    Ok(())
}

#[tokio::test]
async fn an_offer_that_died_with_its_client_is_sent_anew_only_when_it_is_too_old_to_arrive() -> Result<()> {
    let clock = Clock::manual(1_795_365_093_000);
    let network = LocalNetwork::builder().clock(clock.clone()).start().await?;
    let folder = tempfile::tempdir().unwrap();
    let request = cow("once").idempotency_key("k");
    // What a client leaves behind that dies between writing and sending. It knows the solver's clock.
    let dead = client(&network, folder.path());
    assert!(dead.jobs().await?.is_empty());
    let _ = dead.submit(request.clone()).await?;
    let lines = std::fs::read_to_string(folder.path().join("jobs.log")).unwrap();
    let until_offer: String = lines.split_inclusive('\n').take(2).collect();
    let other = LocalNetwork::builder().clock(clock.clone()).start().await?;
    std::fs::write(folder.path().join("jobs.log"), until_offer).unwrap();

    let second = client(&other, folder.path());
    let submitting = second.submit(request);
    tokio::pin!(submitting);
    // It looks, and waits: the offer could still be on its way.
    assert!(tokio::time::timeout(Duration::from_millis(1500), submitting.as_mut()).await.is_err());
    assert_eq!(other.offers_taken(), 0);
    clock.advance(Duration::from_secs(60));
    let _ = submitting.await?;
    assert_eq!(other.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn a_first_offer_is_stamped_by_the_solvers_clock() -> Result<()> {
    // One that is stamped by this machine's would be refused now, and might be taken when its time has come.
    let (clock, folder) = (Clock::manual(1_795_365_093_000), tempfile::tempdir().unwrap());
    let network = LocalNetwork::builder().clock(clock.clone()).start().await?;
    let _ = client(&network, folder.path()).submit(cow("moo")).await?;
    let lines = std::fs::read_to_string(folder.path().join("jobs.log")).unwrap();
    assert_eq!(lines.matches("\"offered\"").count(), 1, "{lines}");
    Ok(())
}

#[tokio::test]
async fn a_job_whose_fate_is_open_is_waited_for_and_told() -> Result<()> {
    // A client that died between writing and sending, and another that asks at once.
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let dead = client(&network, folder.path());
    let id = dead.submit(cow("moo")).await?.id().clone();
    let lines = std::fs::read_to_string(folder.path().join("jobs.log")).unwrap();
    std::fs::write(folder.path().join("jobs.log"), lines.split_inclusive('\n').take(2).collect::<String>()).unwrap();
    drop(dead);
    let elsewhere = LocalNetwork::start().await?;
    let second = client(&elsewhere, folder.path());
    let job = second.job(&id).await?;
    assert_eq!(second.jobs().await?.len(), 1);
    let waiting = job.result();
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(Duration::from_millis(200), waiting.as_mut()).await.is_err());
    elsewhere.clock().advance(Duration::from_secs(60));
    let error = waiting.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("its offer never reached the solver"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_short_wait_does_not_break_off_what_has_begun() -> Result<()> {
    let network = LocalNetwork::builder()
        .fault(Fault::new(Call::GetResultFiles, Harm::DelayAnswer(Duration::from_millis(700))))
        .start()
        .await?;
    let job = network.client().submit(cow("moo")).await?;
    let mut waits = 0;
    let result = loop {
        match job.result_with(ResultOptions::default().wait(Duration::from_millis(100))).await {
            Err(error) if error.kind() == ErrorKind::WaitTimeout => waits += 1,
            outcome => break outcome?,
        }
    };
    assert!(result.stdout_text()?.contains("moo") && waits > 3, "{waits}");
    assert_eq!(network.faults().total(), 1);
    Ok(())
}

#[tokio::test]
async fn many_whose_answers_were_lost_share_the_lists_that_they_look_into() -> Result<()> {
    let network = LocalNetwork::builder()
        .fault(Fault::new(Call::PostJobOffer, Harm::LoseAnswer))
        .fault(Fault::new(Call::ListJobOffers, Harm::Delay(Duration::from_millis(300))))
        .start()
        .await?;
    let client = network.client();
    let jobs = join_all((0..20).map(|number| client.submit(cow(&number.to_string())))).await;
    assert!(jobs.iter().all(std::result::Result::is_ok));
    assert_eq!(network.offers_taken(), 20);
    let counts: Vec<u64> = network.faults().counts().iter().map(|count| count.struck).collect();
    assert!(counts[0] == 20 && counts[1] <= 10, "{counts:?}");
    Ok(())
}

#[tokio::test]
async fn a_result_that_was_not_fetched_in_time_is_fetched_all_the_same_while_the_solver_has_it() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let first = client(&network, folder.path());
    let job = first.submit(cow("moo")).await?;
    let mut events = job.events();
    while job.status() != JobStatus::Downloading && events.next().await.is_some() {}
    // The laptop is closed for two hours.
    network.clock().advance(Duration::from_secs(7300));
    while job.status() != JobStatus::TimedOut {
        // The solver looks every 10 s of its clock.
        network.clock().advance(Duration::from_secs(10));
        first.jobs().await?;
    }
    let id = job.id().clone();
    drop((first, job, events));

    let job = client(&network, folder.path()).job(&id).await?;
    assert_eq!(job.status(), JobStatus::TimedOut);
    assert!(job.result().await?.stdout_text()?.contains("moo"));
    assert_eq!(job.status(), JobStatus::Succeeded);
    drop(job);
    assert_eq!(client(&network, folder.path()).job(&id).await?.status(), JobStatus::Succeeded);
    Ok(())
}

#[tokio::test]
async fn a_result_that_was_received_elsewhere_is_saved_to_the_same_folder_again_too() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let (journal, out) = (folder.path().join("journal"), folder.path().join("out"));
    let job = client(&network, &journal).submit(cow("moo")).await?;
    job.result().await?;
    for _ in 0..2 {
        job.result_with(ResultOptions::default().save_to(&out)).await?;
    }
    let again = client(&network, &journal).job(job.id()).await?;
    let result = again.result_with(ResultOptions::default().save_to(&out)).await?;
    assert_eq!(result.path(), out);
    Ok(())
}
