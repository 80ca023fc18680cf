//! Answers that get lost or changed on the way. A proxy between client and solver does that; both ends are real.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lilypad_localnet::{Clock, LocalNetwork, network_at};
use lilypad_sdk::{Client, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the proxy does to the first job offer that it sees, or to what comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loses {
    /// Hangs up before the solver has the offer; then the solver's clock goes on by 60 s, after which it could not take it any more.
    Request,
    /// Hangs up after the solver has taken it.
    Answer,
    /// Answers as a gateway does that has lost patience, after the solver has taken it.
    AnswerForGateways,
    /// Passes everything on, with another solver in every deal.
    TruthOfDeals,
}

/// What a gateway says that has lost patience.
const GATEWAY_TIMEOUT: &[u8] =
    b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 15\r\nConnection: close\r\n\r\nGateway Timeout";

/// Starts a proxy to the network's solver; a client of it.
async fn client_through_proxy(network: &LocalNetwork, loses: Loses, clock: &Clock) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let upstream = format!("127.0.0.1:{}", network.solver_url().port().unwrap());
    let (lost, clock) = (Arc::new(AtomicBool::new(false)), clock.clone());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let solver = TcpStream::connect(upstream.clone()).await.unwrap();
            tokio::spawn(relay(client, solver, loses, lost.clone(), clock.clone()));
        }
    });
    let through_proxy = network_at(url).unwrap();
    network.client_builder().network(through_proxy).build().unwrap()
}

/// Passes bytes on, both ways, until the first job offer of all connections; hangs up on that one.
async fn relay(mut client: TcpStream, mut solver: TcpStream, loses: Loses, lost: Arc<AtomicBool>, clock: Clock) {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut doomed = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(count @ 1..) => {
                    let offer = up.starts_with(b"POST /api/v1/job_offers") && loses != Loses::TruthOfDeals;
                    if offer && !lost.swap(true, Ordering::AcqRel) {
                        doomed = true;
                    }
                    if doomed && loses == Loses::Request {
                        clock.advance(Duration::from_secs(60));
                        return;
                    }
                    if solver.write_all(&up[..count]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = solver.read(&mut down) => match read {
                Ok(count @ 1..) if !doomed => {
                    if loses == Loses::TruthOfDeals {
                        change_deals(&mut down[..count]);
                    }
                    if client.write_all(&down[..count]).await.is_err() {
                        return;
                    }
                }
                // The answer was here, so the solver has acted; the client never sees it.
                _ => {
                    if doomed && loses == Loses::AnswerForGateways {
                        let _ = client.write_all(GATEWAY_TIMEOUT).await;
                    }
                    return;
                }
            },
        }
    }
}

/// Puts another address in the place of each deal's solver, of the same length.
fn change_deals(bytes: &mut [u8]) {
    const MEMBER: &[u8] = b"\"members\":{\"solver\":\"0x";
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(MEMBER)).collect();
    for place in places {
        if let Some(digit) = bytes.get_mut(place + MEMBER.len()) {
            *digit = if *digit == b'0' { b'1' } else { b'0' };
        }
    }
}

#[tokio::test]
async fn a_deal_that_is_not_what_its_id_says_is_refused_and_not_waited_for() -> Result<()> {
    let clock = Clock::manual(1_795_365_093_000);
    let network = LocalNetwork::builder().clock(clock.clone()).start().await?;
    let client = client_through_proxy(&network, Loses::TruthOfDeals, &clock).await;
    let error = client.run("cowsay:v0.0.4", [("Message", "moo")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("is not about the offer that was posted"), "{error}");
    assert!(error.job_id().is_some());
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_does_not_run_a_job_twice() -> Result<()> {
    let clock = Clock::manual(1_795_365_093_000);
    let network = LocalNetwork::builder().clock(clock.clone()).start().await?;
    let client = client_through_proxy(&network, Loses::Answer, &clock).await;
    let result = client.run("cowsay:v0.0.4", [("Message", "moo")]).await?;
    assert!(result.stdout_text()?.contains("moo"));
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_lost_patience_does_not_run_a_job_twice() -> Result<()> {
    let clock = Clock::manual(1_795_365_093_000);
    let network = LocalNetwork::builder().clock(clock.clone()).start().await?;
    let client = client_through_proxy(&network, Loses::AnswerForGateways, &clock).await;
    let result = client.run("cowsay:v0.0.4", [("Message", "moo")]).await?;
    assert!(result.stdout_text()?.contains("moo"));
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn an_offer_that_never_arrived_is_sent_again() -> Result<()> {
    let clock = Clock::manual(1_795_365_093_000);
    let network = LocalNetwork::builder().clock(clock.clone()).start().await?;
    let client = client_through_proxy(&network, Loses::Request, &clock).await;
    let result = client.run("cowsay:v0.0.4", [("Message", "moo")]).await?;
    assert!(result.stdout_text()?.contains("moo"));
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}
