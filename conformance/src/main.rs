//! `lilypad-conformance`: runs the committed cases, then those of `LILYPAD_CONFORMANCE_DIR`; one line a part. With `--own`, only the
//! committed ones.

use std::process::ExitCode;

use lilypad_conformance::{Part, VARIABLE, Vectors, run_cases, run_vectors};

/// Exit status when there is nothing to run the recorded parts on.
const UNCONFIGURED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let mut failed = 0;
    let mut show = |part: Part| {
        println!("{part}");
        failed += part.failed();
    };
    show(run_cases().await);
    if std::env::args().any(|argument| argument == "--own") {
        return if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let vectors = match Vectors::open(std::env::var_os(VARIABLE).map(Into::into)) {
        Ok(vectors) => vectors,
        Err(error) => {
            eprintln!("error: {error}");
            return UNCONFIGURED.into();
        }
    };
    run_vectors(&vectors, &mut show).await;
    if vectors.has_bacalhau() {
        println!("bacalhau: not run, no executor here speaks to Bacalhau yet");
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
