//! Chooses a network and a key. Connects to nothing.

use std::path::Path;

use lilypad_sdk::network::Environment;
use lilypad_sdk::{Client, Network, Result, Wallet};

/// A well-known key of development chains. It holds nothing anywhere: use your own.
const KEY: &str = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

fn main() -> Result<()> {
    // region: known
    for name in Network::known() {
        let network = Network::named(name)?;
        println!("{name}: chain {}, RPC URLs {}", network.chain_id.unwrap_or_default(), network.rpc_urls.len());
    }
    // end region

    // region: precedence
    // What is asked for beats the environment, which beats the known network. `Environment::process()` is the real one.
    let environment = Environment::from([
        ("LILYPAD_NETWORK", "devnet"),
        ("LILYPAD_SOLVER_URL", "https://solver.example"),
        ("LILYPAD_RPC_URL", "https://rpc.example/v3/key-of-mine"),
    ]);
    let network = Network::builder("demonet").solver_url("https://other.example").resolve(&environment)?;
    // The builder's name and solver, the environment's RPC URL (printed without its key), the known network's chain.
    if let Some(solver) = &network.solver_url {
        println!("{} at {solver}, chain {:?} by {:?}", network.name, network.chain_id, network.rpc_urls);
    }
    // end region

    // region: custom
    let mine = Network::custom("mine")
        .solver_url("http://127.0.0.1:8081")
        .solver("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
        .mediators(["0x90F79bf6EB2c4f870365E785982E1f101E93b906"])
        .build()?;
    // end region

    let keystore = Path::new(env!("CARGO_MANIFEST_DIR")).join("keystore.json");
    // region: keys
    let wallet = Wallet::from_hex(KEY)?;
    // Slow on purpose, about a second for a real keystore: in async code, call it on a blocking thread.
    let same = Wallet::from_keystore(&keystore, "open sesame")?;
    println!("{wallet:?} {}", wallet.address() == same.address());

    // A key that is wrong is explained and never repeated.
    if let Err(error) = Wallet::from_hex(&KEY[..42]) {
        println!("{error}");
    }
    // end region

    // region: client
    let client = Client::builder().network(mine).wallet(wallet).build()?;
    println!("{client:?}");
    // end region
    Ok(())
}
