//! Many jobs at once, a few at a time. One that fails does not end the others.

use futures_util::{StreamExt, stream};
use lilypad_localnet::LocalNetwork;

/// How many jobs are under way at the same time.
const AT_ONCE: usize = 4;

#[tokio::main]
async fn main() -> lilypad_sdk::Result<()> {
    let network = LocalNetwork::start().await?;
    let client = network.client();

    // region: many
    // All of them share the client's one event socket. `buffer_unordered` hands out results as they come.
    let seconds = ["0.3", "0.1", "0.2", "soon", "0.1", "0.2", "0.3", "0.1"];
    let mut results = stream::iter(seconds)
        .map(|seconds| {
            let client = client.clone();
            async move { (seconds, client.run("sleep", [("Seconds", seconds)]).await) }
        })
        .buffer_unordered(AT_ONCE);

    let (mut done, mut failed) = (0, 0);
    while let Some((seconds, outcome)) = results.next().await {
        match outcome {
            Ok(result) => {
                done += 1;
                print!("{}", result.stdout_text()?);
            }
            Err(error) => {
                failed += 1;
                println!("Seconds={seconds}: {}", error.message().unwrap_or_default());
            }
        }
    }
    println!("{done} done, {failed} failed");
    // end region

    drop(results);
    network.stop().await;
    Ok(())
}
