//! One job, from its deal to its posted result.

use std::path::{Path, PathBuf};

use lilypad_sdk::protocol::{DataId, Deal, DealId, ResourceProviderTransactions, ResultRecord};
use lilypad_sdk::result::unixfs::cid_of_path;
use lilypad_sdk::retry::{Idempotence, RetryPolicy, retry};
use lilypad_sdk::{Error, ErrorKind, Result};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Shared, inputs, task, upload};
use crate::executor;

/// What stands in the chain's place: this release sends nothing there.
const NO_TRANSACTION: &str = "0x";

/// Runs the job of a deal and hands its result in. Whatever goes wrong with the job becomes its result.
pub(super) async fn run(shared: &Shared, deal: &Deal, stop: CancellationToken) {
    let done = async {
        let id: DealId = deal.id.parse()?;
        let outcome = match perform(shared, deal, &id, &stop).await {
            Ok(outcome) => outcome,
            Err(reason) => {
                tracing::info!(deal = deal.id, reason, "job failed");
                ResultRecord { error: reason, ..ResultRecord::default() }
            }
        };
        hand_in(shared, &id, ResultRecord { deal_id: deal.id.clone(), ..outcome }).await
    };
    if let Err(error) = done.await {
        tracing::warn!(%error, deal = deal.id, "the solver does not have the job's result");
    }
}

/// Performs the job. The error is what the job's owner reads; its beginnings are those of the reference provider.
async fn perform(shared: &Shared, deal: &Deal, id: &DealId, stop: &CancellationToken) -> Result<ResultRecord, String> {
    let offer = &deal.job_offer;
    let module = insist(|| shared.modules.resolve_config(&offer.module))
        .await
        .map_err(|error| words("error loading module", &error))?;
    let rendered = module
        .render(&offer.inputs.clone().unwrap_or_default())
        .map_err(|error| words("error loading module", &error))?;

    let folder = Folder::new(shared).map_err(|error| words("error running job", &error))?;
    let inputs = match inputs::are_wanted(&rendered.spec.input_files) {
        false => None,
        true => {
            let place = folder.inputs();
            insist(|| inputs::fetch(shared, id, &place))
                .await
                .map_err(|error| words("error downloading input files", &error))?;
            inputs::check(&place, &offer.input_files)
                .await
                .map_err(|error| words("error validating downloaded input files", &error))?;
            Some(place)
        }
    };

    let task = task::plan(&shared.options.limits, &module, rendered.spec, deal, inputs)
        .await
        .map_err(|error| words("error running job", &error))?;
    let execution = executor::run(task, folder.result(), stop.clone())
        .await
        .map_err(|failure| format!("error running job: {failure}"))?;
    tracing::info!(deal = deal.id, exit_code = execution.exit_code, time = ?execution.time, "job ran");

    let data_id = content_id(folder.result()).await.map_err(|error| words("error running job", &error))?;
    persist(shared, id, || upload::send(shared, id, folder.result()))
        .await
        .map_err(|error| words("error uploading results", &error))?;
    Ok(ResultRecord { data_id: data_id.to_string(), ..ResultRecord::default() })
}

/// Posts the record, then what would be its transaction.
async fn hand_in(shared: &Shared, id: &DealId, record: ResultRecord) -> Result<()> {
    persist(shared, id, || async {
        match shared.api.post_result(id, &record).await {
            // Posting again would take a deal back that was accepted meanwhile, so look before.
            Err(error) if error.may_have_acted() && shared.api.result(id).await.is_ok_and(|known| known == record) => {
                Ok(())
            }
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    })
    .await?;
    let transactions =
        ResourceProviderTransactions { add_result: NO_TRANSACTION.into(), ..ResourceProviderTransactions::default() };
    persist(shared, id, || shared.api.post_resource_provider_transactions(id, &transactions)).await?;
    Ok(())
}

/// The files of one job. They go with it.
struct Folder {
    /// What holds them.
    root: TempDir,
    /// Where the result grows.
    result: PathBuf,
}

impl Folder {
    /// A new folder with an empty one for the result.
    fn new(shared: &Shared) -> Result<Self> {
        let place = shared.work.path();
        let failed = |source| Error::io("make the job's folder", place, source);
        let root = TempDir::new_in(place).map_err(failed)?;
        let result = root.path().join("result");
        std::fs::create_dir(&result).map_err(failed)?;
        Ok(Self { root, result })
    }

    /// Where input files belong. Nothing is there yet.
    fn inputs(&self) -> PathBuf {
        self.root.path().join("inputs")
    }

    /// Where the result grows.
    fn result(&self) -> &Path {
        &self.result
    }
}

/// The content id of a result's folder.
async fn content_id(folder: &Path) -> Result<DataId> {
    let folder = folder.to_owned();
    blocking(move || cid_of_path(folder)).await
}

/// Makes a call until it succeeds or its error won't pass. All of a job's calls may be made twice.
async fn insist<T, F: Future<Output = Result<T>>>(call: impl FnMut() -> F) -> Result<T> {
    retry(RetryPolicy::default(), Idempotence::Repeatable, call).await
}

/// Makes a call about a finished result until it succeeds, or the solver wants none any more. The work is done: only time lost and a
/// refusal that will never be another end the trying.
async fn persist<T, F: Future<Output = Result<T>>>(
    shared: &Shared,
    id: &DealId,
    mut call: impl FnMut() -> F,
) -> Result<T> {
    let policy = RetryPolicy { budget: shared.options.result_patience, ..RetryPolicy::default() };
    retry(policy, Idempotence::Repeatable, || {
        let answer = call();
        async {
            let error = match answer.await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // What stands before a solver that is away says all kinds of things.
            let may_pass = matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Solver | ErrorKind::Config);
            let error = if may_pass { error.retryable() } else { error };
            match error.is_retryable() && is_over(shared, id).await {
                true => Err(error.permanent()),
                false => Err(error),
            }
        }
    })
    .await
}

/// Whether the solver is known to want no result of this deal.
async fn is_over(shared: &Shared, id: &DealId) -> bool {
    match shared.api.deal(id).await {
        Ok(deal) => deal.state.is_timeout(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// Does `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, "run job").with_source(error))?
}

/// What went wrong, on one line.
fn words(beginning: &str, error: &Error) -> String {
    let text = error.to_string();
    format!("{beginning}: {}", text.lines().next().unwrap_or_default())
}
