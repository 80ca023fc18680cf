//! `lilypad module check`, `render` and `new`.

use std::path::Path;
use std::process::ExitCode;

use lilypad_sdk::module::{Finding, Module, ModuleReference, Severity, check};
use lilypad_sdk::{Error, ErrorKind, Result};
use serde_json::json;

use super::{print, print_json};
use crate::args::{Global, ModuleCommand};
use crate::exit;
use crate::session::{Session, inputs};

/// The files of a new module.
const TEMPLATE: &str = include_str!("../../new-module/lilypad_module.json.tmpl");
const PROGRAM: &str = include_str!("../../new-module/program.wat");

/// Runs one of the module commands.
pub(crate) async fn run(global: &Global, command: ModuleCommand) -> Result<ExitCode> {
    match command {
        ModuleCommand::Check { module } => check_module(global, &find(global, &module).await?),
        ModuleCommand::Render { module, inputs: given } => {
            let module = find(global, &module).await?;
            let given = inputs(&given)?.into_iter().collect();
            module.check_inputs(&given)?;
            print(module.render(&given)?.text.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        ModuleCommand::New { folder } => new(&folder),
    }
}

/// Finds a module. Those that come with the local network are known by their bare names.
async fn find(global: &Global, module: &str) -> Result<Module> {
    let reference: ModuleReference = module.parse()?;
    Session::offline(global)?.client.resolver().resolve(&reference).await
}

fn check_module(global: &Global, module: &Module) -> Result<ExitCode> {
    let findings = check(module.template_text());
    if global.json {
        let rows = findings.iter().map(|finding| {
            json!({
                "severity": severity(finding),
                "line": finding.line,
                "column": finding.column,
                "message": finding.message,
                "help": finding.help,
            })
        });
        print_json(&json!({ "inputs": module.inputs(), "findings": rows.collect::<Vec<_>>() }))?;
    } else {
        let mut text = String::new();
        for finding in &findings {
            text.push_str(&format!(
                "lilypad_module.json.tmpl:{}:{}: {}: {}\n",
                finding.line,
                finding.column,
                severity(finding),
                finding.message
            ));
            if let Some(help) = &finding.help {
                text.push_str(&format!("  help: {help}\n"));
            }
        }
        print(text.as_bytes())?;
        let inputs = module.inputs().into_iter().collect::<Vec<_>>().join(", ");
        let count = match findings.len() {
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        };
        eprintln!("{count}; inputs: {}", if inputs.is_empty() { "none" } else { &inputs });
    }
    let broken = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if broken { ExitCode::from(exit::BAD_INPUT) } else { ExitCode::SUCCESS })
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Makes a module that runs as it is.
fn new(folder: &Path) -> Result<ExitCode> {
    let operation = "make a module";
    if folder.exists() {
        return Err(Error::new(ErrorKind::InvalidInput, operation)
            .with_message(format_args!("{} exists already", folder.display()))
            .with_help("name a folder that does not exist yet"));
    }
    let program =
        wat::parse_str(PROGRAM).map_err(|error| Error::new(ErrorKind::Internal, operation).with_source(error))?;
    std::fs::create_dir_all(folder).map_err(|error| Error::io(operation, folder, error))?;
    for (name, content) in [
        ("lilypad_module.json.tmpl", TEMPLATE.as_bytes()),
        ("program.wat", PROGRAM.as_bytes()),
        ("program.wasm", program.as_slice()),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(|error| Error::io(operation, &path, error))?;
    }
    let place = folder.display();
    let place = if folder.is_absolute() || folder.starts_with(".") { place.to_string() } else { format!("./{place}") };
    eprintln!(
        "made {place}\n  check it:  lilypad module check {place}\n  run it:    lilypad run --local {place} -i Name=pond"
    );
    Ok(ExitCode::SUCCESS)
}
