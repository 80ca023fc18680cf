//! A job's input files: fetching and checking them.

use std::path::Path;

use futures_util::TryStreamExt;
use lilypad_sdk::module::InputFiles;
use lilypad_sdk::protocol::{self, DealId};
use lilypad_sdk::result::{UnpackLimits, unpack_directory};
use lilypad_sdk::{Error, ErrorKind, Result};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::Shared;
use super::job::blocking;

/// Whether a module wants files at all.
pub(super) fn are_wanted(files: &protocol::InputFiles) -> bool {
    let any = |names: &Option<Vec<String>>| names.as_ref().is_some_and(|names| !names.is_empty());
    any(&files.required) || any(&files.optional)
}

/// Fetches a deal's input files into `place`, which must not exist yet. It holds all of them or doesn't exist.
pub(super) async fn fetch(shared: &Shared, deal: &DealId, place: &Path) -> Result<()> {
    let archive = place.with_extension("tar");
    let failed = |source| Error::io("keep input files", &archive, source);
    // They came with the offer, so what the solver says about them now it will say again.
    let refused = |error: Error| if error.kind() == ErrorKind::Solver { error.permanent() } else { error };
    let mut chunks = shared.api.input_files(deal).await.map_err(refused)?;
    let mut file = File::create(&archive).await.map_err(failed)?;
    while let Some(chunk) = chunks.try_next().await? {
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;

    let (file, place) = (file.into_std().await, place.to_owned());
    let archive = archive.clone();
    blocking(move || {
        drop(file);
        let opened = std::fs::File::open(&archive).map_err(|source| Error::io("read input files", &archive, source))?;
        unpack_directory(opened, place, &UnpackLimits::default())
    })
    .await
}

/// Checks the files as the job creator should have: only what the module names, all that it needs, no programs.
pub(super) async fn check(place: &Path, wanted: &protocol::InputFiles) -> Result<()> {
    let (place, wanted) = (place.to_owned(), wanted.clone());
    blocking(move || InputFiles::from_folder(&place)?.check(&wanted).map(drop)).await
}
