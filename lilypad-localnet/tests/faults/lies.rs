//! Solvers that lie, and files that do not arrive as they were.

use futures_util::TryStreamExt;
use lilypad_localnet::{Call, Damage, Fault, Harm, Lie};
use lilypad_sdk::DealId;
use lilypad_sdk::protocol::JobOfferContainer;
use lilypad_sdk::result::unixfs::cid_of_path;
use lilypad_sdk::result::{UnpackLimits, unpack_directory};
use lilypad_sdk::solver::{DealFilter, JobOfferFilter};

use super::Bench;

impl Bench {
    /// The job offers that the solver lists.
    async fn jobs(&self) -> Vec<JobOfferContainer> {
        self.api.job_offers(&JobOfferFilter::default()).await.unwrap()
    }

    /// The files of a result, packed, as they arrive.
    async fn files(&self, deal: &DealId) -> Vec<u8> {
        let chunks: Vec<_> = self.api.result_files(deal).await.unwrap().try_collect().await.unwrap();
        chunks.concat()
    }
}

#[tokio::test]
async fn a_list_is_stale_from_its_second_time_on() {
    let bench = Bench::new().await;
    let id = bench.add(Fault::new(Call::ListJobOffers, Harm::Lie(Lie::Stale)).times(1));
    let post = async |nonce| bench.api.post_job_offer(&bench.offer("cowsay", &[], nonce)).await.unwrap();
    post("one").await;
    assert_eq!(bench.jobs().await.len(), 1);
    assert_eq!(bench.struck(id), 0, "the first time it is as it was");
    post("two").await;
    assert_eq!(bench.jobs().await.len(), 1);
    assert_eq!(bench.struck(id), 1);
    assert_eq!(bench.jobs().await.len(), 2);
}

#[tokio::test]
async fn a_list_lacks_a_record_or_has_strangers() {
    let bench = Bench::new().await;
    let omits = bench.add(Fault::new(Call::ListJobOffers, Harm::Lie(Lie::Omit)).times(1));
    assert_eq!(bench.jobs().await, []);
    assert_eq!(bench.struck(omits), 0, "there was nothing to leave out");
    bench.api.post_job_offer(&bench.offer("cowsay", &[], "")).await.unwrap();
    assert_eq!(bench.jobs().await, []);
    assert_eq!(bench.struck(omits), 1);

    let mixes = bench.add(Fault::new(Call::ListJobOffers, Harm::Lie(Lie::Strangers)).times(1));
    let jobs = bench.jobs().await;
    assert_eq!(jobs.len(), 2);
    assert_ne!(jobs[0].job_creator, bench.api.address());
    assert_eq!(jobs[0].job_offer.content_id(), jobs[0].id, "all else is right with it");
    assert_eq!(jobs[1..], bench.jobs().await);
    assert_eq!(bench.struck(mixes), 1);
}

#[tokio::test]
async fn deals_and_results_are_not_what_they_were() {
    let bench = Bench::with(|builder| builder).await;
    let deal = bench.run().await;
    let truth = bench.api.result(&deal).await.unwrap();

    let creator = bench.api.address().to_owned();
    let lists = bench.add(Fault::new(Call::ListDeals, Harm::Lie(Lie::FalseDeals)).times(1).only(&creator));
    let filter = DealFilter { job_creator: Some(creator), ..DealFilter::default() };
    let listed = bench.api.deals(&filter).await.unwrap();
    assert_ne!(listed[0].deal.content_id(), listed[0].id);
    assert_eq!(bench.struck(lists), 1);

    let shows = bench.add(Fault::new(Call::GetDeal, Harm::Lie(Lie::FalseDeals)).times(1));
    let shown = bench.api.deal(&deal).await.unwrap();
    assert_ne!(shown.deal.content_id(), shown.id);
    assert_eq!(bench.struck(shows), 1);

    let names = bench.add(Fault::new(Call::GetResult, Harm::Lie(Lie::WrongCid)).times(1));
    let named = bench.api.result(&deal).await.unwrap();
    assert_ne!(named.data_id, truth.data_id);
    assert_eq!(bench.struck(names), 1);
    assert_eq!(bench.api.result(&deal).await.unwrap(), truth);
}

#[tokio::test]
async fn files_are_damaged_on_their_way() {
    let bench = Bench::with(|builder| builder).await;
    let deal = bench.run().await;
    let whole = bench.files(&deal).await;
    let mut flipped = whole.clone();
    flipped[600] ^= 1;
    let cases = [
        (Damage::FlipByte { at: 600 }, flipped),
        (Damage::Truncate { at: 700 }, whole[..700].to_vec()),
        (Damage::Append(b"more".to_vec()), [&whole[..], b"more"].concat()),
    ];
    for (damage, expected) in cases {
        let id = bench.add(Fault::new(Call::GetResultFiles, Harm::Damage(damage.clone())).times(1));
        assert!(bench.files(&deal).await == expected, "{damage:?}");
        assert_eq!(bench.struck(id), 1);
    }
    bench.add(Fault::new(Call::GetResultFiles, Harm::Damage(Damage::Traversal)).times(1));
    assert!(bench.files(&deal).await.starts_with(b"../escaped.txt\0"));
    assert!(bench.files(&deal).await == whole);
}

#[tokio::test]
async fn a_result_without_an_exit_code_fits_its_id() {
    let bench = Bench::with(|builder| builder.fault(Fault::new(Call::PostResult, Harm::NoExitCode))).await;
    let deal = bench.run().await;
    let record = bench.api.result(&deal).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("result");
    unpack_directory(bench.files(&deal).await.as_slice(), &place, &UnpackLimits::default()).unwrap();
    assert!(place.join("stdout").exists() && !place.join("exitCode").exists());
    assert_eq!(cid_of_path(&place).unwrap().to_string(), record.data_id);
    assert_eq!(bench.network.faults().counts()[0].struck, 1);
}
