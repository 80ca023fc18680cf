//! Modules found for real: in git repositories behind a real server, in folders, in the bundle.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::source::git_server::{GitServer, TestRepository};
use super::*;
use crate::error::{ErrorKind, Result};
use crate::protocol::ModuleConfig;

/// A template that uses two inputs, one of them only if it is there.
const TEMPLATE: &str = r#"{
  "machine": {"cpu": 1000, "ram": 100},
  "job": {
    "APIVersion": "V1beta1",
    "Spec": {
      "Engine": "Docker",
      "Docker": {"Image": "cowsay:latest", "Entrypoint": ["cowsay", {{.Message}}]},
      {{if .Seed}}"Timeout": {{.Seed}},{{end}}
      "Network": {"Type": "None"}
    }
  }
}"#;

fn module_files(template: &str) -> Vec<(&str, &[u8])> {
    vec![("lilypad_module.json.tmpl", template.as_bytes()), ("program.wasm", b"\0asm small")]
}

fn resolver(cache: &Path) -> Resolver {
    Resolver::new(ResolverOptions { timeout: Duration::from_secs(20), ..ResolverOptions::new(cache) })
}

async fn resolve(cache: &Path, reference: &str) -> Result<Module> {
    resolver(cache).resolve(&reference.parse()?).await
}

fn inputs(given: &[(&str, &str)]) -> BTreeMap<String, String> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What an error says, on one line.
fn words(error: &crate::error::Error) -> String {
    error.to_string().replace('\n', " ")
}

#[tokio::test]
async fn a_tag_a_branch_and_a_commit_are_found() {
    let server = GitServer::start();
    let repository = server.repository("owner/cowsay", &module_files("{\"v\": 1}"));
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "v0.0.1"]);
    repository.git(&["branch", "feature/beard"]);
    let second = repository.commit(&module_files("{\"v\": 2}"));
    repository.git(&["tag", "--annotate", "--message", "two", "v0.0.2"]);
    let url = server.url("owner/cowsay");

    for (reference, commit, text) in [
        ("v0.0.1", &first, "{\"v\": 1}"),
        ("v0.0.2", &second, "{\"v\": 2}"),
        ("refs/tags/v0.0.2", &second, "{\"v\": 2}"),
        ("main", &second, "{\"v\": 2}"),
        ("HEAD", &second, "{\"v\": 2}"),
        ("feature/beard", &first, "{\"v\": 1}"),
        (first.as_str(), &first, "{\"v\": 1}"),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let module = resolve(cache.path(), &format!("{url}:{reference}")).await.unwrap();
        assert_eq!(module.template_text(), text, "{reference}");
        assert_eq!(module.commit().as_ref(), Some(commit), "{reference}");
        assert_eq!(module.config().hash, reference, "an offer names the ref as it was written");
        assert_eq!(module.origin(), ModuleOrigin::Repository(url.clone()));
        assert_eq!(module.file("program.wasm").await.unwrap(), b"\0asm small", "{reference}");
    }
}

#[tokio::test]
async fn a_tag_goes_before_a_branch_of_the_same_name() {
    let server = GitServer::start();
    let repository = server.repository("owner/cowsay", &module_files("{\"v\": 1}"));
    repository.git(&["tag", "same"]);
    repository.commit(&module_files("{\"v\": 2}"));
    repository.git(&["branch", "same"]);
    let cache = tempfile::tempdir().unwrap();
    let remote = resolve(cache.path(), &format!("{}:same", server.url("owner/cowsay"))).await.unwrap();
    let local = resolve(cache.path(), &format!("{}:same", repository.folder().display())).await.unwrap();
    assert_eq!(remote.template_text(), "{\"v\": 1}");
    assert_eq!(local.template_text(), "{\"v\": 1}");
}

#[tokio::test]
async fn a_servers_older_protocol_will_do() {
    let server = GitServer::start_old();
    let large = vec![7; 300 << 10];
    let repository = server.repository("owner/cowsay", &[("lilypad_module.json.tmpl", b"{}"), ("large.bin", &large)]);
    repository.git(&["tag", "v1"]);
    repository.commit(&[("lilypad_module.json.tmpl", b"{\"v\": 2}")]);
    let cache = tempfile::tempdir().unwrap();
    let module = resolve(cache.path(), &format!("{}:v1", server.url("owner/cowsay"))).await.unwrap();
    assert_eq!(module.template_text(), "{}");
    assert_eq!(module.file("large.bin").await.unwrap(), large);
}

#[cfg(unix)]
#[tokio::test]
async fn a_git_daemon_will_do() {
    let server = GitServer::start();
    let large = vec![7; 300 << 10];
    let repository = server.repository("owner/cowsay", &[("lilypad_module.json.tmpl", b"{}"), ("large.bin", &large)]);
    repository.git(&["tag", "v1"]);
    let (url, cache) = (server.daemon_url("owner/cowsay"), tempfile::tempdir().unwrap());
    let module = resolve(cache.path(), &format!("{url}:v1")).await.unwrap();
    assert_eq!(module.template_text(), "{}");
    assert_eq!(module.file("large.bin").await.unwrap(), large);

    let error = resolve(cache.path(), &format!("{}:v1", server.daemon_url("owner/none"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Module, "{error}");
    assert!(words(&error).contains("says: no such repository"), "{error}");
}

#[tokio::test]
async fn a_server_cannot_make_a_client_unpack_without_end() {
    let server = GitServer::start();
    let bomb = vec![0; 65 << 20];
    let repository = server.repository("owner/bomb", &[("lilypad_module.json.tmpl", b"{}"), ("bomb.bin", &bomb)]);
    // Where the server can leave large files out, nobody notices this one until it is asked for.
    let cache = tempfile::tempdir().unwrap();
    let module = resolve(cache.path(), &format!("{}:main", server.url("owner/bomb"))).await.unwrap();
    let refused = module.file("bomb.bin").await.unwrap_err();
    repository.git(&["config", "uploadpack.allowFilter", "false"]);
    let cache = tempfile::tempdir().unwrap();
    let sent = resolve(cache.path(), &format!("{}:main", server.url("owner/bomb"))).await.unwrap_err();
    for error in [refused, sent] {
        assert_eq!(error.kind(), ErrorKind::Module, "{error}");
        assert!(words(&error).contains("larger than 64 MB"), "{error}");
    }
}

#[tokio::test]
async fn a_large_file_is_fetched_when_it_is_asked_for() {
    let server = GitServer::start();
    let large = vec![7; 3 << 20];
    let repository = server.repository("owner/cowsay", &[("lilypad_module.json.tmpl", b"{}"), ("large.bin", &large)]);
    repository.git(&["tag", "v1"]);
    let cache = tempfile::tempdir().unwrap();
    let module = resolve(cache.path(), &format!("{}:v1", server.url("owner/cowsay"))).await.unwrap();
    assert!(size_of(cache.path()) < 100 << 10, "the large file came along");
    assert_eq!(module.file("large.bin").await.unwrap(), large);

    let before = server.requests().len();
    assert_eq!(module.file("large.bin").await.unwrap(), large);
    assert_eq!(server.requests().len(), before, "a file that is in the cache needs no server");
}

#[tokio::test]
async fn a_host_that_sends_nothing_but_commits_will_do() {
    let server = GitServer::start();
    let large = vec![7; 300 << 10];
    let repository = server.repository("owner/cowsay", &[("lilypad_module.json.tmpl", b"{}"), ("large.bin", &large)]);
    repository.git(&["config", "uploadpack.allowFilter", "false"]);
    let cache = tempfile::tempdir().unwrap();
    let module = resolve(cache.path(), &format!("{}:main", server.url("owner/cowsay"))).await.unwrap();
    assert_eq!(module.file("large.bin").await.unwrap(), large);
}

#[tokio::test]
async fn a_known_commit_needs_no_server_and_a_ref_needs_one_request_fewer_each_time() {
    let server = GitServer::start();
    let repository = server.repository("owner/cowsay", &module_files("{}"));
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let url = server.url("owner/cowsay");
    let cache = tempfile::tempdir().unwrap();

    resolve(cache.path(), &format!("{url}:main")).await.unwrap();
    assert_eq!(server.requests().len(), 3, "{:?}", server.requests());
    resolve(cache.path(), &format!("{url}:main")).await.unwrap();
    assert_eq!(server.requests().len(), 5, "a ref is looked up again, its commit is not fetched again");
    resolve(cache.path(), &format!("{url}:{commit}")).await.unwrap();
    assert_eq!(server.requests().len(), 5, "a commit that is in the cache needs no server");
}

#[tokio::test]
async fn many_jobs_of_one_module_ask_its_server_once() {
    let server = GitServer::start();
    server.repository("owner/cowsay", &module_files("{}"));
    let cache = tempfile::tempdir().unwrap();
    let (resolver, reference) = (resolver(cache.path()), format!("{}:main", server.url("owner/cowsay")));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (resolver, reference) = (resolver.clone(), reference.parse().unwrap());
        tasks.spawn(async move { resolver.resolve(&reference).await.unwrap().commit() });
    }
    let commits = tasks.join_all().await;
    assert!(commits.iter().all(|commit| commit == &commits[0]));
    assert_eq!(server.requests().len(), 3, "{:?}", server.requests());
}

#[test]
fn several_clients_may_fill_one_cache_at_once() {
    let server = GitServer::start();
    let repository = server.repository("owner/cowsay", &module_files("{}"));
    let reference = format!("{}:main", server.url("owner/cowsay"));
    let cache = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                // A runtime and a resolver each: they share nothing but the folder.
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let module = runtime.block_on(resolve(cache.path(), &reference)).unwrap();
                assert_eq!(runtime.block_on(module.file("program.wasm")).unwrap(), b"\0asm small");
            });
        }
    });
    drop(repository);
    let leftovers: Vec<_> = files_in(cache.path()).into_iter().filter(|path| path.contains(".incoming-")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[tokio::test]
async fn a_damaged_cache_is_repaired_from_the_server() {
    let server = GitServer::start();
    let repository = server.repository("owner/cowsay", &module_files("{\"v\": 1}"));
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let reference = format!("{}:{commit}", server.url("owner/cowsay"));
    let cache = tempfile::tempdir().unwrap();
    resolve(cache.path(), &reference).await.unwrap();

    let objects: Vec<_> = files_in(cache.path()).into_iter().filter(|path| path.contains(&commit)).collect();
    assert!(objects.len() >= 4, "commit, tree and two files: {objects:?}");
    for object in &objects {
        for damage in [&b""[..], b"blob 8\0{\"v\": 6}", b"blob 99999999999\0"] {
            std::fs::write(object, damage).unwrap();
            let module = resolve(cache.path(), &reference).await.unwrap();
            assert_eq!(module.template_text(), "{\"v\": 1}", "{object}");
            assert_eq!(module.file("program.wasm").await.unwrap(), b"\0asm small", "{object}");
        }
    }
    let before = server.requests().len();
    resolve(cache.path(), &reference).await.unwrap();
    assert_eq!(server.requests().len(), before, "after a repair the cache is whole");
}

#[tokio::test]
async fn what_does_not_exist_is_said_with_what_does() {
    let server = GitServer::start();
    let repository = server.repository("owner/cowsay", &module_files("{}"));
    repository.git(&["tag", "v0.0.4"]);
    server.repository("owner/empty", &[("README.md", b"moo")]);
    let url = server.url("owner/cowsay");
    let absent = "0123456789abcdef0123456789abcdef01234567";
    for (reference, expected) in [
        (
            format!("{}:main", server.url("owner/none")),
            vec!["there is no repository at", "owner/none", "everybody may read"],
        ),
        (
            format!("{}:main", server.url("owner/private/x")),
            vec!["there is no repository at", "private repositories cannot"],
        ),
        (format!("{url}:v0.0.5"), vec!["has no tag, branch or commit \"v0.0.5\"", "did you mean `v0.0.4`?", "it has"]),
        (format!("{url}:release"), vec!["has no tag, branch or commit \"release\"", "it has v0.0.4, main"]),
        (format!("{url}:012345"), vec!["has no tag", "all 40 digits"]),
        (format!("{url}:{absent}"), vec!["has no commit 0123456789abcdef", "must be pushed"]),
        (format!("{}:main", server.url("owner/empty")), vec!["there is no lilypad_module.json.tmpl in", "at its top"]),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let error = resolve(cache.path(), &reference).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Module, "{reference}: {error}");
        assert!(!error.is_retryable(), "{reference}");
        for part in expected {
            assert!(words(&error).contains(part), "{reference}: {error}");
        }
    }
}

#[tokio::test]
async fn an_unreachable_server_is_a_connection_fault_that_names_the_commit_last_seen() {
    let server = GitServer::start();
    let repository = server.repository("owner/cowsay", &module_files("{}"));
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let cache = tempfile::tempdir().unwrap();
    let url = server.url("owner/cowsay");
    resolve(cache.path(), &format!("{url}:main")).await.unwrap();

    // The same cache, as if the host had gone: what it knows is moved to the name of a port where nobody listens.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = format!("http://{closed}/owner/cowsay");
    let error = resolve(cache.path(), &format!("{gone}:main")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert!(error.is_retryable());
    assert!(words(&error).contains(&gone), "{error}");

    let known = cache::Cache::new(cache.path().into());
    known.remember(&gone, "main", commit.parse().unwrap()).unwrap();
    let error = resolve(cache.path(), &format!("{gone}:main")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert!(words(&error).contains(&format!("main was commit {commit} when the repository last answered")), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    for scheme in ["http", "git"] {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let options = ResolverOptions { timeout: Duration::from_millis(300), ..ResolverOptions::new(cache.path()) };
        let started = Instant::now();
        let reference = format!("{scheme}://{address}/owner/cowsay:main").parse().unwrap();
        let error = Resolver::new(options).resolve(&reference).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_folder_is_used_as_it_is_and_its_repository_as_it_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let repository = TestRepository::create(folder.path().join("a module"));
    let commit = repository.commit(&module_files("{\"v\": 1}"));
    std::fs::write(repository.folder().join("lilypad_module.json.tmpl"), "{\"v\": 2}").unwrap();
    let (cache, place) = (folder.path().join("cache"), repository.folder().display().to_string());
    let resolver = resolver(&cache);

    let live = resolver.resolve(&ModuleReference::from_folder(repository.folder()).unwrap()).await.unwrap();
    assert_eq!((live.template_text(), live.commit()), ("{\"v\": 2}", None));
    assert_eq!(live.config().hash, "");
    assert!(live.config().repo.starts_with("file:///"), "{}", live.config().repo);
    assert_eq!(live.file("program.wasm").await.unwrap(), b"\0asm small");

    for reference in ["main", commit.as_str()] {
        let config = ModuleConfig { hash: reference.to_owned(), ..live.config().clone() };
        let options = ResolverOptions { allow_local: true, ..ResolverOptions::new(&cache) };
        let committed = Resolver::new(options).resolve_config(&config).await.unwrap();
        assert_eq!((committed.template_text(), committed.commit()), ("{\"v\": 1}", Some(commit.clone())));
        assert_eq!(committed.file("program.wasm").await.unwrap(), b"\0asm small");
    }

    for (path, expected) in [
        (format!("{place}/nowhere"), "there is no folder"),
        (format!("{place}:v9"), "has no tag, branch or commit \"v9\""),
        (folder.path().display().to_string(), "there is no lilypad_module.json.tmpl in file:///"),
        (format!("{}:main", folder.path().display()), "is not a git repository"),
    ] {
        let error = resolver.resolve(&path.parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Module);
        assert!(words(&error).contains(expected), "{path}: {error}");
    }
    let missing_ref = ModuleConfig { hash: "mian".into(), ..live.config().clone() };
    let options = ResolverOptions { allow_local: true, ..ResolverOptions::new(&cache) };
    let error = Resolver::new(options).resolve_config(&missing_ref).await.unwrap_err();
    assert!(words(&error).contains("did you mean `main`?"), "{error}");
}

#[tokio::test]
async fn an_offer_cannot_make_a_provider_read_its_own_disk() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lilypad_module.json.tmpl"), "{}").unwrap();
    let config = ModuleReference::from_folder(folder.path()).unwrap().config();
    let shortcut = ModuleConfig { name: config.repo.clone(), ..ModuleConfig::default() };
    let provider = resolver(&folder.path().join("cache"));
    for config in [config, shortcut] {
        let error = provider.resolve_config(&config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Module);
        assert!(words(&error).contains("is on one machine only"), "{error}");
    }
    for path in ["/../../etc/passwd", "", "/"] {
        let config = ModuleConfig {
            repo: "https://host/a/b".into(),
            hash: "main".into(),
            path: path.into(),
            ..Default::default()
        };
        let error = provider.resolve_config(&config).await.unwrap_err();
        assert!(words(&error).contains("is not the path of a file inside a module"), "{error}");
    }
}

#[tokio::test]
async fn a_bundled_module_needs_no_network_whatever_its_ref() {
    let cache = tempfile::tempdir().unwrap();
    let bundle = Bundle::default()
        .with("cowsay", [("lilypad_module.json.tmpl", TEMPLATE.as_bytes()), ("program.wasm", &b"\0asm"[..])]);
    let resolver = Resolver::new(ResolverOptions { bundle, ..ResolverOptions::new(cache.path()) });
    for reference in ["cowsay", "cowsay:v0.0.4", "github.com/Lilypad-Tech/lilypad-module-cowsay:main"] {
        let module = resolver.resolve(&reference.parse().unwrap()).await.unwrap();
        assert_eq!(module.origin(), ModuleOrigin::Bundled);
        assert_eq!(module.file("program.wasm").await.unwrap(), b"\0asm");
        let error = module.file("none.wasm").await.unwrap_err();
        assert!(words(&error).contains("there is no none.wasm beside lilypad_module.json.tmpl"), "{error}");
    }
    let error = resolver.resolve(&"cowsy".parse().unwrap()).await.unwrap_err();
    assert!(words(&error).contains("did you mean `cowsay`?"), "{error}");
    let error = self::resolver(cache.path()).resolve(&"cowsay".parse().unwrap()).await.unwrap_err();
    assert!(words(&error).contains("has no ref") && words(&error).contains("`cowsay:main`"), "{error}");
}

#[tokio::test]
async fn an_input_that_the_module_does_not_have_is_named_with_the_nearest_one() {
    let module = bundled(TEMPLATE).await.unwrap();
    assert!(module.check_inputs(&inputs(&[("Message", "moo"), ("Seed", "7")])).is_ok());
    let error = module.check_inputs(&inputs(&[("mesage", "moo")])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        words(&error).contains("no input \"mesage\"") && words(&error).contains("did you mean `Message`?"),
        "{error}"
    );
    let error = module.check_inputs(&inputs(&[("Temperature", "1")])).unwrap_err();
    assert!(words(&error).contains("its inputs are `Message`, `Seed`"), "{error}");
    let rendered = module.render(&inputs(&[("Message", "moo"), ("Temperature", "1")])).unwrap();
    assert_eq!(rendered.spec.machine.cpu, 1000);
    assert!(rendered.text.contains("[\"cowsay\", \"moo\"]"));

    let greedy = bundled("{\"job\": {}, \"author\": {{range $name, $value := .}}{{$value}}{{end}}}").await.unwrap();
    assert!(greedy.check_inputs(&inputs(&[("Anything", "x")])).is_ok());
}

#[tokio::test]
async fn a_broken_template_is_said_with_its_place() {
    let error = bundled("{\n  \"a\": {{if .X}}\n}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Module);
    assert!(words(&error).contains("lilypad_module.json.tmpl in https://github.com"), "{error}");
    assert!(words(&error).contains("line 3"), "{error}");
}

#[tokio::test]
async fn a_rendered_text_that_is_not_json_is_traced_to_its_line_and_its_inputs() {
    let error = bundled(TEMPLATE).await.unwrap().render(&inputs(&[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Module);
    assert!(words(&error).contains("template line 7, column "), "{error}");
    assert!(words(&error).contains("\"Entrypoint\": [\"cowsay\", <no value>]"), "{error}");
    assert!(words(&error).contains("inputs that were not given: `Message`, `Seed`"), "{error}");
}

async fn bundled(template: &str) -> Result<Module> {
    let cache = tempfile::tempdir().unwrap();
    let files = [("lilypad_module.json.tmpl", template.as_bytes().to_vec())];
    let bundle = Bundle::default().with("cowsay", files);
    let options = ResolverOptions { bundle, ..ResolverOptions::new(cache.path()) };
    Resolver::new(options).resolve(&"cowsay".parse()?).await
}

/// All files below a folder.
fn files_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_in(&path)),
            false => found.push(path.display().to_string()),
        }
    }
    found
}

/// The size of all files below a folder.
fn size_of(folder: &Path) -> u64 {
    files_in(folder).iter().map(|path| std::fs::metadata(path).unwrap().len()).sum()
}
