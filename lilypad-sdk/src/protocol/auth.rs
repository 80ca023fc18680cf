//! Who is asking: the two headers that sign a request.
//!
//! The signature covers the address alone: no nonce, no time, no path. Whoever sees the pair once can use it for ever, so it is kept like
//! a key: it is never printed and is wiped when dropped.

use std::fmt;

use alloy::primitives::{Address, keccak256};
use alloy::signers::SignerSync;
use alloy::signers::k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use alloy::signers::local::PrivateKeySigner;
use alloy::signers::utils::public_key_to_address;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::json;

/// Header with the address of the one who asks.
pub const USER_HEADER: &str = "X-Lilypad-User";
/// Header with the signature over [`USER_HEADER`]'s content.
pub const SIGNATURE_HEADER: &str = "X-Lilypad-Signature";
/// Header with the version of the one who asks.
pub const VERSION_HEADER: &str = "X-Lilypad-Version";

/// Bytes of a signature: r, s and the recovery id.
const SIGNATURE_LENGTH: usize = 65;

/// The signed headers of one key, the same for every request.
#[derive(Clone)]
pub struct RequestHeaders {
    /// Base64 of the JSON with the address.
    user: String,
    /// Base64 of the signature over that JSON.
    signature: Zeroizing<String>,
}

impl RequestHeaders {
    /// Signs the address of `signer`.
    pub(crate) fn sign(signer: &PrivateKeySigner) -> Self {
        let user = format!(r#"{{"address":"{}"}}"#, signer.address());
        // The raw digest, without the prefix that wallets put before messages. RFC 6979 makes it the same each time.
        let signature = signer.sign_hash_sync(&keccak256(&user)).expect("a key signs every 32-byte digest");
        let mut bytes = Zeroizing::new(signature.as_bytes());
        // The wire has 0 or 1 here; Ethereum's usual 27 or 28 is refused.
        bytes[SIGNATURE_LENGTH - 1] = u8::from(signature.v());
        Self { user: STANDARD.encode(user), signature: Zeroizing::new(STANDARD.encode(bytes.as_slice())) }
    }

    /// Value of [`USER_HEADER`].
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Value of [`SIGNATURE_HEADER`]. A secret: mark the header as sensitive, never log it.
    pub fn signature(&self) -> &str {
        &self.signature
    }
}

impl fmt::Debug for RequestHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHeaders").finish_non_exhaustive()
    }
}

/// Why signed headers were not accepted. Its text is the answer's body, as the reference solver words it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// There is no user header.
    MissingUser,
    /// There is no signature header.
    MissingSignature,
    /// The user header is no base64; the number is the place of the first wrong byte.
    UserEncoding(usize),
    /// The user header holds no JSON with an address; the text says why.
    UserJson(String),
    /// The signature header is no base64; the number is the place of the first wrong byte.
    SignatureEncoding(usize),
    /// The signature has not 65 bytes.
    SignatureLength,
    /// The signature's last byte is above 3.
    RecoveryId,
    /// No key makes such a signature.
    Unrecoverable,
    /// Another key than the address's made the signature, or the address is not written in its EIP-55 form.
    WrongSigner,
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingUser => f.write_str("missing user header"),
            Self::MissingSignature => f.write_str("missing signature header"),
            Self::UserEncoding(at) => write!(f, "invalid user header illegal base64 data at input byte {at}"),
            Self::UserJson(why) => write!(f, "invalid user header {why}"),
            Self::SignatureEncoding(at) => {
                write!(f, "invalid user header or signature illegal base64 data at input byte {at}")
            }
            Self::SignatureLength => f.write_str("invalid user header or signature invalid signature length"),
            Self::RecoveryId => f.write_str("invalid user header or signature invalid signature recovery id"),
            Self::Unrecoverable => f.write_str("invalid user header or signature recovery failed"),
            Self::WrongSigner => f.write_str("invalid signature"),
        }
    }
}

impl std::error::Error for AuthError {}

/// The content of the user header.
#[derive(Deserialize, Default)]
#[serde(default)]
struct User {
    /// Who claims to ask.
    address: String,
}

/// The address, in EIP-55 form, that made the two headers. An absent header is given as the empty one.
///
/// # Errors
/// With the first thing that is wrong, in the order in which the reference solver looks.
pub fn recover(user: &[u8], signature: &[u8]) -> Result<String, AuthError> {
    if user.is_empty() {
        return Err(AuthError::MissingUser);
    }
    if signature.is_empty() {
        return Err(AuthError::MissingSignature);
    }
    let payload = decode_base64(user).map_err(AuthError::UserEncoding)?;
    let claimed: User = json::from_slice(&payload).map_err(|error| AuthError::UserJson(error.to_string()))?;
    let signature = decode_base64(signature).map_err(AuthError::SignatureEncoding)?;
    let signer = signer_of(&payload, &signature)?.to_string();
    if signer == claimed.address { Ok(signer) } else { Err(AuthError::WrongSigner) }
}

/// The address whose key signed the digest of `message`.
fn signer_of(message: &[u8], signature: &[u8]) -> Result<Address, AuthError> {
    let (id, numbers) = match signature.split_last() {
        Some((id, numbers)) if signature.len() == SIGNATURE_LENGTH => (*id, numbers),
        _ => return Err(AuthError::SignatureLength),
    };
    let id = RecoveryId::from_byte(id).ok_or(AuthError::RecoveryId)?;
    let signature = Signature::from_slice(numbers).map_err(|_| AuthError::Unrecoverable)?;
    // Both forms of s are taken by the reference; the library knows only the lower one, whose point is the mirrored one.
    let (signature, id) = match signature.normalize_s() {
        Some(lower) => (lower, RecoveryId::new(!id.is_y_odd(), id.is_x_reduced())),
        None => (signature, id),
    };
    let key = VerifyingKey::recover_from_prehash(keccak256(message).as_slice(), &signature, id)
        .map_err(|_| AuthError::Unrecoverable)?;
    Ok(public_key_to_address(&key))
}

/// Decodes padded base64 as Go does: line breaks are skipped, spare bits ignored. The error is the place that Go names.
fn decode_base64(text: &[u8]) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut group = 0_u32;
    let mut held = 0_usize;
    let mut rest = text.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    while let Some((at, byte)) = rest.next() {
        if byte == b'=' {
            match held {
                0 | 1 => return Err(at),
                2 => match rest.next() {
                    Some((_, b'=')) => {}
                    Some((other, _)) => return Err(other - 1),
                    None => return Err(text.len()),
                },
                _ => {}
            }
            if let Some((trailing, _)) = rest.next() {
                return Err(trailing);
            }
            group <<= 6 * (4 - held);
            bytes.extend_from_slice(&group.to_be_bytes()[1..held]);
            return Ok(bytes);
        }
        group = group << 6 | sextet(byte).ok_or(at)?;
        held += 1;
        if held == 4 {
            bytes.extend_from_slice(&group.to_be_bytes()[1..]);
            (group, held) = (0, 0);
        }
    }
    if held == 0 { Ok(bytes) } else { Err(text.len() - held) }
}

/// The six bits that a character of base64 stands for.
fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second account of every local test chain.
    const KEY: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
    const ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    fn signer() -> PrivateKeySigner {
        KEY.parse().unwrap()
    }

    /// Signs any text, with the recovery id raised by `raise`.
    fn signed(text: &str, raise: u8) -> (String, String) {
        let mut bytes = signer().sign_hash_sync(&keccak256(text)).unwrap().as_bytes();
        bytes[64] = bytes[64] - 27 + raise;
        (STANDARD.encode(text), STANDARD.encode(bytes))
    }

    #[test]
    fn what_a_key_signs_is_recovered_as_its_address() {
        let headers = RequestHeaders::sign(&signer());
        assert_eq!(recover(headers.user().as_bytes(), headers.signature().as_bytes()).unwrap(), ADDRESS);
    }

    #[test]
    fn headers_of_a_key_are_always_the_same() {
        let (one, two) = (RequestHeaders::sign(&signer()), RequestHeaders::sign(&signer()));
        assert_eq!((one.user(), one.signature()), (two.user(), two.signature()));
        assert!(STANDARD.decode(one.signature()).unwrap()[64] < 2);
    }

    #[test]
    fn a_header_pair_is_never_printed() {
        let headers = RequestHeaders::sign(&signer());
        let printed = format!("{headers:?} {headers:#?}");
        assert!(!printed.contains(headers.signature()) && !printed.contains(headers.user()), "{printed}");
    }

    #[test]
    fn both_forms_of_a_signature_are_recovered() {
        let (user, signature) = signed(&format!(r#"{{"address":"{ADDRESS}"}}"#), 0);
        let bytes = STANDARD.decode(signature).unwrap();
        let lower = Signature::from_slice(&bytes[..64]).unwrap();
        let mirrored = Signature::from_scalars(lower.r().to_bytes(), (-*lower.s()).to_bytes()).unwrap();
        let mut other = mirrored.to_bytes().to_vec();
        other.push(1 - bytes[64]);
        assert_eq!(recover(user.as_bytes(), STANDARD.encode(other).as_bytes()).unwrap(), ADDRESS);
    }

    #[test]
    fn the_address_is_read_as_go_reads_it() {
        for text in [
            format!(r#" {{"ADDRESS":"{ADDRESS}"}} "#),
            format!(r#"{{"address":"0x0","more":[1],"Address":"{ADDRESS}"}}"#),
            format!(r#"{{"address":"{ADDRESS}","address":null}}"#),
        ] {
            let (user, signature) = signed(&text, 0);
            assert_eq!(recover(user.as_bytes(), signature.as_bytes()).unwrap(), ADDRESS, "{text}");
        }
    }

    #[test]
    fn every_refusal_has_the_words_of_the_reference_solver() {
        let good = format!(r#"{{"address":"{ADDRESS}"}}"#);
        let (user, signature) = signed(&good, 0);
        let (_, raised) = signed(&good, 27);
        let (lower, lower_signature) = signed(&good.to_lowercase(), 0);
        let zeros = STANDARD.encode([0; 65]);
        for (user, signature, text) in [
            ("", signature.as_str(), "missing user header"),
            (&user, "", "missing signature header"),
            ("", "", "missing user header"),
            ("!!", &signature, "invalid user header illegal base64 data at input byte 0"),
            ("bm90IGpzb24=", &signature, "invalid user header "),
            (&user, "!!", "invalid user header or signature illegal base64 data at input byte 0"),
            (&user, "AAAA", "invalid user header or signature invalid signature length"),
            (&user, &raised, "invalid user header or signature invalid signature recovery id"),
            (&user, &zeros, "invalid user header or signature recovery failed"),
            ("e30=", &signature, "invalid signature"),
            (&lower, &lower_signature, "invalid signature"),
        ] {
            let error = recover(user.as_bytes(), signature.as_bytes()).unwrap_err().to_string();
            if text.ends_with(' ') {
                assert!(error.starts_with(text), "{error}");
            } else {
                assert_eq!(error, text);
            }
        }
    }

    #[test]
    fn base64_goes_wrong_at_the_byte_that_go_names() {
        for (text, place) in [
            ("A", 0),
            ("AB", 0),
            ("ABC", 0),
            ("ABCDE", 4),
            ("A===", 1),
            ("=", 0),
            ("AB=", 3),
            ("AB=C", 2),
            ("ABC=D", 4),
            ("AB==AA", 4),
            ("AB==\nA", 5),
            ("AB\n", 1),
            ("ABCD*", 4),
            ("AB*D", 2),
            ("ABC\u{e9}", 3),
        ] {
            assert_eq!(decode_base64(text.as_bytes()), Err(place), "{text:?}");
        }
    }

    #[test]
    fn base64_is_taken_where_go_takes_it() {
        for (text, bytes) in [
            ("", ""),
            ("aGk=", "hi"),
            ("aGl=", "hi"),
            ("aA==", "h"),
            ("aP==", "h"),
            ("aGkh", "hi!"),
            ("a\nG\rk\n=\n", "hi"),
            ("aA=\n=", "h"),
        ] {
            assert_eq!(decode_base64(text.as_bytes()).unwrap(), bytes.as_bytes(), "{text:?}");
        }
    }
}
