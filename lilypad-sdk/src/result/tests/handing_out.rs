//! What people do with a result.

use tokio::io::AsyncReadExt;

use super::{Destination, make, receive_pieces, snapshot};
use crate::error::{ErrorKind, Result};
use crate::protocol::{DealId, JobId};
use crate::result::unixfs::cid_of_path;
use crate::result::{JobResult, pack_directory};

/// The files of a result that went well.
const GOOD: &[(&str, &[u8])] = &[
    ("exitCode", b"0"),
    ("stdout", b"moo\n"),
    ("stderr", b"\xffwarning\n"),
    ("outputs/image.png", b"\x89PNG"),
    ("outputs/meta/info.json", b"{}"),
    ("outputs/empty/", b""),
];

/// The result that these files make.
async fn result_of(files: &[(&str, &[u8])]) -> Result<JobResult> {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), files);
    let mut archive = Vec::new();
    pack_directory(folder.path(), &mut archive).unwrap();
    let id = cid_of_path(folder.path()).unwrap();
    let files = receive_pieces([archive.into()], Destination::Temporary, &id).await.unwrap();
    JobResult::new(&files, job(), deal())
}

/// A job.
fn job() -> JobId {
    "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn".parse().unwrap()
}

/// A deal.
fn deal() -> DealId {
    "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o".parse().unwrap()
}

#[tokio::test]
async fn a_result_gives_out_what_the_job_left() {
    let result = result_of(GOOD).await.unwrap();
    assert_eq!((result.job_id(), result.deal_id(), result.exit_code()), (&job(), &deal(), 0));
    assert_eq!(result.stdout_text().unwrap(), "moo\n");
    assert_eq!(result.stdout().unwrap(), b"moo\n");
    assert_eq!(result.stderr_text().unwrap(), "\u{fffd}warning\n");
    assert_eq!(result.stderr().unwrap(), b"\xffwarning\n");
    let files: Vec<_> = result.files().map(|file| (file.path().to_owned(), file.size())).collect();
    assert_eq!(files, [("outputs/image.png".to_owned(), 4), ("outputs/meta/info.json".to_owned(), 2)]);
    result.verify().await.unwrap();
}

#[tokio::test]
async fn a_file_is_read_streamed_and_saved() {
    let result = result_of(GOOD).await.unwrap();
    let image = result.file("outputs/image.png").unwrap();
    assert_eq!(image.read().await.unwrap(), b"\x89PNG");
    let mut streamed = Vec::new();
    image.open().await.unwrap().read_to_end(&mut streamed).await.unwrap();
    assert_eq!(streamed, b"\x89PNG");
    assert_eq!(result.file("outputs/meta/info.json").unwrap().text().await.unwrap(), "{}");
    let error = image.text().await.unwrap_err();
    assert!(error.to_string().contains("`outputs/image.png` is not UTF-8"), "{error}");

    let around = tempfile::tempdir().unwrap();
    let copy = around.path().join("pictures/image.png");
    image.save(&copy).await.unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), b"\x89PNG");
    std::fs::write(&copy, "mine").unwrap();
    let error = image.save(&copy).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Io && error.to_string().contains("image.png exists already"), "{error}");
    assert_eq!(
        snapshot(around.path()).into_values().filter(|content| !content.is_empty()).collect::<Vec<_>>(),
        [b"mine"]
    );
}

#[tokio::test]
async fn a_file_that_is_not_there_is_answered_with_those_that_are() {
    let error = result_of(GOOD).await.unwrap().file("image.png").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.job_id(), Some(&job()));
    assert_eq!(error.message(), Some("the result has no file `image.png`"));
    assert!(error.help().is_some_and(|help| help.starts_with("it has `outputs/image.png`")), "{error}");
}

#[tokio::test]
async fn a_result_is_saved_whole_and_never_over_anything() {
    let result = result_of(GOOD).await.unwrap();
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("kept");
    result.save(&folder).await.unwrap();
    assert_eq!(snapshot(&folder), snapshot(result.path()));
    assert_eq!(&cid_of_path(&folder).unwrap(), result.data_id());

    make(&folder, &[("stdout", b"mine")]);
    let before = snapshot(around.path());
    let error = result.save(&folder).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Io && error.to_string().contains("kept exists already"), "{error}");
    assert_eq!(snapshot(around.path()), before);
}

#[tokio::test]
async fn a_temporary_folder_goes_with_the_last_handle() {
    let result = result_of(GOOD).await.unwrap();
    let folder = result.path().to_owned();
    let (copy, file) = (result.clone(), result.file("stdout").unwrap());
    drop(result);
    drop(copy);
    assert_eq!(file.text().await.unwrap(), "moo\n");
    drop(file);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_changed_folder_is_noticed() {
    let result = result_of(GOOD).await.unwrap();
    std::fs::write(result.path().join("outputs/image.png"), "GIF89a").unwrap();
    let error = result.verify().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains(result.data_id().as_str()), "{error}");
}

#[tokio::test]
async fn the_exit_code_is_read_as_people_would() {
    for (text, code) in [("0", 0), ("3", 3), ("137\n", 137), (" -1 ", -1)] {
        assert_eq!(result_of(&[("exitCode", text.as_bytes())]).await.unwrap().exit_code(), code, "{text:?}");
    }
}

#[tokio::test]
async fn a_result_without_a_usable_exit_code_is_not_one() {
    let large = "0".repeat(1000);
    let cases: [(&str, &[u8], &str); 6] = [
        ("stdout", b"moo\n", "no file `exitCode`"),
        ("exitCode", b"", "says \"\""),
        ("exitCode", b"success", "says \"success\""),
        ("exitCode", b"99999999999", "says \"99999999999\""),
        ("exitCode", large.as_bytes(), "has 1000 bytes"),
        ("exitCode/0", b"", "no file `exitCode`"),
    ];
    for (name, content, expected) in cases {
        let error = result_of(&[(name, content)]).await.unwrap_err();
        assert_eq!((error.kind(), error.job_id()), (ErrorKind::Integrity, Some(&job())));
        assert!(error.to_string().contains(expected), "{error}");
    }
}
