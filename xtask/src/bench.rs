//! `cargo xtask bench`.

use crate::process::{cargo, install, run as run_command};

/// Builds the command and the benchmarks optimised, and runs the benchmarks.
pub(crate) fn run(names: &[String], json: bool) -> Result<(), String> {
    install(&[("curl", "/usr/bin/curl"), ("tar", "/usr/bin/tar"), ("time", "/usr/bin/time")])?;
    run_command(cargo().args([
        "build",
        "--release",
        "--locked",
        "--package",
        "lilypad-cli",
        "--package",
        "lilypad-bench",
    ]))?;
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--locked", "--package", "lilypad-bench", "--"]).args(names);
    if json {
        command.arg("--json");
    }
    run_command(&mut command)
}
