//! The directory with the recorded cases.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// The environment variable that names the directory.
pub const VARIABLE: &str = "LILYPAD_CONFORMANCE_DIR";

/// The files that hold a part each, besides the folder of conversations.
const FILES: &[&str] = &["auth.json", "content_ids.json", "templates.json", "unixfs.json", "answers.json", BACALHAU];
/// The folder of conversations.
const CONVERSATIONS: &str = "conversations";
/// The part that nothing here runs yet.
const BACALHAU: &str = "bacalhau.json";

/// A directory of recorded cases. Every part may be absent.
#[derive(Debug)]
pub struct Vectors {
    /// The folder of the files.
    folder: PathBuf,
}

impl Vectors {
    /// The directory that `path` names: the folder of vectors itself, or the one around it and the templates.
    ///
    /// # Errors
    /// If nothing is named, it is no directory, or no part is in it.
    pub fn open(path: Option<PathBuf>) -> Result<Self, String> {
        let path = path.filter(|path| !path.as_os_str().is_empty()).ok_or_else(|| {
            format!("{VARIABLE} is not set: set it to a directory of recorded cases, such as protocol/vectors")
        })?;
        if !path.is_dir() {
            return Err(format!("{VARIABLE} is {}, which is not a directory", path.display()));
        }
        let inner = path.join("vectors");
        let vectors = Self { folder: if inner.is_dir() { inner } else { path } };
        let parts = FILES.iter().copied().chain([CONVERSATIONS]);
        if !parts.clone().any(|part| vectors.folder.join(part).exists()) {
            let parts: Vec<_> = parts.collect();
            return Err(format!("{VARIABLE}: {} holds none of {}", vectors.folder.display(), parts.join(", ")));
        }
        Ok(vectors)
    }

    /// Reads the file of a part. `None` if there is none.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<Result<T, String>> {
        let path = self.folder.join(name);
        path.exists().then(|| read_json(&path))
    }

    /// Reads all conversations, sorted by name. `None` if there is no folder of them.
    pub(crate) fn conversations<T: DeserializeOwned>(&self) -> Option<Result<Vec<(String, T)>, String>> {
        let folder = self.folder.join(CONVERSATIONS);
        folder.is_dir().then(|| read_folder(&folder))
    }

    /// The source of a template, as its bytes stand in the file.
    pub(crate) fn template(&self, name: &str) -> Result<Vec<u8>, String> {
        let beside = self.folder.with_file_name("templates").join(name);
        let inside = self.folder.join("templates").join(name);
        let path = if inside.exists() { inside } else { beside };
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Whether there are answers of a Bacalhau node.
    pub fn has_bacalhau(&self) -> bool {
        self.folder.join(BACALHAU).exists()
    }
}

/// Reads a JSON file.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads every JSON file of a folder, sorted by name.
pub(crate) fn read_folder<T: DeserializeOwned>(folder: &Path) -> Result<Vec<(String, T)>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let named = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        read_json(path).map(|content| (name, content))
    };
    paths.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_cannot_be_used_is_refused_in_words() {
        let empty = tempfile::tempdir().unwrap();
        for (path, reason) in [
            (None, "LILYPAD_CONFORMANCE_DIR is not set"),
            (Some(PathBuf::new()), "LILYPAD_CONFORMANCE_DIR is not set"),
            (Some(empty.path().join("none")), "which is not a directory"),
            (Some(empty.path().to_owned()), "holds none of auth.json"),
        ] {
            let error = Vectors::open(path).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn the_folder_around_the_vectors_will_do_too() {
        let around = tempfile::tempdir().unwrap();
        let inner = around.path().join("vectors");
        std::fs::create_dir(&inner).unwrap();
        std::fs::create_dir(around.path().join("templates")).unwrap();
        std::fs::write(inner.join("auth.json"), "[]").unwrap();
        std::fs::write(around.path().join("templates/one.tmpl"), "{}").unwrap();
        for path in [around.path(), &inner] {
            let vectors = Vectors::open(Some(path.to_owned())).unwrap();
            assert_eq!(vectors.read::<Vec<u8>>("auth.json"), Some(Ok(vec![])));
            assert_eq!(vectors.read::<Vec<u8>>("unixfs.json"), None);
            assert_eq!(vectors.template("one.tmpl").unwrap(), b"{}");
        }
    }
}
