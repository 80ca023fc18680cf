//! `cargo xtask conformance`.

use crate::process::{self, cargo};

/// Names the directory of the protocol's cases.
const DIRECTORY: &str = "LILYPAD_CONFORMANCE_DIR";

/// Runs every case there is. Without the protocol's cases, that is an error.
pub(crate) fn run() -> Result<(), String> {
    process::run(cargo().args(["run", "--quiet", "--locked", "--package", "lilypad-conformance"]))
}

/// Runs every case there is; says clearly if the protocol's cases are absent.
pub(crate) fn run_in_tests() -> Result<(), String> {
    if std::env::var_os(DIRECTORY).is_some() {
        return run();
    }
    println!("conformance: {DIRECTORY} is not set: only this repository's own cases run");
    process::run(cargo().args(["run", "--quiet", "--locked", "--package", "lilypad-conformance", "--", "--own"]))
}
