//! Making archives, and taking apart what others made.

use std::io::Write;
use std::path::Path;

use super::{make, snapshot};
use crate::error::ErrorKind;
use crate::result::{UnpackLimits, pack_directory, unpack_directory};

/// Unpacks `archive` into a new folder and gives what is in it.
fn unpacked(archive: &[u8]) -> std::collections::BTreeMap<String, Vec<u8>> {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("unpacked");
    unpack_directory(archive, &folder, &UnpackLimits::default()).unwrap();
    snapshot(&folder)
}

/// Packs `folder`.
fn packed(folder: &Path) -> Vec<u8> {
    let mut archive = Vec::new();
    pack_directory(folder, &mut archive).unwrap();
    archive
}

/// A folder with everything that honest jobs make.
fn honest() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let long_name = "n".repeat(255);
    let long_path = format!("{}leaf", "a-folder-of-some-length/".repeat(12));
    let unsplittable = format!("{}/leaf", "f".repeat(180));
    let large: Vec<u8> = (0..600_000).map(|at| (at % 251) as u8).collect();
    make(
        folder.path(),
        &[
            ("exitCode", b"0"),
            ("stdout", b"moo\n"),
            ("stderr", b""),
            ("outputs/empty/", b""),
            ("outputs/512 bytes", &[7; 512]),
            ("outputs/large.bin", &large),
            ("outputs.txt", b"sorted after the folder's content"),
            ("漢字/é.txt", "é".as_bytes()),
            (".config/hidden", b"travels too"),
            (&long_name, b"long name"),
            (&long_path, b"long path"),
            (&unsplittable, b"long folder"),
        ],
    );
    folder
}

#[test]
fn what_is_packed_unpacks_to_the_same() {
    let folder = honest();
    assert_eq!(unpacked(&packed(folder.path())), snapshot(folder.path()));
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    assert_eq!(packed(honest().path()), packed(honest().path()));
}

#[test]
fn the_tar_crate_sees_what_was_packed() {
    let (folder, copy) = (honest(), tempfile::tempdir().unwrap());
    tar::Archive::new(&packed(folder.path())[..]).unpack(copy.path()).unwrap();
    assert_eq!(snapshot(copy.path()), snapshot(folder.path()));
}

#[test]
fn what_the_tar_crate_packs_unpacks_to_the_same() {
    let folder = honest();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all(".", folder.path()).unwrap();
    assert_eq!(unpacked(&builder.into_inner().unwrap()), snapshot(folder.path()));
}

#[test]
fn entries_come_in_the_order_of_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), &[("b/y", b""), ("b/x", b""), ("b.txt", b""), ("a", b""), ("B", b""), ("c/", b"")]);
    let archive = packed(folder.path());
    let mut archive = tar::Archive::new(&archive[..]);
    let names: Vec<_> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    assert_eq!(names, [".", "B", "a", "b", "b/x", "b/y", "b.txt", "c"]);
}

#[cfg(unix)]
#[test]
fn headers_say_nothing_but_name_size_and_whether_it_runs() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), &[("run.sh", b"#!"), ("private", b"")]);
    let mode =
        |name: &str, mode| std::fs::set_permissions(folder.path().join(name), PermissionsExt::from_mode(mode)).unwrap();
    mode("run.sh", 0o4777);
    mode("private", 0o600);
    let archive = packed(folder.path());
    let mut archive = tar::Archive::new(&archive[..]);
    let said: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            let owner = (header.uid().unwrap(), header.username().unwrap().unwrap_or_default().to_owned());
            (header.mode().unwrap(), header.mtime().unwrap(), owner)
        })
        .collect();
    let nobody = (0, String::new());
    assert_eq!(said, [(0o755, 0, nobody.clone()), (0o644, 0, nobody.clone()), (0o755, 0, nobody)]);
}

#[cfg(unix)]
#[test]
fn what_cannot_travel_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("users")).unwrap();
    let error = pack_directory(folder.path(), std::io::sink()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("users is a symbolic link"), "{error}");

    let error = pack_directory(folder.path().join("missing"), std::io::sink()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn a_writer_that_fails_is_not_taken_for_a_file_that_fails() {
    /// A receiver that takes so many bytes and no more.
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(std::io::Error::other("the receiver has gone")) } else { Ok(taken) }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), &[("large", &[1; 100_000])]);
    for room in [0, 512, 2000, 101_376 + 1023] {
        let error = pack_directory(folder.path(), Full(room)).unwrap_err();
        assert!(error.to_string().contains("the receiver has gone"), "{room}: {error}");
        assert!(!error.to_string().contains("large"), "{room}: {error}");
    }
}

#[test]
fn input_files_are_not_unpacked_over_others() {
    let around = tempfile::tempdir().unwrap();
    make(around.path(), &[("inputs/a.txt", b"mine")]);
    let before = snapshot(around.path());
    let archive = packed(honest().path());
    let error = unpack_directory(&archive[..], around.path().join("inputs"), &UnpackLimits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(snapshot(around.path()), before);
}
