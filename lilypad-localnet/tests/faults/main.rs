//! What goes wrong on purpose does go wrong, as often as it should, and is counted.
//!
//! Seen by calls that are made once: what clients make of faults is tested with them.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

mod events;
mod lies;
mod parts;
mod requests;

use std::collections::BTreeMap;

use lilypad_localnet::{Fault, FaultId, LocalNetwork, LocalNetworkBuilder};
use lilypad_sdk::DealId;
use lilypad_sdk::module::ModuleReference;
use lilypad_sdk::protocol::{AgreementState, Event, EventType, JobOffer, MachineSpec, PricingMode, json};
use lilypad_sdk::solver::{EventSocket, ResourceOfferFilter, Role, SolverApi, SolverApiOptions};
use reqwest::{Method, RequestBuilder};

/// A network, and somebody who talks to its solver without trying anything twice.
struct Bench {
    network: LocalNetwork,
    api: SolverApi,
    http: reqwest::Client,
}

impl Bench {
    /// Without providers.
    async fn new() -> Self {
        Self::with(|builder| builder.providers(0)).await
    }

    async fn with(change: impl FnOnce(LocalNetworkBuilder) -> LocalNetworkBuilder) -> Self {
        let network = change(LocalNetwork::builder()).start().await.unwrap();
        let api = SolverApi::new(network.solver_url(), network.wallet(), &SolverApiOptions::default()).unwrap();
        Self { network, api, http: reqwest::Client::new() }
    }

    fn add(&self, fault: Fault) -> FaultId {
        self.network.faults().add(fault)
    }

    fn struck(&self, id: FaultId) -> u64 {
        self.network.faults().struck(id)
    }

    /// An offer of a job, told apart by its nonce.
    fn offer(&self, module: &str, inputs: &[(&str, &str)], nonce: &str) -> JobOffer {
        JobOffer {
            created_at: self.network.clock().now(),
            nonce: nonce.into(),
            job_creator: self.api.address().to_owned(),
            module: module.parse::<ModuleReference>().unwrap().config(),
            spec: MachineSpec { cpu: 1000, ..MachineSpec::default() },
            inputs: Some(
                inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect::<BTreeMap<_, _>>(),
            ),
            mode: PricingMode::market(),
            services: self.network.network().services.clone(),
            ..JobOffer::default()
        }
    }

    /// A signed request, as HTTP.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let signed = self.network.wallet().request_headers();
        self.http
            .request(method, self.network.solver_url().join("api/v1/").unwrap().join(path).unwrap())
            .header("X-Lilypad-User", signed.user())
            .header("X-Lilypad-Signature", signed.signature())
            .header("X-Lilypad-Version", "v2.23.0")
    }

    /// A request that offers a job.
    fn post_offer(&self, nonce: &str) -> RequestBuilder {
        self.request(Method::POST, "job_offers").body(json::to_vec(&self.offer("cowsay", &[], nonce)))
    }

    /// The job creator's event socket.
    async fn listen(&self) -> EventSocket {
        self.api.events(Role::JobCreator).await.unwrap()
    }

    /// Runs a job: the deal that has its result.
    async fn run(&self) -> DealId {
        let mut events = self.listen().await;
        self.api.post_job_offer(&self.offer("cowsay", &[], "run")).await.unwrap();
        deal_in(&mut events, AgreementState::RESULTS_SUBMITTED).await
    }

    /// How many machines are on offer.
    async fn open_machines(&self) -> usize {
        let filter = ResourceOfferFilter { not_matched: true, ..ResourceOfferFilter::default() };
        self.api.resource_offers(&filter).await.unwrap().len()
    }

    /// Waits until so many machines are on offer.
    async fn until_open(&self, count: usize) {
        let mut events = self.listen().await;
        while self.open_machines().await != count {
            next(&mut events).await;
        }
    }
}

/// The next event.
async fn next(events: &mut EventSocket) -> Event {
    json::from_str(&events.next().await.unwrap()).unwrap()
}

/// Waits for a deal in this state.
async fn deal_in(events: &mut EventSocket, state: AgreementState) -> DealId {
    loop {
        let event = next(events).await;
        if event.event_type == EventType::DEAL_STATE_UPDATED
            && let Some(deal) = event.deal
            && deal.state == state
        {
            return deal.id.parse().unwrap();
        }
    }
}
