//! Jobs from end to end: client, solver, provider and sandbox, over real sockets.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use lilypad_localnet::{Call, Clock, Harm, LocalNetwork, RateLimit};
use lilypad_sdk::module::InputFile;
use lilypad_sdk::{
    AgreementState, Cancellation, ErrorKind, Fault, JobId, JobRequest, JobStatus, Result, ResultOptions, Wallet,
};

/// A job that lasts longer than any test.
fn endless() -> JobRequest {
    JobRequest::new("sleep:v1").input("Seconds", "3600")
}

#[tokio::test]
async fn a_job_runs_from_end_to_end() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let job = network.client().submit(JobRequest::new("cowsay:v0.0.4").input("Message", "Hello, pond")).await?;
    let result = job.result().await?;
    assert!(result.stdout_text()?.contains("Hello, pond"), "{}", result.stdout_text()?);
    assert_eq!(result.exit_code(), 0);
    assert_eq!(result.job_id(), job.id());
    assert_eq!(job.status(), JobStatus::Succeeded);
    assert_eq!(job.state(), AgreementState::RESULTS_ACCEPTED);
    result.verify().await?;
    assert_eq!(network.offers_taken(), 1);
    network.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_bundled_module_needs_no_ref() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let result = network.client().run("cowsay", [("Message", "moo")]).await?;
    assert!(result.stdout_text()?.contains("moo"));
    Ok(())
}

#[tokio::test]
async fn events_tell_a_jobs_whole_story_in_order_also_to_those_who_come_late() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let job = network.client().submit("cowsay:v0.0.4").await?;
    let early: Vec<JobStatus> = job.events().map(|event| event.view.status).collect().await;
    job.result().await?;
    let late: Vec<JobStatus> = job.events().map(|event| event.view.status).collect().await;
    for story in [&early, &late] {
        let rank = |status: &JobStatus| match status {
            JobStatus::Queued => 0,
            JobStatus::Running => 1,
            JobStatus::Uploading => 2,
            JobStatus::Downloading => 3,
            _ => 4,
        };
        assert!(story.windows(2).all(|pair| rank(&pair[0]) <= rank(&pair[1])), "{story:?}");
        assert!(story.contains(&JobStatus::Running), "{story:?}");
    }
    assert_eq!(early.last(), Some(&JobStatus::Downloading), "the stream ends where nobody fetches: {early:?}");
    assert_eq!(late.last(), Some(&JobStatus::Succeeded), "{late:?}");
    Ok(())
}

#[tokio::test]
async fn a_non_zero_exit_code_is_an_error_unless_it_is_allowed() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let request = JobRequest::new("fail:v1").input("ExitCode", "3").input("Message", "the pond is dry");
    let job = network.client().submit(request).await?;
    let error = job.result().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModuleExit);
    assert_eq!(error.exit_code(), Some(3));
    assert_eq!(error.fault(), Fault::Job);
    assert_eq!(error.job_id(), Some(job.id()));
    assert!(error.to_string().contains("exit code 3: the pond is dry"), "{error}");
    // The output is there all the same: it was paid for.
    let result = job.result_with(ResultOptions::default().allow_exit_code()).await?;
    assert_eq!(result.exit_code(), 3);
    assert!(result.stderr_text()?.contains("the pond is dry"));
    Ok(())
}

#[tokio::test]
async fn a_failed_job_reports_the_providers_own_words() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let folder = tempfile::tempdir().unwrap();
    let template = r#"{"machine":{"cpu":1},"job":{"Spec":{"Engine":"Wasm",
        "Wasm":{"EntryModule":{"StorageSource":"LocalDirectory","SourcePath":"missing.wasm"}}}}}"#;
    std::fs::write(folder.path().join("lilypad_module.json.tmpl"), template).unwrap();
    let job = network.client().submit(folder.path().to_string_lossy().into_owned()).await?;
    let error = job.result().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobFailed);
    assert!(error.to_string().contains("the provider says: error"), "{error}");
    assert!(error.to_string().contains("missing.wasm"), "{error}");
    assert!(error.deal_id().is_some());
    assert_eq!(job.status(), JobStatus::Failed);
    Ok(())
}

#[tokio::test]
async fn a_module_for_containers_fails_with_a_sentence_that_says_so() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let folder = tempfile::tempdir().unwrap();
    let template =
        r#"{"machine":{"cpu":1000,"gpu":1},"job":{"Spec":{"Engine":"Docker","Docker":{"Image":"busybox"}}}}"#;
    std::fs::write(folder.path().join("lilypad_module.json.tmpl"), template).unwrap();
    let error =
        network.client().submit(folder.path().to_string_lossy().into_owned()).await?.result().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobFailed);
    assert!(error.to_string().contains("container of the image `busybox`"), "{error}");
    Ok(())
}

#[tokio::test]
async fn input_files_reach_the_job_and_its_files_come_back() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let request = JobRequest::new("files:v1")
        .file(InputFile::from_bytes("input.txt", "lilies on the pond\n")?)
        .file(InputFile::from_bytes("data.bin", vec![0u8, 1, 2, 255])?);
    let result = network.client().submit(request).await?.result().await?;
    let names: Vec<String> = result.files().map(|file| file.path().to_owned()).collect();
    assert!(names.iter().any(|name| name.ends_with("manifest.json")), "{names:?}");
    assert!(result.file("outputs/upper/input.txt")?.text().await?.contains("LILIES ON THE POND"));
    let error = result.file("outputs/manifst.json").unwrap_err();
    assert!(error.to_string().contains("manifest.json"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_picture_is_a_picture() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let inputs = [("Prompt", "a frog at sunset"), ("Seed", "7")];
    let result = network.client().run("image:v1", inputs).await?;
    let bytes = result.file("outputs/image.png")?.read().await?;
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert!(frame.width >= 256 && frame.height >= 256);
    Ok(())
}

#[tokio::test]
async fn many_jobs_at_once_all_come_back_with_their_own_results() -> Result<()> {
    let network = LocalNetwork::builder().providers(2).start().await?;
    let client = network.client();
    let jobs = (0..40).map(|number| {
        let client = client.clone();
        async move {
            let message = format!("job number {number};");
            let result = client.run("cowsay:v0.0.4", [("Message", message.clone())]).await?;
            assert!(result.stdout_text()?.contains(&message));
            Result::Ok(())
        }
    });
    join_all(jobs).await.into_iter().collect::<Result<Vec<()>>>()?;
    assert_eq!(network.offers_taken(), 40);
    Ok(())
}

#[tokio::test]
async fn a_rate_limit_slows_jobs_down_and_loses_none() -> Result<()> {
    let limit = RateLimit::new(5, Duration::from_secs(1));
    let network = LocalNetwork::builder().solver_options(|options| options.rate_limit = Some(limit)).start().await?;
    let client = network.client();
    let jobs = (0..8).map(|_| client.run("cowsay:v0.0.4", [("Message", "moo")]));
    join_all(jobs).await.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(network.offers_taken(), 8);
    Ok(())
}

#[tokio::test]
async fn an_offer_is_stamped_when_it_leaves_however_long_it_waited() -> Result<()> {
    // Offers go out two in a second, and a stamp is good for one.
    let network = LocalNetwork::builder()
        .solver_options(|options| {
            options.rate_limit = Some(RateLimit::new(2, Duration::from_secs(1)));
            options.timestamp_tolerance = Duration::from_secs(1);
        })
        .start()
        .await?;
    let client = network.client();
    let jobs = (0..8).map(|_| client.submit("cowsay:v0.0.4"));
    join_all(jobs).await.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(network.offers_taken(), 8);
    Ok(())
}

#[tokio::test]
async fn a_job_is_found_again_by_its_id() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let id: JobId = network.client().submit(JobRequest::new("cowsay:v0.0.4")).await?.id().clone();
    // Another client, which knows nothing but the key and the id.
    let client = network.client_builder().build()?;
    let result = client.job(&id).await?.result().await?;
    assert_eq!(result.job_id(), &id);
    assert!(client.jobs().await?.iter().any(|job| job.id() == &id));
    Ok(())
}

#[tokio::test]
async fn waiting_can_end_before_the_job_and_begin_again() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let job = network.client().submit(JobRequest::new("sleep:v1").input("Seconds", "1")).await?;
    let error = job.result_with(ResultOptions::default().wait(Duration::from_millis(1))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimeout);
    assert_eq!(error.fault(), Fault::Nobody);
    assert_eq!(error.job_id(), Some(job.id()));
    assert!(error.to_string().contains("the job goes on"), "{error}");
    assert_eq!(job.result().await?.exit_code(), 0);
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn giving_a_job_up_says_what_goes_on_and_ends_all_waiting() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let job = network.client().submit(endless()).await?;
    let mut events = job.events();
    while job.status() != JobStatus::Running {
        events.next().await;
    }
    let waiting = tokio::spawn({
        let job = job.clone();
        async move { job.result().await }
    });
    tokio::task::yield_now().await;
    assert_eq!(job.cancel(), Cancellation::ProviderGoesOn);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(job.cancel(), Cancellation::AlreadyOver);
    network.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_offer_that_nobody_took_cannot_be_withdrawn_and_cancel_says_so() -> Result<()> {
    let network = LocalNetwork::builder().providers(0).start().await?;
    let job = network.client().submit("cowsay:v0.0.4").await?;
    assert_eq!(job.status(), JobStatus::Queued);
    assert_eq!(job.cancel(), Cancellation::OfferStillOpen);
    Ok(())
}

#[tokio::test]
async fn without_a_provider_a_job_times_out_and_no_time_passes_in_the_test() -> Result<()> {
    let clock = Clock::manual(1_795_000_000_000);
    let network = LocalNetwork::builder().providers(0).clock(clock.clone()).start().await?;
    let job = network.client().submit("cowsay:v0.0.4").await?;
    let waiting = tokio::spawn({
        let job = job.clone();
        async move { job.result().await }
    });
    clock.advance(Duration::from_secs(45));
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MatchTimeout);
    assert!(error.is_outcome());
    assert_eq!(job.state(), AgreementState::TIMEOUT_MATCH);
    Ok(())
}

#[tokio::test]
async fn a_job_for_a_provider_that_is_not_there_is_cancelled() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let request = JobRequest::new("cowsay:v0.0.4").target(Wallet::random().address());
    let error = network.client().submit(request).await?.result().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.to_string().contains("no open offer"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_job_can_be_kept_for_one_provider() -> Result<()> {
    let network = LocalNetwork::builder().providers(3).start().await?;
    let provider = network.providers()[1].address();
    let job = network.client().submit(JobRequest::new("cowsay:v0.0.4").target(provider)).await?;
    job.result().await?;
    assert_eq!(job.view().deal.unwrap().provider, provider.to_string());
    Ok(())
}

#[tokio::test]
async fn a_solver_with_another_clock_is_followed() -> Result<()> {
    // Years behind this machine's clock: the first stamp cannot fit.
    let network = LocalNetwork::builder().clock(Clock::manual(1_600_000_000_000)).start().await?;
    let job = network.client().submit("cowsay:v0.0.4").await?;
    job.result().await?;
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn a_plan_shows_what_would_be_sent_and_sends_nothing() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let plan = network.client().plan(JobRequest::new("cowsay:v0.0.4").input("Message", "moo")).await?;
    assert_eq!(plan.offer().content_id(), plan.id().to_string());
    assert_eq!(plan.public().inputs["Message"], "moo");
    assert_eq!(plan.machine().cpu, 1000);
    assert_eq!(network.offers_taken(), 0);
    let job = plan.submit().await?;
    assert!(job.result().await?.stdout_text()?.contains("moo"));
    Ok(())
}

#[tokio::test]
async fn a_result_can_be_received_into_a_folder_of_ones_choice() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("result");
    let job = network.client().submit("cowsay:v0.0.4").await?;
    let result = job.result_with(ResultOptions::default().save_to(&place)).await?;
    assert_eq!(result.path(), place);
    drop((result, job));
    assert!(std::fs::read_to_string(place.join("stdout")).unwrap().contains("moo"));
    Ok(())
}

#[tokio::test]
async fn networks_do_not_hear_of_each_other() -> Result<()> {
    let (first, second) = (LocalNetwork::start().await?, LocalNetwork::start().await?);
    let job = first.client().submit("cowsay:v0.0.4").await?;
    job.result().await?;
    assert_eq!((first.offers_taken(), second.offers_taken()), (1, 0));
    let error = second.client().job(job.id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    first.stop().await;
    assert!(second.client().run("cowsay", [("Message", "moo")]).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn no_more_results_are_downloaded_at_once_than_asked_for() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let slow = network
        .faults()
        .add(lilypad_localnet::Fault::new(Call::GetResultFiles, Harm::Delay(Duration::from_millis(800))));
    let client = network.client_builder().max_downloads(1).build()?;
    let jobs: Vec<_> = join_all((0..3).map(|_| client.submit(JobRequest::new("cowsay").input("Message", "moo")))).await;
    let results = jobs.into_iter().map(|job| tokio::spawn(async move { job?.result().await }));
    let results: Vec<_> = results.collect();
    network.faults().reached(slow, 1).await;
    assert!(tokio::time::timeout(Duration::from_millis(300), network.faults().reached(slow, 2)).await.is_err());
    for result in results {
        result.await.unwrap()?;
    }
    Ok(())
}
