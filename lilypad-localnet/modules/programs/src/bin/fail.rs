//! `fail EXIT_CODE MESSAGE`: says the message on stderr and ends with the exit code.

use std::process::exit;

use lilypad_bundled_programs::argument;

/// What ends a program that was called wrongly.
const USAGE: i32 = 2;

fn main() {
    let code = argument(1);
    match code.trim().parse() {
        Ok(code) => {
            eprintln!("{}", argument(2));
            exit(code);
        }
        Err(_) => {
            eprintln!("fail: ExitCode is `{code}`, not a whole number");
            exit(USAGE);
        }
    }
}
