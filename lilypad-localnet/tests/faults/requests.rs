//! Requests and answers that get lost, cut or replaced.

use std::time::{Duration, Instant};

use lilypad_localnet::{Call, Fault, Harm, Reply};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Bench;

/// What a client gets: the status and the body, as far as they arrive.
async fn outcome(request: reqwest::RequestBuilder) -> (Option<u16>, Option<String>) {
    match request.send().await {
        Ok(response) => (Some(response.status().as_u16()), response.text().await.ok()),
        Err(_) => (None, None),
    }
}

#[tokio::test]
async fn each_harm_strikes_once_and_the_solver_acts_or_does_not() {
    // The harm, the status if one arrives, what the body contains if it arrives, and whether the offer was taken.
    let cases = [
        (Harm::Instead(Reply::too_many()), Some(429), Some("Too Many Requests"), false),
        (Harm::Instead(Reply::status(503)), Some(503), Some(""), false),
        (Harm::Instead(Reply::html()), Some(200), Some("<html>"), false),
        (Harm::Instead(Reply::truncated_json()), Some(200), Some("{\"id\":\"Qm"), false),
        (Harm::Instead(Reply::null()), Some(200), Some("null"), false),
        (Harm::Instead(Reply::other_offer()), Some(200), Some("another"), false),
        (Harm::Instead(Reply::new(500, "network busy")), Some(500), Some("network busy"), false),
        (Harm::Afterwards(Reply::status(504)), Some(504), Some(""), true),
        (Harm::HangUp, None, None, false),
        (Harm::LoseAnswer, None, None, true),
        (Harm::CutAnswer { at: 5 }, None, None, true),
        (Harm::CutBody { at: 5 }, Some(200), None, true),
        (Harm::CutBody { at: 1 << 40 }, Some(200), None, true),
        (Harm::CutUpload { at: 5 }, None, None, false),
        (Harm::CutUpload { at: 1 << 40 }, None, None, false),
        (Harm::Delay(Duration::from_millis(1)), Some(200), Some("harmed"), true),
        (Harm::DelayAnswer(Duration::from_millis(1)), Some(200), Some("harmed"), true),
    ];
    let bench = Bench::new().await;
    let mut taken = 0;
    for (harm, status, body, acts) in cases {
        let id = bench.add(Fault::new(Call::PostJobOffer, harm.clone()).times(1));
        let got = outcome(bench.post_offer("harmed")).await;
        assert_eq!(got.0, status, "{harm:?}");
        assert_eq!(got.1.is_some(), body.is_some(), "{harm:?}: {got:?}");
        assert!(got.1.unwrap_or_default().contains(body.unwrap_or_default()), "{harm:?}");
        taken += u64::from(acts);
        assert_eq!(bench.network.offers_taken(), taken, "{harm:?}");

        assert_eq!(outcome(bench.post_offer("whole")).await.0, Some(200), "{harm:?} strikes once");
        taken += 1;
        assert_eq!(bench.struck(id), 1, "{harm:?}");
    }
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back_or_does_not() {
    let bench = Bench::new().await;
    let cases = [(Reply::too_many(), None), (Reply::too_many().retry_after(u64::MAX), Some("18446744073709551615"))];
    for (reply, hint) in cases {
        bench.add(Fault::new(Call::ListDeals, Harm::Instead(reply)).times(1));
        let response = bench.request(Method::GET, "deals").send().await.unwrap();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers().get("retry-after").map(|value| value.to_str().unwrap()), hint);
    }
}

#[tokio::test]
async fn a_cut_answer_ends_at_the_byte() {
    let bench = Bench::with(|builder| builder).await;
    let deal = bench.run().await;
    let signed = bench.network.wallet().request_headers();
    let request = format!(
        "GET /api/v1/deals/{deal}/files HTTP/1.1\r\nHost: pond\r\nX-Lilypad-User: {}\r\nX-Lilypad-Signature: {}\r\n\r\n",
        signed.user(),
        signed.signature()
    );
    let arrives = async || {
        let port = bench.network.solver_url().port().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        bytes
    };
    for at in [0, 1, 5, 1000, 4000] {
        bench.add(Fault::new(Call::GetResultFiles, Harm::CutAnswer { at }).times(1));
        assert_eq!(arrives().await.len() as u64, at);
    }
    for at in [0, 1, 1000] {
        bench.add(Fault::new(Call::GetResultFiles, Harm::CutBody { at }).times(1));
        let bytes = arrives().await;
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        // The archive comes in chunks: the size of the first one, its line's end, and as much of it as arrives.
        let body = bytes[head..].splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
        assert_eq!(body.strip_suffix(b"\r\n").unwrap_or(body).len() as u64, at);
    }
    assert_eq!(bench.network.faults().total(), 8);
}

#[tokio::test]
async fn faults_wait_for_their_turn_and_are_over_when_they_are_removed() {
    let bench = Bench::new().await;
    let first = bench.add(Fault::new(Call::Any, Harm::Instead(Reply::status(502))).after(1).times(1));
    let second = bench.add(Fault::new(Call::ListDeals, Harm::Instead(Reply::status(503))));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(outcome(bench.request(Method::GET, "deals")).await.0.unwrap());
    }
    assert_eq!(statuses, [503, 502, 503], "of two faults the one that was added first strikes");
    bench.network.faults().remove(second);
    assert_eq!(outcome(bench.request(Method::GET, "deals")).await.0, Some(200));
    assert_eq!((bench.struck(first), bench.struck(second)), (1, 2), "what has struck is still known");
}

#[tokio::test]
async fn the_same_seed_strikes_the_same_requests() {
    let story = async |seed| {
        let fault = Fault::new(Call::ListDeals, Harm::HangUp).probability(0.5);
        let bench = Bench::with(|builder| builder.providers(0).fault_seed(seed).fault(fault)).await;
        let mut story = Vec::new();
        for _ in 0..32 {
            story.push(outcome(bench.request(Method::GET, "deals")).await.0.is_some());
        }
        let struck = story.iter().filter(|answered| !**answered).count() as u64;
        assert_eq!(bench.network.faults().counts()[0].struck, struck);
        story
    };
    let of_one = story(1).await;
    assert_eq!(of_one, story(1).await);
    assert_ne!(of_one, story(2).await);
}

#[tokio::test]
async fn a_fault_of_one_party_leaves_the_others_alone() {
    let bench = Bench::new().await;
    let stranger = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
    let of_stranger = bench.add(Fault::new(Call::ListDeals, Harm::HangUp).only(stranger));
    assert_eq!(outcome(bench.request(Method::GET, "deals")).await.0, Some(200));
    bench.add(Fault::new(Call::ListDeals, Harm::HangUp).only(bench.api.address()));
    assert_eq!(outcome(bench.request(Method::GET, "deals")).await.0, None);
    assert_eq!(bench.struck(of_stranger), 0);
}

#[tokio::test]
async fn a_delayed_request_is_seen_later_and_a_delayed_answer_comes_later() {
    let bench = Bench::new().await;
    let pause = Duration::from_millis(60);
    bench.add(Fault::new(Call::ListDeals, Harm::Delay(pause)).times(1));
    let begin = Instant::now();
    assert_eq!(outcome(bench.request(Method::GET, "deals")).await.0, Some(200));
    assert!(begin.elapsed() >= pause);

    // A client that does not wait for the answer: the offer was taken all the same.
    let late = bench.add(Fault::new(Call::PostJobOffer, Harm::DelayAnswer(Duration::from_secs(3600))));
    let posting = tokio::spawn(bench.post_offer("late").send());
    bench.network.faults().reached(late, 1).await;
    assert_eq!(bench.network.offers_taken(), 1);
    posting.abort();
}
