//! A provider with a solver over real sockets, seen as a job creator sees them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt;
use lilypad_localnet::bundled_modules;
use lilypad_sdk::module::{InputFile, InputFiles, ModuleReference};
use lilypad_sdk::protocol::{
    self, AgreementState, DealContainer, Event, EventType, JobOffer, MachineSpec, PricingMode, ResultRecord, json,
};
use lilypad_sdk::result::unixfs::cid_of_path;
use lilypad_sdk::result::{UnpackLimits, unpack_directory};
use lilypad_sdk::solver::{EventSocket, JobOfferFilter, ResourceOfferFilter, Role, SolverApi, SolverApiOptions};
use lilypad_sdk::{DealId, ErrorKind, Network, Wallet};
use tempfile::TempDir;

use super::{Provider, ProviderOptions};
use crate::solver::{Call, Clock, Fault, Harm, Memory, Reply, Solver, SolverOptions, Timeouts};

/// When tests with a clock of their own begin.
const START: i64 = 1_795_365_093_000;

/// A solver, a provider, and a job creator who hears everything.
struct Bench {
    solver: Solver,
    provider: Provider,
    api: SolverApi,
    events: EventSocket,
    network: Network,
    folder: TempDir,
    posted: i64,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Clock::system(), |_| {}).await
    }

    async fn with(clock: Clock, change: impl FnOnce(&mut ProviderOptions)) -> Self {
        let options = SolverOptions { rate_limit: None, clock, ..SolverOptions::default() };
        let solver = Solver::start(options).await.unwrap();
        let network = network(&solver);
        let folder = tempfile::tempdir().unwrap();
        let mut options = ProviderOptions::new(network.clone(), Wallet::random());
        options.bundle = bundled_modules();
        options.data_dir = folder.path().to_owned();
        change(&mut options);
        let api = SolverApi::new(solver.url(), &Wallet::random(), &SolverApiOptions::default()).unwrap();
        let events = api.events(Role::JobCreator).await.unwrap();
        let provider = Provider::start(options).await.unwrap();
        Self { solver, provider, api, events, network, folder, posted: 0 }
    }

    /// An offer of a job.
    async fn offer(&mut self, module: &str, inputs: &[(&str, &str)]) -> JobOffer {
        // Any answer tells the solver's time.
        self.api.job_offers(&JobOfferFilter::default()).await.unwrap();
        self.posted += 1;
        JobOffer {
            created_at: self.api.now_ms(),
            nonce: self.posted.to_string(),
            job_creator: self.api.address().to_owned(),
            module: module.parse::<ModuleReference>().unwrap().config(),
            spec: MachineSpec { cpu: 1000, ram: 256, ..MachineSpec::default() },
            inputs: Some(inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()),
            mode: PricingMode::market(),
            services: self.network.services.clone(),
            ..JobOffer::default()
        }
    }

    async fn post(&mut self, module: &str, inputs: &[(&str, &str)]) {
        let offer = self.offer(module, inputs).await;
        self.api.post_job_offer(&offer).await.unwrap();
    }

    /// The next event of this type.
    async fn next(&mut self, event_type: EventType) -> Event {
        next(&mut self.events, event_type).await
    }

    /// The next deal in this state.
    async fn deal_in(&mut self, state: AgreementState) -> DealId {
        loop {
            let deal = self.next(EventType::DEAL_STATE_UPDATED).await.deal.unwrap();
            if deal.state == state {
                return deal.id.parse().unwrap();
            }
        }
    }

    /// Waits for the next result.
    async fn result(&mut self) -> (DealId, ResultRecord) {
        let deal = self.deal_in(AgreementState::RESULTS_SUBMITTED).await;
        let record = self.api.result(&deal).await.unwrap();
        (deal, record)
    }

    /// Fetches and unpacks a deal's files.
    async fn files(&self, deal: &DealId) -> std::path::PathBuf {
        let chunks: Vec<_> = self.api.result_files(deal).await.unwrap().try_collect().await.unwrap();
        let place = self.folder.path().join(deal.as_str());
        unpack_directory(chunks.concat().as_slice(), &place, &UnpackLimits::default()).unwrap();
        place
    }
}

async fn open_offers(api: &SolverApi) -> usize {
    let filter = ResourceOfferFilter { not_matched: true, active: true, ..ResourceOfferFilter::default() };
    api.resource_offers(&filter).await.unwrap().len()
}

async fn next(events: &mut EventSocket, event_type: EventType) -> Event {
    loop {
        let event: Event = json::from_str(&events.next().await.unwrap()).unwrap();
        if event.event_type == event_type {
            return event;
        }
    }
}

fn network(solver: &Solver) -> Network {
    Network::custom("test")
        .solver_url(solver.url().as_str())
        .solver(solver.address())
        .mediators(["0x90F79bf6EB2c4f870365E785982E1f101E93b906"])
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_deal_becomes_a_result_whose_files_have_the_id_that_it_names() {
    let mut bench = Bench::new().await;
    bench.post("cowsay:v0.0.4", &[("Message", "moo")]).await;
    let (deal, record) = bench.result().await;
    assert_eq!((record.error.as_str(), record.deal_id.as_str()), ("", deal.as_str()));
    let files = bench.files(&deal).await;
    assert!(std::fs::read_to_string(files.join("stdout")).unwrap().contains("moo"));
    assert_eq!(std::fs::read_to_string(files.join("exitCode")).unwrap(), "0");
    assert_eq!(cid_of_path(files).unwrap().to_string(), record.data_id);
    let noted = bench.next(EventType::RESOURCE_PROVIDER_TRANSACTIONS_UPDATED).await.deal.unwrap();
    assert_eq!(noted.transactions.resource_provider.add_result, "0x");
}

#[tokio::test]
async fn a_provider_offers_itself_again_after_a_job() {
    let mut bench = Bench::new().await;
    assert_eq!(open_offers(&bench.api).await, 1);
    for _ in 0..2 {
        bench.post("cowsay", &[]).await;
        bench.result().await;
        let offered = bench.next(EventType::RESOURCE_OFFER_ADDED).await.resource_offer.unwrap();
        assert_eq!(offered.resource_provider, bench.provider.address().to_string());
    }
    assert_eq!(bench.solver.deals_made(), 2);
}

#[tokio::test]
async fn a_provider_with_a_free_slot_offers_itself_while_a_job_runs() {
    let mut bench = Bench::with(Clock::system(), |options| options.slots = 2).await;
    bench.next(EventType::RESOURCE_OFFER_ADDED).await;
    bench.post("sleep:v1", &[("Seconds", "600")]).await;
    bench.next(EventType::RESOURCE_OFFER_ADDED).await;
    bench.post("cowsay:v1", &[]).await;
    let (_, record) = bench.result().await;
    assert_eq!(record.error, "");
    bench.provider.stop().await;
}

#[tokio::test]
async fn jobs_beyond_the_slots_wait_for_their_turn() {
    let mut bench = Bench::new().await;
    // Both wait when the machine is offered again, and go to it together.
    bench.post("sleep:v1", &[("Seconds", "1")]).await;
    bench.post("cowsay:v1", &[("Message", "one")]).await;
    bench.post("cowsay:v1", &[("Message", "two")]).await;
    let mut deals = Vec::new();
    for _ in 0..6 {
        // Every result is told twice.
        deals.push(bench.result().await.0);
    }
    deals.dedup();
    assert_eq!(deals.len(), 3);
}

#[tokio::test]
async fn input_files_are_fetched_and_checked() {
    let mut bench = Bench::new().await;
    let wanted = protocol::InputFiles {
        required: Some(vec!["input.txt".into()]),
        optional: Some(vec!["more.txt".into(), "data.bin".into(), "config.json".into()]),
    };
    let mut given = InputFiles::default();
    given.add(InputFile::from_bytes("input.txt", "from afar").unwrap()).unwrap();
    let packed = given.check(&wanted).unwrap().pack().unwrap();
    let offer = JobOffer { input_files: wanted, ..bench.offer("files:v1", &[]).await };
    bench.api.post_job_offer_with_files(&offer, packed).await.unwrap();
    let (deal, record) = bench.result().await;
    assert_eq!(record.error, "");
    let files = bench.files(&deal).await;
    assert!(std::fs::read_to_string(files.join("stdout")).unwrap().contains("input.txt"));
}

#[tokio::test]
async fn whatever_is_wrong_with_a_job_becomes_its_result() {
    let mut bench = Bench::new().await;
    let mut nameless = bench.offer("cowsay", &[]).await;
    nameless.module.repo = "file:///etc".into();
    nameless.module.hash.clear();
    let unfilled = bench.offer("files:v1", &[]).await;
    let cases = [(nameless, "error loading module: "), (unfilled, "error downloading input files: ")];
    for (offer, beginning) in cases {
        bench.api.post_job_offer(&offer).await.unwrap();
        let (deal, record) = bench.result().await;
        assert!(record.error.starts_with(beginning), "{}", record.error);
        assert!(!record.error.contains('\n') && record.data_id.is_empty());
        assert_eq!(bench.deal_in(AgreementState::TIMEOUT_DOWNLOAD).await, deal);
        bench.next(EventType::RESOURCE_OFFER_ADDED).await;
    }
}

#[tokio::test]
async fn a_job_that_the_solver_gave_up_is_ended_and_frees_its_slot() {
    let clock = Clock::manual(START);
    let mut bench = Bench::with(clock.clone(), |_| {}).await;
    bench.next(EventType::RESOURCE_OFFER_ADDED).await;
    bench.post("sleep:v1", &[("Seconds", "600")]).await;
    bench.next(EventType::DEAL_ADDED).await;
    clock.advance(Duration::from_secs(901));
    bench.deal_in(AgreementState::TIMEOUT_EXECUTION).await;
    bench.next(EventType::RESOURCE_OFFER_ADDED).await;
}

#[tokio::test]
async fn a_provider_that_stops_reports_its_jobs_and_leaves_nothing() {
    let mut bench = Bench::new().await;
    bench.post("sleep:v1", &[("Seconds", "600")]).await;
    let deal: DealContainer = bench.next(EventType::DEAL_ADDED).await.deal.unwrap();
    let Bench { solver: _solver, provider, api, mut events, folder, .. } = bench;
    provider.stop().await;
    let record = api.result(&deal.id.parse().unwrap()).await.unwrap();
    assert_eq!(record.error, "error running job: the job was cancelled");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "modules"), "{left:?}");
    next(&mut events, EventType::RESOURCE_OFFER_REMOVED).await;
    assert_eq!(open_offers(&api).await, 0);
}

#[tokio::test]
async fn a_provider_comes_back_to_a_solver_that_was_away() {
    let bench = Bench::new().await;
    let port = bench.solver.url().port().unwrap();
    drop((bench.events, bench.api));
    bench.solver.stop().await;

    let mut options = SolverOptions { rate_limit: None, ..SolverOptions::default() };
    options.listen.set_port(port);
    let solver = Solver::start(options).await.unwrap();
    let api = SolverApi::new(solver.url(), &Wallet::random(), &SolverApiOptions::default()).unwrap();
    let mut events = api.events(Role::JobCreator).await.unwrap();
    let filter = ResourceOfferFilter::default();
    while api.resource_offers(&filter).await.unwrap().is_empty() {
        events.next().await.unwrap();
    }
    let offers: BTreeMap<_, _> = api
        .resource_offers(&filter)
        .await
        .unwrap()
        .into_iter()
        .map(|offer| (offer.resource_provider, offer.state))
        .collect();
    assert_eq!(offers, BTreeMap::from([(bench.provider.address().to_string(), AgreementState::DEAL_NEGOTIATING)]));
}

#[tokio::test]
async fn a_result_is_tried_to_be_handed_in_for_as_long_as_the_options_say() {
    let mut bench = Bench::with(Clock::system(), |options| options.result_patience = Duration::ZERO).await;
    bench.next(EventType::RESOURCE_OFFER_ADDED).await;
    bench.solver.faults().add(Fault::new(Call::PostResult, Harm::HangUp).times(1));
    bench.post("cowsay", &[]).await;
    let deal = bench.next(EventType::DEAL_ADDED).await.deal.unwrap();
    // It has done with the job.
    bench.next(EventType::RESOURCE_OFFER_ADDED).await;
    let error = bench.api.result(&deal.id.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let patience = ProviderOptions::new(bench.network.clone(), Wallet::random()).result_patience;
    assert!(patience >= Timeouts::default().total, "by default as long as the solver may take it");
}

#[tokio::test]
async fn a_result_that_nobody_wants_any_more_is_not_tried_to_be_handed_in() {
    let mut bench = Bench::new().await;
    bench.next(EventType::RESOURCE_OFFER_ADDED).await;
    let refused = bench.solver.faults().add(Fault::new(Call::PostResultFiles, Harm::Instead(Reply::status(503))));
    bench.post("cowsay", &[]).await;
    bench.solver.faults().reached(refused, 2).await;
    bench.solver.restart(Memory::Lost).await.unwrap();
    bench.events = bench.api.events(Role::JobCreator).await.unwrap();
    // Its only slot is free again.
    while open_offers(&bench.api).await == 0 {
        bench.events.next().await.unwrap();
    }
}

#[tokio::test]
async fn a_provider_that_cannot_offer_itself_after_a_restart_tries_again_without_being_told() {
    // It would not look by itself while anybody waits for this test.
    let bench = Bench::with(Clock::system(), |options| options.reconcile_interval = Duration::from_secs(86_400)).await;
    let faults = bench.solver.faults().clone();
    let harms = [Call::ListDeals, Call::ListResourceOffers, Call::PostResourceOffer].map(|call| {
        faults.add(Fault::new(call, Harm::Instead(Reply::status(502))).times(1).only(bench.provider.address()))
    });
    bench.solver.restart(Memory::Lost).await.unwrap();
    let mut events = bench.api.events(Role::JobCreator).await.unwrap();
    while open_offers(&bench.api).await == 0 {
        events.next().await.unwrap();
    }
    assert_eq!(harms.map(|harm| faults.struck(harm)), [1, 1, 1]);
}
