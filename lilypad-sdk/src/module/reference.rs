//! What people write to name a module.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::protocol::ModuleConfig;

/// Where the modules of the network's own organisation live, before their names.
pub(super) const OFFICIAL_PREFIX: &str = "https://github.com/Lilypad-Tech/lilypad-module-";
/// Where a module's template is, inside its repository.
pub(super) const TEMPLATE_PATH: &str = "/lilypad_module.json.tmpl";

/// What was being done when a reference was not understood.
const OPERATION: &str = "read module reference";
/// The forms of a reference, for people who wrote something else.
const FORMS: &str = "write `name:ref`, `host/owner/repo:ref`, `https://host/owner/repo:ref` or a folder such as `./my-module`; \
                     a ref is a tag, branch or commit";

/// A module as a user names it: `cowsay:v0.0.4`, `github.com/owner/repo:main`, `./my-module`.
///
/// | written | means |
/// |---|---|
/// | `name:ref` | `https://github.com/Lilypad-Tech/lilypad-module-<name>` at a tag, branch or commit |
/// | `host/owner/repo:ref` | `https://host/owner/repo` |
/// | `https://…:ref`, `http://…:ref`, `git://…:ref` | the repository at that URL |
/// | `file:///folder:ref`, `./folder:ref` | the git repository in a folder of this machine, at a ref |
/// | `./folder`, `/folder`, `~/folder`, `file:///folder` | the folder as it is now, committed or not |
/// | `name` | a module that comes with the client, as those of the local network do |
///
/// Only a network on this machine can run what is in a folder of this machine. A plain folder has an empty `hash` in the job offer:
/// whoever edits a module wants to run what is in front of them, not what was committed last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModuleReference {
    /// As it was written.
    text: String,
    /// What that means.
    place: Place,
}

/// Where a reference points to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    /// A repository at a ref.
    Repository {
        /// The repository.
        url: String,
        /// The tag, branch or commit.
        hash: String,
    },
    /// A folder as it is.
    Folder {
        /// The folder.
        url: String,
    },
    /// A name without a ref.
    Name {
        /// The name.
        name: String,
    },
}

impl ModuleReference {
    /// The reference to a folder of this machine, as it is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the path cannot be made absolute.
    pub fn from_folder(path: &Path) -> Result<Self> {
        Ok(Self { text: path.display().to_string(), place: Place::Folder { url: folder_url(path)? } })
    }

    /// The module as a job offer names it.
    pub fn config(&self) -> ModuleConfig {
        let (repo, hash) = match &self.place {
            Place::Repository { url, hash } => (url.clone(), hash.clone()),
            Place::Folder { url } => (url.clone(), String::new()),
            Place::Name { name } => (format!("{OFFICIAL_PREFIX}{name}"), String::new()),
        };
        ModuleConfig { name: String::new(), repo, hash, path: TEMPLATE_PATH.to_owned() }
    }

    /// The name, when there is nothing but a name: only a bundle can tell what it is.
    pub(super) fn bare_name(&self) -> Option<&str> {
        match &self.place {
            Place::Name { name } => Some(name),
            Place::Repository { .. } | Place::Folder { .. } => None,
        }
    }
}

impl fmt::Display for ModuleReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ModuleReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // Before anything that repeats the text: a secret in a URL must not come back in an error.
        refuse_credentials(text)?;
        if text.is_empty() {
            return Err(refuse("it is empty").with_help(FORMS));
        }
        let place = if text.starts_with(['.', '/', '~']) {
            parse_path(text)?
        } else if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
            let suggestion = suggest(&text.split_whitespace().collect::<Vec<_>>().join(":"));
            return Err(refuse(format_args!("{text:?} has white space in it")).with_help(suggestion));
        } else if let Some((scheme, rest)) = text.split_once("://") {
            parse_url(text, scheme, rest)?
        } else {
            parse_short(text)?
        };
        Ok(Self { text: text.to_owned(), place })
    }
}

/// Reads `name`, `name:ref` and `host/owner/repo:ref`.
fn parse_short(text: &str) -> Result<Place> {
    let (name, hash) = match text.split_once(':') {
        Some((name, hash)) => (name, Some(hash)),
        None => (text, None),
    };
    if let Some((before, after)) = name.split_once('@') {
        // What npm and pip users write, or the address that git itself understands.
        let suggestion = match hash {
            Some(path) if before == "git" => suggest(&format!("{after}/{}:main", path.trim_end_matches(".git"))),
            _ => suggest(&format!("{before}:{after}")),
        };
        return Err(refuse(format_args!("{text:?} has an `@` in its name")).with_help(suggestion));
    }
    if let Some((port, _)) = hash.and_then(|hash| hash.split_once('/'))
        && port.parse::<u16>().is_ok()
    {
        return Err(refuse(format_args!("{text:?} has a port but no scheme"))
            .with_help(format!("write the whole URL: `https://{text}`")));
    }
    let url = if name.contains('/') {
        check_segments(text, name.split('/').skip(1))?;
        format!("https://{}", name.trim_end_matches('/'))
    } else if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        let Some(_) = hash else {
            return Ok(Place::Name { name: name.to_owned() });
        };
        format!("{OFFICIAL_PREFIX}{name}")
    } else {
        return Err(refuse(format_args!("{text:?} does not begin with a module's name")).with_help(FORMS));
    };
    Ok(Place::Repository { url, hash: check_ref(text, hash)? })
}

/// Reads a URL and what follows its path's colon.
fn parse_url(text: &str, scheme: &str, rest: &str) -> Result<Place> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (path, hash) = match path.split_once(':') {
        Some((path, hash)) => (path.trim_end_matches('/'), Some(hash)),
        None => (path.trim_end_matches('/'), None),
    };
    let url = format!("{scheme}://{authority}/{path}");
    let parsed = Url::parse(&url)
        .map_err(|error| refuse(format_args!("{text:?} is not a URL: {error}")).with_help(FORMS).with_source(error))?;
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(refuse(format_args!("{text:?} has a `?` or `#` in it")).with_help(FORMS));
    }
    match scheme {
        "https" | "http" | "git" => check_segments(text, path.split('/'))?,
        "file" => {
            return match hash {
                None => Ok(Place::Folder { url }),
                Some(_) => Ok(Place::Repository { url, hash: check_ref(text, hash)? }),
            };
        }
        _ => {
            return Err(refuse(format_args!("{text:?} has the scheme `{scheme}`"))
                .with_help("`https`, `http`, `git` and `file` are understood"));
        }
    }
    Ok(Place::Repository { url, hash: check_ref(text, hash)? })
}

/// Reads a folder of this machine, with or without a ref.
fn parse_path(text: &str) -> Result<Place> {
    // A folder may have a colon in its name; one that exists is meant as it stands.
    let whole = expand_home(text)?;
    match text.rsplit_once(':') {
        Some((folder, hash)) if !whole.is_dir() => {
            let url = folder_url(&expand_home(folder)?)?;
            Ok(Place::Repository { url, hash: check_ref(text, Some(hash))? })
        }
        _ => Ok(Place::Folder { url: folder_url(&whole)? }),
    }
}

/// A path as the shell would have given it, since not everybody calls us through one.
fn expand_home(text: &str) -> Result<PathBuf> {
    match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = std::env::home_dir()
                .ok_or_else(|| refuse(format_args!("{text:?} begins with `~`, and there is no home folder")))?;
            Ok(home.join(rest.trim_start_matches('/')))
        }
        Some(_) => Err(refuse(format_args!("{text:?} names another user's home folder")).with_help(FORMS)),
        None => Ok(PathBuf::from(text)),
    }
}

/// The `file://` URL of a folder, absolute and without `.` and `..`.
fn folder_url(path: &Path) -> Result<String> {
    let unusable = || refuse(format_args!("{} cannot be made an absolute path", path.display()));
    // `canonicalize` where it works, since only it knows where `..` leads behind a symbolic link.
    let absolute =
        path.canonicalize().or_else(|_| std::path::absolute(path)).map_err(|error| unusable().with_source(error))?;
    Ok(Url::from_file_path(&absolute).map_err(|()| unusable())?.to_string())
}

/// Checks that a repository has an owner and a name. Providers refuse others.
fn check_segments<'a>(text: &str, segments: impl Iterator<Item = &'a str>) -> Result<()> {
    if segments.filter(|segment| !segment.is_empty()).count() >= 2 {
        return Ok(());
    }
    Err(refuse(format_args!("{text:?} has no owner and repository after the host"))
        .with_help("write `host/owner/repo:ref`, for example `github.com/owner/repo:main`"))
}

/// Checks that there is a ref, and that git could have one of that name.
fn check_ref(text: &str, hash: Option<&str>) -> Result<String> {
    let Some(hash) = hash.filter(|hash| !hash.is_empty()) else {
        let bare = text.trim_end_matches(':');
        return Err(refuse(format_args!("{text:?} has no ref"))
            .with_help(format!("add a tag, branch or commit after a colon, for example `{bare}:main`")));
    };
    let malformed = hash.contains("..")
        || hash.starts_with(['-', '/'])
        || hash.ends_with(['/', '.'])
        || hash.contains(|c: char| "~^:?*[\\".contains(c) || c.is_control() || c == ' ');
    if malformed {
        return Err(refuse(format_args!("{hash:?} in {text:?} cannot be a tag, branch or commit")).with_help(FORMS));
    }
    Ok(hash.to_owned())
}

/// Refuses a URL with a user name or password in it, without repeating it: a job offer is public.
pub(super) fn refuse_credentials(text: &str) -> Result<()> {
    let authority = text.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
    match authority {
        Some(authority) if authority.contains('@') => Err(refuse("the URL has a user name or password in it")
            .with_help("leave it out: job offers are public, and so must be the repositories that they name")),
        _ => Ok(()),
    }
}

/// A help that proposes `reference`, or the forms if even that would be refused.
fn suggest(reference: &str) -> String {
    match reference.parse::<ModuleReference>() {
        Ok(_) => format!("did you mean `{reference}`?"),
        Err(_) => FORMS.to_owned(),
    }
}

/// A reference that is not understood, and why.
fn refuse(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidInput, OPERATION).with_message(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, String) {
        let config = text.parse::<ModuleReference>().unwrap_or_else(|error| panic!("{text}: {error}")).config();
        assert_eq!(config.path, "/lilypad_module.json.tmpl");
        assert_eq!(config.name, "");
        (config.repo, config.hash)
    }

    #[test]
    fn every_form_names_a_repository_and_a_ref() {
        let official = "https://github.com/Lilypad-Tech/lilypad-module-cowsay";
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (text, repo, hash) in [
            ("cowsay:v0.0.4", official, "v0.0.4"),
            ("cowsay:feature/beard", official, "feature/beard"),
            ("cowsay", official, ""),
            ("github.com/owner/repo:main", "https://github.com/owner/repo", "main"),
            ("github.com/owner/repo:feature/x", "https://github.com/owner/repo", "feature/x"),
            ("gitlab.com/group/sub/repo:v1", "https://gitlab.com/group/sub/repo", "v1"),
            ("https://github.com/owner/repo.git:v1", "https://github.com/owner/repo.git", "v1"),
            ("http://127.0.0.1:1234/a/b:v1", "http://127.0.0.1:1234/a/b", "v1"),
            ("git://127.0.0.1:9418/a/b:refs/tags/v1", "git://127.0.0.1:9418/a/b", "refs/tags/v1"),
            ("file:///srv/module:v1", "file:///srv/module", "v1"),
            ("file:///srv/module", "file:///srv/module", ""),
            ("/no/such/folder", "file:///no/such/folder", ""),
            ("/no/such/folder:main", "file:///no/such/folder", "main"),
            ("/no/such/folder:feature/x", "file:///no/such/folder", "feature/x"),
        ] {
            assert_eq!(parse(text), (repo.to_owned(), hash.to_owned()), "{text}");
        }
        assert_eq!(parse(&format!("cowsay:{commit}")).1, commit);
    }

    #[test]
    fn a_folder_becomes_an_absolute_url() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(parse("."), (format!("file://{}", here.display()), String::new()));
        let (home, _) = parse("~/no-such-module");
        assert!(home.starts_with("file:///") && home.ends_with("/no-such-module"), "{home}");
    }

    #[test]
    fn a_folder_with_a_colon_in_its_name_is_meant_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a:b");
        std::fs::create_dir(&odd).unwrap();
        assert_eq!(parse(odd.to_str().unwrap()).1, "");
    }

    #[test]
    fn what_is_not_understood_is_answered_with_the_nearest_form() {
        for (text, message, help) in [
            ("", "it is empty", "write `name:ref`"),
            ("cowsay:", "has no ref", "`cowsay:main`"),
            ("github.com/owner/repo", "has no ref", "`github.com/owner/repo:main`"),
            ("https://github.com/owner/repo", "has no ref", "`https://github.com/owner/repo:main`"),
            ("cowsay v0.0.4", "white space", "did you mean `cowsay:v0.0.4`?"),
            ("cowsay@v0.0.4", "`@`", "did you mean `cowsay:v0.0.4`?"),
            ("git@github.com:owner/repo.git", "`@`", "did you mean `github.com/owner/repo:main`?"),
            ("localhost:8080/owner/repo:main", "port", "`https://localhost:8080/owner/repo:main`"),
            ("github.com/owner:main", "no owner and repository", "host/owner/repo:ref"),
            ("https://github.com/owner:main", "no owner and repository", "host/owner/repo:ref"),
            ("ssh://github.com/owner/repo:main", "scheme `ssh`", "`https`"),
            ("cowsay:v0..4", "cannot be a tag", "write"),
            ("cowsay:a:b", "cannot be a tag", "write"),
            ("cow! say", "white space", "write"),
            ("cow!:v1", "module's name", "write"),
            ("~somebody/module", "another user", "write"),
        ] {
            let error = text.parse::<ModuleReference>().expect_err(text);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let (found, helped) = (error.message().unwrap_or_default(), error.help().unwrap_or_default());
            assert!(found.contains(message), "{text}: {found}");
            assert!(helped.contains(help), "{text}: {helped}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_never_repeated() {
        let error = "https://user:hunter2@host/owner/repo:main".parse::<ModuleReference>().expect_err("a secret");
        assert!(error.to_string().contains("user name or password"));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
