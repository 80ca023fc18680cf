//! What targets are tried on.

pub mod archive;
pub mod damage;
pub mod json;
pub mod random;
pub mod template;
pub mod tree;

pub use random::Random;
