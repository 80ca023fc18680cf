//! A key, its address and the headers that it signs.
//!
//! A [`Wallet`] can be printed anywhere: it shows its address and nothing else. All that a job creator signs is its own address, once;
//! the key is wiped from memory right after that, and what was signed with the wallet's last clone.

mod keystore;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::network::Environment;
use crate::protocol::auth::RequestHeaders;

/// Bytes of a private key.
const KEY_LENGTH: usize = 32;
/// Hexadecimal digits of an address, which people mistake for a key.
const ADDRESS_DIGITS: usize = 40;

/// Who a client is on the network: an address and the proof of holding its key. Cheap to clone.
#[derive(Clone)]
pub struct Wallet(Arc<Inner>);

/// What the clones of a wallet share.
struct Inner {
    /// Who signs.
    address: Address,
    /// What was signed.
    headers: RequestHeaders,
}

impl Wallet {
    /// The wallet of a private key in hexadecimal, with or without `0x`. White space around it is ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Wallet`] with the rule that the text breaks; the text itself is never repeated.
    pub fn from_hex(key: &str) -> Result<Self> {
        parse(key).map(|signer| Self::from_signer(&signer)).map_err(|flaw| malformed(&flaw))
    }

    /// The wallet of `LILYPAD_PRIVATE_KEY`, or of `WEB3_PRIVATE_KEY` where that is not set.
    ///
    /// # Errors
    /// [`ErrorKind::Wallet`] if neither is set, or if the one in use is no private key.
    pub fn from_env() -> Result<Self> {
        Self::from_environment(&Environment::process())?.ok_or_else(|| {
            Error::new(ErrorKind::Wallet, "find a private key")
                .with_message("neither LILYPAD_PRIVATE_KEY nor WEB3_PRIVATE_KEY is set")
                .with_help("set LILYPAD_PRIVATE_KEY to a key of 64 hexadecimal digits, or give the client a wallet")
        })
    }

    /// The wallet that `environment` names; `None` if it names none.
    ///
    /// # Errors
    /// [`ErrorKind::Wallet`] if what it names is no private key.
    pub fn from_environment(environment: &Environment) -> Result<Option<Self>> {
        let Some((variable, key)) = environment.private_key()? else { return Ok(None) };
        match parse(&key) {
            Ok(signer) => Ok(Some(Self::from_signer(&signer))),
            Err(flaw) => Err(malformed(&format!("{variable} {flaw}"))),
        }
    }

    /// The wallet in an encrypted keystore file, version 3, as geth, foundry and ethers write it.
    ///
    /// Decryption is slow on purpose, about a second: inside an async runtime, call this on a blocking thread.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the file cannot be read, [`ErrorKind::Wallet`] if it is no such keystore or the password is wrong.
    pub fn from_keystore(path: impl AsRef<Path>, password: impl AsRef<[u8]>) -> Result<Self> {
        keystore::decrypt(path.as_ref(), password.as_ref()).map(|signer| Self::from_signer(&signer))
    }

    /// A wallet of a new random key, which nobody will hold once this value is gone.
    pub fn random() -> Self {
        Self::from_signer(&PrivateKeySigner::random())
    }

    fn from_signer(signer: &PrivateKeySigner) -> Self {
        Self(Arc::new(Inner { address: signer.address(), headers: RequestHeaders::sign(signer) }))
    }

    /// The address. Printed in EIP-55 form, the only one that solvers take.
    pub fn address(&self) -> Address {
        self.0.address
    }

    /// The headers that sign every request of this wallet; computed once.
    pub fn request_headers(&self) -> &RequestHeaders {
        &self.0.headers
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wallet").field(&format_args!("{}", self.address())).finish()
    }
}

/// An error about a text that is no private key. `flaw` must not hold the text.
fn malformed(flaw: &str) -> Error {
    Error::new(ErrorKind::Wallet, "read private key")
        .with_message(flaw)
        .with_help("a private key has 64 hexadecimal digits, with or without 0x in front")
}

/// Reads a key in hexadecimal. The error says which rule is broken and never holds a part of the text.
fn parse(text: &str) -> Result<PrivateKeySigner, String> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let count = digits.chars().count();
    if count == 0 {
        return Err("is empty".into());
    }
    if let Some(place) = digits.chars().position(|character| !character.is_ascii_hexdigit()) {
        return Err(format!("has a character that is no hexadecimal digit, number {} of {count}", place + 1));
    }
    if count != 2 * KEY_LENGTH {
        let hint = if count == ADDRESS_DIGITS { ", which is the length of an address, not of a key" } else { "" };
        return Err(format!("has {count} hexadecimal digits instead of {}{hint}", 2 * KEY_LENGTH));
    }
    let mut key = Zeroizing::new([0_u8; KEY_LENGTH]);
    alloy::hex::decode_to_slice(digits, key.as_mut_slice()).map_err(|_| "is not hexadecimal")?;
    PrivateKeySigner::from_slice(key.as_slice()).map_err(|_| "is zero or too large to be a private key".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first account of every local test chain.
    const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

    /// Fails if `text` holds eight characters in a row of `secret`.
    #[track_caller]
    pub(super) fn assert_hides(text: &str, secret: &str) {
        for start in 0..secret.len().saturating_sub(7) {
            if let Some(part) = secret.get(start..start + 8) {
                assert!(!text.contains(part), "{text:?} holds a part of a secret");
            }
        }
    }

    #[test]
    fn a_key_is_taken_with_and_without_its_prefix_and_with_space_around() {
        for key in [KEY.to_owned(), format!("0x{KEY}"), format!(" \t0X{}\n", KEY.to_uppercase())] {
            assert_eq!(Wallet::from_hex(&key).unwrap().address().to_string(), ADDRESS);
        }
    }

    #[test]
    fn a_malformed_key_is_explained_without_being_repeated() {
        let with = |from: &str, to: &str| KEY.replacen(from, to, 1);
        for (key, reason) in [
            (String::new(), "is empty"),
            ("0x".into(), "is empty"),
            (KEY[..63].into(), "has 63 hexadecimal digits instead of 64"),
            (format!("0x{KEY}0"), "has 65 hexadecimal digits instead of 64"),
            (KEY[..40].into(), "is the length of an address"),
            (with("a", "g"), "no hexadecimal digit, number 1 of 64"),
            (with("c0974", "c 974"), "no hexadecimal digit, number 3 of 64"),
            (with("ac", "é"), "no hexadecimal digit, number 1 of 63"),
            ("0".repeat(64), "is zero or too large"),
            ("f".repeat(64), "is zero or too large"),
        ] {
            let error = Wallet::from_hex(&key).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Wallet);
            assert!(error.to_string().contains(reason), "{error}");
            for printed in [error.to_string(), format!("{error:?}")] {
                assert_hides(&printed, KEY);
                assert!(key.len() < 8 || !printed.contains(&key), "{printed}");
            }
        }
    }

    #[test]
    fn a_wallet_prints_its_address_and_nothing_else() {
        let wallet = Wallet::from_hex(KEY).unwrap();
        assert_eq!(format!("{wallet:?}"), format!("Wallet({ADDRESS})"));
        for printed in [format!("{wallet:?}"), format!("{wallet:#?}"), format!("{:?}", wallet.request_headers())] {
            assert_hides(&printed, KEY);
            assert_hides(&printed, wallet.request_headers().signature());
        }
    }

    #[test]
    fn our_own_variable_goes_before_the_one_of_the_reference_client() {
        let other = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
        let both = Environment::from([("WEB3_PRIVATE_KEY", other), ("LILYPAD_PRIVATE_KEY", KEY)]);
        assert_eq!(Wallet::from_environment(&both).unwrap().unwrap().address().to_string(), ADDRESS);
        let empty = Environment::from([("WEB3_PRIVATE_KEY", KEY), ("LILYPAD_PRIVATE_KEY", "")]);
        assert_eq!(Wallet::from_environment(&empty).unwrap().unwrap().address().to_string(), ADDRESS);
        assert!(Wallet::from_environment(&Environment::default()).unwrap().is_none());
    }

    #[test]
    fn a_malformed_key_of_the_environment_is_reported_by_its_variable() {
        let environment = Environment::from([("LILYPAD_PRIVATE_KEY", &KEY[1..])]);
        let error = Wallet::from_environment(&environment).unwrap_err();
        assert!(error.to_string().contains("LILYPAD_PRIVATE_KEY has 63 hexadecimal digits"), "{error}");
        assert_hides(&format!("{error} {error:?} {environment:?}"), KEY);
    }

    #[test]
    fn random_wallets_differ() {
        assert_ne!(Wallet::random().address(), Wallet::random().address());
    }
}
