//! `lilypad local up`: a whole network on this machine.

use std::process::ExitCode;

use lilypad_localnet::LocalNetwork;
use lilypad_sdk::Result;

use crate::args::LocalCommand;
use crate::interrupt::interrupted;

/// Starts a network and keeps it until Ctrl-C.
pub(crate) async fn run(command: LocalCommand) -> Result<ExitCode> {
    let LocalCommand::Up { port, providers } = command;
    let network = LocalNetwork::builder().port(port).providers(providers).start().await?;
    super::print(
        format!("export LILYPAD_NETWORK=local\nexport LILYPAD_SOLVER_URL={}\n", network.solver_url()).as_bytes(),
    )?;
    eprintln!("the local network is up; use these variables in another terminal, any key will do");
    eprintln!("modules: {}", lilypad_localnet::bundled_modules().names().collect::<Vec<_>>().join(", "));
    eprintln!("Ctrl-C stops it");
    interrupted().await;
    network.stop().await;
    Ok(ExitCode::SUCCESS)
}
