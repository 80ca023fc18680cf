//! `archives`: results are unpacked as other readers unpack them, and what lies or tries something leaves nothing behind.
//!
//! Everything goes through the path of a job's result: pieces from a stream, the unpacker, the check of the id, the move into place.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use lilypad_sdk::fuzzing::receive_result;
use lilypad_sdk::protocol::DataId;
use lilypad_sdk::result::unixfs::cid_of_path;
use lilypad_sdk::result::{UnpackLimits, unpack_directory};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::Target;
use crate::failure::{Outcome, guarded};
use crate::generate::tree::{Paths, Tree};
use crate::generate::{Random, archive};

/// Where memory is a file system.
const MEMORY: &str = "/dev/shm";
/// What must never change.
const CANARY: &[u8] = b"sings";

/// The target: one folder, in which everything happens.
pub(super) struct Archives {
    /// Runs what waits.
    runtime: Runtime,
    /// The folder.
    sandbox: TempDir,
    /// What archives may hold.
    limits: UnpackLimits,
}

impl Archives {
    /// Makes the folder and its surroundings.
    pub(super) fn new() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("could not prepare a folder for archives: {error}");
        let mut builder = tempfile::Builder::new();
        builder.prefix("lilypad-fuzz-");
        let sandbox = builder.tempdir_in(MEMORY).or_else(|_| builder.tempdir()).map_err(failed)?;
        std::fs::create_dir(sandbox.path().join("outside")).map_err(failed)?;
        std::fs::write(sandbox.path().join("outside/canary"), CANARY).map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(failed)?;
        let mut limits = UnpackLimits::default();
        (limits.max_bytes, limits.max_entries) = (256 << 20, 5_000);
        Ok(Self { runtime, sandbox, limits })
    }

    /// Where results go.
    fn result(&self) -> PathBuf {
        self.sandbox.path().join("result")
    }

    /// Unpacks as a result that promises `expected`, or without a promise. The error is why it was refused.
    fn unpack(&self, pieces: Vec<Bytes>, expected: Option<&DataId>) -> Result<(), String> {
        let refused = |error: lilypad_sdk::Error| error.to_string();
        match expected {
            Some(expected) => {
                let folder = self.result();
                let receiving = receive_result(pieces, &folder, expected, &self.limits);
                self.runtime.block_on(receiving).map(drop).map_err(refused)
            }
            None => unpack_directory(&pieces.concat()[..], self.result(), &self.limits).map_err(refused),
        }
    }

    /// Takes what was unpacked off the disk, and checks that nothing else changed.
    fn take(&self) -> Result<Option<Tree>, String> {
        let result = self.result();
        let found = if result.symlink_metadata().is_ok() { Some(Tree::on_disk(&result)?) } else { None };
        if found.is_some() {
            std::fs::remove_dir_all(&result).map_err(|error| format!("could not remove the result: {error}"))?;
        }
        let Tree::Folder(around) = Tree::on_disk(self.sandbox.path())? else {
            return Err("the sandbox is gone".into());
        };
        let outside = Tree::Folder(BTreeMap::from([("canary".to_owned(), Tree::File(CANARY.to_vec()))]));
        if around != BTreeMap::from([("outside".to_owned(), outside)]) {
            return Err(format!("something was written beside the result: {:?}", Tree::Folder(around).paths().keys()));
        }
        Ok(found)
    }

    /// An honest archive is taken, and gives the tree that was packed.
    fn check_honest(&self, tree: &Tree, bytes: &[u8], pieces: Vec<Bytes>, random: &mut Random) -> Outcome {
        let promised = random.once_in(2);
        let expected: DataId = tree.block(true).id().parse().map_err(|error| format!("the reference's id: {error}"))?;
        self.unpack(pieces, promised.then_some(&expected)).map_err(|reason| format!("it is refused: {reason}"))?;
        if promised && random.once_in(8) && cid_of_path(self.result()).ok() != Some(expected) {
            return Err("the folder on disk has another id".into());
        }
        let found = self.take()?.ok_or("nothing was unpacked")?;
        let should_be = if promised { tree.visible() } else { tree.clone() };
        if found != should_be {
            return Err(format!("it should hold something else: {}", difference(&found.paths(), &should_be.paths())));
        }
        if !tar_can_read(bytes) {
            return Ok(());
        }
        if random.once_in(16) {
            let theirs = self.sandbox.path().join("result");
            tar::Archive::new(bytes).unpack(&theirs).map_err(|error| format!("`tar` refuses it: {error}"))?;
            let theirs = readable(&theirs).and_then(|()| self.take())?;
            // Without any entry, that reader makes no folder.
            if theirs.is_some_and(|theirs| theirs != *tree) {
                return Err("`tar` unpacks something else".into());
            }
            return Ok(());
        }
        let theirs = read_with_tar(bytes).map_err(|error| format!("`tar` refuses it: {error}"))?;
        let ours = tree.paths();
        if theirs == ours { Ok(()) } else { Err(format!("`tar` reads something else: {}", difference(&ours, &theirs))) }
    }

    /// Whatever an archive is: it stays inside, and what is taken is what was promised, or what another reader sees.
    fn check_twisted(&self, bytes: &[u8], pieces: Vec<Bytes>, expected: Option<&DataId>) -> Outcome {
        let outcome = guarded(|| Ok(self.unpack(pieces, expected)));
        let found = self.take()?;
        match (outcome?, found, expected) {
            (Err(_), None, _) => Ok(()),
            (Err(reason), Some(_), _) => Err(format!("it is refused ({reason}), but something of it stays")),
            (Ok(()), None, _) => Err("it is taken, but nothing is there".into()),
            (Ok(()), Some(tree), Some(expected)) => {
                if tree.visible() != tree {
                    return Err("something that no id covers was unpacked".into());
                }
                let id = tree.block(false).id();
                if id == expected.as_str() {
                    Ok(())
                } else {
                    Err(format!("it promises {expected}, but {id} was taken"))
                }
            }
            (Ok(()), Some(_), None) if !tar_can_read(bytes) => Ok(()),
            (Ok(()), Some(tree), None) => match read_with_tar(bytes) {
                Ok(theirs) if theirs == tree.paths() => Ok(()),
                Ok(theirs) => Err(format!("`tar` sees something else: {}", difference(&tree.paths(), &theirs))),
                Err(error) => Err(format!("it is taken, but `tar` refuses it: {error}")),
            },
        }
    }
}

impl Target for Archives {
    fn case(&mut self, number: u64, random: &mut Random) -> Outcome {
        let tree = Tree::folder(random, number);
        let mut bytes = archive::pack(random, &tree);
        let outcome = if random.once_in(3) {
            let pieces = cut(random, &bytes);
            guarded(|| self.check_honest(&tree, &bytes, pieces, random))
        } else {
            let expected: DataId =
                tree.block(true).id().parse().map_err(|error| format!("the reference's id: {error}"))?;
            let outside = self.sandbox.path().join("outside").display().to_string();
            archive::twist(random, &mut bytes, &outside);
            let (pieces, promised) = (cut(random, &bytes), random.once_in(2));
            guarded(|| self.check_twisted(&bytes, pieces, promised.then_some(&expected)))
        };
        outcome.map_err(|failure| {
            // The next case starts afresh.
            let _ = std::fs::remove_dir_all(self.result());
            format!("{failure}\n  headers: {:?}", outline(&bytes))
        })
    }
}

/// Bytes in pieces of any size, as networks deliver them.
fn cut(random: &mut Random, bytes: &[u8]) -> Vec<Bytes> {
    let (mut pieces, mut rest) = (Vec::new(), Bytes::copy_from_slice(bytes));
    while !rest.is_empty() {
        let most = [1, 600, 5_000, 100_000][random.few(4)];
        let length = if pieces.len() < 20 { rest.len().min(1 + random.below(most)) } else { rest.len() };
        pieces.push(rest.split_to(length));
    }
    pieces
}

/// What the crate `tar` reads, without a disk.
fn read_with_tar(bytes: &[u8]) -> Result<Paths, String> {
    let mut paths = Paths::new();
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let name = String::from_utf8(entry.path_bytes().into_owned()).map_err(|error| error.to_string())?;
        let name = name.strip_prefix("./").unwrap_or(&name);
        let name = name.strip_suffix('/').unwrap_or(name);
        for (at, _) in name.match_indices('/') {
            paths.insert(name[..at].to_owned(), None);
        }
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            if !matches!(name, "" | ".") {
                paths.insert(name.to_owned(), None);
            }
        } else if kind.is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(|error| error.to_string())?;
            paths.insert(name.to_owned(), Some(content));
        } else {
            return Err(format!("an entry of type {:?}", kind.as_byte()));
        }
    }
    Ok(paths)
}

/// Whether the crate `tar` can read all extended headers: it cuts them at line feeds, though lengths are what counts.
fn tar_can_read(bytes: &[u8]) -> bool {
    let blocks =
        bytes.chunks_exact(512).enumerate().filter(|(_, block)| block[257..262] == *b"ustar" && block[156] == b'x');
    blocks.into_iter().all(|(at, block)| {
        let digits = block[124..135].iter().take_while(|byte| byte.is_ascii_digit());
        let size = digits.fold(0usize, |size, digit| size * 8 + usize::from(digit - b'0'));
        let records = bytes.get((at + 1) * 512..).unwrap_or_default();
        let records = &records[..size.min(records.len())];
        records.split_inclusive(|byte| *byte == b'\n').all(|line| {
            let length = line.split(|byte| *byte == b' ').next().unwrap_or_default();
            std::str::from_utf8(length).ok().and_then(|length| length.parse().ok()) == Some(line.len())
        })
    })
}

/// Where two trees differ.
fn difference(ours: &Paths, theirs: &Paths) -> String {
    let shown = |content: Option<&Option<Vec<u8>>>| match content {
        None => "nothing".to_owned(),
        Some(None) => "a folder".to_owned(),
        Some(Some(bytes)) => format!("a file of {} bytes", bytes.len()),
    };
    let paths: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let differ = paths.into_iter().filter(|path| ours.get(*path) != theirs.get(*path)).take(5);
    let told: Vec<_> =
        differ.map(|path| format!("{path:?} is {}, not {}", shown(ours.get(path)), shown(theirs.get(path)))).collect();
    told.join("; ")
}

/// Gives the owner back what modes in an archive took away.
fn readable(path: &Path) -> Result<(), String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).map_err(failed)?;
        if metadata.is_dir() {
            for entry in path.read_dir().map_err(failed)? {
                readable(&entry.map_err(failed)?.path())?;
            }
        }
    }
    Ok(())
}

/// The headers of an archive: type, name and size as they stand.
fn outline(bytes: &[u8]) -> Vec<String> {
    let blocks = bytes.chunks_exact(512).filter(|block| block[257..262] == *b"ustar").take(40);
    blocks
        .map(|block| {
            let text = |from: usize, to: usize| {
                block[from..to].split(|byte| *byte == 0).next().unwrap_or_default().escape_ascii()
            };
            format!("{} {} {}", char::from(block[156]), text(0, 100), text(124, 136))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_reach_both_ends_and_every_kind_of_refusal() {
        let archives = Archives::new().unwrap();
        let (mut taken, mut reasons) = (0, std::collections::BTreeSet::new());
        for number in 0..1500 {
            let mut random = Random::of_case(1, "archives", number);
            let tree = Tree::folder(&mut random, number);
            let mut bytes = archive::pack(&mut random, &tree);
            archive::twist(&mut random, &mut bytes, "/outside");
            match archives.unpack(vec![bytes.into()], None) {
                Ok(()) => taken += 1,
                Err(reason) => drop(reasons.insert(reason)),
            }
            archives.take().unwrap();
        }
        assert!(taken > 100, "{taken}");
        for part in [
            "symbolic link",
            "hard link",
            "`..`",
            "absolute",
            "twice",
            "checksum",
            "ends before",
            "sparse",
            "two sizes",
        ] {
            assert!(reasons.iter().any(|reason| reason.contains(part)), "nothing was refused for: {part}");
        }
    }

    #[test]
    fn what_is_written_outside_is_noticed() {
        let archives = Archives::new().unwrap();
        assert_eq!(archives.take(), Ok(None));
        std::fs::write(archives.sandbox.path().join("outside/escaped"), "x").unwrap();
        assert!(archives.take().unwrap_err().contains("outside/escaped"));
    }
}
