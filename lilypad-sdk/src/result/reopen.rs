//! A result that is on disk already, from before a crash.

use std::path::Path;

use super::contents::Contents;
use super::files::ResultFiles;
use super::unixfs;
use super::verified::Verified;
use super::walk::{Hidden, Step, Walk};
use crate::error::Result;
use crate::protocol::DataId;

/// What errors say was being done.
const OPERATION: &str = "look for the result";

/// The result with the id `expected`, if it lies in `folder`. `None` if there is nothing, or something else. Reads all of it. Blocks.
///
/// # Errors
///
/// Of kind [`Io`](crate::error::ErrorKind::Io) when the folder cannot be read.
pub(crate) fn reopen(folder: &Path, expected: &DataId) -> Result<Option<Verified<ResultFiles>>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let mut contents = Contents::default();
    for step in Walk::new(folder, Hidden::Skip, OPERATION)? {
        let (list, found) = match step? {
            Step::Enter(found) if found.relative.as_os_str().is_empty() => continue,
            Step::Enter(found) => (None, found),
            Step::File(found) => (Some(found.metadata.len()), found),
            Step::Link(_) => return Ok(None),
            Step::Leave(_) => continue,
        };
        let Some(name) = found.slashed() else { return Ok(None) };
        match list {
            Some(size) => contents.files.push((name, size)),
            None => contents.folders.push(name),
        }
    }
    contents.sort();
    let data_id = unixfs::cid_of_path(folder)?;
    let files = ResultFiles::new(folder.to_owned(), None, contents, data_id);
    Ok(Verified::check_files(files, expected).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_for_a_result_only_if_it_is_that() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("outputs")).unwrap();
        std::fs::write(folder.path().join("outputs/a.txt"), "a").unwrap();
        std::fs::write(folder.path().join("exitCode"), "0").unwrap();
        let id = unixfs::cid_of_path(folder.path()).unwrap();
        let files = reopen(folder.path(), &id).unwrap().unwrap();
        assert_eq!(files.iter().map(|file| file.path().to_owned()).collect::<Vec<_>>(), ["exitCode", "outputs/a.txt"]);
        assert!(reopen(&folder.path().join("none"), &id).unwrap().is_none());
        std::fs::write(folder.path().join("outputs/a.txt"), "b").unwrap();
        assert!(reopen(folder.path(), &id).unwrap().is_none());
    }
}
