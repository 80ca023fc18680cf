//! `lilypad-fuzz`: runs targets with a budget of cases. `cargo xtask fuzz` builds and calls it.

fn main() -> std::process::ExitCode {
    lilypad_fuzz::command::main()
}
