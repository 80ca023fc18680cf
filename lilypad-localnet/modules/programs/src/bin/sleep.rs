//! `sleep SECONDS`: waits, then says so. Fractions of a second are fine.

use std::process::exit;
use std::thread::sleep;
use std::time::Duration;

use lilypad_bundled_programs::argument;

fn main() {
    let seconds = argument(1);
    let duration = seconds.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let Some(duration) = duration else {
        eprintln!("sleep: Seconds is `{seconds}`, not a number of seconds");
        exit(2);
    };
    sleep(duration);
    println!("slept for {} seconds", duration.as_secs_f64());
}
