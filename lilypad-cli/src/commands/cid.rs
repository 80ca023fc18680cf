//! `lilypad cid`: content ids of files and folders.

use std::process::ExitCode;

use lilypad_sdk::Result;

use super::print;
use crate::args::CidArguments;

/// Prints the content id of a file or folder.
pub(crate) fn run(arguments: &CidArguments) -> Result<ExitCode> {
    let id = lilypad_sdk::result::unixfs::cid_of_path(&arguments.path)?;
    print(format!("{id}\n").as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
