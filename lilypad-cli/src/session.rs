//! From arguments to a client and a request.

use std::fmt::Display;
use std::io::Read;
use std::path::{Path, PathBuf};

use lilypad_localnet::LocalNetwork;
use lilypad_sdk::module::InputFile;
use lilypad_sdk::network::Environment;
use lilypad_sdk::{Client, ClientBuilder, Error, ErrorKind, JobRequest, JournalMode, Network, Result, Wallet};

use crate::args::{Global, JobArguments};

/// The networks on which modules that come along stand in for their repositories, and any key will do.
const LOCAL: [&str; 2] = ["dev", "local"];

/// A client, and the network that it brought along, if any.
pub(crate) struct Session {
    pub(crate) client: Client,
    network: Option<LocalNetwork>,
}

impl Session {
    /// For a network that is there.
    pub(crate) fn open(global: &Global) -> Result<Self> {
        Ok(Self { client: remote_client(global)?, network: None })
    }

    /// For what needs no network: modules, with those of the local network among them.
    pub(crate) fn offline(global: &Global) -> Result<Self> {
        let builder = Client::builder().bundle(lilypad_localnet::bundled_modules());
        Ok(Self { client: with_data_dir(builder, global).build()?, network: None })
    }

    /// For a network of its own if `local`, else for one that is there.
    pub(crate) async fn start(global: &Global, local: bool) -> Result<Self> {
        if !local {
            return Self::open(global);
        }
        let network = LocalNetwork::start().await?;
        // What happened on a network that ends with this command is of no use to the next.
        let client = with_data_dir(network.client_builder(), global).journal(JournalMode::Memory).build()?;
        Ok(Self { client, network: Some(network) })
    }

    /// Whether the network ends with this command.
    pub(crate) fn is_local(&self) -> bool {
        self.network.is_some()
    }

    /// Stops the network that came along.
    pub(crate) async fn close(self) {
        drop(self.client);
        if let Some(network) = self.network {
            network.stop().await;
        }
    }
}

fn with_data_dir(builder: ClientBuilder, global: &Global) -> ClientBuilder {
    match &global.data_dir {
        Some(folder) => builder.data_dir(folder),
        None => builder,
    }
}

fn remote_client(global: &Global) -> Result<Client> {
    let environment = Environment::process();
    let name =
        global.network.clone().or_else(|| std::env::var(Environment::NETWORK).ok().filter(|name| !name.is_empty()));
    let local = name.as_deref().is_some_and(|name| LOCAL.contains(&name));
    let name_is_local = name.as_deref() == Some("local");
    let name = if local { Some("dev".to_owned()) } else { name };
    let mut builder = Network::builder(name.as_deref().unwrap_or(Network::DEFAULT));
    if let Some(url) = &global.solver_url {
        builder = builder.solver_url(url);
    }
    let network = builder.resolve(&environment)?;
    if local && network.solver_url.is_none() && name_is_local {
        return Err(Error::new(ErrorKind::Config, "find the local network")
            .with_message("it is not known where its solver is")
            .with_help(
                "start one with `lilypad local up` and use the two variables that it prints, or `run --local`",
            ));
    }
    let mut client = with_data_dir(Client::builder(), global).network(network);
    if local {
        client = client.bundle(lilypad_localnet::bundled_modules());
        if Wallet::from_environment(&environment)?.is_none() {
            client = client.wallet(lilypad_localnet::job_creator()?);
        }
    }
    client.build()
}

/// Makes the request that the arguments describe.
pub(crate) fn request(arguments: &JobArguments) -> Result<JobRequest> {
    let mut request = JobRequest::new(&arguments.module).inputs(inputs(&arguments.inputs)?);
    for file in &arguments.files {
        let (name, path) = pair(file, "--file", "NAME=PATH")?;
        request = request.file(InputFile::from_path_as(name, path)?);
    }
    if let Some(folder) = &arguments.inputs_path {
        request = request.inputs_dir(folder);
    }
    if let Some(key) = &arguments.key {
        request = request.idempotency_key(key);
    }
    if let Some(target) = &arguments.target {
        request = request.target(target.parse().map_err(|error| {
            bad("read --target", format_args!("`{target}` is no address: {error}"))
                .with_help("an address is 0x and 40 hexadecimal digits")
        })?);
    }
    Ok(request)
}

/// Reads `Key=value`, `Key=@path` and `Key=@-`.
pub(crate) fn inputs(arguments: &[String]) -> Result<Vec<(String, String)>> {
    let mut inputs: Vec<(String, String)> = Vec::with_capacity(arguments.len());
    let mut stdin_used = false;
    for argument in arguments {
        let (name, value) = pair(argument, "-i", "KEY=VALUE")?;
        if inputs.iter().any(|(known, _)| known == name) {
            return Err(bad("read -i", format_args!("input `{name}` is given twice")));
        }
        let value = match value.strip_prefix('@') {
            None => value.to_owned(),
            Some("-") if stdin_used => {
                return Err(bad("read -i", format_args!("input `{name}`: standard input can be read only once")));
            }
            Some("-") => {
                stdin_used = true;
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(|error| Error::io("read an input", Path::new("standard input"), error))?;
                text
            }
            Some(literal) if literal.starts_with('@') => literal.to_owned(),
            Some(path) => {
                let path = PathBuf::from(path);
                std::fs::read_to_string(&path).map_err(|error| {
                    bad("read an input", format_args!("input `{name}`: {}: {error}", path.display()))
                        .with_help("`@` before a value names a file; `@@` stands for a plain `@`")
                })?
            }
        };
        inputs.push((name.to_owned(), value));
    }
    Ok(inputs)
}

fn pair<'a>(argument: &'a str, option: &'static str, shape: &str) -> Result<(&'a str, &'a str)> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err(bad(format!("read {option}"), format_args!("`{argument}` is not {shape}"))
            .with_help(format!("write {option} {shape}"))),
    }
}

fn bad(operation: impl Into<std::borrow::Cow<'static, str>>, message: impl Display) -> Error {
    Error::new(ErrorKind::InvalidInput, operation).with_message(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Vec<(String, String)>> {
        inputs(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn values_are_taken_literally() {
        let odd = r#"say "hi", now = $HOME {{.x}}"#;
        assert_eq!(read(&[&format!("Prompt={odd}")]).unwrap(), [("Prompt".into(), odd.into())]);
        assert_eq!(read(&["Handle=@@lily"]).unwrap(), [("Handle".into(), "@lily".into())]);
        assert_eq!(read(&["Empty="]).unwrap(), [("Empty".into(), String::new())]);
    }

    #[test]
    fn a_value_can_come_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "line 1\nline 2\n").unwrap();
        let argument = format!("Text=@{}", file.path().display());
        assert_eq!(read(&[&argument]).unwrap(), [("Text".into(), "line 1\nline 2\n".into())]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (arguments, message) in [
            (&["Message"][..], "`Message` is not KEY=VALUE"),
            (&["=x"][..], "`=x` is not KEY=VALUE"),
            (&["A=1", "A=2"][..], "input `A` is given twice"),
            (&["A=@/no/such/file"][..], "input `A`: /no/such/file: No such file or directory"),
        ] {
            let error = read(arguments).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }
}
