//! The names of entries, checked before anything is made of them.

use std::borrow::Cow;

use super::Kind;

/// The longest name of a file or folder, in bytes: what file systems take.
const NAME_LIMIT: usize = 255;
/// The longest path of an entry, in bytes.
const PATH_LIMIT: usize = 4096;
/// How many folders deep an entry may be.
const DEPTH_LIMIT: usize = 256;

/// Where an entry belongs: a relative path of ordinary names, separated by `/`, that stays inside. The root is the empty path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::result) struct EntryPath(String);

impl EntryPath {
    /// Reads the name of an entry of `kind`. The error says what is wrong with it.
    ///
    /// Archivers write the root as `.` or `./` and may put `./` before every name and `/` after a folder's; nothing else is
    /// normalised, so that a name means the same to every reader.
    pub(in crate::result) fn parse(raw: &[u8], kind: Kind) -> Result<Self, Cow<'static, str>> {
        if raw.contains(&0) {
            return Err("has a zero byte in its name".into());
        }
        if raw.len() > PATH_LIMIT {
            return Err(format!("has a path of more than {PATH_LIMIT} bytes").into());
        }
        let text = std::str::from_utf8(raw).map_err(|_| "has a name that is not UTF-8")?;
        if text.is_empty() {
            return Err("has an empty name".into());
        }
        if text.starts_with('/') {
            return Err("has an absolute path".into());
        }
        let is_root = matches!(text, "." | "./");
        let text = match (is_root, kind) {
            (true, Kind::Folder) => return Ok(Self(String::new())),
            (true, Kind::File) => return Err("is a file in place of the archive's root".into()),
            (false, Kind::Folder) => text.strip_suffix('/').unwrap_or(text),
            (false, Kind::File) if text.ends_with('/') => return Err("is a file with the name of a folder".into()),
            (false, Kind::File) => text,
        };
        let text = text.strip_prefix("./").unwrap_or(text);
        let mut depth = 0;
        for name in text.split('/') {
            depth += 1;
            check_name(name)?;
            if cfg!(windows) {
                check_windows_name(name)?;
            }
        }
        if depth > DEPTH_LIMIT {
            return Err(format!("is more than {DEPTH_LIMIT} folders deep").into());
        }
        Ok(Self(text.to_owned()))
    }

    /// The path, separated by `/`.
    pub(in crate::result) fn as_str(&self) -> &str {
        &self.0
    }

    /// The names on the way, outermost first. None for the root.
    pub(in crate::result) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }
}

/// Whether `name` is an ordinary name everywhere.
fn check_name(name: &str) -> Result<(), Cow<'static, str>> {
    match name {
        "" => Err("has an empty name in its path".into()),
        "." => Err("has `.` in its path".into()),
        ".." => Err("has `..` in its path".into()),
        _ if name.len() > NAME_LIMIT => Err(format!("has a name of more than {NAME_LIMIT} bytes").into()),
        _ => Ok(()),
    }
}

/// Whether `name` means itself to Windows, where some characters separate and some names are devices.
fn check_windows_name(name: &str) -> Result<(), Cow<'static, str>> {
    if name.contains(|c: char| c.is_control() || "<>:\"\\|?*".contains(c)) {
        return Err("has a character in its name that Windows keeps for itself".into());
    }
    if name.ends_with(['.', ' ']) {
        return Err("has a name that Windows would shorten".into());
    }
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered = |prefix| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            matches!(rest, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        })
    };
    if matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT") {
        return Err("has the name of a Windows device".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_archivers_use_mean_the_same_path() {
        for (raw, kind, path) in [
            (".", Kind::Folder, ""),
            ("./", Kind::Folder, ""),
            ("outputs", Kind::Folder, "outputs"),
            ("./outputs/", Kind::Folder, "outputs"),
            ("./outputs/a b.txt", Kind::File, "outputs/a b.txt"),
            ("漢字/.hidden", Kind::File, "漢字/.hidden"),
            ("...", Kind::File, "..."),
            ("a\\b", Kind::File, "a\\b"),
        ] {
            if cfg!(windows) && raw.contains(['\\']) {
                continue;
            }
            let read = EntryPath::parse(raw.as_bytes(), kind);
            assert_eq!(read.as_ref().map(EntryPath::as_str), Ok(path), "{raw}");
        }
    }

    #[test]
    fn windows_is_not_given_names_that_it_would_change() {
        for bad in [
            "a\\..\\b", "c:x", "a:stream", "CON", "con.txt", "nul .log", "COM1", "lpt9.x", "a.", "a ", "a\u{1}",
            "what?",
        ] {
            assert!(check_windows_name(bad).is_err(), "{bad}");
        }
        for good in ["stdout", "exitCode", "com", "com10", "context", "a.b", ".x", "é"] {
            assert!(check_windows_name(good).is_ok(), "{good}");
        }
    }
}
