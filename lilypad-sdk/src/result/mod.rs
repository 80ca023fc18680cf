//! The result of a job: received, verified, and in people's hands.
//!
//! A result travels as a tar. `receive` unpacks it while it arrives, hashing on the way, into a folder out of sight; compares the
//! folder's content id ([`unixfs`]) with the one that the provider vouched for; and only then moves it into place. What comes out
//! is `Verified`, a type that nothing else makes, and [`JobResult`] is built on it. The other way, [`pack_directory`] makes such
//! an archive.
//!
//! The archive comes from a stranger through a stranger. It may hold regular files and folders with plain names, nothing else; an
//! entry that tries more ends the unpacking with its name in the error, and nothing of the archive is kept. Names that start with a
//! dot are not covered by the content id, so they are left out and listed under [`JobResult::skipped`].

mod archive;
mod contents;
mod files;
mod job_result;
mod limits;
mod nearest;
mod pack;
mod receive;
mod reopen;
mod staging;
pub mod unixfs;
mod unpack;
mod verified;
mod walk;

pub use files::{ResultFile, ResultFiles};
pub use job_result::JobResult;
pub(crate) use job_result::read_exit_code;
pub use limits::UnpackLimits;
pub use pack::pack_directory;
pub(crate) use receive::{Destination, receive};
pub(crate) use reopen::reopen;
pub use staging::check_destination;
pub use unpack::unpack_directory;
pub(crate) use verified::Verified;

#[cfg(test)]
mod tests;
