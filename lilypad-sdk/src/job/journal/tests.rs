//! The journal's promises, on real files.

use std::io::Write;
use std::path::Path;

use super::*;
use crate::protocol::JobOffer;

/// When the tests take place: later than any offer of theirs was old.
const NOW_MS: i64 = 4_000_000_000_000;

/// The id of the job of this number.
pub(super) fn job(number: u32) -> JobId {
    JobOffer { nonce: number.to_string(), ..JobOffer::default() }.content_id().parse().unwrap()
}

/// The offer of the job of this number.
pub(super) fn offered(number: u32) -> Offered {
    Offered {
        job: job(number),
        stamped_ms: NOW_MS + i64::from(number),
        at_ms: NOW_MS + i64::from(number),
        module: "https://github.com/Lilypad-Tech/lilypad-module-cowsay:v0.0.4".into(),
        allow_exit_code: false,
        key: None,
        replaces: None,
    }
}

/// The same under a key.
fn keyed(number: u32, key: &str) -> Offered {
    Offered { key: Some(KeyUse { key: key.into(), request: "r".into() }), ..offered(number) }
}

/// A journal in a folder, as a process that has just started sees it.
fn open(folder: &Path) -> Journal {
    Journal::new(&JournalMode::Folder(folder.to_owned()), Path::new("unused"), "testnet", Some("0x1"))
}

/// The jobs in it.
async fn ids(journal: &Journal) -> Vec<JobId> {
    journal.jobs().await.unwrap().iter().map(|record| record.job().clone()).collect()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 1..=3 {
        assert_eq!(journal.offer(offered(number)).await.unwrap(), Claim::Recorded);
    }
    journal.note(Entry::Taken { job: job(2) }).await.unwrap();
    let again = open(folder.path());
    assert_eq!(ids(&again).await, [job(3), job(2), job(1)]);
    assert_eq!(again.job(&job(2)).await.unwrap().unwrap().stage, Stage::Taken);
    assert_eq!(again.job(&job(3)).await.unwrap().unwrap().stage, Stage::Offered);
}

#[tokio::test]
async fn two_processes_see_what_the_other_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    one.offer(offered(1)).await.unwrap();
    other.offer(offered(2)).await.unwrap();
    one.offer(offered(3)).await.unwrap();
    assert_eq!(ids(&one).await, [job(3), job(2), job(1)]);
    assert_eq!(ids(&other).await, ids(&one).await);
}

#[tokio::test]
async fn of_many_who_use_a_key_at_once_one_is_first() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    let claims = (0..40).map(|number| {
        let journal = if number % 2 == 0 { one.clone() } else { other.clone() };
        async move { journal.offer(keyed(number, "the key")).await.unwrap() }
    });
    let claims = futures_util::future::join_all(claims).await;
    let first: Vec<_> = (0u32..).zip(&claims).filter(|(_, claim)| **claim == Claim::Recorded).collect();
    assert_eq!(first.len(), 1);
    let winner = job(first[0].0);
    assert!(claims.iter().all(
        |claim| matches!(claim, Claim::Recorded) || matches!(claim, Claim::InUse(known) if known.job() == &winner)
    ));
}

#[tokio::test]
async fn a_key_passes_on_to_the_offer_that_takes_the_place_of_its_first() {
    let journal = Journal::new(&JournalMode::Memory, Path::new("unused"), "testnet", Some("0x1"));
    journal.offer(keyed(1, "k")).await.unwrap();
    let again = Offered { replaces: Some(job(1)), ..keyed(2, "k") };
    assert_eq!(journal.offer(again.clone()).await.unwrap(), Claim::Recorded);
    let late = Offered { job: job(3), ..again };
    assert!(matches!(journal.offer(late).await.unwrap(), Claim::InUse(known) if known.job() == &job(2)));
}

#[tokio::test]
async fn an_offer_that_turned_out_to_be_taken_is_not_replaced() {
    let journal = Journal::new(&JournalMode::Memory, Path::new("unused"), "testnet", Some("0x1"));
    journal.offer(keyed(1, "k")).await.unwrap();
    // Somebody decided that it was not taken; meanwhile whoever sent it got its answer.
    journal.note(Entry::Taken { job: job(1) }).await.unwrap();
    let late = Offered { replaces: Some(job(1)), ..keyed(2, "k") };
    assert!(matches!(journal.offer(late).await.unwrap(), Claim::InUse(known) if known.job() == &job(1)));
}

#[test]
fn a_runtime_that_ends_takes_no_journal_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 0..20 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(journal.offer(offered(number))).unwrap();
        journal.note_soon(Entry::Taken { job: job(number) });
        drop(runtime);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_json_cannot_name_damages_nothing() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.offer(offered(1)).await.unwrap();
    let odd = Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xff")).to_owned();
    let data = job(1).as_str().parse().unwrap();
    let into = Receiving { deal: job(1).as_str().parse().unwrap(), data, folder: odd };
    journal.note(Entry::Receiving { job: job(1), into }).await.unwrap();
    assert_eq!(ids(&open(folder.path())).await, [job(1)]);
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.log");
    open(folder.path()).offer(offered(1)).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    open(folder.path()).offer(offered(2)).await.unwrap();
    let longer = std::fs::read(&file).unwrap();
    for cut in whole.len()..longer.len() {
        std::fs::write(&file, &longer[..cut]).unwrap();
        let journal = open(folder.path());
        assert_eq!(ids(&journal).await, [job(1)], "{cut} bytes");
        journal.offer(offered(3)).await.unwrap();
        assert_eq!(ids(&open(folder.path())).await, [job(3), job(1)], "{cut} bytes");
    }
    // The first line too.
    for cut in 0..20 {
        std::fs::write(&file, &whole[..cut]).unwrap();
        assert!(ids(&open(folder.path())).await.is_empty(), "{cut} bytes");
    }
}

#[tokio::test]
async fn a_damaged_line_is_reported_until_it_is_put_aside_and_stops_no_new_job() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.log");
    let journal = open(folder.path());
    for number in 1..=3 {
        journal.offer(keyed(number, &number.to_string())).await.unwrap();
    }
    let mut bytes = std::fs::read(&file).unwrap();
    let second = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    bytes[second + 30] ^= 1;
    std::fs::write(&file, &bytes).unwrap();

    let journal = open(folder.path());
    for error in [
        journal.jobs().await.unwrap_err(),
        journal.under_key("2").await.unwrap_err(),
        journal.offer(keyed(4, "4")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Journal);
        let text = error.to_string();
        assert!(text.contains(&format!("{}: the line at byte {second} is damaged", file.display())), "{text}");
        assert!(text.contains("--repair"), "{text}");
    }
    assert_eq!(journal.offer(offered(5)).await.unwrap(), Claim::Recorded);

    let repair = journal.repair().await.unwrap().unwrap();
    assert_eq!(repair.lines, 1);
    assert!(std::fs::read(&repair.aside).unwrap().starts_with(&bytes[second..second + 20]));
    assert_eq!(ids(&journal).await, [job(5), job(3), job(1)]);
    assert_eq!(journal.repair().await.unwrap(), None);
}

#[tokio::test]
async fn it_does_not_grow_with_the_jobs_that_are_over_and_other_processes_follow() {
    let folder = tempfile::tempdir().unwrap();
    let small = |folder: &Path| {
        Journal(Some(Arc::new(Shared {
            store: Mutex::new(Store::Disk(Log::new(folder.to_owned(), 10))),
            queue: Mutex::default(),
        })))
    };
    let (journal, other) = (small(folder.path()), small(folder.path()));
    let view = crate::job::JobView {
        status: crate::job::JobStatus::Succeeded,
        state: crate::AgreementState::RESULTS_ACCEPTED,
        deal: None,
    };
    let end = Ended::of(&view);
    journal.offer(offered(0)).await.unwrap();
    for number in 1..1000 {
        journal.offer(offered(number)).await.unwrap();
        other.note(Entry::Ended { job: job(number), end: end.clone() }).await.unwrap();
    }
    let size = std::fs::metadata(folder.path().join("jobs.log")).unwrap().len();
    assert!(size < 300_000, "{size}");
    let left = ids(&other).await;
    assert_eq!(left, ids(&open(folder.path())).await);
    assert!(left.contains(&job(0)) && left.contains(&job(999)) && left.len() < 600, "{}", left.len());
}

#[tokio::test]
async fn a_file_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.log");
    std::fs::File::create(&file).unwrap().write_all(b"dear diary\n").unwrap();
    let error = open(folder.path()).offer(offered(1)).await.unwrap_err();
    assert!(error.to_string().contains("is no journal of this release"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"dear diary\n");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_error_before_anything_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open(&file).offer(offered(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("file") && error.help().is_some(), "{error}");
}

#[test]
fn networks_have_folders_of_their_own_whatever_their_names() {
    assert_eq!(file_name("testnet"), "testnet");
    let odd = [file_name("../up"), file_name("__/up"), file_name(""), file_name("a/b")];
    assert!(odd.iter().all(|name| !name.is_empty() && !name.contains('/') && !name.contains('.')), "{odd:?}");
    assert_ne!(odd[0], odd[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_writes_that_come_and_go_none_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::new(&JournalMode::Memory, folder.path(), "testnet", Some("0x1"));
    let writers: Vec<_> = (0..8u32)
        .map(|writer| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for number in 0..500 {
                    journal.offer(offered(writer * 1000 + number)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(journal.jobs().await.unwrap().len(), 4000);
}
