//! Encrypted keystore files, version 3.

use std::io::Write;
use std::path::Path;

use alloy::signers::local::{LocalSignerError, PrivateKeySigner};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// What is being done, for errors.
const OPERATION: &str = "open keystore";
/// Memory that unlocking may take. geth's keystores take 256 MiB.
const MAX_SCRYPT_MEMORY: u128 = 1 << 30;
/// Rounds of scrypt's mixing that unlocking may take. geth's keystores take 1 (or 6, with little memory).
const MAX_SCRYPT_PARALLELISM: u32 = 16;
/// Iterations that unlocking may take. Wallets use about 262,144.
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;
/// Bytes of the derived key, the only number that makes sense: half is for the cipher, half for the checksum.
const DERIVED_KEY_LENGTH: u32 = 32;

/// Decrypts the key in the keystore at `path`.
pub(super) fn decrypt(path: &Path, password: &[u8]) -> Result<PrivateKeySigner> {
    let refuse =
        |why: &str| Error::new(ErrorKind::Wallet, OPERATION).with_message(format_args!("{}: {why}", path.display()));
    let text = std::fs::read(path).map_err(|source| Error::io(OPERATION, path, source))?;
    // Only the place, not the parser's words: they repeat the value, and people point this at files that hold a bare key.
    let mut file: Value = serde_json::from_slice(&text).map_err(|error| {
        refuse(&format!("not JSON at line {} column {}", error.line(), error.column()))
            .with_help("a keystore is a JSON file of version 3; give a bare key as a private key instead")
    })?;
    let rewritten = lower_crypto(&mut file);
    check(&file).map_err(|why| refuse(&why))?;

    // The decryption takes a path, and knows `crypto` in lower case alone.
    let decrypted = if rewritten {
        let copy = rewrite(&file).map_err(|source| Error::io(OPERATION, &std::env::temp_dir(), source))?;
        PrivateKeySigner::decrypt_keystore(copy.path(), password)
    } else {
        PrivateKeySigner::decrypt_keystore(path, password)
    };
    decrypted.map_err(|error| match error {
        LocalSignerError::EthKeystoreError(cause) if cause.to_string() == "Mac Mismatch" => {
            refuse("the password is wrong, or the file was changed")
        }
        LocalSignerError::EcdsaError(_) => refuse("what it holds is no private key"),
        _ => refuse("its fields are not those of a keystore of version 3"),
    })
}

/// Renames the field `Crypto`, as ethers writes it, to `crypto`. Says whether it had to.
fn lower_crypto(file: &mut Value) -> bool {
    let Some(fields) = file.as_object_mut() else { return false };
    match fields.remove("Crypto") {
        Some(crypto) if !fields.contains_key("crypto") => fields.insert("crypto".into(), crypto).is_none(),
        _ => false,
    }
}

/// Writes the file, still encrypted, where only this user can read it and until it is dropped.
fn rewrite(file: &Value) -> std::io::Result<tempfile::NamedTempFile> {
    let mut copy = tempfile::NamedTempFile::new()?;
    copy.write_all(file.to_string().as_bytes())?;
    copy.flush()?;
    Ok(copy)
}

/// The part of a keystore that is checked before it is decrypted.
#[derive(Deserialize)]
struct Crypto {
    /// Name of the cipher.
    cipher: String,
    /// Where the cipher starts.
    cipherparams: CipherParameters,
    /// The encrypted key, in hexadecimal.
    ciphertext: String,
    /// Checksum that tells a wrong password, in hexadecimal.
    mac: String,
    /// How the password becomes a key.
    #[serde(flatten)]
    derivation: Derivation,
}

/// Where the cipher starts.
#[derive(Deserialize)]
struct CipherParameters {
    /// Sixteen bytes in hexadecimal.
    iv: String,
}

/// How the password becomes a key.
#[derive(Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
enum Derivation {
    /// Costs memory.
    Scrypt {
        /// Bytes to derive.
        dklen: u32,
        /// Cost: a power of two.
        n: u32,
        /// Size of a block.
        r: u32,
        /// Parallelism.
        p: u32,
    },
    /// Costs time.
    Pbkdf2 {
        /// Bytes to derive.
        dklen: u32,
        /// Iterations.
        c: u32,
        /// Name of the hash.
        prf: String,
    },
}

/// Refuses what the decryption would panic on, or spend hours or all memory on. The error is in words, without any value of the file.
fn check(file: &Value) -> Result<(), String> {
    if file.get("version").and_then(Value::as_u64) != Some(3) {
        return Err("not a keystore of version 3".into());
    }
    let crypto = file.get("crypto").ok_or("the field `crypto` is missing")?;
    let crypto =
        Crypto::deserialize(crypto).map_err(|_| "the fields of `crypto` are not those of a keystore of version 3")?;
    if crypto.cipher != "aes-128-ctr" {
        return Err("its cipher is not aes-128-ctr".into());
    }
    for (name, text, length) in
        [("iv", &crypto.cipherparams.iv, 16), ("ciphertext", &crypto.ciphertext, 32), ("mac", &crypto.mac, 32)]
    {
        if text.len() != 2 * length || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("its `{name}` is not {length} bytes in hexadecimal"));
        }
    }
    let (dklen, fits) = match crypto.derivation {
        Derivation::Scrypt { dklen, n, r, p } => {
            let memory = 128 * u128::from(n) * u128::from(r);
            let sound = n >= 2 && n.is_power_of_two() && r > 0 && p > 0;
            (dklen, sound && memory <= MAX_SCRYPT_MEMORY && p <= MAX_SCRYPT_PARALLELISM)
        }
        Derivation::Pbkdf2 { dklen, c, prf } => {
            (dklen, prf == "hmac-sha256" && (1..=MAX_PBKDF2_ITERATIONS).contains(&c))
        }
    };
    if dklen != DERIVED_KEY_LENGTH || !fits {
        return Err("its key derivation is unsound or asks for more work than any wallet does".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Wallet;
    use super::super::tests::assert_hides;
    use super::*;

    const PASSWORD: &str = "open sesame";
    /// The third account of every local test chain.
    const KEY: &str = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
    const ADDRESS: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    /// That key under [`PASSWORD`], as ethers encrypts it, with the least work that scrypt knows.
    const KEYSTORE: &str = r#"{"address":"3c44cdddb6a900fa2b585dd299e03d12fa4293bc","id":"23f9ce3f-cb46-462b-81ea-3f28b60b3690",
        "version":3,"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"03ea8e3ec8cb5037c286df8075fa3d54"},
        "ciphertext":"14bbf0a61e0d149b48df75407187c7d8955c6348324fd30a8c8558cc0f1757d6",
        "kdf":"scrypt","kdfparams":{"salt":"d838cc889c446c48e8e8cfbf4a5318c6edf823a5a61c559a74a02180138e3838","n":2,"dklen":32,"p":1,"r":8},
        "mac":"30539bed019ce52771aa68370ce56110a9aa2a02803fb79e91474a5d045bd22f"}}"#;

    fn keystore() -> Value {
        serde_json::from_str(KEYSTORE).unwrap()
    }

    fn open(file: &[u8], password: &str) -> Result<Wallet> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        std::fs::write(&path, file).unwrap();
        Wallet::from_keystore(&path, password)
    }

    #[test]
    fn the_right_password_opens_a_keystore() {
        let wallet = open(KEYSTORE.as_bytes(), PASSWORD).unwrap();
        assert_eq!(wallet.address().to_string(), ADDRESS);
    }

    #[test]
    fn a_keystore_with_a_capital_letter_opens_too() {
        let mut file = keystore();
        let crypto = file.as_object_mut().unwrap().remove("crypto").unwrap();
        file["Crypto"] = crypto;
        assert_eq!(open(file.to_string().as_bytes(), PASSWORD).unwrap().address().to_string(), ADDRESS);
    }

    #[test]
    fn a_wrong_password_is_called_that() {
        let error = open(KEYSTORE.as_bytes(), "open barley").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Wallet);
        assert!(error.to_string().contains("the password is wrong"), "{error}");
        assert!(error.to_string().contains("key.json"), "{error}");
        assert!(!format!("{error} {error:?}").contains("barley"));
    }

    #[test]
    fn a_file_with_a_bare_key_is_refused_without_being_repeated() {
        for text in [KEY.to_owned(), format!("\"{KEY}\""), format!("{{\"version\":3,\"crypto\":\"{KEY}\"}}")] {
            let error = open(text.as_bytes(), PASSWORD).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Wallet);
            assert_hides(&format!("{error} {error:?}"), KEY);
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Wallet::from_keystore("/no/such/keystore", PASSWORD).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("/no/such/keystore"), "{error}");
    }

    #[test]
    fn a_damaged_or_greedy_keystore_is_refused_before_any_work() {
        for (pointer, value, reason) in [
            ("/version", json!(1), "version 3"),
            ("/crypto/cipher", json!("aes-256-gcm"), "aes-128-ctr"),
            ("/crypto/cipherparams/iv", json!("00"), "`iv` is not 16 bytes"),
            ("/crypto/ciphertext", json!(""), "`ciphertext` is not 32 bytes"),
            ("/crypto/mac", json!("zz"), "`mac` is not 32 bytes"),
            ("/crypto/kdf", json!("argon2"), "fields of `crypto`"),
            ("/crypto/kdfparams/dklen", json!(16), "key derivation"),
            ("/crypto/kdfparams/n", json!(1 << 30), "key derivation"),
            ("/crypto/kdfparams/n", json!(3), "key derivation"),
            ("/crypto/kdfparams/r", json!(0), "key derivation"),
            ("/crypto/kdfparams/p", json!(17), "key derivation"),
            ("/id", json!("no id"), "not those of a keystore"),
        ] {
            let mut file = keystore();
            *file.pointer_mut(pointer).unwrap() = value;
            let error = open(file.to_string().as_bytes(), PASSWORD).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Wallet);
            assert!(error.to_string().contains(reason), "{pointer}: {error}");
        }
    }
}
