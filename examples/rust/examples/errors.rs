//! What to do about errors: tell outcomes from faults, read what happened, come back to a job.

use std::time::Duration;

use lilypad_localnet::LocalNetwork;
use lilypad_sdk::{Client, Error, ErrorKind, Fault, JobRequest, Result, ResultOptions};

#[tokio::main]
async fn main() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let client = network.client();
    exit_code(&client).await?;
    failed_job(&client).await;
    no_such_module(&client).await;
    wait_and_come_back(&client).await?;
    network.stop().await;
    Ok(())
}

/// The program ended with a non-zero exit code: an error, unless it is allowed.
async fn exit_code(client: &Client) -> Result<()> {
    // region: exit-code
    let request = JobRequest::new("fail").input("ExitCode", "3").input("Message", "out of reeds");
    let job = client.submit(request).await?;
    match job.result().await {
        Err(error) if error.kind() == ErrorKind::ModuleExit => {
            println!("{error}");
        }
        other => println!("exit code {}", other?.exit_code()),
    }

    // The same job again, with its output whatever the exit code is. Nothing is fetched twice.
    let result = job.result_with(ResultOptions::default().allow_exit_code()).await?;
    println!("exit code {}, stderr: {}", result.exit_code(), result.stderr_text()?.trim());
    // end region
    Ok(())
}

/// The provider could not run the job: its own words are in the error.
async fn failed_job(client: &Client) {
    // It wants a container engine, which the local network has none of.
    let module = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/cowsay-docker");
    // region: failed
    if let Err(error) = client.run(module, [("Message", "moo")]).await {
        println!("{}, outcome: {}, job: {}", error.kind(), error.is_outcome(), error.job_id().is_some());
        println!("{}", error.message().unwrap_or_default());
    }
    // end region
}

/// The call itself is wrong: nothing was sent.
async fn no_such_module(client: &Client) {
    // region: caller
    if let Err(error) = client.run("cowsai", [("Message", "moo")]).await {
        println!("{}: {error}", advice(&error));
    }
    if let Err(error) = client.run("cowsay", [("Mesage", "moo")]).await {
        println!("{}: {}", advice(&error), error.help().unwrap_or_default());
    }
    // end region
}

// region: advice
/// What a program can do about an error.
fn advice(error: &Error) -> &'static str {
    match error.fault() {
        // The job ran, or nobody took it. The network is well.
        Fault::Job => "look at the job",
        Fault::Caller => "mend the call",
        // Waiting ended; the job goes on.
        Fault::Nobody => "come back to the job by its id",
        // The solver, the chain, or the way to them.
        _ if error.is_retryable() => "try again later",
        _ => "ask whoever runs the network",
    }
}
// end region

/// Waiting has an end, the job goes on.
async fn wait_and_come_back(client: &Client) -> Result<()> {
    // region: wait
    let job = client.submit(JobRequest::new("sleep").input("Seconds", "1")).await?;
    let id = job.id().clone();
    let outcome = job.result_with(ResultOptions::default().wait(Duration::from_millis(100))).await;
    if let Err(error) = outcome {
        println!("{}: job {id} goes on", error.kind());
    }
    drop(job);

    // Later, perhaps in another process with the same key.
    let result = client.job(&id).await?.result().await?;
    print!("{}", result.stdout_text()?);
    // end region
    Ok(())
}
