//! A real git server for tests: HTTP on loopback in front of `git http-backend`, over repositories made by `git` itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// A server with its repositories; both go when it is dropped.
pub(crate) struct GitServer {
    /// Where its repositories are.
    root: tempfile::TempDir,
    /// Where it listens.
    address: SocketAddr,
    /// Shared with its threads.
    state: Arc<State>,
}

/// What the server's threads share.
#[derive(Default)]
struct State {
    /// Method and path of every request.
    requests: Mutex<Vec<String>>,
    /// Whether to speak the protocol from before version 2.
    old_protocol: bool,
}

/// A repository of a [`GitServer`], with a work tree.
pub(crate) struct TestRepository {
    /// Its work tree.
    folder: PathBuf,
}

impl GitServer {
    /// A server as hosts run it today.
    pub(crate) fn start() -> Self {
        Self::start_with(State::default())
    }

    /// A server that knows only the old protocol.
    pub(crate) fn start_old() -> Self {
        Self::start_with(State { old_protocol: true, ..State::default() })
    }

    /// A server that behaves as `state` says.
    fn start_with(state: State) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(state);
        let (folder, shared) = (root.path().to_owned(), state.clone());
        // Ends with the process: accepting cannot be interrupted, and nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, shared) = (folder.clone(), shared.clone());
                std::thread::spawn(move || answer(stream, &folder, &shared));
            }
        });
        Self { root, address, state }
    }

    /// Makes a repository with one commit of `files`, on branch `main`.
    pub(crate) fn repository(&self, name: &str, files: &[(&str, &[u8])]) -> TestRepository {
        let repository = TestRepository::create(self.root.path().join(name));
        repository.commit(files);
        repository
    }

    /// The URL of a repository.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// The `git://` URL of a repository, behind a port of its own that hands each connection to `git daemon`.
    #[cfg(unix)]
    pub(crate) fn daemon_url(&self, name: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let root = self.root.path().to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let base = format!("--base-path={}", root.display());
                let output = Stdio::from(std::os::fd::OwnedFd::from(stream.try_clone().unwrap()));
                let input = Stdio::from(std::os::fd::OwnedFd::from(stream));
                git(&root)
                    .args(["daemon", "--inetd", "--export-all", "--informative-errors", &base])
                    .stdin(input)
                    .stdout(output)
                    .stderr(Stdio::null())
                    .status()
                    .expect("git is installed");
            }
        });
        format!("git://{address}/{name}")
    }

    /// Method and path of every request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }
}

impl TestRepository {
    /// An empty repository in `folder`, which sends parts of commits if asked to, as public hosts do.
    pub(crate) fn create(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let repository = Self { folder };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.git(&["config", "uploadpack.allowFilter", "true"]);
        repository
    }

    /// Writes and commits files; the commit's id.
    pub(crate) fn commit(&self, files: &[(&str, &[u8])]) -> String {
        for (path, content) in files {
            let path = self.folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "files"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the repository; what it prints.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = git(&self.folder).args(arguments).output().expect("git is installed");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A git command that knows nothing of this machine's users.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Tester").env(format!("GIT_{role}_EMAIL"), "tester@example.org");
    }
    command
}

/// Answers one request by way of CGI.
fn answer(stream: TcpStream, root: &Path, state: &State) {
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() || line.is_empty() {
        return;
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut command = git(root);
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => drop(command.env("CONTENT_TYPE", value)),
            "git-protocol" if !state.old_protocol => drop(command.env("GIT_PROTOCOL", value)),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    state.requests.lock().unwrap().push(format!("{method} {path}"));

    if path.contains("/private/") {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let _ = (&stream).write_all(refusal.as_bytes());
        return;
    }
    let mut child = command.env("CONTENT_LENGTH", length.to_string()).spawn().expect("git is installed");
    child.stdin.take().unwrap().write_all(&body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").map_or(output.len(), |at| at + 4);
    let (headers, body) = output.split_at(end);
    let headers = String::from_utf8_lossy(headers);
    let status = headers.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let kind = headers.lines().find_map(|line| line.strip_prefix("Content-Type: ")).unwrap_or("text/plain");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // A client that has heard enough may have gone.
    let _ = (&stream).write_all(head.as_bytes()).and_then(|()| (&stream).write_all(body));
}
