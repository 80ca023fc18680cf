//! What the programs of the bundled modules do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helper functions too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use lilypad_node::executor::{Execution, Limits, Output, Task, run};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A finished job: how it ended, and its result's folder.
struct Finished {
    execution: Execution,
    folder: TempDir,
}

impl Finished {
    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(path)).unwrap()
    }
}

/// Runs the program of the module `name`.
async fn finish(name: &str, arguments: &[&str], inputs: Option<&Path>) -> Finished {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("modules").join(name).join("program.wasm");
    let task = Task {
        program: fs::read(program).unwrap().into(),
        entry_point: "_start".to_owned(),
        arguments: arguments.iter().map(ToString::to_string).collect(),
        environment: Vec::new(),
        inputs: inputs.map(Path::to_owned),
        outputs: vec![Output { name: "outputs".to_owned(), path: "/outputs".to_owned() }],
        limits: Limits { time: Duration::from_secs(300), ..Limits::default() },
    };
    let folder = tempfile::tempdir().unwrap();
    let execution = run(task, folder.path(), CancellationToken::new()).await.unwrap();
    Finished { execution, folder }
}

const COW: &str = r"        \   ^__^
         \  (oo)\_______
            (__)\       )\/\
                ||----w |
                ||     ||
";

#[tokio::test]
async fn the_cow_says_the_message_in_a_bubble_that_fits() {
    for (message, bubble) in [
        ("moo", " _____\n< moo >\n -----\n"),
        ("say \"hi\" 'ü' $HOME", " ____________________\n< say \"hi\" 'ü' $HOME >\n --------------------\n"),
        ("", " __\n<  >\n --\n"),
        (
            "The quick brown fox jumps over the lazy dog and then some more",
            concat!(
                " _________________________________________\n",
                "/ The quick brown fox jumps over the lazy \\\n",
                "\\ dog and then some more                  /\n",
                " -----------------------------------------\n",
            ),
        ),
    ] {
        let finished = finish("cowsay", &[message], None).await;
        assert_eq!(finished.text("stdout"), format!("{bubble}{COW}"));
        assert_eq!(finished.text("exitCode"), "0");
    }
}

#[tokio::test]
async fn the_image_is_a_png_that_prompt_and_seed_decide() {
    let first = finish("image", &["a frog at \"sunset\"", "7"], None).await;
    let png = first.bytes("outputs/image.png");
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.width, frame.height, frame.buffer_size()), (512, 512, 512 * 512 * 3));
    let colours: std::collections::HashSet<_> = pixels.chunks_exact(3).collect();
    assert!(colours.len() > 1000, "{} colours", colours.len());

    let metadata: serde_json::Value = serde_json::from_str(&first.text("outputs/metadata.json")).unwrap();
    assert_eq!(metadata["prompt"], "a frog at \"sunset\"");
    assert_eq!(metadata["seed"], "7");
    assert_eq!(metadata["mood"], "evening");
    assert_eq!(metadata["frog"], true);

    let again = finish("image", &["a frog at \"sunset\"", "7"], None).await;
    assert_eq!(again.bytes("outputs/image.png"), png);
    for other in [["a frog at \"sunset\"", "8"], ["a frog at sunset", "7"]] {
        assert_ne!(finish("image", &other, None).await.bytes("outputs/image.png"), png);
    }
}

#[tokio::test]
async fn failing_is_done_with_the_chosen_code_and_words() {
    for (code, message) in [("3", "out of reeds"), ("0", ""), ("255", "ü")] {
        let finished = finish("fail", &[code, message], None).await;
        assert_eq!(finished.execution.exit_code.to_string(), code);
        assert_eq!(finished.text("exitCode"), code);
        assert_eq!(finished.text("stderr"), format!("{message}\n"));
        assert_eq!(finished.text("stdout"), "");
    }
    let finished = finish("fail", &["three", "x"], None).await;
    assert_eq!(finished.execution.exit_code, 2);
    assert_eq!(finished.text("stderr"), "fail: ExitCode is `three`, not a whole number\n");
}

#[tokio::test(start_paused = true)]
async fn sleeping_takes_the_time_that_it_is_given() {
    for (seconds, told) in [("120.5", "slept for 120.5 seconds\n"), ("0", "slept for 0 seconds\n")] {
        let started = tokio::time::Instant::now();
        let finished = finish("sleep", &[seconds], None).await;
        assert_eq!(finished.text("stdout"), told);
        assert!(started.elapsed().as_secs_f64() >= seconds.parse().unwrap());
    }
    let finished = finish("sleep", &["-1"], None).await;
    assert_eq!(finished.execution.exit_code, 2);
    assert_eq!(finished.text("stderr"), "sleep: Seconds is `-1`, not a number of seconds\n");
}

#[tokio::test]
async fn files_come_back_listed_copied_and_in_upper_case() {
    let inputs = tempfile::tempdir().unwrap();
    fs::write(inputs.path().join("input.txt"), "Grüße vom Teich\n").unwrap();
    fs::write(inputs.path().join("data.bin"), b"\xff\0\xfe").unwrap();
    let large = "lily ".repeat(400_000);
    fs::write(inputs.path().join("more.txt"), &large).unwrap();

    let finished = finish("files", &[], Some(inputs.path())).await;
    let listed = finished.text("stdout");
    let checksums: BTreeMap<_, _> = listed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|fields| (fields[2].to_owned(), (fields[0].to_owned(), fields[1].to_owned())))
        .collect();
    let expected = |checksum: &str, size: &str| (checksum.to_owned(), size.to_owned());
    assert_eq!(
        checksums["data.bin"],
        expected("af9ceddc9d8b08ac09e1994bfd20459b5e377425df7354dfce3501992828a5b7", "3")
    );
    assert_eq!(
        checksums["input.txt"],
        expected("ef1c4768608fda2fbba1ed3885f53a5673e168dbf01b783c4595ab7da9e5abd3", "18")
    );
    assert_eq!(
        checksums["more.txt"],
        expected("9c69c8ce0fc52f8a51db531782b2b536a080086bfe4a5c52bd87d8c15132d966", "2000000")
    );

    let manifest: serde_json::Value = serde_json::from_str(&finished.text("outputs/manifest.json")).unwrap();
    let named: Vec<_> = manifest.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(named, ["data.bin", "input.txt", "more.txt"]);
    assert_eq!(manifest[1]["sha256"].as_str(), Some(checksums["input.txt"].0.as_str()));
    assert_eq!(finished.text("outputs/upper/input.txt"), "GRÜSSE VOM TEICH\n");
    assert!(!finished.folder.path().join("outputs/upper/data.bin").exists());
    assert_eq!(finished.bytes("outputs/by-size/3/data.bin"), b"\xff\0\xfe");
    assert_eq!(finished.text("outputs/by-size/2000000/more.txt"), large);
}
