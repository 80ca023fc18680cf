//! Requests that are not done, and what surrounds every answer.

use std::time::Duration;

use lilypad_sdk::protocol::{JobCreatorTransactions, MediatorTransactions, ResourceProviderTransactions};

use super::*;

#[tokio::test]
async fn nobody_acts_for_somebody_else() {
    let bench = Bench::new().await;
    let deal = bench.matched().await;
    let stranger = Wallet::random();
    let result = ResultRecord { data_id: "QmData".into(), ..ResultRecord::default() };
    let not_creator = "job creator address does not match signer address";
    let not_provider = "resource provider address does not match signer address";
    let posts = [
        (bench.post(&stranger, "job_offers", &bench.job("x")).await, not_creator),
        (bench.post(&stranger, "resource_offers", &bench.machine(1)).await, not_provider),
        (bench.post(&stranger, &format!("deals/{deal}/result"), &result).await, not_provider),
        (bench.post(&stranger, &format!("deals/{deal}/files"), &result).await, not_provider),
        (
            bench.post(&stranger, &format!("deals/{deal}/txs/job_creator"), &JobCreatorTransactions::default()).await,
            not_creator,
        ),
        (
            bench
                .post(
                    &stranger,
                    &format!("deals/{deal}/txs/resource_provider"),
                    &ResourceProviderTransactions::default(),
                )
                .await,
            not_provider,
        ),
        (
            bench.post(&stranger, &format!("deals/{deal}/txs/mediator"), &MediatorTransactions::default()).await,
            "job creator address does not match mediator address",
        ),
        (
            bench.get_as(&stranger, &format!("deals/{deal}/files")).await,
            "not authorized: job creator address does not match signer address",
        ),
    ];
    for (number, (reply, text)) in posts.iter().enumerate() {
        assert_eq!(reply.refusal(), (500, *text), "request {number}");
    }
}

#[tokio::test]
async fn the_first_thing_that_is_wrong_decides_the_answer() {
    let bench = Bench::with(|options| {
        options.rate_limit = None;
        options.capacity = 0;
    })
    .await;
    let unsigned = |offer: JobOffer| bench.request(Method::POST, "job_offers", None).body(json::to_vec(&offer));
    let garbage = bench.request(Method::POST, "job_offers", None).body("{");
    assert_eq!(send(garbage).await.refusal(), (400, "Error parsing request body"));
    assert_eq!(send(unsigned(bench.job("x"))).await.refusal(), (401, "missing user header"));
    bench.post_job("fills the network").await;
    assert_eq!(send(unsigned(bench.job("x"))).await.refusal(), (500, "network busy"));
    let form = bench.request(Method::POST, "job_offers/with_files", None).body("");
    assert_eq!(send(form).await.refusal(), (503, "network busy"));
}

#[tokio::test]
async fn offers_with_other_clocks_or_nobody_to_trust_are_refused() {
    let bench = Bench::new().await;
    let old =
        "rejected because CreatedAt time is not recent, check your computer's time settings and network connection";
    let (job_old, machine_old) = (format!("job offer {old}"), format!("resource offer {old}"));
    type Change<T> = fn(&mut T);
    let jobs: [(Change<JobOffer>, &str); 4] = [
        (|offer| offer.created_at -= 30_001, &job_old),
        (|offer| offer.created_at += 30_001, &job_old),
        (|offer| offer.services.solver.clear(), "job offer must name it's solver"),
        (|offer| offer.services.mediator = None, "job offer must have at least one trusted mediator"),
    ];
    for (change, text) in jobs {
        let mut offer = bench.job("x");
        change(&mut offer);
        assert_eq!(bench.post(&bench.creator, "job_offers", &offer).await.refusal(), (500, text));
    }
    let machines: [(Change<ResourceOffer>, &str); 4] = [
        (|offer| offer.created_at -= 30_001, &machine_old),
        (|offer| offer.mode = PricingMode::market(), "resource offer mode cannot be market price"),
        (|offer| offer.services.solver.clear(), "resource offer must name it's solver"),
        (|offer| offer.services.mediator = Some(vec![]), "resource offer must have at least one trusted mediator"),
    ];
    for (change, text) in machines {
        let mut offer = bench.machine(0);
        change(&mut offer);
        assert_eq!(bench.post(&bench.provider, "resource_offers", &offer).await.refusal(), (500, text));
    }
    let mut offer = bench.job("just in time");
    offer.created_at -= 30_000;
    assert_eq!(bench.post(&bench.creator, "job_offers", &offer).await.status, 200);
}

#[tokio::test]
async fn an_unknown_job_offer_gets_no_answer() {
    let bench = Bench::new().await;
    for path in ["job_offers/QmX", "job_offers/QmX/files", "job_offers/with_files"] {
        let error = bench.request(Method::GET, path, None).send().await.unwrap_err();
        assert!(error.is_request() && error.status().is_none(), "{path}: {error}");
    }
    let unmatched = bench.post_job("unmatched").await.id;
    let path = format!("job_offers/{unmatched}/files");
    assert!(bench.request(Method::GET, &path, Some(&bench.creator)).send().await.is_err());
    assert_eq!(bench.get("job_offers").await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_by_any_method() {
    let bench = Bench::with(|_| {}).await;
    for (method, path) in [
        (Method::GET, "nope"),
        (Method::PUT, "job_offers"),
        (Method::HEAD, "job_offers"),
        (Method::OPTIONS, "job_offers"),
        (Method::POST, "deals"),
        (Method::DELETE, "deals/QmX/result"),
    ] {
        let reply = send(bench.request(method.clone(), path, None)).await;
        assert_eq!(reply.status, 404, "{method} {path}");
        assert_eq!(reply.header("access-control-allow-origin"), "", "{method} {path}");
        assert_eq!(reply.header("x-ratelimit-limit"), "", "{method} {path}");
    }
}

#[tokio::test]
async fn the_sixth_request_in_ten_seconds_is_refused() {
    let bench = Bench::with(|_| {}).await;
    for remaining in (0..5).rev() {
        let reply = bench.get(&format!("deals?state=DealAgreed&ignored={remaining}")).await;
        assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (200, remaining.to_string().as_str()));
    }
    let reply = bench.get("deals").await;
    assert_eq!(reply.refusal(), (429, "Too Many Requests"));
    assert_eq!(reply.header("retry-after"), "10");
    assert_eq!(reply.header("x-ratelimit-limit"), "5");
    assert_eq!(reply.header("x-ratelimit-reset"), "1795365100");
    assert_eq!(reply.header("date"), "Sun, 22 Nov 2026 16:31:33 GMT");
    assert_eq!(bench.get("job_offers").await.status, 200);
    bench.clock.advance(Duration::from_secs(20));
    assert_eq!(bench.get("deals").await.status, 200);
}
