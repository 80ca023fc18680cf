//! The ids that must not be mixed up.
//!
//! All of them are CIDv0 strings (`Qm…`, base58 of a sha2-256 multihash). A [`JobId`] names a job offer, a [`DealId`] a deal, a
//! [`DataId`] the folder of a result.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// Whether `text` is a CIDv0: base58btc of a sha2-256 multihash (`0x12 0x20` and 32 bytes).
pub fn is_cid_v0(text: &str) -> bool {
    let mut bytes = [0u8; 34];
    text.len() == 46 && matches!(bs58::decode(text).onto(&mut bytes), Ok(34)) && bytes[0] == 0x12 && bytes[1] == 0x20
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                if is_cid_v0(text) {
                    return Ok(Self(text.into()));
                }
                Err(Error::new(ErrorKind::InvalidInput, concat!("read ", $what, " id"))
                    .with_message(format_args!("`{text}` is not a content id"))
                    .with_help("a content id starts with Qm and has 46 characters"))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }
    };
}

id!(
    /// A job: the content id of its offer, known before the offer leaves.
    JobId,
    "job"
);
id!(
    /// A deal: the content id of the solver's match of a job offer and a resource offer.
    DealId,
    "deal"
);
id!(
    /// A result's data: the CIDv0 of its folder, as `ipfs add -Qrn` gives it.
    DataId,
    "data"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_checked_when_it_is_read() {
        assert!("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn".parse::<JobId>().is_ok());
        for bad in [
            "",
            "QmX",
            "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N0",
            "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
        ] {
            let error = bad.parse::<JobId>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(bad), "{error}");
        }
    }
}
