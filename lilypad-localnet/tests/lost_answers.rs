//! Answers that get lost on the way. A proxy between client and solver loses them; both ends are real.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lilypad_localnet::LocalNetwork;
use lilypad_sdk::{Client, Network, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// When the proxy hangs up on the first job offer that it sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loses {
    /// Before the solver has it.
    Request,
    /// After the solver has taken it.
    Answer,
    /// After the solver has taken it, with an answer of a gateway's own.
    AnswerForGateways,
}

/// What a gateway says that has lost patience.
const GATEWAY_TIMEOUT: &[u8] =
    b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 15\r\nConnection: close\r\n\r\nGateway Timeout";

/// Starts a proxy to the network's solver; a client of it.
async fn client_through_proxy(network: &LocalNetwork, loses: Loses) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let upstream = format!("127.0.0.1:{}", network.solver_url().port().unwrap());
    let lost = Arc::new(AtomicBool::new(false));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(relay(client, TcpStream::connect(upstream.clone()).await.unwrap(), loses, lost.clone()));
        }
    });
    let services = &network.network().services;
    let through_proxy = Network::custom("local")
        .solver_url(url)
        .solver(&services.solver)
        .mediators(services.mediator.iter().flatten())
        .build()
        .unwrap();
    network.client_builder().network(through_proxy).build().unwrap()
}

/// Passes bytes on, both ways, until the first job offer of all connections; hangs up on that one.
async fn relay(mut client: TcpStream, mut solver: TcpStream, loses: Loses, lost: Arc<AtomicBool>) {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut doomed = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(count @ 1..) => {
                    if up.starts_with(b"POST /api/v1/job_offers") && !lost.swap(true, Ordering::AcqRel) {
                        doomed = true;
                    }
                    if (doomed && loses == Loses::Request) || solver.write_all(&up[..count]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = solver.read(&mut down) => match read {
                Ok(count @ 1..) if !doomed => {
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

#[tokio::test]
async fn a_lost_answer_does_not_run_a_job_twice() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let client = client_through_proxy(&network, Loses::Answer).await;
    let result = client.run("cowsay:v0.0.4", [("Message", "moo")]).await?;
    assert!(result.stdout_text()?.contains("moo"));
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_lost_patience_does_not_run_a_job_twice() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let client = client_through_proxy(&network, Loses::AnswerForGateways).await;
    let result = client.run("cowsay:v0.0.4", [("Message", "moo")]).await?;
    assert!(result.stdout_text()?.contains("moo"));
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}

#[tokio::test]
async fn an_offer_that_never_arrived_is_sent_again() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let client = client_through_proxy(&network, Loses::Request).await;
    let result = client.run("cowsay:v0.0.4", [("Message", "moo")]).await?;
    assert!(result.stdout_text()?.contains("moo"));
    assert_eq!(network.offers_taken(), 1);
    Ok(())
}
