//! Part `auth`: the address and the signed headers of a key.

use lilypad_sdk::Wallet;
use serde::Deserialize;

use crate::report::{Outcome, Part};

/// A key and what the reference client makes of it.
#[derive(Deserialize)]
pub(crate) struct Case {
    /// The key in hexadecimal.
    private_key: String,
    /// Its address in EIP-55 form.
    address: String,
    /// The header with the address.
    #[serde(rename = "X-Lilypad-User")]
    user: String,
    /// The header with the signature.
    #[serde(rename = "X-Lilypad-Signature")]
    signature: String,
}

/// Runs all cases.
pub(crate) fn run(cases: &[Case]) -> Part {
    let mut part = Part::new("auth");
    for case in cases {
        part.record(&case.address, check(case));
    }
    part
}

/// Checks one key. The error never shows what the key signed.
fn check(case: &Case) -> Outcome {
    let wallet = Wallet::from_hex(&case.private_key).map_err(|error| error.to_string())?;
    let headers = wallet.request_headers();
    if wallet.address().to_string() != case.address {
        return Err(format!("the key's address is {}", wallet.address()));
    }
    if headers.user() != case.user {
        return Err("the user header differs".into());
    }
    if headers.signature() != case.signature {
        return Err("the signature header differs".into());
    }
    Ok(())
}
