//! Clients that are killed at random moments.

use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use lilypad_localnet::{LocalNetwork, bundled_modules, job_creator, network_at};
use lilypad_sdk::network::Environment;
use lilypad_sdk::{Client, Error, JournalMode};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::totals::{Totals, Verdict};

/// Rows of one map.
const ROWS: usize = 12;
/// How long a client may live that is left alone.
const PATIENCE: Duration = Duration::from_secs(180);
/// A client that has lived so long waits for an offer to get too old, most likely: the solver's clock is moved on.
const LONG: Duration = Duration::from_secs(3);

/// The client that is killed: runs rows under a key, into folders that stay.
pub(crate) async fn client(solver_url: &str, folder: &Path, key: &str) -> ExitCode {
    match rows(solver_url, folder, key).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the rows; whether each gave what it should.
async fn rows(solver_url: &str, folder: &Path, key: &str) -> lilypad_sdk::Result<bool> {
    let client = Client::builder()
        .environment(Environment::default())
        .network(network_at(solver_url)?)
        .wallet(job_creator()?)
        .bundle(bundled_modules())
        .data_dir(folder.join("data"))
        .journal(JournalMode::Folder(folder.join("journal")))
        .build()?;
    let inputs = (0..ROWS).map(|row| [("Message", message(key, row))]);
    let mut rows = client.map("cowsay", inputs).concurrency(4).key(key).save_to(folder.join(key)).start()?;
    let mut right = true;
    while let Some(row) = rows.next().await {
        let printed = row.outcome?.stdout_text()?;
        right &= printed.contains(&message(key, row.index));
    }
    Ok(right)
}

/// What a row says.
fn message(key: &str, row: usize) -> String {
    format!("{key} row {row}.")
}

/// Kills clients until `kills` have died; each map goes on until one of its clients comes to the end.
pub(crate) async fn run(totals: &mut Totals, seed: u64, kills: u32) -> lilypad_sdk::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let network = LocalNetwork::builder().slots(8).start().await?;
    let folder = tempfile::tempdir().map_err(|error| Error::io("make a folder", Path::new("."), error))?;
    let (mut killed, mut maps) = (0, 0u64);
    // How long a client takes that is left alone, so that kills fall into its life and not after it.
    let start = Instant::now();
    judge(totals, &network, folder.path(), "left alone", spawn(&network, folder.path(), "left alone")?).await;
    let life = start.elapsed();
    maps += 1;
    while killed < kills {
        let key = format!("map {maps}");
        maps += 1;
        // At most so many in one map, so that its rows are at every stage when the next one dies.
        for _ in 0..random.random_range(1..=8u32) {
            if killed == kills {
                break;
            }
            let mut child = spawn(&network, folder.path(), &key)?;
            sleep(life.mul_f64(random.random_range(0.0..1.1))).await;
            if matches!(child.try_wait(), Ok(Some(_))) {
                break;
            }
            // SIGKILL: nothing of it gets another word.
            let _ = child.kill().await;
            killed += 1;
        }
        let last = spawn(&network, folder.path(), &key)?;
        judge(totals, &network, folder.path(), &key, last).await;
    }
    let jobs = maps * ROWS as u64;
    totals.killed(killed, jobs);
    let taken = network.offers_taken();
    if taken != jobs {
        let why = format!("{taken} offers taken for {jobs} rows");
        totals.judge("kills", &if taken > jobs { Verdict::PaidTwice(why) } else { Verdict::Lost(why) });
    }
    Ok(())
}

/// Starts a client.
fn spawn(network: &LocalNetwork, folder: &Path, key: &str) -> lilypad_sdk::Result<Child> {
    let program = std::env::current_exe().map_err(|error| Error::io("find this program", Path::new("."), error))?;
    Command::new(&program)
        .arg("client")
        .arg(network.solver_url().as_str())
        .arg(folder)
        .arg(key)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::io("start a client", &program, error))
}

/// Lets a client come to its end, and judges how it ended.
async fn judge(totals: &mut Totals, network: &LocalNetwork, folder: &Path, key: &str, mut client: Child) {
    let ending = async {
        loop {
            match timeout(LONG, client.wait()).await {
                Ok(status) => return status.ok().and_then(|status| status.code()),
                Err(_) => network.clock().advance(Duration::from_secs(10)),
            }
        }
    };
    let kept = |row: usize| folder.join(key).join(row.to_string()).join("stdout");
    let verdict = match timeout(PATIENCE, ending).await {
        Err(_) => Verdict::Hang("it did not come to its end".into()),
        Ok(Some(0)) => match (0..ROWS)
            .find(|row| !std::fs::read_to_string(kept(*row)).is_ok_and(|printed| printed.contains(&message(key, *row))))
        {
            Some(row) => Verdict::Lost(format!("row {row} is not on disk")),
            None => Verdict::Fine,
        },
        Ok(Some(2)) => Verdict::Wrong("a row printed what it should not".into()),
        Ok(code) => Verdict::Lost(format!("it ended with {code:?}")),
    };
    totals.judge(key, &verdict);
}
