//! A solver over real sockets, with a clock that stands still.

mod files;
mod jobs;
mod refusals;
mod sockets;

use std::collections::BTreeMap;

use lilypad_sdk::Wallet;
use lilypad_sdk::protocol::auth::{SIGNATURE_HEADER, USER_HEADER, VERSION_HEADER};
use lilypad_sdk::protocol::{
    DealPricing, Event, JobOffer, JobOfferContainer, MachineSpec, PricingMode, ResourceOffer, ResourceOfferContainer,
    ResultRecord, ServiceConfig, json,
};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::*;

/// When tests begin.
const START: i64 = 1_795_365_093_000;

/// A solver, its clock, and the two who talk to it.
struct Bench {
    solver: Solver,
    clock: Clock,
    http: reqwest::Client,
    creator: Wallet,
    provider: Wallet,
}

/// An answer: status, headers, body.
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    /// The body as text.
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Status and text, as refusals are told apart.
    fn refusal(&self) -> (u16, &str) {
        (self.status, self.text().trim_end())
    }

    /// A header's value, or nothing.
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The record that a successful answer holds.
    fn record<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, 200, "{}", self.text());
        json::from_slice(&self.body).unwrap()
    }
}

impl Bench {
    /// A solver without a rate limit.
    async fn new() -> Self {
        Self::with(|options| options.rate_limit = None).await
    }

    /// A solver with other options.
    async fn with(change: impl FnOnce(&mut SolverOptions)) -> Self {
        let clock = Clock::manual(START);
        let mut options = SolverOptions { clock: clock.clone(), ..SolverOptions::default() };
        change(&mut options);
        Self {
            solver: Solver::start(options).await.unwrap(),
            clock,
            http: reqwest::Client::new(),
            creator: Wallet::random(),
            provider: Wallet::random(),
        }
    }

    /// A request, signed if somebody is named.
    fn request(&self, method: Method, path: &str, signer: Option<&Wallet>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}api/v1/{path}", self.solver.url()));
        match signer {
            None => request,
            Some(wallet) => request
                .header(USER_HEADER, wallet.request_headers().user())
                .header(SIGNATURE_HEADER, wallet.request_headers().signature())
                .header(VERSION_HEADER, "v2.23.0"),
        }
    }

    /// Asks without a signature.
    async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path, None)).await
    }

    /// Asks with one.
    async fn get_as(&self, signer: &Wallet, path: &str) -> Reply {
        send(self.request(Method::GET, path, Some(signer))).await
    }

    /// Posts a record.
    async fn post(&self, signer: &Wallet, path: &str, record: &impl Serialize) -> Reply {
        send(self.request(Method::POST, path, Some(signer)).body(json::to_vec(record))).await
    }

    /// An offer that the solver takes, told apart by its nonce.
    fn job(&self, nonce: &str) -> JobOffer {
        JobOffer {
            created_at: self.clock.now(),
            nonce: nonce.into(),
            job_creator: self.creator.address().to_string(),
            spec: MachineSpec { cpu: 1000, ram: 100, ..MachineSpec::default() },
            inputs: Some(BTreeMap::new()),
            mode: PricingMode::market(),
            services: services(),
            ..JobOffer::default()
        }
    }

    /// An offer of a machine that suits it.
    fn machine(&self, index: i64) -> ResourceOffer {
        ResourceOffer {
            created_at: self.clock.now(),
            resource_provider: self.provider.address().to_string(),
            index,
            spec: MachineSpec { cpu: 4000, ram: 4000, disk: 4000, ..MachineSpec::default() },
            modules: Some(Vec::new()),
            mode: PricingMode::fixed(),
            default_pricing: DealPricing { instruction_price: 1, ..DealPricing::default() },
            module_pricing: Some(BTreeMap::new()),
            services: services(),
            ..ResourceOffer::default()
        }
    }

    /// Posts a job offer.
    async fn post_job(&self, nonce: &str) -> JobOfferContainer {
        self.post(&self.creator, "job_offers", &self.job(nonce)).await.record()
    }

    /// Posts a resource offer.
    async fn post_machine(&self) -> ResourceOfferContainer {
        self.post(&self.provider, "resource_offers", &self.machine(0)).await.record()
    }

    /// A job that was matched: the id of its deal.
    async fn matched(&self) -> String {
        self.post_machine().await;
        self.post_job("matched").await.deal_id
    }

    /// Posts a result.
    async fn post_result(&self, deal: &str, data_id: &str, error: &str) -> Reply {
        let record = ResultRecord { data_id: data_id.into(), error: error.into(), ..ResultRecord::default() };
        self.post(&self.provider, &format!("deals/{deal}/result"), &record).await
    }

    /// Where the event socket is.
    fn socket_url(&self) -> String {
        format!("{}api/v1/ws", self.solver.url()).replacen("http", "ws", 1)
    }

    /// An open event socket.
    async fn listen(&self, party: &str, wallet: &Wallet) -> Listener {
        let url = format!("{}?&Type={party}&ID={}", self.socket_url(), wallet.address());
        Listener(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }
}

/// The client's end of an event socket.
struct Listener(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Listener {
    /// The next frame that is an event. `None` when the socket was closed.
    async fn next(&mut self) -> Option<Event> {
        use futures_util::StreamExt;
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => return Some(json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next events: their types, and the state of what they are about.
    async fn told(&mut self, count: usize) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..count {
            let event = self.next().await.expect("the socket stays open");
            let state = event
                .deal
                .map(|deal| deal.state)
                .or(event.job_offer.map(|job| job.state))
                .or(event.resource_offer.map(|machine| machine.state));
            told.push(format!("{} {}", event.event_type, state.map_or(String::new(), |state| state.to_string())));
        }
        told
    }
}

fn services() -> ServiceConfig {
    ServiceConfig {
        solver: SolverOptions::default().address,
        mediator: Some(vec!["0x90F79bf6EB2c4f870365E785982E1f101E93b906".into()]),
        api_host: String::new(),
    }
}

async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await.unwrap().to_vec(),
    }
}
