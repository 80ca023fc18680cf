//! The git protocol, as far as reading one commit of a public repository needs it.
//!
//! Three requests at most: what the server can do, which commit a ref stands for, and that commit alone, without its history and,
//! where the server can, without its large files. No git program, no configuration, no credentials.

use std::io::BufRead;
use std::net::{TcpStream, ToSocketAddrs};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gix::ObjectId;
use gix::progress::Discard;
use gix::protocol::fetch::{Arguments, Response};
use gix::protocol::handshake::Ref;
use gix::protocol::ls_refs::RefPrefixes;
use gix::protocol::transport::client::blocking_io::{ExtendedBufRead, Transport, http};
use gix::protocol::transport::client::git;
use gix::protocol::transport::{Protocol, Service, packetline};
use gix::protocol::{Command, Handshake, LsRefsCommand};

use super::pack::{GitError, Pack};
use super::repository::{no_such_ref, short_name};
use super::{FILE_LIMIT, Limits};
use crate::error::{Error, ErrorKind, Result};

/// The size from which on a file is fetched only when it is asked for.
const SMALL_FILE: &str = "blob:limit=256k";
/// Where `git://` servers listen.
const GIT_PORT: u16 = 9418;
/// Who we say we are.
const AGENT: &str = concat!("git/lilypad-sdk-", env!("CARGO_PKG_VERSION"));

/// A public repository on a git server.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    /// Where it is.
    url: String,
}

/// A conversation with a git server about one repository.
pub(super) struct Session {
    /// The repository.
    remote: Remote,
    /// The connection.
    transport: Box<dyn Transport + Send>,
    /// What the server can do.
    handshake: Handshake,
    /// How long it may take.
    limits: Limits,
}

impl Remote {
    /// The repository at a URL of scheme `https`, `http` or `git`.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }

    /// Its URL.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Begins a conversation.
    pub(super) fn connect(&self, limits: &Limits) -> Result<Session> {
        let mut transport = self.transport(limits).map_err(|error| self.failure(error))?;
        let mut wants_credentials = false;
        let handshake = gix::protocol::handshake(
            &mut transport,
            Service::UploadPack,
            |_| {
                wants_credentials = true;
                Ok(None)
            },
            Vec::new(),
            &mut Discard,
        );
        match handshake {
            Ok(handshake) => Ok(Session { remote: self.clone(), transport, handshake, limits: limits.clone() }),
            // Hosts ask for credentials where they will not say whether a repository exists.
            Err(_) if wants_credentials => Err(self.no_such_repository()),
            Err(error) => Err(self.failure(error.into())),
        }
    }

    /// A connection for the URL's scheme, with time limits on it.
    fn transport(&self, limits: &Limits) -> Result<Box<dyn Transport + Send>, GitError> {
        let url = gix::url::parse(self.url.as_str())?;
        if url.scheme == gix::url::Scheme::Git {
            let host = url.host().ok_or("the URL has no host")?.to_owned();
            let stream = connect_tcp(&host, url.port.unwrap_or(GIT_PORT), limits.timeout)?;
            return Ok(Box::new(git::blocking_io::Connection::new(
                stream.try_clone()?,
                stream,
                Protocol::V2,
                url.path.clone(),
                Some((host, url.port)),
                git::ConnectMode::Daemon,
                false,
            )));
        }
        let timeout = limits.timeout;
        let backend = http::reqwest::Options {
            configure_client: Some(Box::new(move |client| Ok(client.timeout(timeout).connect_timeout(timeout)))),
            configure_request: None,
        };
        let mut transport = http::connect::<http::reqwest::Remote>(url, Protocol::V2, false);
        let options = http::Options { backend: Some(Arc::new(Mutex::new(backend))), ..http::Options::default() };
        gix::protocol::transport::client::TransportWithoutIO::configure(&mut transport, &options)?;
        Ok(Box::new(transport))
    }

    /// Turns what gix says into what a person can use.
    fn failure(&self, source: GitError) -> Error {
        let source = match source.downcast::<gix::Error>() {
            Ok(error) => *error,
            Err(other) => gix::Error::from_boxed(other),
        };
        let status = source.iter_errors().find_map(|error| error.downcast_ref::<reqwest::Error>()?.status());
        if let Some(status) = status.filter(|status| matches!(status.as_u16(), 401 | 403 | 404 | 410)) {
            tracing::debug!(url = self.url, %status, "no such repository");
            return self.no_such_repository();
        }
        if source.is_resource_exhausted() {
            return Error::new(ErrorKind::Module, "fetch module")
                .with_message(format_args!("{} has a file that is larger than {} MB", self.url, FILE_LIMIT >> 20))
                .with_help("modules that large are not supported; a job can fetch large files by itself")
                .with_source(source);
        }
        // The first lines say what gix was doing, the last what happened.
        let cause = source.iter_errors().last().map_or_else(|| source.to_string(), ToString::to_string);
        let words = source.iter_errors().find_map(|error| error.downcast_ref::<packetline::read::Error>());
        let words = words.map(|said| said.to_string());
        if let Some(words) = words {
            return Error::new(ErrorKind::Module, "fetch module")
                .with_message(format_args!("the server of {} says: {words}", self.url))
                .with_help("check the repository's address, and that everybody may read it")
                .with_source(source);
        }
        Error::new(ErrorKind::Connection, "fetch module")
            .with_message(format_args!("{}: {cause}", self.url))
            .with_help("check the address and the connection, then try again")
            .with_source(source)
    }

    /// Says that there is nothing to read at the URL.
    fn no_such_repository(&self) -> Error {
        Error::new(ErrorKind::Module, "find module")
            .with_message(format_args!("there is no repository at {} that everybody may read", self.url))
            .with_help(
                "check the module's name; private repositories cannot be used, since providers must read them too",
            )
    }
}

impl Session {
    /// The commit that a tag, branch or commit id stands for; tags go before branches, as in git.
    pub(super) fn resolve(&mut self, reference: &str) -> Result<ObjectId> {
        if let Ok(id) = ObjectId::from_hex(reference.as_bytes()) {
            return Ok(id);
        }
        let candidates = [
            reference.to_owned(),
            format!("refs/{reference}"),
            format!("refs/tags/{reference}"),
            format!("refs/heads/{reference}"),
        ];
        let refs = self.list(&candidates)?;
        let found = candidates.iter().find_map(|name| refs.iter().find(|(full, _)| full == name));
        if let Some((_, id)) = found {
            return Ok(*id);
        }
        let all = self.list(&["refs/heads/".to_owned(), "refs/tags/".to_owned()])?;
        let names: Vec<_> = all.iter().filter_map(|(full, _)| short_name(full)).collect();
        Err(no_such_ref(self.remote.url(), reference, &names))
    }

    /// Refs that begin with one of `prefixes`, with the objects they stand for once tags are followed.
    fn list(&mut self, prefixes: &[String]) -> Result<Vec<(String, ObjectId)>> {
        let refs = match &self.handshake.refs {
            // Servers that speak the older protocol say it all at once.
            Some(refs) => refs.clone(),
            None => {
                let mut wanted = RefPrefixes::new();
                wanted.extend(prefixes.iter().map(|prefix| prefix.as_str().into()));
                let agent = ("agent", Some(AGENT.to_owned()));
                LsRefsCommand::new(Some(wanted), &self.handshake.capabilities, agent)
                    .invoke_blocking(&mut self.transport, &mut Discard, false)
                    .map_err(|error| self.remote.failure(error.into()))?
            }
        };
        Ok(refs
            .into_iter()
            .filter_map(|found| match found {
                Ref::Peeled { full_ref_name, object, .. }
                | Ref::Direct { full_ref_name, object }
                | Ref::Symbolic { full_ref_name, object, .. } => Some((full_ref_name.to_string(), object)),
                Ref::Unborn { .. } => None,
            })
            .filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)))
            .collect())
    }

    /// Fetches a commit without its history and, where the server can, without its large files.
    pub(super) fn fetch_commit(&mut self, id: ObjectId, folder: &Path) -> Result<Pack> {
        self.fetch(id, folder, |arguments, version| {
            if arguments.can_use_shallow() {
                arguments.deepen(1);
            }
            // Older protocols could not ask for a file later.
            if version == Protocol::V2 && arguments.can_use_filter() {
                arguments.filter(SMALL_FILE);
            }
        })
    }

    /// Fetches a single file by the id of its content.
    pub(super) fn fetch_file(&mut self, id: ObjectId, folder: &Path) -> Result<Pack> {
        self.fetch(id, folder, |_, _| {})
    }

    /// Fetches a commit with all its files, whatever their size.
    pub(super) fn fetch_everything(&mut self, id: ObjectId, folder: &Path) -> Result<Pack> {
        self.fetch(id, folder, |arguments, _| {
            if arguments.can_use_shallow() {
                arguments.deepen(1);
            }
        })
    }

    /// Fetches one object and what it needs, as `configure` asks.
    fn fetch(&mut self, id: ObjectId, folder: &Path, configure: impl FnOnce(&mut Arguments, Protocol)) -> Result<Pack> {
        let version = self.handshake.server_protocol_version;
        let mut features = Command::Fetch.default_features(version, &self.handshake.capabilities);
        features.push(("agent", Some(AGENT.to_owned())));
        let mut arguments = Arguments::new(version, features, false);
        configure(&mut arguments, version);
        arguments.want(id);

        let words = Mutex::new(String::new());
        let received = receive(&mut arguments, &mut self.transport, version, folder, &self.limits, &words);
        received.map_err(|error| {
            let error = self.remote.failure(error);
            let words = words.into_inner().unwrap_or_default();
            if words.contains("not our ref") {
                return Error::new(ErrorKind::Module, "find module")
                    .with_message(format_args!("{} has no commit {id}", self.remote.url()))
                    .with_help("check the id; a commit must be pushed before others can use it");
            }
            error
        })
    }
}

/// Sends a request for a pack and reads the answer; what the server says beside it goes into `words`.
fn receive(
    arguments: &mut Arguments,
    transport: &mut Box<dyn Transport + Send>,
    version: Protocol,
    folder: &Path,
    limits: &Limits,
    words: &Mutex<String>,
) -> Result<Pack, GitError> {
    let mut reader: Box<dyn ExtendedBufRead<'_> + Unpin + '_> = arguments.send(transport, true)?;
    let response = Response::from_line_reader(version, &mut reader, true, false).inspect_err(|error| {
        note(words, &error.iter_errors().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    })?;
    if !response.has_pack() {
        return Err("the server sent nothing".into());
    }
    reader.set_progress_handler(Some(Box::new(|is_error, text| {
        if is_error {
            note(words, &String::from_utf8_lossy(text));
        }
        match limits.interrupt.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })));
    let pack = Pack::receive(&mut reader as &mut dyn BufRead, folder, &limits.interrupt)?;
    // A server may still be talking; what it says after a complete pack does not matter.
    std::io::copy(&mut reader, &mut std::io::sink())?;
    Ok(pack)
}

/// Keeps what a server said.
fn note(words: &Mutex<String>, text: &str) {
    if let Ok(mut words) = words.lock() {
        words.push_str(text);
    }
}

/// Connects to whichever of a host's addresses answers first in their order, within `timeout` altogether.
fn connect_tcp(host: &str, port: u16, timeout: Duration) -> Result<TcpStream, GitError> {
    let mut last = None;
    let addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
    let share = timeout / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    for address in addresses {
        match TcpStream::connect_timeout(&address, share) {
            Ok(stream) => {
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| "the host has no address".into(), Into::into))
}
