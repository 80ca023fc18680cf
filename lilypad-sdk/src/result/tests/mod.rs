//! What a result promises, on real folders and archives.

mod handing_out;
mod malicious;
mod packing;
mod receiving;
mod tarball;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream;

use super::{Destination, ResultFiles, UnpackLimits, Verified, receive};
use crate::error::{Error, Result};
use crate::protocol::DataId;

/// A content id that no archive of these tests has.
const OTHER_ID: &str = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";

/// Receives an archive that arrives in these pieces.
async fn receive_pieces(
    pieces: impl IntoIterator<Item = Bytes>,
    destination: Destination,
    expected: &DataId,
) -> Result<Verified<ResultFiles>> {
    let pieces: Vec<_> = pieces.into_iter().map(Ok::<_, Error>).collect();
    let mut limits = UnpackLimits::default();
    (limits.max_bytes, limits.max_entries) = (64 * 1024 * 1024, 10_000);
    receive(stream::iter(pieces), destination, expected, &limits, |_| Ok(())).await
}

/// Everything at and below `folder`: paths, with the content of files and the targets of links.
fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            open.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            found.insert(name + "/", Vec::new());
        } else if metadata.is_symlink() {
            found.insert(name + "@", path.read_link().unwrap().into_os_string().into_encoded_bytes());
        } else {
            found.insert(name, std::fs::read(path).unwrap());
        }
    }
    found
}

/// Makes files in `folder`; a path that ends with `/` is an empty folder.
fn make(folder: &Path, files: &[(&str, &[u8])]) {
    for (name, content) in files {
        let path = folder.join(name);
        if name.ends_with('/') {
            std::fs::create_dir_all(path).unwrap();
        } else {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
    }
}
