//! What requests promise, on real connections.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;

/// How long a record may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A solver that answers one request with `first` at once, and with `rest` when it is told to.
async fn solver(first: &'static str, rest: &'static str) -> (Url, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (go_on, told) = oneshot::channel();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(socket.read_u8().await.unwrap());
        }
        if !first.is_empty() {
            let length = first.len() + rest.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{first}");
            socket.write_all(head.as_bytes()).await.unwrap();
        }
        told.await.unwrap();
        socket.write_all(rest.as_bytes()).await.unwrap();
    });
    (url, go_on)
}

fn transport(url: &Url, limit: Duration) -> Transport {
    Transport::new(url, &Wallet::random(), DEFAULT_CLIENT_VERSION, limit, Arc::default()).unwrap()
}

/// Lets more time pass than a record may take.
async fn wait_too_long() {
    tokio::time::pause();
    tokio::time::advance(LIMIT + Duration::from_secs(1)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn files_may_take_longer_than_a_record() {
    let (url, go_on) = solver("first ", "second").await;
    let transport = transport(&url, LIMIT);
    let mut files = transport.send_stream(Call::get("fetch result files", "deals/Qm/files")).await.unwrap();
    assert_eq!(files.next().await.unwrap().unwrap(), "first ");
    wait_too_long().await;
    go_on.send(()).unwrap();
    assert_eq!(files.next().await.unwrap().unwrap(), "second");
    assert!(files.next().await.is_none());
}

#[tokio::test]
async fn a_list_may_take_longer_than_a_record() {
    let (url, go_on) = solver("[1,2,", "3]").await;
    let transport = transport(&url, LIMIT);
    let (begun, has_begun) = oneshot::channel();
    let (mut begun, mut records) = (Some(begun), Vec::new());
    let listing = transport.send_list(Call::get("list deals", "deals"), |record: u8| {
        records.push(record);
        if let Some(begun) = begun.take() {
            begun.send(()).unwrap();
        }
    });
    let waiting = async {
        has_begun.await.unwrap();
        wait_too_long().await;
        go_on.send(()).unwrap();
    };
    let (outcome, ()) = tokio::join!(listing, waiting);
    outcome.unwrap();
    assert_eq!(records, [1, 2, 3]);
}

#[tokio::test]
async fn a_list_that_breaks_off_is_a_broken_connection() {
    let (url, told_nothing) = solver("[1,2,", "3]").await;
    let transport = transport(&url, LIMIT);
    let (begun, has_begun) = oneshot::channel();
    let mut begun = Some(begun);
    let listing = transport.send_list(Call::get("list deals", "deals"), |_: u8| {
        if let Some(begun) = begun.take() {
            begun.send(()).unwrap();
        }
    });
    let breaking = async {
        has_begun.await.unwrap();
        // The solver's task ends for want of a word, and its socket with it.
        drop(told_nothing);
    };
    let (outcome, ()) = tokio::join!(listing, breaking);
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Connection, true), "{error}");
}

#[tokio::test]
async fn a_solver_that_does_not_begin_to_answer_is_not_waited_for() {
    let (url, _silent) = solver("", "").await;
    let transport = transport(&url, Duration::from_millis(20));
    for stream in [true, false] {
        let call = || Call::get("read", "deals");
        let error = match stream {
            true => transport.send_stream(call()).await.map(drop),
            false => transport.send_json::<u8>(call()).await.map(drop),
        }
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(error.to_string().contains("did not answer in time"), "{error}");
    }
}
