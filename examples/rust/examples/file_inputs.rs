//! Gives a job files to read.

use lilypad_localnet::LocalNetwork;
use lilypad_sdk::JobRequest;
use lilypad_sdk::module::InputFile;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let network = LocalNetwork::start().await?;
    let client = network.client();
    let folder = tempfile::tempdir()?;
    let notes = folder.path().join("notes.txt");
    std::fs::write(&notes, "two frogs\none heron\n")?;

    // region: files
    // The module says which files it takes, and by which names: `input.txt`, and perhaps `more.txt`.
    let request = JobRequest::new("files")
        .file(InputFile::from_bytes("input.txt", "Good morning, pond\n")?)
        .file(InputFile::from_path_as("more.txt", &notes)?);
    let result = client.submit(request).await?.result().await?;

    print!("{}", result.stdout_text()?);
    for file in result.files() {
        println!("{:>4} bytes  {}", file.size(), file.path());
    }
    print!("{}", result.file("outputs/upper/input.txt")?.text().await?);
    // end region

    // region: folder
    // Or all files of a folder. What the module does not take, and what it misses, is said before anything is sent.
    match client.submit(JobRequest::new("files").inputs_dir(folder.path())).await {
        Ok(job) => println!("job {}", job.id()),
        Err(error) => println!("{error}"),
    }
    // end region

    network.stop().await;
    Ok(())
}
