//! Tokens for the validation service.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use lilypad_sdk::protocol::json;
use serde::Serialize;
use sha2::Sha256;

/// How long a token is good for, in seconds: a week.
const LIFETIME: i64 = 604_800;

/// Signs tokens with a secret of this solver's own.
pub(super) struct TokenSigner {
    /// Known to nobody else.
    secret: [u8; 32],
}

/// The token's header, in the order in which the reference solver writes it.
#[derive(Serialize)]
struct Header {
    /// How it is signed.
    alg: &'static str,
    /// With which key.
    kid: &'static str,
    /// What it is.
    typ: &'static str,
}

/// The token's claims, in the order in which the reference solver writes them.
#[derive(Serialize)]
struct Claims {
    /// For whom it is.
    aud: &'static str,
    /// When it ends.
    exp: i64,
    /// When it was made.
    iat: i64,
    /// Who made it.
    iss: &'static str,
    /// Tells it from all others.
    jti: String,
    /// What it allows.
    scope: &'static str,
    /// Whose it is.
    sub: String,
}

/// The answer to a request for a token.
#[derive(Debug, Serialize)]
pub(super) struct ValidationToken {
    /// The token.
    #[serde(rename = "JWT")]
    jwt: String,
}

impl TokenSigner {
    /// A signer with a new secret.
    pub(super) fn new() -> Self {
        Self { secret: rand::random() }
    }

    /// A token for whoever owns `address`, made at `now` in milliseconds since 1970.
    pub(super) fn sign(&self, address: &str, now: i64) -> ValidationToken {
        let issued = now.div_euclid(1000);
        let claims = Claims {
            aud: "kafka-broker",
            exp: issued + LIFETIME,
            iat: issued,
            iss: "kafka-auth",
            jti: random_uuid(),
            scope: "kafka-cluster",
            sub: format!("rp_{address}"),
        };
        let header = Header { alg: "HS256", kid: "solver", typ: "JWT" };
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(json::to_vec(&header)),
            URL_SAFE_NO_PAD.encode(json::to_vec(&claims))
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        ValidationToken { jwt: format!("{signed}.{signature}") }
    }
}

impl std::fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSigner").finish_non_exhaustive()
    }
}

/// A random UUID, version 4.
fn random_uuid() -> String {
    let bits = (rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_owner_and_its_week() {
        let signer = TokenSigner::new();
        let token = signer.sign("0xabc", 1_795_366_976_000).jwt;
        let parts: Vec<_> = token.split('.').collect();
        let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(text(parts[0]), r#"{"alg":"HS256","kid":"solver","typ":"JWT"}"#);
        let claims = text(parts[1]);
        assert!(
            claims.starts_with(r#"{"aud":"kafka-broker","exp":1795971776,"iat":1795366976,"iss":"kafka-auth","jti":""#)
        );
        assert!(claims.ends_with(r#"","scope":"kafka-cluster","sub":"rp_0xabc"}"#));
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 32);
        assert!(!format!("{signer:?}").contains("secret"));
    }

    #[test]
    fn an_uuid_says_that_it_is_random() {
        let uuid = random_uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]));
    }
}
