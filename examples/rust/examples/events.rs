//! Follows a job's events as they come.

use futures_util::StreamExt;
use lilypad_localnet::LocalNetwork;
use lilypad_sdk::{JobEvents, JobRequest};

#[tokio::main]
async fn main() -> lilypad_sdk::Result<()> {
    let network = LocalNetwork::start().await?;
    let client = network.client();

    // region: follow
    let job = client.submit(JobRequest::new("sleep").input("Seconds", "0.5")).await?;
    println!("job {}", job.id());

    // A job is over when its result was fetched. So its events are followed beside the waiting, not before it.
    let following = tokio::spawn(follow(job.events()));
    let result = job.result().await?;
    following.await.expect("following a job does not panic");
    print!("{}", result.stdout_text()?);
    // end region

    network.stop().await;
    Ok(())
}

// region: events
/// Prints what happens to a job, until nothing more can.
async fn follow(mut events: JobEvents) {
    while let Some(event) = events.next().await {
        // `status` is for people, `state` is the network's own word.
        let provider = event.view.deal.map(|deal| format!(" on {}", deal.provider)).unwrap_or_default();
        println!("{} ({}){provider}", event.view.status, event.view.state);
    }
}
// end region
