//! Part `client`: our client against the recorded side of a solver.
//!
//! A conversation becomes a [`Script`]; a [`RecordedSolver`] plays the solver's part of it over real sockets, with ids changed to those
//! of the offer that our client makes ([`Translation`]); the job must end as the recorded one did ([`Ending`]).

mod ending;
mod recorded_solver;
mod script;
mod stage;
mod translation;

use std::collections::BTreeMap;
use std::time::Duration;

use lilypad_sdk::module::{Bundle, InputFile};
use lilypad_sdk::network::Environment;
use lilypad_sdk::{Client, JobRequest, Network, Wallet};
use serde_json::json;

use self::ending::Ending;
use self::recorded_solver::RecordedSolver;
use self::script::Script;
use self::translation::Translation;
use crate::conversation::Conversation;
use crate::report::{Outcome, Part};

/// No job may take longer to end. Most take no time; one that meets a rate limit waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Under this name the recorded job's module is found.
const MODULE: &str = "recorded";

/// Runs all conversations.
pub(crate) async fn run(conversations: &[(String, Conversation)]) -> Part {
    let mut part = Part::new("client");
    for (name, conversation) in conversations {
        // Boxed, since the futures of a whole job are nested deeper than the compiler likes.
        part.record(name, Box::pin(play(conversation)).await);
    }
    part
}

/// Plays one conversation.
async fn play(conversation: &Conversation) -> Outcome {
    let script = Script::read(conversation)?;
    let ending = Ending::of(&script)?;
    let (request, bundle) = request(&script)?;
    let recorded = script.offer.clone();
    let wallet = Wallet::random();
    let solver = RecordedSolver::start(script, &wallet).await.map_err(|error| format!("start the solver: {error}"))?;

    let folder = tempfile::tempdir().map_err(|error| format!("make a folder: {error}"))?;
    let network = Network::custom("recorded")
        .solver_url(solver.url())
        .solver(&recorded.services.solver)
        .mediators(recorded.services.mediator.clone().unwrap_or_default())
        .api_host(&recorded.services.api_host)
        .build();
    let client = network.and_then(|network| {
        Client::builder()
            .network(network)
            .wallet(wallet)
            .bundle(bundle)
            .data_dir(folder.path())
            .environment(Environment::default())
            .build()
    });
    let client = client.map_err(|error| format!("set up the client: {error}"))?;
    tokio::time::timeout(PATIENCE, ending.check(&client, request))
        .await
        .map_err(|_| format!("the job did not end in {} s", PATIENCE.as_secs()))??;
    solver.complaints()
}

/// The recorded job as somebody would ask for it, and a module that makes the same offer of it.
fn request(script: &Script) -> Result<(JobRequest, Bundle), String> {
    let offer = &script.offer;
    let module = json!({
        "machine": offer.spec,
        "job": {"APIVersion": "V1beta1", "Spec": {"Engine": "Docker", "Docker": {"Image": "recorded"}}},
        "inputFiles": offer.input_files,
        "executionTimeoutSeconds": offer.execution_timeout_seconds,
    });
    // Braces in the values must not begin an action; naming the dot makes every input a known one.
    let template = format!("{{{{if .}}}}{{{{end}}}}{}", module.to_string().replace("{{", "{{\"{{\"}}"));
    let bundle = Bundle::default().with(MODULE, [("lilypad_module.json.tmpl", template.into_bytes())]);

    let mut request = JobRequest::new(format!("{MODULE}:v1")).inputs(offer.inputs.clone().unwrap_or_default());
    if !offer.target.address.is_empty() {
        let target = offer.target.address.parse().map_err(|error| format!("the recorded target: {error}"))?;
        request = request.target(target);
    }
    for (name, content) in script.input_files.iter().flatten() {
        let file = InputFile::from_bytes(name.clone(), content.clone()).map_err(|error| error.to_string())?;
        request = request.file(file);
    }
    Ok((request, bundle))
}

/// The regular files of a tar by name, and nothing of what follows the archive's end.
fn unpack(archive: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    use std::io::Read;
    let failed = |error: std::io::Error| format!("read a recorded archive: {error}");
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        if entry.header().entry_type().is_file() {
            let name = entry.path().map_err(failed)?.to_string_lossy().trim_start_matches("./").to_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(failed)?;
            files.insert(name, content);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use lilypad_sdk::AgreementState;
    use lilypad_sdk::protocol::{
        DealPricing, Event, EventType, JobOffer, JobOfferContainer, PricingMode, ServiceConfig, json as wire,
    };

    use super::*;

    /// A job that no provider takes: posted, announced, and ended in `end`.
    fn conversation(prices: DealPricing, end: AgreementState) -> Conversation {
        let mut offer = JobOffer {
            created_at: 1_700_000_000_000,
            nonce: "pondpondpondpondpond1".into(),
            job_creator: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".into(),
            inputs: Some(BTreeMap::from([("Message".into(), "croak".into())])),
            mode: PricingMode::market(),
            pricing: prices,
            services: ServiceConfig {
                solver: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC".into(),
                mediator: Some(vec!["0x90F79bf6EB2c4f870365E785982E1f101E93b906".into()]),
                api_host: String::new(),
            },
            ..JobOffer::default()
        };
        let sent = wire::to_string(&offer);
        offer.id = offer.content_id();
        let (id, job_creator) = (offer.id.clone(), offer.job_creator.clone());
        let mut container = JobOfferContainer { id, job_creator, job_offer: offer, ..JobOfferContainer::default() };
        let answer = wire::to_string(&container);
        let frame = |event_type, container: &JobOfferContainer| {
            let event = Event { event_type, job_offer: Some(container.clone()), ..Event::default() };
            json!({"at": 0, "socket_of": "job_creator", "from": "solver", "opcode": "text", "text": wire::to_string(&event)})
        };
        let added = frame(EventType::JOB_OFFER_ADDED, &container);
        container.state = end;
        let ended = frame(EventType::JOB_OFFER_STATE_UPDATED, &container);
        let posted = json!({
            "at": 0,
            "who": "job_creator",
            "request": {"method": "POST", "path": "/api/v1/job_offers", "headers": {}, "body": {"text": sent}},
            "response": {"status": 200, "headers": {}, "body": {"text": answer}},
        });
        serde_json::from_value(json!([posted, added, ended])).unwrap()
    }

    fn usual_prices() -> DealPricing {
        DealPricing { instruction_price: 1, payment_collateral: 2, results_collateral_multiple: 2, mediation_fee: 1 }
    }

    #[tokio::test]
    async fn a_job_that_nobody_takes_ends_as_recorded() {
        for end in [AgreementState::TIMEOUT_MATCH, AgreementState::JOB_OFFER_CANCELLED] {
            assert_eq!(play(&conversation(usual_prices(), end)).await, Ok(()), "{end}");
        }
    }

    #[tokio::test]
    async fn an_offer_that_differs_from_the_recorded_one_is_noticed() {
        let recorded = conversation(DealPricing { mediation_fee: 9, ..usual_prices() }, AgreementState::TIMEOUT_MATCH);
        let error = play(&recorded).await.unwrap_err();
        assert!(error.starts_with("the offer differs from the recorded one"), "{error}");
    }

    #[tokio::test]
    async fn a_recording_without_an_end_is_refused() {
        let error = play(&conversation(usual_prices(), AgreementState::DEAL_NEGOTIATING)).await.unwrap_err();
        assert_eq!(error, "the recording ends in the middle of the job, in state DealNegotiating");
    }
}
