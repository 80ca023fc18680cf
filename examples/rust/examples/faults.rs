//! Has things go wrong on purpose, and shows that they did.

use lilypad_localnet::{Call, Fault, Harm, LocalNetwork, Memory};

#[tokio::main]
async fn main() -> lilypad_sdk::Result<()> {
    // region: faults
    // The solver takes the offer, and its answer is lost. Later the result's files break off in the middle.
    let network = LocalNetwork::builder()
        .fault(Fault::new(Call::PostJobOffer, Harm::LoseAnswer).times(1))
        .fault(Fault::new(Call::GetResultFiles, Harm::CutBody { at: 1000 }).times(1))
        .start()
        .await?;

    let result = network.client().run("cowsay", [("Message", "What was that?")]).await?;
    print!("{}", result.stdout_text()?);

    // They did strike, and the job was sent once all the same.
    let struck: Vec<u64> = network.faults().counts().iter().map(|count| count.struck).collect();
    println!("struck {struck:?}, offers taken: {}", network.offers_taken());
    // end region

    // region: running
    // While it runs: every socket breaks, the solver loses all that it knew, and providers have trouble coming back.
    let faults = network.faults();
    let trouble = faults.add(Fault::new(Call::ListDeals, Harm::HangUp).times(2));
    faults.cut_sockets();
    network.restart_solver(Memory::Lost).await?;

    let result = network.client().run("cowsay", [("Message", "Who are you?")]).await?;
    print!("{}", result.stdout_text()?);
    println!("struck {}", faults.struck(trouble));
    // end region

    network.stop().await;
    Ok(())
}
