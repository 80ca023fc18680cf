//! Modules that come with the client.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::reference::OFFICIAL_PREFIX;

/// The files of one bundled module by path, as in its repository but without the leading `/`.
pub(super) type BundledFiles = Arc<BTreeMap<String, Cow<'static, [u8]>>>;

/// Modules that come along instead of being fetched, so that a local network needs no other.
///
/// A bundled module stands for `https://github.com/Lilypad-Tech/lilypad-module-<name>` at any ref. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// By name.
    modules: BTreeMap<String, BundledFiles>,
}

impl Bundle {
    /// Adds a module: its name and its files by path, `lilypad_module.json.tmpl` among them.
    #[must_use]
    pub fn with<P, C>(mut self, name: impl Into<String>, files: impl IntoIterator<Item = (P, C)>) -> Self
    where
        P: Into<String>,
        C: Into<Cow<'static, [u8]>>,
    {
        let files = files.into_iter().map(|(path, content)| (path.into(), content.into())).collect();
        self.modules.insert(name.into(), Arc::new(files));
        self
    }

    /// Names of the modules, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// The files of the module at a repository's URL.
    pub(super) fn find(&self, repo: &str) -> Option<BundledFiles> {
        let name = repo.trim_end_matches('/').strip_prefix(OFFICIAL_PREFIX)?;
        self.modules.get(name.strip_suffix(".git").unwrap_or(name)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundled_module_stands_for_its_official_repository_only() {
        let bundle = Bundle::default().with("cowsay", [("lilypad_module.json.tmpl", &b"{}"[..])]);
        assert!(bundle.find("https://github.com/Lilypad-Tech/lilypad-module-cowsay").is_some());
        assert!(bundle.find("https://github.com/Lilypad-Tech/lilypad-module-cowsay.git").is_some());
        assert!(bundle.find("https://github.com/Lilypad-Tech/lilypad-module-image").is_none());
        assert!(bundle.find("https://github.com/somebody/lilypad-module-cowsay").is_none());
    }
}
