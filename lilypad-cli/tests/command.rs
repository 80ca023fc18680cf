//! The command as a user meets it: what goes to which stream, and what the exit status says.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

/// A key that must never be printed.
const SECRET: &str = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a";

/// The command without the caller's environment.
fn lilypad(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lilypad"));
    command.args(arguments).env_clear().env("LILYPAD_DATA_DIR", std::env::temp_dir().join("lilypad-cli-tests"));
    command
}

fn run(arguments: &[&str]) -> Output {
    lilypad(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A local network in a process of its own, stopped when dropped.
struct Network {
    child: Child,
    url: String,
}

impl Network {
    fn up(providers: &str) -> Self {
        let mut child = lilypad(&["local", "up", "--providers", providers]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.find_map(|line| line.unwrap().strip_prefix("export LILYPAD_SOLVER_URL=").map(str::to_owned));
        Self { child, url: url.unwrap() }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = lilypad(arguments);
        command.env("LILYPAD_NETWORK", "local").env("LILYPAD_SOLVER_URL", &self.url);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        interrupt(&self.child);
        self.child.wait().unwrap();
    }
}

/// Presses Ctrl-C.
fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn standard_output_is_the_jobs_own() {
    let output = run(&["run", "--local", "cowsay:v0.0.4", "-i", "Message=Hello, pond"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    assert!(stdout.contains("< Hello, pond >"), "{stdout}");
    assert!(!stdout.contains("job Qm"), "{stdout}");
    assert!(text(&output.stderr).contains("running on 0x"));
}

#[test]
fn with_json_standard_output_is_json() {
    let output = run(&["run", "--local", "--json", "cowsay", "-i", "Message=moo"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["exit_code"], 0);
    assert_eq!(value["status"], "succeeded");
    assert!(value["stdout"].as_str().unwrap().contains("moo"));
    assert!(value["job_id"].as_str().unwrap().starts_with("Qm"));
}

#[test]
fn with_json_an_error_is_json_too() {
    let output = run(&["run", "--local", "--json", "cowsay", "-i", "Mesage=moo"]);
    assert_eq!(output.status.code(), Some(2));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["error"]["kind"], "invalid_input");
    assert_eq!(value["error"]["retryable"], false);
}

#[test]
fn a_failed_job_is_exit_status_1_and_its_output_is_there() {
    let output = run(&["run", "--local", "fail:v1", "-i", "ExitCode=3", "-i", "Message=the pond is dry"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("the pond is dry") && stderr.contains("exit code 3"), "{stderr}");
    let output = run(&["run", "--local", "fail:v1", "-i", "ExitCode=3", "--allow-exit-code"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn bad_usage_and_bad_input_are_exit_status_2_and_named() {
    for (arguments, message) in [
        (&["run"][..], "MODULE"),
        (&["run", "--local", "cowsay", "-i", "Message"][..], "`Message` is not KEY=VALUE"),
        (&["run", "--local", "cowsay", "-i", "Mesage=x"][..], "did you mean `Message`?"),
        (&["run", "--local", "cowsey"][..], "cowsey"),
        (&["run", "cowsay:v1", "--network", "nowhere"][..], "there is no network `nowhere`"),
        (&["run", "--local", "cowsay", "--target", "me"][..], "`me` is no address"),
        (&["run", "--local", "cowsay", "--timeout", "soon"][..], "soon"),
        (&["run", "--local", "files:v1", "--file", "input.txt"][..], "`input.txt` is not NAME=PATH"),
        (&["run", "--local", "files:v1", "--file", "input.txt=/no/such"][..], "/no/such"),
        (&["run", "--local", "files:v1", "--inputs-path", "/no/such"][..], "/no/such"),
        (&["status", "QmX"][..], "`QmX` is not a content id"),
        (&["cid", "/no/such"][..], "/no/such"),
        (&["module", "check", "/no/such"][..], "/no/such"),
    ] {
        let output = run(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn no_solver_is_exit_status_3() {
    let output = run(&["jobs", "--network", "local", "--solver-url", "http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("no solver answers at 127.0.0.1:9"));
}

#[test]
fn giving_up_waiting_is_exit_status_4_and_the_job_is_found_again() {
    let network = Network::up("1");
    let output = network.run(&["run", "sleep:v1", "-i", "Seconds=1", "--timeout", "1ms"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    let id = stderr.split_whitespace().find(|word| word.starts_with("Qm")).unwrap().trim_end_matches(':').to_owned();
    let output = network.run(&["result", &id]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&network.run(&["jobs"]).stdout).contains(&id));
    let status: serde_json::Value = serde_json::from_slice(&network.run(&["status", &id, "--json"]).stdout).unwrap();
    assert_eq!(status["status"], "succeeded");
}

#[test]
fn ctrl_c_says_how_to_come_back() {
    let network = Network::up("0");
    let mut child = network.command(&["run", "cowsay:v0.0.4"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    let posted = lines.find(|line| line.starts_with("job Qm")).unwrap();
    let id = posted.split_whitespace().nth(1).unwrap().trim_end_matches(':').to_owned();
    interrupt(&child);
    let rest: Vec<String> = lines.collect();
    assert!(rest.iter().any(|line| line.contains(&format!("lilypad result {id}"))), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

#[test]
fn submit_prints_the_id_and_cancel_says_what_goes_on() {
    let network = Network::up("0");
    let id = text(&network.run(&["submit", "cowsay:v0.0.4"]).stdout).trim().to_owned();
    assert!(id.starts_with("Qm") && id.len() == 46, "{id}");
    let output = network.run(&["cancel", &id]);
    assert!(text(&output.stdout).contains("cannot be withdrawn"), "{}", text(&output.stdout));
}

#[test]
fn an_input_can_come_from_standard_input() {
    let mut child = lilypad(&["run", "--local", "cowsay", "-i", "Message=@-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"from a pipe").unwrap();
    assert!(text(&child.wait_with_output().unwrap().stdout).contains("from a pipe"));
}

#[test]
fn a_new_module_is_sound_and_runs_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("greeting");
    let module = module.to_str().unwrap();
    assert!(run(&["module", "new", module]).status.success());
    assert_eq!(run(&["module", "new", module]).status.code(), Some(2), "it must not write over anything");
    assert!(run(&["module", "check", module]).status.success());
    assert!(text(&run(&["module", "render", module, "-i", "Name=pond"]).stdout).contains("\"pond\""));
    let output = run(&["run", "--local", module, "-i", "Name=pond"]);
    assert!(text(&output.stdout).contains("Hello, pond!"), "{}", text(&output.stderr));
}

#[test]
fn a_result_can_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("result");
    let output = run(&["run", "--local", "image:v1", "-i", "Prompt=frog", "--out", place.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(std::fs::read(place.join("outputs/image.png")).unwrap().starts_with(b"\x89PNG"));
    let id = text(&run(&["cid", place.to_str().unwrap()]).stdout);
    assert!(id.starts_with("Qm"), "{id}");
}

#[test]
fn output_that_cannot_be_written_is_not_taken_for_success() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = lilypad(&["run", "--local", "cowsay"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("No space left"), "{}", text(&output.stderr));
}

#[test]
fn a_plan_sends_nothing_and_needs_no_solver() {
    let output = lilypad(&["plan", "cowsay:v1", "--network", "dev", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["offer"]["pricing"]["payment_collateral"], 2);
}

#[test]
fn no_output_and_no_error_holds_the_key() {
    let network = Network::up("1");
    for (arguments, key) in [
        (&["run", "cowsay:v1", "--verbose"][..], SECRET.to_owned()),
        (&["jobs", "--verbose", "--solver-url", "http://127.0.0.1:9"][..], SECRET.to_owned()),
        (&["jobs", "--verbose"][..], format!("{SECRET}00")),
        (&["plan", "cowsay:v1", "--verbose"][..], format!("0x{}", &SECRET[1..])),
    ] {
        let mut command = network.command(arguments);
        let output = command.env("LILYPAD_PRIVATE_KEY", &key).output().unwrap();
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!all.is_empty());
        assert!(!all.contains(&SECRET[1..40]), "{arguments:?}");
        // Of the headers, neither the signature nor the pair may be seen: a captured pair is valid for ever.
        assert!(!all.contains("AdPMvxqn3Jfqe7GmHUKdr5xQLVr0ZBnzD3bzd81qouAYbGRaXmXB80tu5sIfS"), "{arguments:?}");
    }
}

#[test]
fn a_key_makes_submit_repeatable_and_a_damaged_journal_is_said_and_mended() {
    let (network, data) = (Network::up("1"), tempfile::tempdir().unwrap());
    let keyed = |arguments: &[&str]| network.command(arguments).env("LILYPAD_DATA_DIR", data.path()).output().unwrap();
    let submit = ["submit", "cowsay", "-i", "Message=moo", "--key", "invoice 7"];
    let (first, second) = (keyed(&submit), keyed(&submit));
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    assert_eq!(text(&first.stdout), text(&second.stdout));
    assert_eq!(text(&keyed(&["journal"]).stdout), "the journal is whole; jobs in it: 1\n");

    let journals = data.path().join("journal");
    let network_folder = std::fs::read_dir(journals).unwrap().next().unwrap().unwrap().path();
    let file = std::fs::read_dir(network_folder).unwrap().next().unwrap().unwrap().path().join("jobs.log");
    let damaged = std::fs::read_to_string(&file).unwrap().replace("stamped", "stomped");
    std::fs::write(&file, damaged).unwrap();
    let refused = keyed(&submit);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("jobs.log: the line at byte"), "{}", text(&refused.stderr));
    let repaired = keyed(&["journal", "--repair"]);
    assert!(text(&repaired.stdout).contains("damaged lines, now in"), "{}", text(&repaired.stdout));
    assert_eq!(keyed(&["journal"]).status.code(), Some(0));
}
