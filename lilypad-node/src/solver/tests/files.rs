//! Files on their way through the solver.

use lilypad_sdk::protocol::{AgreementState, DealContainer};
use reqwest::header::CONTENT_DISPOSITION;
use reqwest::multipart::{Form, Part};

use super::*;

/// Larger than any buffer on the way.
fn large() -> Vec<u8> {
    (0..5_000_000_u32).flat_map(|number| number.to_le_bytes()).take(8_000_001).collect()
}

impl Bench {
    async fn upload(&self, deal: &str, content: Vec<u8>) -> Reply {
        send(self.request(Method::POST, &format!("deals/{deal}/files"), Some(&self.provider)).body(content)).await
    }

    async fn post_form(&self, form: Form) -> Reply {
        send(self.request(Method::POST, "job_offers/with_files", Some(&self.creator)).multipart(form)).await
    }

    fn offer_part(&self) -> Part {
        Part::bytes(json::to_vec(&self.job("files"))).file_name("job_offer.json")
    }
}

#[tokio::test]
async fn a_result_arrives_whole_with_the_three_bytes_that_follow_every_archive() {
    let bench = Bench::new().await;
    let deal = bench.matched().await;
    bench.clock.set(START + 5_000);
    let answer: ResultRecord = bench.upload(&deal, large()).await.record();
    assert_eq!((answer.data_id.as_str(), answer.deal_id.as_str()), (deal.as_str(), ""));
    let uploaded: DealContainer = bench.get(&format!("deals/{deal}")).await.record();
    assert_eq!((uploaded.state, uploaded.upload_at), (AgreementState::UPLOADING, START + 5_000));

    bench.clock.set(START + 9_000);
    let reply = bench.get_as(&bench.creator, &format!("deals/{deal}/files")).await;
    assert_eq!(reply.header("content-type"), "application/x-tar");
    assert_eq!(reply.header("content-disposition"), "attachment; filename=results.tar");
    assert!(reply.body == [large(), b"{}\n".to_vec()].concat());
    let downloaded: DealContainer = bench.get(&format!("deals/{deal}")).await.record();
    assert_eq!((downloaded.state, downloaded.download_at), (AgreementState::DOWNLOADING, START + 9_000));
}

#[tokio::test]
async fn fetching_by_the_job_accepts_its_result() {
    let bench = Bench::new().await;
    bench.post_machine().await;
    let job = bench.post_job("one").await;
    bench.upload(&job.deal_id, b"tar".to_vec()).await;
    let reply = bench.get_as(&bench.creator, &format!("job_offers/{}/files", job.id)).await;
    assert_eq!((reply.status, reply.text()), (200, "tar{}\n"));
    let job: JobOfferContainer = bench.get(&format!("job_offers/{}", job.id)).await.record();
    assert_eq!(job.state, AgreementState::RESULTS_ACCEPTED);
}

#[tokio::test]
async fn asking_for_files_too_early_is_refused_and_stops_the_download_timeout() {
    let bench = Bench::new().await;
    let deal = bench.matched().await;
    let reply = bench.get_as(&bench.creator, &format!("deals/{deal}/files")).await;
    assert_eq!(reply.status, 500);
    assert!(reply.text().starts_with("error reading directory: open "), "{}", reply.text());
    assert!(reply.text().ends_with(&format!("{deal}: no such file or directory\n")), "{}", reply.text());
    let deal: DealContainer = bench.get(&format!("deals/{deal}")).await.record();
    assert_eq!(deal.state, AgreementState::DOWNLOADING);
}

#[tokio::test]
async fn a_name_from_outside_leads_nowhere() {
    let bench = Bench::new().await;
    let deal = bench.matched().await;
    let upload = bench
        .request(Method::POST, &format!("deals/{deal}/files"), Some(&bench.provider))
        .header(CONTENT_DISPOSITION, "attachment; filename=../../../escaped.tar")
        .body("tar");
    assert_eq!(send(upload).await.status, 200);
    let reply = bench.get_as(&bench.creator, &format!("deals/{deal}/files")).await;
    assert_eq!(reply.header("content-disposition"), "attachment; filename=escaped.tar");
}

#[tokio::test]
async fn input_files_reach_the_provider() {
    let bench = Bench::new().await;
    bench.post_machine().await;
    let inputs = Part::bytes(&b"inputs"[..]).file_name("inputs.tar");
    let form = Form::new().part("job_offer.json", bench.offer_part()).part("inputs.tar", inputs);
    let job: JobOfferContainer = bench.post_form(form).await.record();
    let path = format!("deals/{}/input_files", job.deal_id);
    let reply = bench.get_as(&bench.provider, &path).await;
    assert_eq!((reply.status, reply.text()), (200, "inputs{}\n"));
    let other = bench.get_as(&bench.creator, &path).await;
    let text = "not authorized: only the resource provider running this job can download input files";
    assert_eq!(other.refusal(), (500, text));
}

#[tokio::test]
async fn a_job_without_input_files_has_none_to_fetch() {
    let bench = Bench::new().await;
    let deal = bench.matched().await;
    let reply = bench.get_as(&bench.provider, &format!("deals/{deal}/input_files")).await;
    assert_eq!(reply.refusal(), (500, "no regular files found in directory"));
}

#[tokio::test]
async fn an_incomplete_form_is_refused_part_by_part() {
    let bench = Bench::with(|options| {
        options.rate_limit = None;
        options.max_file_input_bytes = 100_000;
    })
    .await;
    let part = |bytes: usize| Part::bytes(vec![0; bytes]).file_name("inputs.tar");
    let cases = [
        (Form::new().part("job_offer.json", bench.offer_part()), "Missing inputs.tar part"),
        (Form::new().part("inputs.tar", part(3)), "Missing job_offer.json part"),
        (Form::new().text("job_offer.json", "{}").part("inputs.tar", part(3)), "Missing job_offer.json part"),
        (
            Form::new().part("job_offer.json", Part::bytes(&b"{"[..]).file_name("x")).part("inputs.tar", part(3)),
            "Invalid job offer JSON",
        ),
        (
            Form::new().part("job_offer.json", bench.offer_part()).part("inputs.tar", part(100_000)),
            "Error parsing form data",
        ),
    ];
    for (form, text) in cases {
        assert_eq!(bench.post_form(form).await.refusal(), (400, text));
    }
    let no_form = bench.post(&bench.creator, "job_offers/with_files", &bench.job("no form")).await;
    assert_eq!(no_form.refusal(), (400, "Error parsing form data"));
    assert_eq!(bench.solver.offers_taken(), 0);
}
