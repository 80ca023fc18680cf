//! JSON as Go's `encoding/json` writes and reads it.
//!
//! Types are plain `serde` types: fields in wire order, `#[serde(default)]` on every struct, `Option<Vec<_>>` and
//! `Option<BTreeMap<_, _>>` where Go has a slice or a map that can be nil.

mod de;
mod error;
mod read;
mod write;

pub use error::{Error, ErrorClass};
pub use write::{to_string, to_vec};

use serde::de::DeserializeOwned;

/// Reads a value by Go's rules: keys match without regard to case, unknown keys are skipped, the last duplicate wins (records and lists
/// are read one over the other), `null` leaves a field at its zero value.
///
/// # Errors
/// [`ErrorClass::Syntax`] if `bytes` is not JSON, [`ErrorClass::Type`] if it does not fit `T`; both say where.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let node = read::parse(bytes).map_err(|error| error.locate(bytes))?;
    T::deserialize(de::Reader(&[&node])).map_err(|error| error.locate(bytes))
}

/// [`from_slice`] for text.
///
/// # Errors
/// As [`from_slice`].
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_slice(text.as_bytes())
}

#[cfg(test)]
mod tests;
