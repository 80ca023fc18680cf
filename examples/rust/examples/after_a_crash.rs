//! What a service does that may die at any moment: nothing is lost, and nothing runs twice.

use std::path::Path;

use lilypad_localnet::LocalNetwork;
use lilypad_sdk::{Client, JobRequest, JournalMode};

#[tokio::main]
async fn main() -> lilypad_sdk::Result<()> {
    let network = LocalNetwork::start().await?;
    let folder = tempfile::tempdir().map_err(|error| lilypad_sdk::Error::io("make a folder", Path::new("."), error))?;
    let start = || -> lilypad_sdk::Result<Client> {
        network.client_builder().journal(JournalMode::Folder(folder.path().join("journal"))).build()
    };

    // region: key
    // The key is yours: an order's number, a row's id. It stays on this machine.
    let order = || JobRequest::new("cowsay").input("Message", "one frog, please").idempotency_key("order 1871");
    let job = start()?.submit(order()).await?;
    drop(job); // The power fails.

    // The same program, started again, does the same things.
    let client = start()?;
    let job = client.submit(order()).await?;
    print!("{}", job.result().await?.stdout_text()?);
    println!("offers taken: {}", network.offers_taken());
    // end region

    // region: jobs
    for job in client.jobs().await? {
        println!("{} {}", job.id(), job.status());
    }
    // end region

    // region: resume
    // Rows that were sent before are not sent again; results that are on disk already are taken from there.
    let orders = ["two frogs", "three frogs"].map(|order| [("Message", order)]);
    let map = client.map("cowsay", orders).key("orders of today").save_to(folder.path().join("orders"));
    let mut rows = map.start()?;
    while let Some(row) = rows.next().await {
        println!("row {}: exit code {}", row.index, row.outcome?.exit_code());
    }
    // end region

    // region: metrics
    let metrics = client.metrics();
    println!(
        "submitted {}, recalled {}, succeeded {}",
        metrics.jobs_submitted, metrics.jobs_recalled, metrics.jobs_succeeded
    );
    // end region

    network.stop().await;
    Ok(())
}
