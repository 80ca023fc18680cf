//! A small campaign, each time the tests run. `cargo xtask faults` runs larger ones.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::process::Command;

#[test]
fn nothing_is_lost_paid_twice_wrongly_accepted_or_hung_whatever_goes_wrong() {
    let campaign = Command::new(env!("CARGO_BIN_EXE_lilypad-faults")).args(["--rounds", "1", "--kills", "10"]).output();
    let campaign = campaign.unwrap();
    let printed = String::from_utf8_lossy(&campaign.stdout);
    println!("{printed}");
    assert!(campaign.status.success(), "{printed}\n{}", String::from_utf8_lossy(&campaign.stderr));
    assert!(printed.contains("10 kills"), "{printed}");
}
