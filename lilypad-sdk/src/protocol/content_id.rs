//! Content ids of records: CIDv0 of a dag-pb node that holds the record's JSON and no links.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::json;

/// Field 1 (*Data*), wire type 2 (length-delimited), of dag-pb's `PBNode`.
const PB_NODE_DATA: u8 = 0x0a;
/// Multihash prefix: sha2-256, 32 bytes.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// The content id of a record as it stands; its own `id` field must be empty (PROTOCOL.md, section 4).
///
/// Not UnixFS: the node's data is the JSON itself.
pub fn content_id<T: Serialize>(record: &T) -> String {
    of_bytes(&json::to_vec(record))
}

/// The content id of `data` held by one dag-pb node without links.
pub fn of_bytes(data: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update([PB_NODE_DATA]);
    hasher.update(uvarint(data.len() as u64).as_slice());
    hasher.update(data);
    cid_v0(hasher.finalize().into())
}

/// Writes a sha2-256 digest as CIDv0: `Qm…`.
pub fn cid_v0(digest: [u8; 32]) -> String {
    let mut multihash = [0u8; 34];
    multihash[..2].copy_from_slice(&SHA2_256);
    multihash[2..].copy_from_slice(&digest);
    bs58::encode(multihash).into_string()
}

/// Protocol buffers' variable-length integer: seven bits a byte, least significant first.
pub fn uvarint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(3);
    while value >= 0x80 {
        bytes.push((value as u8) | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ModuleConfig;

    #[test]
    fn long_data_has_a_length_of_several_bytes() {
        assert_eq!(uvarint(0), [0]);
        assert_eq!(uvarint(127), [127]);
        assert_eq!(uvarint(300), [0xac, 0x02]);
    }

    #[test]
    fn a_module_has_the_id_that_the_network_gives_it() {
        let module = ModuleConfig {
            name: String::new(),
            repo: "https://github.com/Lilypad-Tech/lilypad-module-cowsay".into(),
            hash: "v0.0.4".into(),
            path: "/lilypad_module.json.tmpl".into(),
        };
        assert_eq!(content_id(&module), "QmX9UaY3mYb34R7R5tjRGSDTsEgpkCvLajd5oneWi9uzBi");
    }
}
