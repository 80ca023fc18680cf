//! Many jobs at once, on a real network.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::collections::BTreeSet;
use std::path::Path;

use lilypad_localnet::{Call, Fault, Harm, LocalNetwork, Reply};
use lilypad_sdk::{Client, ErrorKind, JobRequest, JournalMode, Map, Result, RowRetries};

/// Rows that say their number.
fn numbers(count: usize) -> impl Iterator<Item = [(&'static str, String); 1]> {
    (0..count).map(|number| [("Message", format!("number {number}"))])
}

/// A client of `network` whose journal is in `folder`.
fn client(network: &LocalNetwork, folder: &Path) -> Client {
    network.client_builder().journal(JournalMode::Folder(folder.to_owned())).build().unwrap()
}

/// Rows of which every third fails.
fn every_third_fails(client: &Client, count: usize) -> Map {
    let request = |number: usize| match number % 3 {
        2 => JobRequest::new("fail").input("ExitCode", "3"),
        _ => JobRequest::new("cowsay").input("Message", "moo"),
    };
    client.map_requests((0..count).map(request))
}

#[tokio::test]
async fn rows_come_out_as_they_went_in_each_with_its_own_result() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let mut rows = network.client().map("cowsay", numbers(20)).concurrency(6).start()?;
    let mut index = 0;
    while let Some(row) = rows.next().await {
        assert_eq!(row.index, index);
        assert!(row.outcome?.stdout_text()?.contains(&format!("number {index} ")));
        index += 1;
    }
    assert_eq!(index, 20);
    let progress = rows.progress();
    assert_eq!((progress.succeeded, progress.waiting, progress.running, progress.failed), (20, 0, 0, 0));
    Ok(())
}

#[tokio::test]
async fn a_quick_row_overtakes_a_slow_one_when_that_is_asked_for() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let slow = JobRequest::new("sleep").input("Seconds", "30");
    let quick = JobRequest::new("cowsay").input("Message", "moo");
    let mut rows = network.client().map_requests([slow, quick]).as_completed().start()?;
    assert_eq!(rows.next().await.unwrap().index, 1);
    Ok(())
}

#[tokio::test]
async fn no_more_rows_are_under_way_than_asked_for() -> Result<()> {
    let network = LocalNetwork::builder().slots(8).start().await?;
    let mut rows = network.client().map("cowsay", numbers(12)).concurrency(3).as_completed().start()?;
    let mut watch = rows.handle().watch();
    let most = tokio::spawn(async move {
        let mut most = 0;
        while watch.changed().await.is_ok() {
            let progress = *watch.borrow_and_update();
            assert_eq!(progress.waiting + progress.running + progress.succeeded + progress.failed, progress.total);
            most = most.max(progress.running);
        }
        most
    });
    while rows.next().await.is_some() {}
    drop(rows);
    assert_eq!(most.await.unwrap(), 3);
    Ok(())
}

#[tokio::test]
async fn one_failing_row_does_not_end_the_others() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let mut rows = every_third_fails(&network.client(), 9).start()?;
    let mut failed = Vec::new();
    while let Some(row) = rows.next().await {
        if let Err(error) = row.outcome {
            assert_eq!(error.kind(), ErrorKind::ModuleExit);
            failed.push(row.index);
        }
    }
    assert_eq!(failed, [2, 5, 8]);
    Ok(())
}

#[tokio::test]
async fn the_first_failing_row_ends_it_when_that_is_asked_for() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let mut rows = every_third_fails(&network.client(), 100).concurrency(2).stop_on_error().start()?;
    let mut outcomes = Vec::new();
    while let Some(row) = rows.next().await {
        outcomes.push(row.outcome.is_ok());
    }
    assert_eq!(outcomes, [true, true, false]);
    assert!(network.offers_taken() < 10, "{}", network.offers_taken());
    Ok(())
}

#[tokio::test]
async fn cancelling_sends_nothing_more_and_every_row_comes_out() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let request = JobRequest::new("sleep").input("Seconds", "600");
    let mut rows = network.client().map_requests(vec![request; 50]).concurrency(4).start()?;
    let handle = rows.handle();
    let mut watch = handle.watch();
    let client = network.client();
    let canceller = async {
        watch.wait_for(|progress| progress.running == 4).await.unwrap();
        while client.jobs().await?.is_empty() {}
        handle.cancel();
        Ok::<_, lilypad_sdk::Error>(())
    };
    let collect = async {
        let mut kinds = BTreeSet::new();
        let mut count = 0;
        while let Some(row) = rows.next().await {
            kinds.insert(row.outcome.unwrap_err().kind().as_str());
            count += 1;
        }
        (kinds, count)
    };
    let (cancelled, (kinds, count)) = tokio::join!(canceller, collect);
    cancelled?;
    assert_eq!((kinds, count), (BTreeSet::from(["cancelled"]), 50));
    assert!(network.offers_taken() <= 4);
    Ok(())
}

#[tokio::test]
async fn a_map_with_a_key_goes_on_where_a_crash_ended_it() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    let journal = folder.path().join("journal");
    let map = |count| {
        client(&network, &journal).map("cowsay", numbers(count)).key("experiment 7").save_to(folder.path().join("out"))
    };
    let mut rows = map(12).concurrency(3).start()?;
    for _ in 0..5 {
        rows.next().await.unwrap().outcome?;
    }
    drop(rows);

    let mut rows = map(12).start()?;
    while let Some(row) = rows.next().await {
        assert!(row.outcome?.stdout_text()?.contains(&format!("number {} ", row.index)));
    }
    assert_eq!(network.offers_taken(), 12);
    assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 12);
    Ok(())
}

#[tokio::test]
async fn a_provider_that_fails_is_paid_again_only_when_that_is_asked_for() -> Result<()> {
    // Its result lacks the exit code, whatever it is asked.
    let network = LocalNetwork::builder().fault(Fault::new(Call::PostResult, Harm::NoExitCode)).start().await?;
    let folder = tempfile::tempdir().unwrap();
    let map = |name: &str| network.client().map("cowsay", numbers(1)).save_to(folder.path().join(name));
    let once = map("once").start()?.next().await.unwrap();
    assert_eq!((once.attempts, once.outcome.unwrap_err().kind()), (1, ErrorKind::Integrity));
    let thrice = map("thrice").retries(RowRetries::default().paid(2)).start()?.next().await.unwrap();
    assert_eq!((thrice.attempts, thrice.outcome.unwrap_err().kind()), (3, ErrorKind::Integrity));
    assert_eq!(network.offers_taken(), 4);
    Ok(())
}

#[tokio::test]
async fn a_row_whose_folder_is_taken_is_not_paid_for() -> Result<()> {
    let (network, folder) = (LocalNetwork::start().await?, tempfile::tempdir().unwrap());
    std::fs::create_dir(folder.path().join("1")).unwrap();
    std::fs::write(folder.path().join("1/mine"), "").unwrap();
    let mut rows = network.client().map("cowsay", numbers(3)).save_to(folder.path()).start()?;
    let mut kinds = Vec::new();
    while let Some(row) = rows.next().await {
        kinds.push(row.outcome.err().map(|error| error.kind()));
    }
    assert_eq!(kinds, [None, Some(ErrorKind::Io), None]);
    assert_eq!(network.offers_taken(), 2);
    Ok(())
}

#[tokio::test]
async fn a_row_that_was_refused_before_a_crash_is_not_run_twice_after_it() -> Result<()> {
    let busy = Harm::Instead(Reply::new(500, "network busy\n"));
    let network = LocalNetwork::builder().start().await?;
    let folder = tempfile::tempdir().unwrap();
    // The row is refused until the submission gives up, then taken under its next attempt.
    let refused = network.faults().add(Fault::new(Call::PostJobOffer, busy).times(2));
    let map = || client(&network, folder.path()).map("cowsay", numbers(1)).key("k");
    map().start()?.next().await.unwrap().outcome?;
    map().start()?.next().await.unwrap().outcome?;
    assert_eq!((network.faults().struck(refused), network.offers_taken()), (2, 1));
    Ok(())
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused_before_anything_is_sent() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let map = || network.client().map("cowsay", numbers(3));
    for (map, message) in [
        (map().concurrency(0), "a concurrency of 0"),
        (map().key(""), "a key of 0 bytes"),
        (
            network.client_builder().journal(JournalMode::Off).build()?.map("cowsay", numbers(3)).key("k"),
            "a key needs a journal",
        ),
    ] {
        let error = map.start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(message), "{error}");
    }
    assert_eq!(network.offers_taken(), 0);
    Ok(())
}

#[tokio::test]
async fn without_a_private_key_a_map_says_so() -> Result<()> {
    let client = Client::builder().environment(Default::default()).build()?;
    let error = client.map("cowsay", numbers(3)).key("k").start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Wallet);
    Ok(())
}
