//! From a request to an offer that the solver has taken.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::handle::Job;
use super::plan::Plan;
use super::request::JobRequest;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::module::{InputFile, InputFiles, Module, ModuleOrigin, ModuleReference};
use crate::platform::{Instant, blocking, sleep, unix_millis};
use crate::protocol::{self, DealPricing, JobId, JobOffer, JobOfferContainer, PricingMode, Target};
use crate::retry::{Idempotence, RetryPolicy, retry};
use crate::solver::{JobOfferFilter, SolverApi, Turn};

/// How long a refused offer is offered again: a solver that is busy, a rate limit.
const PATIENCE_WITH_REFUSALS: Duration = Duration::from_secs(120);
/// How long a solver is called that does not answer at all.
const PATIENCE_WITH_SILENCE: Duration = Duration::from_secs(10);
/// After an answer was lost and the solver's list lacks the offer, it is read once more so much later.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// The reference client's prices, in whole LP.
const PRICING: DealPricing =
    DealPricing { instruction_price: 1, payment_collateral: 2, results_collateral_multiple: 2, mediation_fee: 1 };

/// Resolves and renders the module, checks the files, and makes the offer.
pub(crate) async fn plan(client: &Client, request: JobRequest) -> Result<Plan> {
    let wallet = client.wallet()?;
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

/// Stamps the offer and posts it, once in effect.
///
/// After an explicit refusal that passes it is stamped anew. When the answer was lost, the solver's list says whether the offer was taken:
/// only if it was not is it posted again.
pub(super) async fn submit(plan: Plan) -> Result<Job> {
    let api = plan.client.solver().await?.clone();
    let tracker = plan.client.tracker().await?.clone();
    let (mut first_try, mut skewed) = (None, false);
    let mut offer = plan.offer.clone();
    for attempt in 0u32.. {
        let turn = api.job_offer_turn(plan.files.is_some()).await;
        // Waiting for its turn is no refusal.
        let start = *first_try.get_or_insert_with(Instant::now);
        offer.created_at = api.now_ms();
        offer.id = offer.content_id();
        let id: JobId = offer.id.parse()?;
        let tracked = tracker.follow(&id);
        let outcome = post(&api, turn, &offer, plan.files.clone()).await;
        let error = match outcome {
            Ok(container) => {
                check_answer(&container, &id)?;
                tracker.posted(&tracked, &container);
                return Ok(Job::new(plan.client.clone(), tracked, plan.options));
            }
            Err(error) => error.with_job(&id),
        };
        let wait = match error.retry_after() {
            Some(asked) => asked,
            // The answer's clock is known now, so the next stamp fits at once; a second refusal means something else.
            None if error.kind() == ErrorKind::ClockSkew && !std::mem::replace(&mut skewed, true) => Duration::ZERO,
            None if error.kind() == ErrorKind::ClockSkew => return Err(error),
            None => Duration::from_millis(500 << attempt.min(4)),
        };
        let patience = match error.kind() {
            ErrorKind::Connection => PATIENCE_WITH_SILENCE,
            _ => PATIENCE_WITH_REFUSALS,
        };
        if !error.is_retryable() || start.elapsed() + wait > patience {
            return Err(error);
        }
        tracing::debug!(%error, ?wait, "offering the job again");
        sleep(wait).await;
    }
    Err(Error::new(ErrorKind::Internal, "post job offer"))
}

/// Posts once. If it is unclear whether the solver acted, asks it.
async fn post(api: &SolverApi, turn: Turn<'_>, offer: &JobOffer, files: Option<Bytes>) -> Result<JobOfferContainer> {
    let error = match api.post_job_offer_in(turn, offer, files).await {
        Err(error) if error.may_have_acted() => error,
        other => return other,
    };
    tracing::debug!(%error, "looking whether the solver took the offer");
    let mut found = look_for(api, &offer.id).await;
    if matches!(found, Ok(None)) {
        // It may still be at work on the request.
        sleep(SECOND_LOOK).await;
        found = look_for(api, &offer.id).await;
    }
    match found {
        Ok(Some(container)) => Ok(container),
        // Not taken: as good as an explicit refusal.
        Ok(None) => Err(Error::new(error.kind(), "post job offer")
            .with_message(error.message().unwrap_or("no answer"))
            .retryable()
            .with_source(error)),
        // Not known: the caller must not send another.
        Err(_) => Err(error
            .permanent()
            .with_help("it is not known whether the solver took the job: look for its id before you submit it again")),
    }
}

/// Looks for an offer in the solver's list.
///
/// The list, not `GET /job_offers/{id}`: the reference solver drops the connection on an id that it does not know, which looks the same as a
/// broken network. (PROTOCOL.md, section 5)
pub(crate) async fn look_for(api: &SolverApi, id: &str) -> Result<Option<JobOfferContainer>> {
    let filter = JobOfferFilter { job_creator: Some(api.address().to_owned()), ..Default::default() };
    let offers = retry(RetryPolicy::brief(), Idempotence::Repeatable, || api.job_offers(&filter)).await?;
    // Filtered again: a list need not be right.
    Ok(offers.into_iter().find(|container| container.id == id && is_genuine(container)))
}

/// Whether an offer is what its id says: a list need not be right.
pub(crate) fn is_genuine(container: &JobOfferContainer) -> bool {
    container.job_offer.content_id() == container.id
}

/// Whether the answer is about the offer that was posted.
fn check_answer(container: &JobOfferContainer, id: &JobId) -> Result<()> {
    if container.id == id.as_str() && is_genuine(container) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Integrity, "post job offer")
        .with_job(id)
        .with_message(format_args!("the solver answered with another offer, `{}`", container.id))
        .with_help("it may or may not have taken the job; look for the id before you submit it again")
        .maybe_done())
}
