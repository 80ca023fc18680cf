//! Many jobs of one module, a few at a time. One that fails does not end the others.

use lilypad_localnet::LocalNetwork;

#[tokio::main]
async fn main() -> lilypad_sdk::Result<()> {
    let network = LocalNetwork::start().await?;
    let client = network.client();

    // region: many
    let seconds = ["0.3", "0.1", "0.2", "soon", "0.1", "0.2", "0.3", "0.1"];
    let inputs = seconds.map(|seconds| [("Seconds", seconds)]);
    // Rows come out as they went in, unless asked otherwise.
    let mut rows = client.map("sleep", inputs).concurrency(4).as_completed().start()?;
    while let Some(row) = rows.next().await {
        match row.outcome {
            Ok(result) => print!("{}", result.stdout_text()?),
            Err(error) => println!("Seconds={}: {}", seconds[row.index], error.message().unwrap_or_default()),
        }
    }
    let progress = rows.progress();
    println!("{} done, {} failed", progress.succeeded, progress.failed);
    // end region

    network.stop().await;
    Ok(())
}
