//! The command as a test, so that `cargo xtask test fuzz` runs in the build that all other tests share.

fn main() -> std::process::ExitCode {
    lilypad_fuzz::command::main()
}
