//! Every example runs, and prints what its readers expect.
//!
//! Where the output is always the same, all of it is in `tests/expected/`, with ids and addresses shortened; the guides quote it.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::path::Path;
use std::process::Command;

/// Runs an example and gives what it printed.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} ended with {}:\n{stdout}\n{stderr}", output.status);
    assert_eq!(stderr, "", "{program} has something to say on standard error");
    stdout.into_owned()
}

/// What an example printed, with `Qm…` for every content id and `0x…` for every address.
fn shortened(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    for piece in text.split_inclusive(|character: char| !character.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
        let rest = &piece[word.len()..];
        short.push_str(match word {
            id if id.len() == 46 && id.starts_with("Qm") => "Qm…",
            address if address.len() == 42 && address.starts_with("0x") => "0x…",
            word => word,
        });
        short.push_str(rest);
    }
    short
}

#[track_caller]
fn assert_prints(name: &str, printed: &str) {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name).with_extension("txt");
    let expected = std::fs::read_to_string(&expected).unwrap();
    assert_eq!(shortened(printed), expected, "{name} prints:\n{printed}");
}

#[test]
fn a_quick_start_prints_the_cow() {
    assert_prints("quickstart", &run(env!("CARGO_BIN_EXE_quickstart"), &[]));
}

#[test]
fn files_come_back_in_upper_case_and_a_missing_one_is_named() {
    assert_prints("file_inputs", &run(env!("CARGO_BIN_EXE_file_inputs"), &[]));
}

#[test]
fn errors_say_whose_fault_they_are_and_a_job_is_found_again() {
    assert_prints("errors", &run(env!("CARGO_BIN_EXE_errors"), &[]));
}

#[test]
fn faults_strike_and_the_job_is_sent_once() {
    assert_prints("faults", &run(env!("CARGO_BIN_EXE_faults"), &[]));
}

#[test]
fn a_module_of_ones_own_is_checked_planned_and_run() {
    assert_prints("own_module", &run(env!("CARGO_BIN_EXE_own_module"), &[]));
}

#[test]
fn networks_and_keys_are_chosen_without_connecting() {
    assert_prints("networks_and_keys", &run(env!("CARGO_BIN_EXE_networks_and_keys"), &[]));
}

#[test]
fn events_are_told_in_order_until_the_job_is_over() {
    let printed = run(env!("CARGO_BIN_EXE_events"), &[]);
    let lines: Vec<&str> = printed.lines().collect();
    let statuses: Vec<&str> =
        lines.iter().filter(|line| line.contains('(')).filter_map(|line| line.split(' ').next()).collect();
    // Which of the steps before the end are heard depends on who is faster.
    let steps = ["queued", "running", "uploading", "downloading", "succeeded"];
    let places: Vec<_> = statuses.iter().map(|status| steps.iter().position(|step| step == status)).collect();
    assert!(places.is_sorted() && places.first().is_some_and(Option::is_some), "{printed}");
    assert!(statuses.contains(&"running"), "{printed}");
    assert_eq!(lines.last(), Some(&"slept for 0.5 seconds"), "{printed}");
    assert_eq!(statuses.last(), Some(&"succeeded"), "{printed}");
}

#[test]
fn one_failing_job_does_not_end_the_others() {
    let printed = run(env!("CARGO_BIN_EXE_many_jobs"), &[]);
    let mut lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.pop(), Some("7 done, 1 failed"), "{printed}");
    lines.sort_unstable();
    assert_eq!(lines.len(), 8, "{printed}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("slept for 0.1 seconds")).count(), 3, "{printed}");
    assert!(lines[0].starts_with("Seconds=soon: ") && lines[0].ends_with("not a number of seconds"), "{printed}");
}

#[test]
fn after_a_crash_everything_is_found_and_nothing_runs_twice() {
    assert_prints("after_a_crash", &run(env!("CARGO_BIN_EXE_after_a_crash"), &[]));
}

#[test]
fn the_picture_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("pond");
    let printed = run(env!("CARGO_BIN_EXE_result_files"), &[kept.to_str().unwrap()]);
    assert!(printed.contains("outputs/image.png\n") && printed.contains("verified Qm"), "{printed}");
    let picture = std::fs::read(kept.join("frog.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(picture, std::fs::read(kept.join("outputs/image.png")).unwrap());
}
