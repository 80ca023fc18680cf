//! Files that a job finds in `/inputs`.
//!
//! The network takes a flat folder that holds what the module's specification names and nothing else, no programs and no scripts.
//! Both sides check: the job creator before sending, so that nobody pays for a refusal, and the provider before running.

mod content;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::nearest::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol;
use crate::result::pack_directory;

/// What was being done when a file was refused.
const OPERATION: &str = "check input files";
/// The largest request that a solver takes, files and offer together.
const REQUEST_LIMIT: u64 = 10 << 20;
/// What is left of a request for the offer and the form around it. Offers have one or two kilobytes; inputs may add to that.
const OFFER_SHARE: u64 = 64 << 10;
/// What a file adds to an archive at most beside its content: a header, and zeros up to the next block.
const ENTRY_SHARE: u64 = 1024;

/// A file for a job: the name it will have in `/inputs`, and its content or where that is.
#[derive(Clone)]
pub struct InputFile {
    /// The name in `/inputs`.
    name: String,
    /// The content, or where it is.
    content: Content,
}

/// Where a file's content is.
#[derive(Debug, Clone)]
enum Content {
    /// In a file of this machine, read when the job is planned.
    Path(PathBuf),
    /// Here.
    Bytes(Bytes),
}

/// The files for a job, by name.
#[derive(Debug, Clone, Default)]
pub struct InputFiles {
    /// By name.
    files: BTreeMap<String, InputFile>,
}

/// Files that were read and that the module and the network take. Only [`InputFiles::check`] makes it.
#[derive(Debug, Clone)]
pub struct CheckedInputFiles {
    /// Content by name.
    files: BTreeMap<String, Bytes>,
}

impl InputFile {
    /// The file at `path`, under its own name.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the path ends in no name.
    pub fn from_path(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
            return Err(refuse(format_args!("{} does not end in the name of a file", path.display())));
        };
        Self::from_path_as(name, path)
    }

    /// The file at `path`, under the name that the module wants.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if `name` is not a plain file name.
    pub fn from_path_as(name: impl Into<String>, path: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self { name: check_name(name.into())?, content: Content::Path(path.into()) })
    }

    /// A file with this content.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if `name` is not a plain file name.
    pub fn from_bytes(name: impl Into<String>, content: impl Into<Bytes>) -> Result<Self> {
        Ok(Self { name: check_name(name.into())?, content: Content::Bytes(content.into()) })
    }

    /// The name that it will have in `/inputs`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads the content, unless it is larger than `limit`. Blocks.
    fn read(&self, limit: u64) -> Result<Bytes> {
        let (content, size) = match &self.content {
            Content::Bytes(bytes) => (Some(bytes.clone()), bytes.len() as u64),
            Content::Path(path) => (None, file_size(path)?),
        };
        if size > limit {
            return Err(too_large(format_args!("{self} has {size} bytes")));
        }
        match (&self.content, content) {
            (Content::Path(path), None) => {
                std::fs::read(path).map(Bytes::from).map_err(|error| Error::io(OPERATION, path, error))
            }
            (_, content) => Ok(content.unwrap_or_default()),
        }
    }
}

impl fmt::Display for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Path(path) if path.file_name().is_some_and(|name| name != self.name.as_str()) => {
                write!(f, "input file {} ({})", self.name, path.display())
            }
            Content::Path(path) => write!(f, "input file {}", path.display()),
            Content::Bytes(_) => write!(f, "input file {}", self.name),
        }
    }
}

impl fmt::Debug for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("InputFile");
        debug.field("name", &self.name);
        match &self.content {
            Content::Path(path) => debug.field("path", path),
            Content::Bytes(bytes) => debug.field("bytes", &bytes.len()),
        };
        debug.finish()
    }
}

impl InputFiles {
    /// All files of a folder, under their own names. Blocks.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if there is no such folder or if it has folders in it; [`ErrorKind::Io`] if it cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let unreadable = |error| Error::io(OPERATION, folder, error);
        if !folder.is_dir() {
            let what = if folder.exists() { "is a file, not a folder" } else { "does not exist" };
            return Err(refuse(format_args!("the folder of input files {} {what}", folder.display())));
        }
        let mut files = Self::default();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            files.add(InputFile::from_path(entry.map_err(unreadable)?.path())?)?;
        }
        // Nobody reads a folder's content, so it must be found out here even when the module takes no files at all.
        for file in files.files.values() {
            if let Content::Path(path) = &file.content {
                file_size(path)?;
            }
        }
        Ok(files)
    }

    /// Adds a file.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if there is one of that name already.
    pub fn add(&mut self, file: InputFile) -> Result<()> {
        if self.files.contains_key(&file.name) {
            return Err(refuse(format_args!("there are two input files named {}", file.name))
                .with_help("a job finds its files in one flat folder; give one of them another name"));
        }
        self.files.insert(file.name.clone(), file);
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Reads the files and checks them against what a module wants and what the network takes. Blocks.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] that names the file: missing, unknown to the module, a folder, too large, a program or a script.
    /// [`ErrorKind::Module`] if the module's own list names a file twice.
    pub fn check(&self, wanted: &protocol::InputFiles) -> Result<CheckedInputFiles> {
        let required = wanted.required.as_deref().unwrap_or_default();
        let optional = wanted.optional.as_deref().unwrap_or_default();
        let known: Vec<&str> = required.iter().chain(optional).map(String::as_str).collect();
        if let Some(index) = (1..known.len()).find(|index| known[..*index].contains(&known[*index])) {
            return Err(Error::new(ErrorKind::Module, OPERATION)
                .with_message(format_args!("the module lists the input file {} twice", known[index]))
                .with_help("every provider refuses such a module; tell its author"));
        }
        if let Some(unknown) = self.names().find(|name| !known.contains(name)) {
            return Err(unknown_file(unknown, &known));
        }
        if let Some(missing) = required.iter().find(|name| !self.files.contains_key(*name)) {
            return Err(refuse(format_args!("the module needs the input file {missing}, which was not given"))
                .with_help(format!("it needs {}", required.join(", "))));
        }

        let mut checked = BTreeMap::new();
        let mut left = REQUEST_LIMIT - OFFER_SHARE;
        for (name, file) in &self.files {
            let content = file.read(left)?;
            if let Some(found) = content::refused(&content) {
                return Err(refuse(format_args!("{file} {found}"))
                    .with_help("providers refuse programs and scripts; put them into the module, or send data only"));
            }
            let share = content.len() as u64 + ENTRY_SHARE;
            left = left.checked_sub(share).ok_or_else(|| too_large("the input files are too many for one request"))?;
            checked.insert(name.clone(), content);
        }
        Ok(CheckedInputFiles { files: checked })
    }
}

impl CheckedInputFiles {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The tar that travels with a job offer. Blocks.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the files cannot be laid out in a temporary folder.
    pub fn pack(&self) -> Result<Bytes> {
        let failed = |error| Error::io("pack input files", &std::env::temp_dir(), error);
        let folder = tempfile::tempdir().map_err(failed)?;
        for (name, content) in &self.files {
            std::fs::write(folder.path().join(name), content).map_err(failed)?;
        }
        let mut archive = Vec::new();
        pack_directory(folder.path(), &mut archive)?;
        Ok(archive.into())
    }
}

/// The size of the file at `path`, if it is one.
fn file_size(path: &Path) -> Result<u64> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refuse(format_args!("input file {} does not exist", path.display())).with_source(error));
        }
        Err(error) => return Err(Error::io(OPERATION, path, error)),
    };
    if metadata.is_dir() {
        return Err(refuse(format_args!("{} is a folder", path.display()))
            .with_help("a job finds its files in one flat folder; sub-folders are refused"));
    }
    if !metadata.is_file() {
        return Err(refuse(format_args!("{} is not a regular file", path.display())));
    }
    Ok(metadata.len())
}

/// Checks that a name cannot lead anywhere else than into the folder.
fn check_name(name: String) -> Result<String> {
    let is_plain = !matches!(name.as_str(), "" | "." | "..") && !name.contains(['/', '\\', '\0']) && name.len() <= 255;
    match is_plain {
        true => Ok(name),
        false => Err(refuse(format_args!("{name:?} is not a plain file name"))
            .with_help("a job finds its files in one flat folder; sub-folders are refused")),
    }
}

/// Says that a module does not know a file.
fn unknown_file(name: &str, known: &[&str]) -> Error {
    let error = refuse(format_args!("the module takes no input file {name}"));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.with_help(format!("did you mean {near}?")),
        None if known.is_empty() => error.with_help("it takes no input files at all"),
        None => error.with_help(format!("it takes {}", known.join(", "))),
    }
}

/// Says that the files do not fit into a request.
fn too_large(what: impl fmt::Display) -> Error {
    refuse(format_args!("{what}; a solver takes {} MB with the job offer", REQUEST_LIMIT >> 20))
        .with_help("compress the files, or give the job an address to fetch them from")
}

/// Files that are refused, and why.
fn refuse(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidInput, OPERATION).with_message(why)
}

#[cfg(test)]
mod tests;
