//! What the SDK is compared with: the same rules, written apart from it, and Go itself where it is installed.

pub mod content_id;
pub mod go;
pub mod json;
pub mod shape;
pub mod unixfs;
pub mod wire;
