//! Go's own `text/template`, where there is a `go` command: a small program that is built once and fed over its pipes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// The program's source.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reference");
/// Names a `go` command that is not on the path.
const COMMAND: &str = "LILYPAD_FUZZ_GO";

/// A template to be rendered.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// The template.
    pub text: String,
    /// Its inputs, as users write them.
    pub inputs: BTreeMap<String, String>,
}

/// What Go made of a template.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// `ok`, `parse`, `execute`, `panic` or `slow`.
    pub outcome: String,
    /// What was printed, in base64.
    output: Option<String>,
    /// Why nothing was printed.
    pub reason: String,
}

impl Answer {
    /// What was printed.
    pub fn output(&self) -> Vec<u8> {
        self.output.as_deref().map_or_else(Vec::new, base64)
    }
}

/// The program, running.
#[derive(Debug)]
pub struct Go {
    /// The process.
    child: Child,
    /// Where requests go.
    requests: ChildStdin,
    /// Where answers come from.
    answers: BufReader<ChildStdout>,
}

impl Go {
    /// Starts the program, having built it if need be. `None` on a machine without Go.
    ///
    /// # Errors
    /// When there is Go, but the program cannot be built or started.
    pub fn start() -> Result<Option<Self>, String> {
        static PROGRAM: OnceLock<Result<Option<PathBuf>, String>> = OnceLock::new();
        let Some(program) = PROGRAM.get_or_init(build).clone()? else { return Ok(None) };
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("could not start {}: {error}", program.display()))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the Go program has no pipes".into());
        };
        Ok(Some(Self { child, requests, answers: BufReader::new(answers) }))
    }

    /// Renders templates.
    ///
    /// # Errors
    /// When the program ended: Go gives up for good where a template makes it run out of stack or memory.
    pub fn render(&mut self, batch: &[Request]) -> Result<Vec<Answer>, String> {
        let mut line = serde_json::to_vec(batch).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let mut answered = String::new();
        self.requests
            .write_all(&line)
            .and_then(|()| self.requests.flush())
            .and_then(|()| self.answers.read_line(&mut answered))
            .map_err(|error| format!("the Go program ended: {error}"))?;
        let answers: Vec<Answer> =
            serde_json::from_str(&answered).map_err(|error| format!("the Go program ended: {error}"))?;
        if answers.len() == batch.len() { Ok(answers) } else { Err("the Go program skipped a template".into()) }
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether there is a `go` command.
pub fn is_installed() -> bool {
    let asked = Command::new(command()).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// The `go` command.
fn command() -> std::ffi::OsString {
    std::env::var_os(COMMAND).unwrap_or_else(|| "go".into())
}

/// Builds the program beside this one. `None` without Go.
fn build() -> Result<Option<PathBuf>, String> {
    if !is_installed() {
        return Ok(None);
    }
    let own = std::env::current_exe().map_err(|error| format!("this program has no place: {error}"))?;
    let program = own.parent().unwrap_or(Path::new(".")).join("lilypad-fuzz-go");
    let built = Command::new(command())
        .args(["build", "-o"])
        .arg(&program)
        .current_dir(SOURCE)
        // What is installed will do; nothing is fetched.
        .envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly"), ("GOPROXY", "off")])
        .output()
        .map_err(|error| format!("could not start go: {error}"))?;
    if built.status.success() {
        return Ok(Some(program));
    }
    Err(format!("could not build {SOURCE}: {}", String::from_utf8_lossy(&built.stderr).trim()))
}

/// Decodes base64 that Go wrote.
fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let value = group.iter().fold(0, |value, byte| value << 6 | digit(*byte)) << (6 * (4 - group.len()));
        bytes.extend_from_slice(&value.to_be_bytes()[1..group.len()]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn what_go_encodes_is_decoded() {
        for (text, bytes) in [("", &b""[..]), ("AA==", b"\0"), ("+/8=", b"\xfb\xff"), ("Zm9v", b"foo")] {
            assert_eq!(base64(text), bytes, "{text}");
        }
    }
}
