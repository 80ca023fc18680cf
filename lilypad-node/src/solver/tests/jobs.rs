//! From offers to deals to their ends.

use std::time::Duration;

use lilypad_sdk::protocol::{AgreementState, DealContainer, JobCreatorTransactions, Target};

use super::*;

#[tokio::test]
async fn a_job_for_which_a_machine_is_free_is_matched_before_it_is_answered() {
    let bench = Bench::new().await;
    let mut listener = bench.listen("JobCreator", &bench.creator).await;
    let machine = bench.post_machine().await;
    let job = bench.post_job("one").await;
    assert_eq!((job.state, job.deal_id.len()), (AgreementState::DEAL_AGREED, 46));
    assert_eq!(
        listener.told(5).await,
        [
            "ResourceOfferAdded DealNegotiating",
            "DealAdded DealAgreed",
            "JobOfferStateUpdated DealAgreed",
            "ResourceOfferStateUpdated DealAgreed",
            "JobOfferAdded DealAgreed",
        ]
    );
    let deal: DealContainer = bench.get(&format!("deals/{}", job.deal_id)).await.record();
    assert_eq!((&deal.job_offer, &deal.resource_offer), (&job.id, &machine.id));
    assert_eq!(deal.deal.content_id(), deal.id);
    assert_eq!(job.job_offer.content_id(), job.id);
    assert_eq!((bench.solver.offers_taken(), bench.solver.deals_made()), (1, 1));
}

#[tokio::test]
async fn a_machine_takes_all_jobs_that_wait_for_it() {
    let bench = Bench::new().await;
    let waiting = [bench.post_job("one").await, bench.post_job("two").await];
    assert!(waiting.iter().all(|job| job.deal_id.is_empty()));
    assert_eq!(bench.post_machine().await.state, AgreementState::DEAL_AGREED);
    let provider = bench.provider.address();
    let deals: Vec<DealContainer> =
        bench.get(&format!("deals?resource_provider={provider}&state=DealAgreed")).await.record();
    assert_eq!(deals.len(), 2);
    assert_eq!(bench.get("job_offers?not_matched=true").await.text(), "[]\n");
}

#[tokio::test]
async fn a_result_that_is_accepted_ends_the_deal() {
    let bench = Bench::new().await;
    let deal = bench.matched().await;
    let mut listener = bench.listen("JobCreator", &bench.creator).await;
    assert_eq!(bench.post_result(&deal, "QmData", "").await.record::<ResultRecord>().deal_id, deal);
    let submitted = |what: &str| format!("{what} ResultsSubmitted");
    assert_eq!(
        listener.told(6).await,
        [
            submitted("DealStateUpdated"),
            submitted("JobOfferStateUpdated"),
            submitted("ResourceOfferStateUpdated"),
            submitted("JobOfferStateUpdated"),
            submitted("ResourceOfferStateUpdated"),
            submitted("DealStateUpdated"),
        ]
    );
    let accept = JobCreatorTransactions { accept_result: "0x".into(), ..JobCreatorTransactions::default() };
    let path = format!("deals/{deal}/txs/job_creator");
    let accepted: DealContainer = bench.post(&bench.creator, &path, &accept).await.record();
    assert_eq!(accepted.state, AgreementState::RESULTS_ACCEPTED);
    assert_eq!(accepted.transactions.job_creator.accept_result, "0x");
    assert_eq!(listener.told(1).await, ["DealStateUpdated ResultsAccepted"]);
}

#[tokio::test]
async fn a_job_that_nobody_takes_times_out_at_the_next_sweep() {
    let bench = Bench::new().await;
    let mut listener = bench.listen("JobCreator", &bench.creator).await;
    let job = bench.post_job("one").await;
    assert_eq!(listener.told(1).await, ["JobOfferAdded DealNegotiating"]);
    bench.clock.advance(Duration::from_secs(31));
    assert_eq!(listener.told(1).await, ["JobOfferStateUpdated TimeoutMatch"]);
    let cancelled: Vec<JobOfferContainer> = bench.get("job_offers?cancelled=true").await.record();
    assert_eq!(cancelled[0].id, job.id);
}

#[tokio::test]
async fn a_job_whose_provider_is_silent_times_out_and_takes_no_result_any_more() {
    let bench = Bench::new().await;
    let deal = bench.matched().await;
    let mut listener = bench.listen("JobCreator", &bench.creator).await;
    bench.clock.advance(Duration::from_secs(901));
    assert_eq!(listener.told(1).await, ["DealStateUpdated TimeoutExecution"]);
    let late = format!("job with deal ID {deal} timed out with a TimeoutExecution state");
    assert_eq!(bench.post_result(&deal, "QmData", "").await.refusal(), (500, late.as_str()));
    let upload = bench.request(Method::POST, &format!("deals/{deal}/files"), Some(&bench.provider)).body("tar");
    assert_eq!(send(upload).await.refusal(), (500, late.as_str()));
}

#[tokio::test]
async fn a_failed_job_times_out_when_its_provider_offers_itself_again_and_keeps_its_reason() {
    let bench = Bench::new().await;
    let deal = bench.matched().await;
    bench.post_result(&deal, "", "the image is on fire").await;
    bench.clock.advance(Duration::from_millis(10));
    bench.post_machine().await;
    let ended: DealContainer = bench.get(&format!("deals/{deal}")).await.record();
    assert_eq!((ended.state, ended.upload_at), (AgreementState::TIMEOUT_DOWNLOAD, 0));
    let result: ResultRecord = bench.get(&format!("deals/{deal}/result")).await.record();
    assert_eq!(result.error, "the image is on fire");
}

#[tokio::test]
async fn a_job_for_a_provider_that_is_not_there_is_cancelled_at_once() {
    let bench = Bench::new().await;
    bench.post_machine().await;
    let mut listener = bench.listen("JobCreator", &bench.creator).await;
    let elsewhere = Target { address: Wallet::random().address().to_string() };
    let offer = JobOffer { target: elsewhere, ..bench.job("elsewhere") };
    let job: JobOfferContainer = bench.post(&bench.creator, "job_offers", &offer).await.record();
    assert_eq!(job.state, AgreementState::JOB_OFFER_CANCELLED);
    assert_eq!(listener.told(2).await, ["JobOfferStateUpdated JobOfferCancelled", "JobOfferAdded JobOfferCancelled"]);
    let here = Target { address: bench.provider.address().to_string() };
    let offer = JobOffer { target: here, ..bench.job("here") };
    let job: JobOfferContainer = bench.post(&bench.creator, "job_offers", &offer).await.record();
    assert_eq!(job.state, AgreementState::DEAL_AGREED);
}

#[tokio::test]
async fn an_offer_that_comes_twice_is_run_twice() {
    let bench = Bench::new().await;
    let offer = bench.job("twice");
    let mut deals = Vec::new();
    for index in 0..2 {
        bench.post(&bench.provider, "resource_offers", &bench.machine(index)).await;
        let job: JobOfferContainer = bench.post(&bench.creator, "job_offers", &offer).await.record();
        assert_eq!(job.state, AgreementState::DEAL_AGREED);
        deals.push(job.deal_id);
    }
    assert_ne!(deals[0], deals[1]);
    assert_eq!((bench.solver.offers_taken(), bench.solver.deals_made()), (2, 2));
}

#[tokio::test]
async fn a_machine_that_is_offered_twice_is_taken_once() {
    let bench = Bench::new().await;
    bench.post_machine().await;
    let again = bench.post(&bench.provider, "resource_offers", &bench.machine(0)).await;
    assert_eq!((again.status, again.text()), (200, "null\n"));
    bench.post_job("one").await;
    bench.clock.advance(Duration::from_millis(1));
    bench.post_machine().await;
}
