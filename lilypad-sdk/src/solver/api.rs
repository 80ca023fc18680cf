//! Every call of a solver's HTTP API.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Body;
use serde::de::DeserializeOwned;
use url::Url;

use super::pace::{Lane, Permit};
use super::socket::{EventSocket, Role};
use super::transport::{ByteStream, Call, DEFAULT_CLIENT_VERSION, Payload, Transport};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Counters;
use crate::protocol::{
    AgreementState, DealContainer, DealId, JobCreatorTransactions, JobOffer, JobOfferContainer, ResourceOffer,
    ResourceOfferContainer, ResourceProviderTransactions, ResultRecord, json,
};
use crate::wallet::Wallet;

/// Where offers go.
const OFFERS: &str = "job_offers";
/// Where offers with input files go.
const OFFERS_WITH_FILES: &str = "job_offers/with_files";

/// How to talk to a solver.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SolverApiOptions {
    /// The version to say we are: a semantic version with a leading `v`.
    pub client_version: String,
    /// How long one request for a record may take. Files may take as long as they keep coming.
    pub request_timeout: Duration,
}

impl Default for SolverApiOptions {
    fn default() -> Self {
        Self { client_version: DEFAULT_CLIENT_VERSION.into(), request_timeout: Duration::from_secs(30) }
    }
}

/// Which job offers to list.
#[derive(Debug, Clone, Default)]
pub struct JobOfferFilter {
    /// Only this address's, in EIP-55 form: the solver compares text.
    pub job_creator: Option<String>,
    /// Only those without a deal, whatever their state.
    pub not_matched: bool,
    /// Only those that are not over: states 0 to 2.
    pub active: bool,
    /// Only those that are (or are not) cancelled or timed out.
    pub cancelled: Option<bool>,
}

/// Which resource offers to list.
#[derive(Debug, Clone, Default)]
pub struct ResourceOfferFilter {
    /// Only this address's, in EIP-55 form: the solver compares text.
    pub resource_provider: Option<String>,
    /// Only those without a deal.
    pub not_matched: bool,
    /// Only those that are not over.
    pub active: bool,
}

/// Which deals to list.
#[derive(Debug, Clone, Default)]
pub struct DealFilter {
    /// Only this address's, in EIP-55 form: the solver compares text.
    pub job_creator: Option<String>,
    /// Only this address's, in EIP-55 form: the solver compares text.
    pub resource_provider: Option<String>,
    /// Only those in this state.
    pub state: Option<AgreementState>,
}

impl JobOfferFilter {
    /// The call that lists them.
    fn call(&self) -> Call {
        let mut call = Call::get("list job offers", OFFERS);
        if let Some(address) = &self.job_creator {
            call = call.query("job_creator", address);
        }
        if self.not_matched {
            call = call.query("not_matched", "true");
        }
        if self.active {
            call = call.query("active", "true");
        }
        if let Some(cancelled) = self.cancelled {
            call = call.query("cancelled", cancelled.to_string());
        }
        call
    }
}

impl ResourceOfferFilter {
    /// The call that lists them.
    fn call(&self) -> Call {
        let mut call = Call::get("list resource offers", "resource_offers");
        if let Some(address) = &self.resource_provider {
            call = call.query("resource_provider", address);
        }
        if self.not_matched {
            call = call.query("not_matched", "true");
        }
        if self.active {
            call = call.query("active", "true");
        }
        call
    }
}

impl DealFilter {
    /// The call that lists them.
    fn call(&self) -> Call {
        let mut call = Call::get("list deals", "deals");
        if let Some(address) = &self.job_creator {
            call = call.query("job_creator", address);
        }
        if let Some(address) = &self.resource_provider {
            call = call.query("resource_provider", address);
        }
        if let Some(state) = self.state {
            call = call.query("state", state.to_string());
        }
        call
    }
}

/// A solver's API: one method a call, each sent once. Cheap to clone.
///
/// Requests are signed, wait for the solver's rate limit, and fail with errors that say whether trying again makes sense. Answers are not
/// believed further than their shape: see [`Client`](crate::Client) for what is checked.
#[derive(Clone)]
pub struct SolverApi {
    transport: Arc<Transport>,
    address: Arc<str>,
}

impl SolverApi {
    /// For the solver at `url`, as the owner of `wallet`. Connects when the first call is made.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the URL or the version cannot be used.
    pub fn new(url: &Url, wallet: &Wallet, options: &SolverApiOptions) -> Result<Self> {
        Self::counted(url, wallet, options, Arc::default())
    }

    /// [`new`](Self::new), with requests counted in `counters`.
    pub(crate) fn counted(
        url: &Url,
        wallet: &Wallet,
        options: &SolverApiOptions,
        counters: Arc<Counters>,
    ) -> Result<Self> {
        let transport = Transport::new(url, wallet, &options.client_version, options.request_timeout, counters)?;
        Ok(Self { transport: Arc::new(transport), address: wallet.address().to_string().into() })
    }

    /// The address that signs, in EIP-55 form.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The solver's time in milliseconds since 1970, as its answers tell it. This machine's until the first answer.
    pub fn now_ms(&self) -> i64 {
        self.transport.clock().now_ms()
    }

    /// Learns the solver's time, unless an answer has told it. An offer that is stamped by another clock would be refused, or worse: taken later, when
    /// its stamp has come to fit.
    pub(crate) async fn learn_clock(&self) {
        if self.transport.clock().is_learned() {
            return;
        }
        // Any answer has the time, a refusal too; and without one the offer that follows says why. This path has a rate limit of its own.
        if let Err(error) = self.transport.send(Call::get("ask for the time", "validation_token")).await {
            tracing::debug!(%error, "the solver does not tell the time");
        }
    }

    /// Opens the event socket.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`] if nobody answers or the socket is refused.
    pub async fn events(&self, role: Role) -> Result<EventSocket> {
        EventSocket::connect(self.transport.base(), role, &self.address).await
    }

    /// Lists job offers.
    ///
    /// # Errors
    /// As every call here: [`ErrorKind::Connection`] without an answer; [`ErrorKind::RateLimited`], [`ErrorKind::Solver`] and the other kinds
    /// of refusals; [`ErrorKind::Integrity`] for an answer that makes no sense.
    pub async fn job_offers(&self, filter: &JobOfferFilter) -> Result<Vec<JobOfferContainer>> {
        let mut offers = Vec::new();
        self.each_job_offer(filter, |offer| offers.push(offer)).await?;
        Ok(offers)
    }

    /// [`job_offers`](Self::job_offers) in memory that does not grow with the list: hands each offer to `each` as it arrives. What came before
    /// an error has been handed on.
    pub(crate) async fn each_job_offer(
        &self,
        filter: &JobOfferFilter,
        each: impl FnMut(JobOfferContainer) + Send,
    ) -> Result<()> {
        self.transport.send_list(filter.call(), each).await
    }

    /// Posts a job offer. Not to be repeated blindly: posting twice runs twice.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn post_job_offer(&self, offer: &JobOffer) -> Result<JobOfferContainer> {
        let turn = self.job_offer_turn(false).await;
        self.post_job_offer_in(turn, offer, None).await
    }

    /// Posts a job offer with its input files, packed as a tar. Not to be repeated blindly: posting twice runs twice.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn post_job_offer_with_files(&self, offer: &JobOffer, inputs: Bytes) -> Result<JobOfferContainer> {
        let turn = self.job_offer_turn(true).await;
        self.post_job_offer_in(turn, offer, Some(inputs)).await
    }

    /// Waits until an offer may leave, so that it is stamped when it does: a stamp must be fresh on arrival.
    pub(crate) async fn job_offer_turn(&self, with_files: bool) -> Turn<'_> {
        Turn(self.transport.admit(if with_files { OFFERS_WITH_FILES } else { OFFERS }, Lane::Write).await)
    }

    /// Posts a job offer whose turn it is, with its input files if there are any.
    pub(crate) async fn post_job_offer_in(
        &self,
        turn: Turn<'_>,
        offer: &JobOffer,
        inputs: Option<Bytes>,
    ) -> Result<JobOfferContainer> {
        use reqwest::multipart::{Form, Part};
        let record = json::to_vec(offer);
        let (path, payload) = match inputs {
            None => (OFFERS, Payload::Json(record)),
            Some(inputs) => {
                let offer = Part::bytes(record).file_name("job_offer.json");
                let inputs = Part::stream(Body::from(inputs)).file_name("inputs.tar");
                let form = Form::new().part("job_offer.json", offer).part("inputs.tar", inputs);
                (OFFERS_WITH_FILES, Payload::Form(form))
            }
        };
        let call = Call::post("post job offer", path, payload);
        self.transport.send_json_admitted(turn.0, call).await?.ok_or_else(|| answered_null("post job offer"))
    }

    /// Lists resource offers.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn resource_offers(&self, filter: &ResourceOfferFilter) -> Result<Vec<ResourceOfferContainer>> {
        let mut offers = Vec::new();
        self.transport.send_list(filter.call(), |offer| offers.push(offer)).await?;
        Ok(offers)
    }

    /// Posts a resource offer. `None` if the solver silently refused it: an open one exists already, or the balance is too low.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn post_resource_offer(&self, offer: &ResourceOffer) -> Result<Option<ResourceOfferContainer>> {
        let payload = Payload::Json(json::to_vec(offer));
        self.transport.send_json(Call::post("post resource offer", "resource_offers", payload)).await
    }

    /// Lists deals.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn deals(&self, filter: &DealFilter) -> Result<Vec<DealContainer>> {
        let mut deals = Vec::new();
        self.each_deal(filter, |deal| deals.push(deal)).await?;
        Ok(deals)
    }

    /// [`deals`](Self::deals) in memory that does not grow with the list: hands each deal to `each` as it arrives. What came before an error
    /// has been handed on.
    pub(crate) async fn each_deal(&self, filter: &DealFilter, each: impl FnMut(DealContainer) + Send) -> Result<()> {
        self.transport.send_list(filter.call(), each).await
    }

    /// Reads one deal.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers); [`ErrorKind::NotFound`] if the solver knows no such deal.
    pub async fn deal(&self, id: &DealId) -> Result<DealContainer> {
        self.record(Call::get("read deal", format!("deals/{id}"))).await
    }

    /// Reads the record of a deal's result.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers); [`ErrorKind::NotFound`] before the provider posted one.
    pub async fn result(&self, deal: &DealId) -> Result<ResultRecord> {
        self.record(Call::get("read result", format!("deals/{deal}/result"))).await
    }

    /// Posts the record of a deal's result, as its provider.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn post_result(&self, deal: &DealId, record: &ResultRecord) -> Result<ResultRecord> {
        let payload = Payload::Json(json::to_vec(record));
        self.record(Call::post("post result", format!("deals/{deal}/result"), payload)).await
    }

    /// Fetches a deal's input files, as its provider: a tar, then `{}\n`.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn input_files(&self, deal: &DealId) -> Result<ByteStream> {
        self.transport.send_stream(Call::get("fetch input files", format!("deals/{deal}/input_files"))).await
    }

    /// Fetches a deal's result files, as its job creator: a tar, then `{}\n`. Ask only after [`result`](Self::result) named a `data_id`: before that,
    /// asking stops the solver's download timeout for good (PROTOCOL.md, section 5).
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn result_files(&self, deal: &DealId) -> Result<ByteStream> {
        self.transport.send_stream(Call::get("fetch result files", format!("deals/{deal}/files"))).await
    }

    /// Uploads a deal's result files, as its provider. `tar` is sent while it is read.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn upload_result_files(&self, deal: &DealId, tar: Body) -> Result<ResultRecord> {
        self.record(Call::post("upload result files", format!("deals/{deal}/files"), Payload::Stream(tar))).await
    }

    /// Names the job creator's transactions. With `accept_result` set, this accepts the result: only after its files are safe.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn post_job_creator_transactions(
        &self,
        deal: &DealId,
        transactions: &JobCreatorTransactions,
    ) -> Result<DealContainer> {
        let payload = Payload::Json(json::to_vec(transactions));
        self.record(Call::post("accept result", format!("deals/{deal}/txs/job_creator"), payload)).await
    }

    /// Names the provider's transactions.
    ///
    /// # Errors
    /// As [`job_offers`](Self::job_offers).
    pub async fn post_resource_provider_transactions(
        &self,
        deal: &DealId,
        transactions: &ResourceProviderTransactions,
    ) -> Result<DealContainer> {
        let payload = Payload::Json(json::to_vec(transactions));
        self.record(Call::post("report result", format!("deals/{deal}/txs/resource_provider"), payload)).await
    }

    /// Sends a call whose answer must be a record.
    async fn record<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let operation = call.operation;
        self.transport.send_json(call).await?.ok_or_else(|| {
            Error::new(ErrorKind::Integrity, operation).with_message("the solver answered null").maybe_done()
        })
    }
}

/// An offer's leave to go.
#[must_use = "give it to `post_job_offer_in`"]
pub(crate) struct Turn<'a>(Permit<'a>);

/// The error for an answer without a record.
fn answered_null(operation: &'static str) -> Error {
    Error::new(ErrorKind::Integrity, operation).with_message("the solver answered null").maybe_done()
}

impl fmt::Debug for SolverApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SolverApi").field("host", &self.transport.host()).field("address", &self.address).finish()
    }
}
