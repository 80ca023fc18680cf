//! Keeps the files that a job made. Give it a folder to keep them in, which must not exist yet.

use std::path::PathBuf;

use lilypad_localnet::LocalNetwork;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let network = LocalNetwork::start().await?;
    let client = network.client();
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => tempfile::tempdir()?.keep().join("pond"),
    };

    // region: save
    let result = client.run("image", [("Prompt", "a frog at sunset"), ("Seed", "7")]).await?;
    for file in result.files() {
        println!("{}", file.path());
    }

    // The whole result. Until here it lies in a temporary folder that goes with `result`.
    result.save(&folder).await?;
    // Or one file of it. What exists is never overwritten.
    result.file("outputs/image.png")?.save(folder.join("frog.png")).await?;
    // end region

    // region: verify
    // The content id covers every file, so anybody can check later that nothing was changed.
    result.verify().await?;
    println!("verified {}", result.data_id());
    // end region

    println!("kept in {}", folder.display());
    network.stop().await;
    Ok(())
}
