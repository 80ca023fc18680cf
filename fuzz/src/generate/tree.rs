//! Trees of files and folders.

use std::collections::BTreeMap;
use std::path::Path;

use super::Random;
use crate::reference::unixfs::{Block, CHUNK, WIDTH, file, folder};

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// A file.
    File(Vec<u8>),
    /// A folder, by the names of its entries.
    Folder(BTreeMap<String, Tree>),
}

/// The paths of a tree below its root, `/` between names; a folder has no content.
pub type Paths = BTreeMap<String, Option<Vec<u8>>>;

impl Tree {
    /// A small folder; seldom something in it is large, or there is much of it.
    pub fn folder(random: &mut Random, number: u64) -> Self {
        let mut fuel = if number % 5_000 == 77 { 400 } else { 10 };
        Self::folder_of(random, &mut fuel, 0)
    }

    /// A folder with `fuel` entries at most, at this depth.
    fn folder_of(random: &mut Random, fuel: &mut usize, depth: usize) -> Self {
        let mut entries: BTreeMap<String, Self> = BTreeMap::new();
        let wanted = if *fuel > 100 { *fuel } else { random.few(6) };
        for _ in 0..wanted {
            if *fuel == 0 {
                break;
            }
            *fuel -= 1;
            let name = name(random);
            // Two names that case alone tells apart are refused, which is not what benign trees are for.
            if entries.keys().any(|other| other.to_lowercase() == name.to_lowercase()) {
                continue;
            }
            let entry = if random.once_in(3) && depth < 6 {
                Self::folder_of(random, fuel, depth + 1)
            } else {
                let length = length(random);
                Self::File(random.bytes(length))
            };
            entries.insert(name, entry);
        }
        Self::Folder(entries)
    }

    /// Its block. Names that start with a dot are left out if `visible`.
    pub fn block(&self, visible: bool) -> Block {
        match self {
            Self::File(bytes) => file(bytes),
            Self::Folder(entries) => {
                let entries = entries.iter().filter(|(name, _)| !visible || !name.starts_with('.'));
                folder(&entries.map(|(name, tree)| (name.clone().into_bytes(), tree.block(visible))).collect())
            }
        }
    }

    /// Everything below the root.
    pub fn paths(&self) -> Paths {
        let mut paths = Paths::new();
        if let Self::Folder(entries) = self {
            for (name, tree) in entries {
                match tree {
                    Self::File(bytes) => drop(paths.insert(name.clone(), Some(bytes.clone()))),
                    Self::Folder(_) => {
                        paths.insert(name.clone(), None);
                        paths.extend(
                            tree.paths().into_iter().map(|(path, content)| (format!("{name}/{path}"), content)),
                        );
                    }
                }
            }
        }
        paths
    }

    /// The tree without names that start with a dot.
    pub fn visible(&self) -> Self {
        match self {
            Self::File(bytes) => Self::File(bytes.clone()),
            Self::Folder(entries) => {
                let entries = entries.iter().filter(|(name, _)| !name.starts_with('.'));
                Self::Folder(entries.map(|(name, tree)| (name.clone(), tree.visible())).collect())
            }
        }
    }

    /// What is on the disk at `path`.
    ///
    /// # Errors
    /// When something there is neither file nor folder, or cannot be read.
    pub fn on_disk(path: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let kind = path.symlink_metadata().map_err(failed)?.file_type();
        if kind.is_file() {
            return Ok(Self::File(std::fs::read(path).map_err(failed)?));
        }
        if !kind.is_dir() {
            return Err(format!("{} is neither a file nor a folder", path.display()));
        }
        let mut entries = BTreeMap::new();
        for entry in path.read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().into_string().map_err(|name| format!("{name:?} is no text"))?;
            entries.insert(name, Self::on_disk(&entry.path())?);
        }
        Ok(Self::Folder(entries))
    }
}

/// The name of a file or folder.
fn name(random: &mut Random) -> String {
    let name = match random.below(12) {
        0 => format!(".{}", random.text()),
        1 => "漢字 é".into(),
        2 => random.pick(&["n", "é", "0"]).repeat(90 + random.below(30)),
        3 => "x".repeat(255 - random.below(3)),
        4 | 5 => random.text(),
        6 => random.pick(&["...", "a b", "a\\b", "-rf", "*", "a:b", "con", "\u{1}", "a\nb", "PaxHeaders.0"]).to_owned(),
        _ => random.pick(&["stdout", "stderr", "exitCode", "outputs", "image.png", "a", "B"]).to_owned(),
    };
    let mut name = name.replace(['/', '\0'], "_");
    while name.len() > 255 {
        name.pop();
    }
    if matches!(name.as_str(), "" | "." | "..") { "_".into() } else { name }
}

/// The length of a file: mostly none or a block or two of an archive, now and then around a chunk, very seldom around a row of chunks.
pub fn length(random: &mut Random) -> usize {
    let near = |random: &mut Random, edge: usize| edge + random.below(3) - 1;
    match random.below(2_000) {
        0 => {
            let chunks = 1 + random.below(3);
            near(random, CHUNK * chunks)
        }
        1 => random.below(3 * CHUNK),
        2..=400 => 0,
        401..=800 => {
            let blocks = 1 + random.below(3);
            near(random, 512 * blocks)
        }
        _ => random.few(1500),
    }
}

/// The length of a file around the edge of a row of chunks.
pub fn row_length(random: &mut Random) -> usize {
    CHUNK * WIDTH + random.below(3) - 1
}
