//! From a request to an offer that the solver has taken.
//!
//! The order is what keeps money safe: an offer is stamped when it is its turn, which gives its id; the id is in the journal before the offer leaves;
//! and another takes its place only when it is certain that the solver has not taken it and cannot any more.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use tracing::Instrument;

use super::handle::Job;
use super::journal::{Claim, Entry, KeyUse, Offered};
use super::plan::Plan;
use super::recall::{Behind, behind_key, is_genuine, wait_for_fate};
use super::request::JobRequest;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::module::{InputFile, InputFiles, Module, ModuleOrigin, ModuleReference};
use crate::platform::{Instant, apart, blocking, sleep, unix_millis};
use crate::protocol::{self, DealPricing, JobId, JobOffer, JobOfferContainer, PricingMode, Target};
use crate::solver::Turn;

/// How long a refused offer is offered again: a solver that is busy, a rate limit.
const PATIENCE_WITH_REFUSALS: Duration = Duration::from_secs(120);
/// How long a solver is called that does not answer at all.
const PATIENCE_WITH_SILENCE: Duration = Duration::from_secs(10);
/// No idempotency key is longer, in bytes.
const LONGEST_KEY: usize = 255;
/// The reference client's prices, in whole LP.
const PRICING: DealPricing =
    DealPricing { instruction_price: 1, payment_collateral: 2, results_collateral_multiple: 2, mediation_fee: 1 };

/// Resolves and renders the module, checks the files, and makes the offer.
pub(crate) async fn plan(client: &Client, request: JobRequest) -> Result<Plan> {
    let wallet = client.wallet()?;
    check_key(client, request.options.idempotency_key.as_deref())?;
    let reference: ModuleReference = request.module.parse()?;
    let module = client.resolver().resolve(&reference).await?;
    refuse_what_providers_cannot_reach(client, &module)?;
    module.check_inputs(&request.inputs)?;
    let rendered = module.render(&request.inputs)?;
    let spec = &rendered.spec;
    let (given, folder, wanted) = (request.files, request.inputs_dir, spec.input_files.clone());
    let (file_names, files) =
        blocking("read input files", move || read_files(given, folder.as_deref(), &wanted)).await?;
    let mut offer = JobOffer {
        id: String::new(),
        created_at: unix_millis(),
        nonce: nanoid::nanoid!(),
        job_creator: wallet.address().to_string(),
        module: module.config().clone(),
        spec: spec.machine.clone(),
        inputs: Some(request.inputs),
        input_files: spec.input_files.clone(),
        execution_timeout_seconds: spec.execution_timeout_seconds,
        mode: PricingMode::market(),
        pricing: PRICING,
        services: client.network().services.clone(),
        target: Target { address: request.options.target.map(|address| address.to_string()).unwrap_or_default() },
    };
    offer.id = offer.content_id();
    Ok(Plan { client: client.clone(), offer, module: rendered, file_names, files, options: request.options })
}

/// Whether an idempotency key can be used.
fn check_key(client: &Client, key: Option<&str>) -> Result<()> {
    let Some(key) = key else { return Ok(()) };
    let bad = |message: String| Error::new(ErrorKind::InvalidInput, "plan the job").with_message(message);
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(bad(format!("an idempotency key of {} bytes", key.len()))
            .with_help("an idempotency key has 1 to 255 bytes"));
    }
    if client.journal().is_off() {
        return Err(bad("an idempotency key needs a journal, and this client's is turned off".into())
            .with_help("leave the client's journal on, or in memory"));
    }
    Ok(())
}

/// A module in a folder of this machine is out of reach for providers of a network elsewhere.
fn refuse_what_providers_cannot_reach(client: &Client, module: &Module) -> Result<()> {
    let (ModuleOrigin::Folder(folder) | ModuleOrigin::LocalRepository(folder)) = module.origin() else { return Ok(()) };
    let network = client.network();
    let here = network.solver_url.as_ref().is_some_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    });
    if here {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Module, "plan the job")
        .with_message(format_args!("providers of {} cannot reach {} on this machine", network.name, folder.display()))
        .with_help("push the module to a public git repository, or run it on a local network"))
}

/// Reads, checks and packs the input files: their names, and the archive if there are any. Blocks.
fn read_files(
    given: Vec<InputFile>,
    folder: Option<&Path>,
    wanted: &protocol::InputFiles,
) -> Result<(Vec<String>, Option<Bytes>)> {
    let mut files = match folder {
        Some(folder) => InputFiles::from_folder(folder)?,
        None => InputFiles::default(),
    };
    for file in given {
        files.add(file)?;
    }
    let checked = files.check(wanted)?;
    let archive = if checked.is_empty() { None } else { Some(checked.pack()?) };
    Ok((files.names().map(str::to_owned).collect(), archive))
}

/// Sends a job, once in effect.
pub(super) async fn submit(plan: Plan) -> Result<Job> {
    let span = tracing::info_span!("submit", module = %plan.public().module, job = tracing::field::Empty);
    // Apart from the caller: one who does not poll for a while must not hold up the others' turns.
    apart("submit the job", send(plan).instrument(span)).await?
}

/// Stamps the offer, writes it down and posts it, once in effect.
///
/// After an explicit refusal that passes it is stamped anew, in place of the first. When the answer was lost, the solver's list says whether the offer
/// was taken; only when it was not and cannot be any more is another sent.
async fn send(plan: Plan) -> Result<Job> {
    let client = plan.client.clone();
    let (api, tracker, journal) = (client.solver().await?, client.tracker().await?, client.journal());
    api.learn_clock().await;
    let mut offered = Offered {
        job: plan.id(),
        stamped_ms: 0,
        at_ms: 0,
        module: plan.public().module,
        allow_exit_code: plan.options.allow_exit_code,
        key: plan.options.idempotency_key.clone().map(|key| KeyUse { key, request: plan.request_id() }),
        replaces: None,
    };
    if let Some(used) = &offered.key
        && let Some(known) = journal.under_key(&used.key).await?
    {
        match behind_key(&client, used, known).await? {
            Behind::Job(job) => return Ok(recalled(job)),
            Behind::NotTaken(id) => offered.replaces = Some(id),
        }
    }
    let mut patience = Patience::default();
    let mut offer = plan.offer.clone();
    loop {
        let turn = api.job_offer_turn(plan.files.is_some()).await;
        patience.begin();
        offer.created_at = api.now_ms();
        offer.id = offer.content_id();
        (offered.job, offered.stamped_ms, offered.at_ms) = (offer.id.parse()?, offer.created_at, unix_millis());
        if let Claim::InUse(known) = journal.offer(offered.clone()).await? {
            drop(turn);
            let Some(used) = &offered.key else { continue };
            match behind_key(&client, used, *known).await? {
                Behind::Job(job) => return Ok(recalled(job)),
                Behind::NotTaken(id) => offered.replaces = Some(id),
            }
            continue;
        }
        let id = offered.job.clone();
        tracing::Span::current().record("job", tracing::field::display(&id));
        let tracked = tracker.follow(&id, true);
        match post(&client, turn, &offer, &offered, plan.files.clone()).await {
            Posted::Taken(container) => {
                if let Err(error) = journal.note(Entry::Taken { job: id }).await {
                    // Its offer is written down, and the solver's list will say the rest.
                    tracing::warn!(%error, job = %offered.job, "could not write down that the solver took the job");
                }
                client.counters().jobs_submitted.increment();
                tracing::info!("the solver has the job");
                tracker.posted(&tracked, &container);
                return Ok(Job::new(client, tracked, plan.options));
            }
            Posted::NotTaken { error, answered } => match patience.wait_after(&error, answered) {
                Some(wait) => {
                    client.counters().offers_repeated.increment();
                    tracing::debug!(%error, ?wait, "offering the job again");
                    sleep(wait).await;
                    offered.replaces = Some(id);
                }
                None => {
                    journal.note_soon(Entry::NotTaken { job: id.clone() });
                    return Err(error.with_job(&id));
                }
            },
            Posted::Unknown(error) => return Err(error.with_job(&id)),
        }
    }
}

/// Counts a job that was sent before.
fn recalled(job: Job) -> Job {
    job.client().counters().jobs_recalled.increment();
    tracing::info!(job = %job.id(), "found the job under its key");
    job
}

/// How long an offer is offered again.
#[derive(Default)]
struct Patience {
    start: Option<Instant>,
    attempts: u32,
    /// Whether the clocks were found to differ.
    skewed: bool,
}

impl Patience {
    /// Starts to count. Waiting for the first turn is no refusal.
    fn begin(&mut self) {
        self.start.get_or_insert_with(Instant::now);
    }

    /// How long to wait before the next attempt. `None`: not again. `answered`: whether the solver has said anything since.
    fn wait_after(&mut self, error: &Error, answered: bool) -> Option<Duration> {
        let wait = match (error.retry_after(), error.kind()) {
            (Some(asked), _) => asked,
            // The answer's clock is known now, so the next stamp fits at once; a second refusal means something else.
            (None, ErrorKind::ClockSkew) if self.skewed => return None,
            (None, ErrorKind::ClockSkew) => Duration::ZERO,
            (None, _) => Duration::from_millis(500 << self.attempts.min(4)),
        };
        self.skewed |= error.kind() == ErrorKind::ClockSkew;
        self.attempts += 1;
        let patience = match error.kind() {
            ErrorKind::Connection if !answered => PATIENCE_WITH_SILENCE,
            _ => PATIENCE_WITH_REFUSALS,
        };
        let elapsed = self.start.map_or(Duration::ZERO, |start| start.elapsed());
        (error.is_retryable() && elapsed + wait <= patience).then_some(wait)
    }
}

/// What came of posting an offer once.
enum Posted {
    /// The solver has it.
    Taken(Box<JobOfferContainer>),
    /// It has not, and cannot get it any more.
    NotTaken {
        /// Why.
        error: Error,
        /// Whether that is known from the solver itself.
        answered: bool,
    },
    /// Nobody can tell: the caller must not send another.
    Unknown(Error),
}

/// Posts once. If it is unclear whether the solver acted, asks it until that is clear.
async fn post(client: &Client, turn: Turn<'_>, offer: &JobOffer, offered: &Offered, files: Option<Bytes>) -> Posted {
    let api = match client.solver().await {
        Ok(api) => api,
        Err(error) => return Posted::NotTaken { error, answered: false },
    };
    let id = &offered.job;
    let error = match api.post_job_offer_in(turn, offer, files).await {
        Ok(container) => match check_answer(&container, id, api.address()) {
            Ok(()) => return Posted::Taken(Box::new(container)),
            Err(error) => error,
        },
        Err(error) if !error.may_have_acted() => return Posted::NotTaken { error, answered: false },
        Err(error) => error,
    };
    tracing::debug!(%error, job = %id, "looking whether the solver took the offer");
    match wait_for_fate(client, offered).await {
        Ok(Some(container)) => Posted::Taken(container),
        // An answer that makes no sense does not make more when it is asked for again.
        Ok(None) if error.kind() == ErrorKind::Integrity => {
            Posted::NotTaken { error: error.not_done().permanent(), answered: true }
        }
        Ok(None) => Posted::NotTaken { error: error.not_done().retryable(), answered: true },
        Err(_) => Posted::Unknown(error.permanent().with_help(
            "it is not known whether the solver took the job: look for its id later, and do not submit it again before, or only with an \
             idempotency key",
        )),
    }
}

/// Whether the answer is about the offer that was posted.
fn check_answer(container: &JobOfferContainer, id: &JobId, address: &str) -> Result<()> {
    if container.id == id.as_str() && is_genuine(container, address) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Integrity, "post job offer")
        .with_job(id)
        .with_message(format_args!("the solver answered with another offer, `{}`", container.id))
        .with_help("do not trust this solver; nothing of the job was accepted")
        .maybe_done())
}
