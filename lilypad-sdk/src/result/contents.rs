//! What is in a result's folder.

/// The files and folders of a result, by paths that are relative and separated by `/`, sorted bytewise.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The files, each with its size in bytes.
    pub(super) files: Vec<(String, u64)>,
    /// The folders, without the root.
    pub(super) folders: Vec<String>,
    /// What the archive held besides, and was left out: files and folders whose name starts with a dot.
    pub(super) skipped: Vec<String>,
}

impl Contents {
    /// Puts the paths in order, each once.
    pub(super) fn sort(&mut self) {
        self.files.sort_unstable();
        self.folders.sort_unstable();
        self.skipped.sort_unstable();
        self.skipped.dedup();
    }
}
