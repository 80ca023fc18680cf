//! From a reference to a module whose template is in hand.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use super::bundle::Bundle;
use super::cache::Cache;
use super::loaded::Module;
use super::nearest::nearest;
use super::reference::{ModuleReference, refuse_credentials};
use super::source::{Directory, Fetched, InnerPath, Limits, Remote, Repository, Source, limited};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::ModuleConfig;

/// How long a tag or branch is taken to stay where it was found. Long enough for a burst of jobs, short enough for people who push.
const FRESH: Duration = Duration::from_secs(60);
/// How many modules are remembered before those that nobody is using are forgotten.
const REMEMBERED: usize = 256;

/// How modules are found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ResolverOptions {
    /// Where commits of remote repositories are kept. Any number of processes may share it.
    pub cache_dir: PathBuf,
    /// Modules that come along instead of being fetched.
    pub bundle: Bundle,
    /// How long finding a module, or reading a file of one, may take.
    pub timeout: Duration,
    /// Whether [`Resolver::resolve_config`] reads repositories on this machine. A provider that serves strangers must not: their
    /// offers could name any folder.
    pub allow_local: bool,
}

impl ResolverOptions {
    /// Nothing bundled, a minute of time, nothing local for strangers.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            bundle: Bundle::default(),
            timeout: Duration::from_secs(60),
            allow_local: false,
        }
    }
}

/// Finds modules: bundled, in folders of this machine, or in git repositories elsewhere. Cheap to clone; clones share what they know.
///
/// Many jobs of one module ask its server once. A tag or branch is looked up again after a minute, since it can move.
#[derive(Debug, Clone)]
pub struct Resolver {
    /// Shared by clones.
    shared: Arc<Shared>,
}

/// A module that was found, and when. The lock is held while somebody looks for it, so that others wait instead of looking too.
type Slot = Arc<tokio::sync::Mutex<Option<(Instant, Module)>>>;

/// What clones of a resolver share.
#[derive(Debug)]
struct Shared {
    /// As they were given.
    options: ResolverOptions,
    /// Commits of remote repositories.
    cache: Cache,
    /// Modules found lately.
    remembered: Mutex<HashMap<ModuleConfig, Slot>>,
}

impl Resolver {
    /// A resolver that has found nothing yet.
    pub fn new(options: ResolverOptions) -> Self {
        let cache = Cache::new(options.cache_dir.clone());
        Self { shared: Arc::new(Shared { options, cache, remembered: Mutex::default() }) }
    }

    /// Finds the module that a user named.
    ///
    /// # Errors
    /// [`ErrorKind::Module`] if there is no such module, ref or template, or if the template is broken;
    /// [`ErrorKind::Connection`] if its repository cannot be reached.
    pub async fn resolve(&self, reference: &ModuleReference) -> Result<Module> {
        let config = reference.config();
        let bundle = &self.shared.options.bundle;
        if let Some(name) = reference.bare_name()
            && bundle.find(&config.repo).is_none()
        {
            return Err(no_such_bundled(bundle, name));
        }
        self.find(config, true).await
    }

    /// Finds the module that an offer names: the provider's side.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve); also [`ErrorKind::Module`] for a repository on this machine, unless the options allow it.
    pub async fn resolve_config(&self, config: &ModuleConfig) -> Result<Module> {
        // The reference implementation understands a shortcut in place of all other fields.
        if !config.name.is_empty() {
            let named = config.name.parse::<ModuleReference>()?.config();
            return self.find(named, self.shared.options.allow_local).await;
        }
        self.find(config.clone(), self.shared.options.allow_local).await
    }

    /// Finds a module, wherever it is.
    async fn find(&self, config: ModuleConfig, allow_local: bool) -> Result<Module> {
        refuse_credentials(&config.repo)?;
        let path = InnerPath::parse(&config.path)?;
        if config.repo.starts_with("file:") {
            if !allow_local {
                return Err(Error::new(ErrorKind::Module, "find module")
                    .with_message(format_args!(
                        "{} is on one machine only, so this provider cannot use it",
                        config.repo
                    ))
                    .with_help("push the module to a public git repository, or use a local network"));
            }
            // Never remembered: whoever works on a module wants to run what is there now.
            return self.load(config, path).await;
        }

        let slot = self.slot(&config);
        let mut remembered = slot.lock().await;
        if let Some((found_at, module)) = &*remembered
            && found_at.elapsed() < FRESH
        {
            return Ok(module.clone());
        }
        let module = self.load(config, path).await?;
        *remembered = Some((Instant::now(), module.clone()));
        Ok(module)
    }

    /// The place where a module is remembered.
    fn slot(&self, config: &ModuleConfig) -> Slot {
        let mut remembered = self.shared.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED && !remembered.contains_key(config) {
            // Whoever is looking for a module holds a second reference to its slot.
            remembered.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        remembered.entry(config.clone()).or_default().clone()
    }

    /// Opens a module's source and reads its template.
    async fn load(&self, config: ModuleConfig, path: InnerPath) -> Result<Module> {
        let timeout = self.shared.options.timeout;
        let shared = self.shared.clone();
        limited(timeout, move |limits| {
            let source = shared.open(&config, limits)?;
            Module::load(config, path, source, limits)
        })
        .await
    }
}

impl Shared {
    /// Opens the source that a module's repository and ref stand for. Blocks.
    fn open(&self, config: &ModuleConfig, limits: &Limits) -> Result<Source> {
        if let Some(files) = self.options.bundle.find(&config.repo) {
            return Ok(Source::Bundled(files));
        }
        let url = Url::parse(&config.repo).map_err(|error| not_a_repository(config).with_source(error))?;
        match url.scheme() {
            "file" => {
                let folder = url.to_file_path().map_err(|()| not_a_repository(config))?;
                if !config.hash.is_empty() {
                    return Ok(Source::Repository(Repository::open(folder, &config.hash)?));
                }
                if !folder.is_dir() {
                    return Err(no_such_folder(&folder));
                }
                Ok(Source::Directory(Directory::new(folder)))
            }
            "https" | "http" | "git" if config.hash.is_empty() => Err(Error::new(ErrorKind::Module, "find module")
                .with_message(format_args!("nothing says which tag, branch or commit of {} is meant", config.repo))),
            "https" | "http" | "git" => {
                let remote = Remote::new(&config.repo);
                Ok(Source::Fetched(Fetched::open(remote, &config.hash, self.cache.clone(), limits)?))
            }
            _ => Err(not_a_repository(config)),
        }
    }
}

/// Says that a module is not among those that came with the client.
fn no_such_bundled(bundle: &Bundle, name: &str) -> Error {
    let error = Error::new(ErrorKind::Module, "find module");
    let known: Vec<_> = bundle.names().collect();
    if known.is_empty() {
        return error
            .with_message(format_args!("{name:?} has no ref"))
            .with_help(format!("add a tag, branch or commit after a colon, for example `{name}:main`"));
    }
    let error = error.with_message(format_args!("no module {name:?} comes with this client"));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error.with_help(format!("these do: {}; others need a ref, as in `{name}:main`", known.join(", "))),
    }
}

/// Says that a module's repository is not one that can be read.
fn not_a_repository(config: &ModuleConfig) -> Error {
    Error::new(ErrorKind::Module, "find module")
        .with_message(format_args!("{:?} is not the URL of a git repository", config.repo))
        .with_help("`https`, `http`, `git` and `file` URLs are understood")
}

/// Says that there is no folder where a reference points.
pub(super) fn no_such_folder(folder: &std::path::Path) -> Error {
    Error::new(ErrorKind::Module, "find module")
        .with_message(format_args!("there is no folder {}", folder.display()))
        .with_help("check the path; it is relative to the current folder unless it begins with `/`")
}
