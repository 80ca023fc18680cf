//! A first job, on a network that this program brings along.

use lilypad_localnet::LocalNetwork;

#[tokio::main]
async fn main() -> lilypad_sdk::Result<()> {
    let network = LocalNetwork::start().await?;
    let client = network.client();

    let result = client.run("cowsay:v0.0.4", [("Message", "Hello, pond")]).await?;
    print!("{}", result.stdout_text()?);

    network.stop().await;
    Ok(())
}
