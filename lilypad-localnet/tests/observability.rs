//! What a service sees of its jobs, and what nobody ever sees.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::io::Write;
use std::sync::{Arc, Mutex};

use lilypad_localnet::{Call, Fault, Harm, LocalNetwork, Reply};
use lilypad_sdk::{ErrorKind, JobRequest, JournalMode, Result, Wallet};
use tracing_subscriber::fmt::MakeWriter;

/// A key that must never be seen.
const SECRET: &str = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn jobs_and_requests_are_in_the_log_and_no_secret_is_in_log_journal_or_error() -> Result<()> {
    let log = Log::default();
    // Everything that any library says, down to the smallest.
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(log.clone()).init();

    let network = LocalNetwork::builder()
        .fault(Fault::new(Call::PostJobOffer, Harm::LoseAnswer).times(1))
        .fault(Fault::new(Call::GetResultFiles, Harm::CutBody { at: 100 }).times(1))
        .fault(Fault::new(Call::ListDeals, Harm::Instead(Reply::status(503))).times(1))
        .start()
        .await?;
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::from_hex(SECRET)?;
    let client = network
        .client_builder()
        .wallet(wallet.clone())
        .journal(JournalMode::Folder(folder.path().join("journal")))
        .build()?;
    let job = client.submit(JobRequest::new("cowsay").input("Message", "moo").idempotency_key("k")).await?;
    job.result().await?;
    let failed = client.run("fail", [("ExitCode", "3")]).await.unwrap_err();
    let elsewhere = client.job(&"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn".parse()?).await.unwrap_err();
    assert_eq!((failed.kind(), elsewhere.kind()), (ErrorKind::ModuleExit, ErrorKind::NotFound));

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in [
        &format!("job={}}}: lilypad_sdk::job::submit: the solver has the job", job.id()),
        &format!("result{{job={} deal={}}}", job.id(), job.deal_id().unwrap()),
        "request{method=POST path=\"job_offers\"}",
        "looking whether the solver took the offer",
    ] {
        assert!(logged.contains(expected), "{expected} is not in\n{logged}");
    }
    let journal = std::fs::read_to_string(folder.path().join("journal/jobs.log")).unwrap();
    assert!(journal.contains(job.id().as_str()));
    let errors = format!("{failed} {failed:?} {elsewhere} {elsewhere:?} {client:?} {job:?} {wallet:?}");
    let headers = wallet.request_headers();
    for secret in [SECRET, headers.signature(), headers.user()] {
        for text in [&logged, &journal, &errors] {
            assert!(!text.to_lowercase().contains(&secret.to_lowercase()));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_service_can_read_what_its_client_has_done() -> Result<()> {
    let network = LocalNetwork::builder()
        .fault(Fault::new(Call::PostJobOffer, Harm::Instead(Reply::new(500, "network busy\n"))).times(1))
        .start()
        .await?;
    let client = network.client();
    assert_eq!(client.metrics(), Default::default());
    client.run("cowsay", [("Message", "moo")]).await?;
    client.run("fail", [("ExitCode", "3")]).await.unwrap_err();
    let request = JobRequest::new("cowsay").input("Message", "moo").idempotency_key("k");
    for _ in 0..2 {
        client.submit(request.clone()).await?.result().await?;
    }
    let metrics = client.metrics();
    assert_eq!((metrics.jobs_submitted, metrics.offers_repeated, metrics.jobs_recalled), (3, 1, 1));
    assert_eq!((metrics.results_received, metrics.results_refused), (4, 0));
    assert_eq!((metrics.jobs_succeeded, metrics.requests_refused, metrics.sockets_opened), (3, 1, 1));
    assert!(metrics.requests > 10 && metrics.events >= metrics.events_own && metrics.events_own > 10, "{metrics:?}");
    assert!(metrics.result_bytes > 3 * 1024, "{metrics:?}");
    Ok(())
}
