//! Part `unixfs`: content ids of folders.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use lilypad_sdk::result::unixfs::cid_of_path;
use serde::Deserialize;

use crate::report::{Outcome, Part, same_text};

/// A folder and its content id.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    /// What is special about it.
    pub(crate) name: String,
    /// What is in it.
    entries: Vec<Entry>,
    /// Its content id.
    cid: String,
}

/// Something in the folder.
#[derive(Debug, Deserialize)]
struct Entry {
    /// Where it is, relative to the folder.
    path: String,
    /// What it is.
    #[serde(flatten)]
    content: Content,
}

/// What an entry is.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    /// An empty folder.
    Folder {
        /// Always true: its being there says what the entry is.
        #[serde(rename = "dir")]
        _dir: bool,
    },
    /// A symbolic link.
    Link {
        /// Where it points.
        symlink: String,
    },
    /// A file of text.
    Text {
        /// The text.
        text: String,
    },
    /// A file of a pattern.
    Pattern {
        /// How many bytes it has.
        size: u64,
        /// What makes the pattern another.
        seed: u64,
    },
}

/// Runs all cases.
pub(crate) fn run(cases: &[Case]) -> Part {
    let mut part = Part::new("unixfs");
    for case in cases {
        part.record(&case.name, check(case));
    }
    part
}

/// Makes the folder of one case and computes its id.
pub(crate) fn check(case: &Case) -> Outcome {
    let folder = tempfile::tempdir().map_err(|error| format!("make a folder: {error}"))?;
    let root = folder.path().join("root");
    fs::create_dir(&root).map_err(|error| format!("make a folder: {error}"))?;
    for entry in &case.entries {
        create(&root, entry).map_err(|error| format!("make {}: {error}", entry.path))?;
    }
    let cid = cid_of_path(&root).map_err(|error| error.to_string())?;
    same_text("the content id", &case.cid, cid.as_str())
}

/// Makes one entry.
fn create(root: &Path, entry: &Entry) -> io::Result<()> {
    let path = root.join(&entry.path);
    if let Content::Folder { .. } = entry.content {
        return fs::create_dir_all(path);
    }
    if let Some(around) = path.parent() {
        fs::create_dir_all(around)?;
    }
    match &entry.content {
        Content::Folder { .. } => Ok(()),
        Content::Link { symlink } => link(symlink, &path),
        Content::Text { text } => fs::write(path, text),
        Content::Pattern { size, seed } => write_pattern(&path, *size, *seed),
    }
}

/// Makes a symbolic link.
#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Makes a symbolic link.
#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "no symbolic links here"))
}

/// Writes `size` bytes; byte `i` is `(j*31 + (j>>8)*7 + seed + (i>>16)) & 255` with `j = i & 65535`.
fn write_pattern(path: &Path, size: u64, seed: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut block = Vec::with_capacity(1 << 16);
    for number in 0..=(size >> 16) {
        let length = (size - (number << 16)).min(1 << 16);
        block.clear();
        block.extend((0..length).map(|j| (j * 31 + (j >> 8) * 7 + seed + number) as u8));
        file.write_all(&block)?;
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_the_one_that_the_layout_describes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_pattern(&path, 70_000, 3).unwrap();
        let bytes = fs::read(path).unwrap();
        assert_eq!(bytes.len(), 70_000);
        for i in [0usize, 1, 255, 256, 65_535, 65_536, 69_999] {
            let j = i & 65_535;
            assert_eq!(usize::from(bytes[i]), (j * 31 + (j >> 8) * 7 + 3 + (i >> 16)) & 255, "{i}");
        }
    }
}
