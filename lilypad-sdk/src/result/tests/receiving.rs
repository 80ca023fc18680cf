//! Receiving results: honest ones, cut ones, and places where they cannot go.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::tarball::Tarball;
use super::{Destination, OTHER_ID, make, receive_pieces, snapshot};
use crate::error::{Error, ErrorKind};
use crate::protocol::DataId;
use crate::result::unixfs::cid_of_path;
use crate::result::{UnpackLimits, pack_directory, receive};

/// The archive of a small result as a solver sends it, and the result's id.
fn small() -> (Vec<u8>, DataId) {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), &[("exitCode", b"0"), ("stdout", b"moo\n"), ("stderr", b""), ("outputs/é.txt", b"hello")]);
    let mut archive = Vec::new();
    pack_directory(folder.path(), &mut archive).unwrap();
    archive.extend_from_slice(b"{}\n");
    (archive, cid_of_path(folder.path()).unwrap())
}

/// The archive of a folder with one file, for what is tried at each of its bytes, and the folder's id.
fn tiny() -> (Bytes, DataId) {
    let archive = Tarball::default().folder(".").extended(&[("path", "é".as_bytes())]).file("e", b"hello").finish();
    (archive.into(), "QmVpKNtPebR6RhiCR6qySG3SFKjTm4Rf6UCVirt6wVSE4U".parse().unwrap())
}

/// The names in a folder.
fn names_in(folder: &std::path::Path) -> Vec<String> {
    folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_result_is_put_in_its_place_with_the_promised_id() {
    let (archive, id) = small();
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("results/of today");
    let files = receive_pieces([archive.into()], Destination::Folder(folder.clone()), &id).await.unwrap();
    assert_eq!((files.path(), files.data_id()), (&*folder, &id));
    assert_eq!(cid_of_path(&folder).unwrap(), id);
    assert_eq!(names_in(folder.parent().unwrap()), ["of today"]);
    let listed: Vec<_> = files.iter().map(|file| (file.path().to_owned(), file.size())).collect();
    let expected = [("exitCode", 1), ("outputs/é.txt", 5), ("stderr", 0), ("stdout", 4)];
    assert_eq!(listed, expected.map(|(path, size)| (path.to_owned(), size)));
    drop(files);
    assert!(folder.join("stdout").exists(), "a folder that was asked for stays");
}

#[tokio::test]
async fn it_does_not_matter_how_the_archive_is_cut() {
    let (archive, id) = tiny();
    for at in 0..=archive.len() {
        let pieces = [archive.slice(..at), Bytes::new(), archive.slice(at..)];
        receive_pieces(pieces, Destination::Temporary, &id)
            .await
            .unwrap_or_else(|error| panic!("cut at {at}: {error}"));
    }
    let bytes = (0..archive.len()).map(|at| archive.slice(at..at + 1));
    receive_pieces(bytes, Destination::Temporary, &id).await.unwrap();
}

#[tokio::test]
async fn an_archive_that_stops_early_leaves_nothing_behind() {
    let (archive, id) = tiny();
    let around = tempfile::tempdir().unwrap();
    let folder = || Destination::Folder(around.path().join("result"));
    // What a solver sends after the archive may be missing; the archive's own end may not.
    for length in 0..archive.len() - 3 {
        let error = receive_pieces([archive.slice(..length)], folder(), &id).await.expect_err(&length.to_string());
        assert_eq!(error.kind(), ErrorKind::Integrity, "{length} bytes: {error}");
        assert!(error.is_retryable(), "{length} bytes: {error}");
        assert_eq!(names_in(around.path()), [""; 0], "{length} bytes");
    }
    receive_pieces([archive.slice(..archive.len() - 3)], folder(), &id).await.unwrap();
}

#[tokio::test]
async fn a_broken_connection_is_reported_as_one() {
    let (archive, id) = small();
    let archive = Bytes::from(archive);
    let broken = || Err(Error::new(ErrorKind::Connection, "download result").with_message("reset by peer"));
    let cut = stream::iter([Ok(archive.slice(..1000)), broken()]);
    let error = receive(cut, Destination::Temporary, &id, &UnpackLimits::default(), |_| Ok(())).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Connection, Some("reset by peer")));

    // Once the archive is complete, nothing that follows can take it away.
    let late = stream::iter([Ok(archive.slice(..archive.len() - 2)), broken()]);
    receive(late, Destination::Temporary, &id, &UnpackLimits::default(), |_| Ok(())).await.unwrap();
}

#[tokio::test]
async fn a_refused_archive_is_not_waited_for() {
    let start = Bytes::from(Tarball::result().file("../a", b"x").unfinished());
    let endless = stream::iter([Ok::<_, Error>(start)]).chain(stream::pending());
    let error =
        receive(endless, Destination::Temporary, &OTHER_ID.parse().unwrap(), &UnpackLimits::default(), |_| Ok(()))
            .await
            .unwrap_err();
    assert!(error.to_string().contains("has `..`"), "{error}");
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing_behind() {
    let (archive, id) = small();
    let around = tempfile::tempdir().unwrap();
    let started = tokio::sync::Notify::new();
    let half = stream::iter([Ok::<_, Error>(Bytes::from(archive).slice(..2000))]).chain(stream::once(async {
        started.notify_one();
        std::future::pending().await
    }));
    let limits = UnpackLimits::default();
    let mut call = Box::pin(receive(half, Destination::Folder(around.path().join("result")), &id, &limits, |_| Ok(())));
    tokio::select! {
        _ = &mut call => unreachable!("the archive never ends"),
        () = started.notified() => drop(call),
    }
    // The unpacking thread sees the end of the archive and cleans up in its own time.
    while !names_in(around.path()).is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn another_id_than_the_promised_one_is_refused_with_both() {
    let (archive, id) = small();
    let error = receive_pieces([archive.into()], Destination::Temporary, &OTHER_ID.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(!error.is_retryable());
    assert!(error.to_string().contains(id.as_str()) && error.to_string().contains(OTHER_ID), "{error}");
}

#[tokio::test]
async fn a_folder_that_only_a_hidden_file_speaks_of_is_there() {
    // Other readers make it, and so its provider did when it computed the id.
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), &[("exitCode", b"0"), ("stdout", b"moo\n"), ("stderr", b""), ("outputs/logs/", b"")]);
    let id = cid_of_path(folder.path()).unwrap();
    let archive = Tarball::result().file("outputs/logs/.hidden/a", b"x").file("outputs/logs/.b", b"");
    let files = receive_pieces([archive.finish().into()], Destination::Temporary, &id).await.unwrap();
    assert_eq!(files.skipped(), ["outputs/logs/.b", "outputs/logs/.hidden"]);
    assert!(files.path().join("outputs/logs").is_dir());
    // Announced later, or twice, it is what it always was.
    let later = Tarball::result().file("outputs/logs/.b", b"").folder("outputs").folder("outputs/logs");
    receive_pieces([later.clone().finish().into()], Destination::Temporary, &id).await.unwrap();
    let twice = receive_pieces([later.folder("outputs").finish().into()], Destination::Temporary, &id).await;
    assert!(twice.unwrap_err().to_string().contains("is in the archive twice"));
    let inside = Tarball::result().file("stdout/.b", b"").finish();
    let error = receive_pieces([inside.into()], Destination::Temporary, &id).await.unwrap_err();
    assert!(error.to_string().contains("is inside `stdout`, which is a file"), "{error}");
}

#[tokio::test]
async fn hidden_files_are_left_out_and_listed() {
    let (_, id) = small();
    let archive = Tarball::result()
        .file(".env", b"KEY=1")
        .folder("outputs")
        .extended(&[("path", "outputs/é.txt".as_bytes())])
        .file("outputs/.txt", b"hello")
        .file("outputs/.cache/a", b"a")
        .file("outputs/.cache/b", b"b")
        .finish();
    let files = receive_pieces([archive.into()], Destination::Temporary, &id).await.unwrap();
    assert_eq!(files.skipped(), [".env", "outputs/.cache"]);
    assert!(!snapshot(files.path()).keys().any(|name| name.contains("/.") || name.starts_with('.')));
}

#[tokio::test]
async fn archives_of_other_archivers_are_taken() {
    let (_, id) = small();
    // GNU's magic number and padding, `./` before names, an attribute, a long name that is not long, no entries for folders.
    let gnu = |kind, name: &[u8], size| super::tarball::Header::new(kind, name).size(size).field(257, b"ustar  \0");
    let archive = Tarball::default()
        .header(gnu(b'5', b"./", 0))
        .header(gnu(b'0', b"./stdout", 4))
        .content(b"moo\n")
        .extended(&[("mtime", b"1795365099.5"), ("SCHILY.xattr.user.note", b"\xff")])
        .header(gnu(0, b"./stderr", 0))
        .entry(b'L', "././@LongLink", "./outputs/é.txt\0".as_bytes())
        .header(gnu(b'0', b"./outputs", 5).field(124, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]))
        .content(b"hello")
        .file("exitCode", b"0")
        .bytes(&[0; 10_240])
        .unfinished();
    receive_pieces([archive.into()], Destination::Temporary, &id).await.unwrap();
}

#[tokio::test]
async fn a_folder_in_use_is_never_touched() {
    let (archive, id) = small();
    for (name, existing) in [("result", "result/notes.txt"), ("result", "result")] {
        let around = tempfile::tempdir().unwrap();
        make(around.path(), &[(existing, b"mine")]);
        let before = snapshot(around.path());
        let destination = Destination::Folder(around.path().join(name));
        let error = receive_pieces([archive.clone().into()], destination, &id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("exists already") && error.help().is_some(), "{error}");
        assert_eq!(snapshot(around.path()), before);
    }
}

#[tokio::test]
async fn a_folder_that_fills_up_meanwhile_is_not_touched_either() {
    let (archive, id) = small();
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("result");
    let archive = Bytes::from(archive);
    let (first, rest) = (archive.slice(..1000), archive.slice(1000..));
    let during = stream::iter([Ok::<_, Error>(first)]).chain(stream::once(async {
        // The unpacking has begun once its folder is there.
        while names_in(around.path()).is_empty() {
            tokio::task::yield_now().await;
        }
        make(&folder, &[("notes.txt", b"mine")]);
        Ok(rest)
    }));
    let error = receive(during, Destination::Folder(folder.clone()), &id, &UnpackLimits::default(), |_| Ok(()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(names_in(around.path()), ["result"]);
    assert_eq!(names_in(&folder), ["notes.txt"]);
}

#[tokio::test]
async fn an_empty_folder_may_be_there_already() {
    let (archive, id) = small();
    let around = tempfile::tempdir().unwrap();
    receive_pieces([archive.into()], Destination::Folder(around.path().to_owned()), &id).await.unwrap();
    assert_eq!(cid_of_path(around.path()).unwrap(), id);
}

#[tokio::test]
async fn a_place_where_nothing_can_be_made_is_named() {
    let (archive, id) = small();
    let around = tempfile::tempdir().unwrap();
    make(around.path(), &[("file", b"mine")]);
    for (place, part) in [
        (around.path().join("file/result"), "file"),
        (PathBuf::from("/"), "name of a new folder"),
        (PathBuf::from(".."), "name of a new folder"),
    ] {
        let error =
            receive_pieces([archive.clone().into()], Destination::Folder(place.clone()), &id).await.unwrap_err();
        assert!(error.to_string().contains(part), "{}: {error}", place.display());
    }
}
