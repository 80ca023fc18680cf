//! A module of one's own: checked, planned and run from a folder.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use lilypad_localnet::LocalNetwork;
use lilypad_sdk::JobRequest;
use lilypad_sdk::module::{ModuleReference, check};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let network = LocalNetwork::start().await?;
    let client = network.client();
    let temporary = tempfile::tempdir()?;
    let folder = temporary.path();
    write_module(folder)?;

    // region: check
    let module = client.resolver().resolve(&ModuleReference::from_folder(folder)?).await?;
    println!("inputs: {}", module.inputs().into_iter().collect::<Vec<_>>().join(", "));
    for finding in check(module.template_text()) {
        println!("{:?}, line {}: {}", finding.severity, finding.line, finding.message);
    }
    // end region

    // region: render
    let rendered = module.render(&BTreeMap::from([("Name".into(), "say \"hi\"".into())]))?;
    println!("machine: {} mCPU, {} MB memory", rendered.spec.machine.cpu, rendered.spec.machine.ram);

    // The network ignores an input that the template does not know. Here it is an error.
    if let Err(error) = module.check_inputs(&BTreeMap::from([("Nmae".into(), "pond".into())])) {
        println!("{}", error.help().unwrap_or_default());
    }
    // end region

    // region: plan
    let plan = client.plan(JobRequest::new(folder.to_string_lossy()).input("Name", "pond")).await?;
    println!("price: {} LP an instruction", plan.price().instruction_price);
    println!("everybody will see: {:?}", plan.public().inputs);
    // end region

    // region: run
    let result = plan.submit().await?.result().await?;
    print!("{}", result.stdout_text()?);
    // end region

    network.stop().await;
    Ok(())
}

/// Writes a module into `folder`: the one that `lilypad module new` makes.
fn write_module(folder: &Path) -> Result<(), Box<dyn Error>> {
    let template = include_str!("../../../lilypad-cli/new-module/lilypad_module.json.tmpl");
    std::fs::write(folder.join("lilypad_module.json.tmpl"), template)?;
    let program = wat::parse_str(include_str!("../../../lilypad-cli/new-module/program.wat"))?;
    std::fs::write(folder.join("program.wasm"), program)?;
    Ok(())
}
