//! The event socket, and the end of the solver.

use std::net::TcpListener;

use futures_util::{SinkExt, StreamExt};
use lilypad_sdk::protocol::EventType;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::*;

#[tokio::test]
async fn everybody_hears_everything() {
    let bench = Bench::new().await;
    let mut creator = bench.listen("JobCreator", &bench.creator).await;
    let mut stranger = bench.listen("JobCreator", &Wallet::random()).await;
    bench.post_job("one").await;
    let event = creator.next().await;
    assert_eq!(event.as_ref().unwrap().event_type, EventType::JOB_OFFER_ADDED);
    assert_eq!(stranger.next().await, event);
}

#[tokio::test]
async fn a_ping_is_answered() {
    let bench = Bench::new().await;
    let mut listener = bench.listen("JobCreator", &bench.creator).await;
    listener.0.send(Message::Ping(bytes::Bytes::from_static(b"there?"))).await.unwrap();
    assert_eq!(listener.0.next().await.unwrap().unwrap(), Message::Pong(bytes::Bytes::from_static(b"there?")));
}

#[tokio::test]
async fn a_provider_that_goes_away_takes_its_open_offer_along() {
    let bench = Bench::new().await;
    let mut creator = bench.listen("JobCreator", &bench.creator).await;
    let provider = bench.listen("ResourceProvider", &bench.provider).await;
    bench.post_machine().await;
    bench.post_job("one").await;
    bench.post(&bench.provider, "resource_offers", &bench.machine(1)).await;
    creator.told(6).await;
    drop(provider);
    assert_eq!(creator.told(1).await, ["ResourceOfferRemoved "]);
    let left: Vec<ResourceOfferContainer> = bench.get("resource_offers").await.record();
    assert_eq!(left.len(), 1, "only the one that was matched is left");
    assert!(!left[0].deal_id.is_empty());
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_socket() {
    let bench = Bench::new().await;
    let url = bench.socket_url();
    let connect = async |origin: String| {
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        tokio_tungstenite::connect_async(request).await
    };
    assert!(connect(bench.solver.url().as_str().trim_end_matches('/').to_owned()).await.is_ok());
    assert!(connect("http://x.example".into()).await.unwrap_err().to_string().contains("403"));
    assert_eq!(bench.get("ws").await.refusal(), (400, "Bad Request"));
}

#[tokio::test]
async fn nothing_is_left_when_it_has_stopped() {
    let parent = tempfile::tempdir().unwrap();
    let bench = Bench::with(|options| options.data_dir = Some(parent.path().to_owned())).await;
    let deal = bench.matched().await;
    let upload = bench.request(Method::POST, &format!("deals/{deal}/files"), Some(&bench.provider)).body("tar");
    assert_eq!(send(upload).await.status, 200);
    let mut listener = bench.listen("ResourceProvider", &bench.provider).await;
    let port = bench.solver.url().port().unwrap();
    bench.solver.stop().await;
    assert_eq!(listener.next().await, None);
    assert_eq!(parent.path().read_dir().unwrap().count(), 0);
    assert!(TcpListener::bind(("127.0.0.1", port)).is_ok(), "the port is free again");
}

#[tokio::test]
async fn many_run_side_by_side() {
    let (one, two) = (Bench::new().await, Bench::new().await);
    one.post_job("one").await;
    assert_ne!(one.solver.url(), two.solver.url());
    assert_eq!((one.solver.offers_taken(), two.solver.offers_taken()), (1, 0));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = SolverOptions { listen: taken.local_addr().unwrap(), ..SolverOptions::default() };
    let error = Solver::start(options).await.unwrap_err();
    assert!(error.to_string().contains(&taken.local_addr().unwrap().to_string()), "{error}");
}
