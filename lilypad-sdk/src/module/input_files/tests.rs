//! What is taken and what is refused, with the words that people read.

use std::fs;

use super::*;

fn wanted(required: &[&str], optional: &[&str]) -> protocol::InputFiles {
    let owned = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    protocol::InputFiles { required: owned(required), optional: owned(optional) }
}

fn files(given: &[(&str, &[u8])]) -> InputFiles {
    let mut files = InputFiles::default();
    for (name, content) in given {
        files.add(InputFile::from_bytes(*name, content.to_vec()).unwrap()).unwrap();
    }
    files
}

#[test]
fn required_files_must_be_there_and_others_must_be_known() {
    let wanted = wanted(&["data.csv"], &["notes.txt"]);
    assert!(files(&[("data.csv", b"a,b")]).check(&wanted).is_ok());
    assert!(files(&[("data.csv", b"a,b"), ("notes.txt", b"x")]).check(&wanted).is_ok());
    for (given, message, help) in [
        (&[][..], "needs the input file data.csv, which was not given", "it needs data.csv"),
        (&["notes.txt"], "needs the input file data.csv", "it needs data.csv"),
        (&["data.csv", "note.txt"], "takes no input file note.txt", "did you mean notes.txt?"),
        (&["data.csv", ".hidden"], "takes no input file .hidden", "it takes data.csv, notes.txt"),
    ] {
        let given: Vec<_> = given.iter().map(|name| (*name, &b"x"[..])).collect();
        let error = files(&given).check(&wanted).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().unwrap().contains(message), "{error}");
        assert_eq!(error.help().unwrap(), help);
    }
    let error = files(&[("a", b"x")]).check(&protocol::InputFiles::default()).unwrap_err();
    assert_eq!(error.help(), Some("it takes no input files at all"));
}

#[test]
fn a_module_that_lists_a_file_twice_is_at_fault_itself() {
    for twice in [wanted(&["a", "a"], &[]), wanted(&["a"], &["a"])] {
        let error = files(&[("a", b"x")]).check(&twice).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Module);
        assert!(error.to_string().contains("lists the input file a twice"), "{error}");
    }
}

#[test]
fn programs_and_scripts_are_refused_by_content_and_data_is_not() {
    let mut jar = b"PK\x03\x04".to_vec();
    jar.resize(30, 0);
    jar.extend_from_slice(b"META-INF/MANIFEST.MF");
    let far_script = "x\n".repeat(10) + "<script>";
    let long_line = "x".repeat(65 << 10) + "\n<script>";
    for (content, refusal) in [
        (&b"\x7fELF\x02\x01\x01"[..], Some("ELF")),
        (b"MZ\x90\0\x03\0", Some("Windows")),
        (b"\xcf\xfa\xed\xfe\x07", Some("Mach-O")),
        (b"\xca\xfe\xba\xbe\0", Some("Mach-O")),
        (b"CWS\x08", Some("Flash")),
        (&jar, Some("Java archive")),
        (b"#!/bin/sh\necho", Some("`#!`")),
        (b"<html>\n<script>alert(1)", Some("`<script`")),
        (b"text\n<?php echo 1;", Some("`<?php`")),
        (b"MZ is how this text begins", None),
        (b"\n#!/bin/sh", None),
        (b"\x89PNG\r\n\x1a\n<script", None),
        (b"PK\x03\x04 a zip with <?php in it", None),
        (far_script.as_bytes(), None),
        (long_line.as_bytes(), None),
        (b"a,b\n1,2\n", None),
        (b"", None),
    ] {
        let outcome = files(&[("f", content)]).check(&wanted(&["f"], &[]));
        match (outcome, refusal) {
            (Ok(_), None) => {}
            (Err(error), Some(word)) => {
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert!(error.message().unwrap().starts_with("input file f is a "), "{error}");
                assert!(error.to_string().contains(word), "{error}");
            }
            (outcome, _) => panic!("{}: {outcome:?}", String::from_utf8_lossy(&content[..content.len().min(40)])),
        }
    }
}

#[test]
fn a_file_that_is_missing_or_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();

    let error = InputFiles::from_folder(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().unwrap().ends_with("sub is a folder"), "{error}");
    assert!(error.help().unwrap().contains("sub-folders are refused"), "{error}");

    let mut files = InputFiles::default();
    files.add(InputFile::from_path(folder.path().join("none.csv")).unwrap()).unwrap();
    let error = files.check(&wanted(&["none.csv"], &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().unwrap().contains("none.csv does not exist"), "{error}");

    let error = InputFiles::from_folder(&folder.path().join("nowhere")).unwrap_err();
    assert!(error.message().unwrap().ends_with("nowhere does not exist"), "{error}");
}

#[test]
fn a_name_cannot_lead_out_of_the_folder() {
    for name in ["", ".", "..", "a/b", "../a", "/etc/passwd", "a\\b", "a\0b"] {
        assert!(InputFile::from_bytes(name, "x").is_err(), "{name:?}");
    }
    let mut files = files(&[("a", b"x")]);
    let error = files.add(InputFile::from_path_as("a", "b").unwrap()).unwrap_err();
    assert!(error.message().unwrap().contains("two input files named a"), "{error}");
}

#[test]
fn what_a_solver_would_not_take_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.bin");
    fs::File::create(&large).unwrap().set_len(11 << 20).unwrap();
    let error = InputFiles::from_folder(folder.path()).unwrap().check(&wanted(&["large.bin"], &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().unwrap().contains("large.bin has 11534336 bytes; a solver takes 10 MB"), "{error}");

    let half = vec![b'x'; 6 << 20];
    let error = files(&[("a", &half), ("b", &half)]).check(&wanted(&["a", "b"], &[])).unwrap_err();
    assert!(error.message().unwrap().contains("a solver takes 10 MB"), "{error}");
}

#[test]
fn checked_files_are_packed_flat_and_fit_a_request() {
    let content = vec![b'x'; (10 << 20) - (64 << 10) - 1024];
    let archive = files(&[("data.bin", &content)]).check(&wanted(&["data.bin"], &[])).unwrap().pack().unwrap();
    assert!(archive.len() as u64 <= REQUEST_LIMIT - OFFER_SHARE / 2, "{}", archive.len());
    let name = |at: usize| archive[at..at + 100].split(|byte| *byte == 0).next().unwrap().to_vec();
    assert_eq!((name(0), name(512)), (b".".to_vec(), b"data.bin".to_vec()));
    assert_eq!(&archive[1024..1024 + content.len()], &content[..]);
}

#[cfg(unix)]
#[test]
fn a_link_in_a_folder_stands_for_the_file_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("real"), "moo").unwrap();
    let inputs = folder.path().join("inputs");
    fs::create_dir(&inputs).unwrap();
    std::os::unix::fs::symlink("../real", inputs.join("data.csv")).unwrap();
    let archive = InputFiles::from_folder(&inputs).unwrap().check(&wanted(&["data.csv"], &[])).unwrap().pack().unwrap();
    assert_eq!(&archive[1024..1027], b"moo");
    assert_eq!(archive[512 + 156], b'0', "a regular file");
}
