//! `cargo xtask test`.

use clap::ValueEnum;

use crate::process::{self, cargo};
use crate::{conformance, fuzz, modules, quotes};

/// A test suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Formatting, lints, unit, integration and doc tests, and the examples.
    Rust,
    /// The language-neutral cases, and those of LILYPAD_CONFORMANCE_DIR if it is set.
    Conformance,
    /// The bundled programs are what their sources give.
    Modules,
    /// The fuzz targets, with a small budget.
    Fuzz,
    /// The API docs build without warnings; what the guides quote is what was tested.
    Docs,
}

/// Runs one suite.
fn run_suite(suite: Suite) -> Result<(), String> {
    match suite {
        Suite::Rust => rust(),
        Suite::Conformance => conformance::run_in_tests(),
        Suite::Modules => modules::check(),
        Suite::Fuzz => fuzz::run_in_tests(),
        Suite::Docs => docs(),
    }
}

/// Runs the suites named, or all of them, and says what passed. The first failure ends the run.
pub(crate) fn run(chosen: &[Suite]) -> Result<(), String> {
    let suites = if chosen.is_empty() { Suite::value_variants() } else { chosen };
    for suite in suites {
        eprintln!("== {suite:?}");
        run_suite(*suite)?;
    }
    println!("suites: {} passed, 0 failed", suites.len());
    Ok(())
}

fn rust() -> Result<(), String> {
    // Modules are fetched from real git servers.
    process::install(&[("git", "/usr/lib/git-core/git-http-backend"), ("git", "/usr/lib/git-core/git-daemon")])?;
    process::run(cargo().args(["fmt", "--all", "--check"]))?;
    process::run(cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    process::run(cargo().args(["test", "--workspace", "--locked", "--no-fail-fast"]))
}

fn docs() -> Result<(), String> {
    let quoted = quotes::run(true)?;
    process::run(cargo().args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    println!("docs: {quoted} passed, 0 failed");
    Ok(())
}
