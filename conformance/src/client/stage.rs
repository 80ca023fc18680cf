//! How far the recording has been played, and what that makes of the solver's records.

use std::collections::{BTreeMap, VecDeque};

use lilypad_sdk::protocol::{
    AgreementState, DealContainer, EventType, JobOffer, JobOfferContainer, ResultRecord, json,
};
use tokio::sync::mpsc::UnboundedSender;

use super::Translation;
use super::script::{Cue, Script, Step};
use crate::conversation::Response;

/// The state of one play.
#[derive(Debug)]
pub(super) struct Stage {
    /// What is played.
    script: Script,
    /// Set once our client's offer is known.
    translation: Option<Translation>,
    /// How many steps were played.
    played: usize,
    /// Refusals still to be played before the offer is taken.
    refusals: VecDeque<Response>,
    /// Job offers as last heard of, by id.
    offers: BTreeMap<String, JobOfferContainer>,
    /// Deals as last heard of, by id.
    deals: BTreeMap<String, DealContainer>,
    /// Whoever listens to events.
    listeners: Vec<UnboundedSender<String>>,
    /// Whether the result's files were fetched.
    fetched: bool,
    /// What our client should not have done.
    complaints: Vec<String>,
}

impl Stage {
    /// Before the first word.
    pub(super) fn new(mut script: Script) -> Self {
        let refusals = std::mem::take(&mut script.refusals).into();
        Self {
            script,
            translation: None,
            played: 0,
            refusals,
            offers: BTreeMap::new(),
            deals: BTreeMap::new(),
            listeners: Vec::new(),
            fetched: false,
            complaints: Vec::new(),
        }
    }

    /// Tells events to somebody from now on.
    pub(super) fn listen(&mut self, listener: UnboundedSender<String>) {
        self.listeners.push(listener);
    }

    /// Notes something that our client should not have done.
    pub(super) fn complain(&mut self, complaint: impl Into<String>) {
        self.complaints.push(complaint.into());
    }

    /// What our client did wrong or left undone.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut complaints = self.complaints.clone();
        if self.cue() == Some(Cue::Acceptance) {
            complaints.push("the result was never accepted".into());
        }
        complaints
    }

    /// The next answer to a request for `path` that is one too many.
    pub(super) fn throttle(&mut self, path: &str) -> Option<Response> {
        let answers = self.script.throttled.get_mut(path)?;
        (!answers.is_empty()).then(|| answers.remove(0))
    }

    /// The headers of the recorded answer to a request; at least the time.
    pub(super) fn headers(&self, method: &str, path: &str) -> BTreeMap<String, String> {
        let path = match (path.strip_prefix("/api/v1/deals/"), &self.translation) {
            (Some(rest), Some(translation)) => {
                let (deal, rest) = rest.split_once('/').unwrap_or((rest, ""));
                let recorded = translation.recorded_deal(deal).unwrap_or(deal);
                format!("/api/v1/deals/{recorded}/{rest}")
            }
            _ => path.to_owned(),
        };
        match self.script.headers.get(&(method.to_owned(), path)) {
            Some(headers) => headers.clone(),
            None => {
                let date = self.script.headers.values().find_map(|headers| headers.get("Date"));
                date.map(|date| ("Date".to_owned(), date.clone())).into_iter().collect()
            }
        }
    }

    /// Checks an offer against the recorded one. Both must agree in everything but what makes jobs differ, and the module: ours
    /// has to come along with the client.
    pub(super) fn compare(&mut self, posted: &JobOffer, files: Option<BTreeMap<String, Vec<u8>>>) {
        let recorded = &self.script.offer;
        let mut ours = posted.clone();
        ours.id.clone_from(&recorded.id);
        ours.created_at = recorded.created_at;
        ours.nonce.clone_from(&recorded.nonce);
        ours.job_creator.clone_from(&recorded.job_creator);
        ours.module = recorded.module.clone();
        // A job without inputs: Go's client has a map that is nil or empty by chance.
        if recorded.inputs.is_none() && ours.inputs.as_ref().is_some_and(BTreeMap::is_empty) {
            ours.inputs = None;
        }
        if ours != *recorded {
            let (recorded, ours) = (json::to_string(recorded), json::to_string(&ours));
            self.complain(format!("the offer differs from the recorded one\nrecorded {recorded}\nfound    {ours}"));
        }
        if files != self.script.input_files {
            self.complain("the input files differ from the recorded ones");
        }
    }

    /// Takes our client's offer: plays what was told before the answer, and gives the answer; the next refusal in its stead if there
    /// is one left.
    pub(super) fn take(&mut self, offer: JobOffer) -> Result<JobOfferContainer, Response> {
        if let Some(refusal) = self.refusals.pop_front() {
            return Err(refusal);
        }
        if self.translation.is_some() {
            self.complain("the job was posted twice");
            return Ok(self.own_offer());
        }
        self.play_on();
        self.translation = Some(Translation::new(&self.script, offer));
        self.step();
        let answer = self.own_offer();
        // The reference solver tells all this before its answer leaves.
        let mut coming = self.script.steps[self.played..].iter().take_while(|step| step.cue == Cue::None);
        let added = coming.position(|step| self.is_own_addition(step));
        for _ in 0..added.map_or(0, |index| index + 1) {
            self.step();
        }
        Ok(answer)
    }

    /// Hears that a result is accepted. `None` for a deal that nobody knows.
    pub(super) fn accept(&mut self, deal: &str) -> Option<DealContainer> {
        match self.cue() {
            Some(Cue::Acceptance) => {
                if !self.fetched {
                    self.complain("the result was accepted before it was fetched");
                }
                self.step();
            }
            _ if self.script.is_accepted() => {}
            _ => self.complain("a result was accepted although there was none"),
        }
        self.deals.get(deal).cloned()
    }

    /// Plays on until our client has to do something.
    pub(super) fn play_on(&mut self) {
        while self.cue() == Some(Cue::None) {
            self.step();
        }
    }

    /// The result of a deal, once there is one.
    pub(super) fn result(&self, deal: &str) -> Option<ResultRecord> {
        let translation = self.translation.as_ref()?;
        let mut record = self.script.results.get(self.recorded_result(deal)?)?.clone();
        translation.result(&mut record);
        Some(record)
    }

    /// The archive of a deal's result.
    pub(super) fn fetch(&mut self, deal: &str) -> Option<Vec<u8>> {
        let archive = self.recorded_result(deal).and_then(|recorded| self.script.archives.get(recorded)).cloned();
        if archive.is_none() {
            self.complain("files were asked for before there were any");
        }
        self.fetched = true;
        archive
    }

    /// Job offers as last heard of.
    pub(super) fn offers(&self) -> impl Iterator<Item = &JobOfferContainer> {
        self.offers.values()
    }

    /// Deals as last heard of.
    pub(super) fn deals(&self) -> impl Iterator<Item = &DealContainer> {
        self.deals.values()
    }

    /// The recorded deal that `deal` stands for, if its result is there.
    fn recorded_result(&self, deal: &str) -> Option<&str> {
        self.deals.get(deal).filter(|deal| deal.state != AgreementState::DEAL_AGREED)?;
        self.translation.as_ref()?.recorded_deal(deal)
    }

    /// Our client's offer as last heard of.
    fn own_offer(&self) -> JobOfferContainer {
        let id = self.translation.as_ref().map(|translation| &translation.posted().id);
        id.and_then(|id| self.offers.get(id)).cloned().unwrap_or_default()
    }

    /// What the next step waits for. `None` after the last.
    fn cue(&self) -> Option<Cue> {
        self.script.steps.get(self.played).map(|step| step.cue)
    }

    /// Whether a step tells that the job's offer was added.
    fn is_own_addition(&self, step: &Step) -> bool {
        step.event.event_type == EventType::JOB_OFFER_ADDED
            && step.event.job_offer.as_ref().is_some_and(|offer| offer.id == self.script.offer.id)
    }

    /// Plays one step.
    fn step(&mut self) {
        let Some(Step { cue, event }) = self.script.steps.get(self.played) else { return };
        let mut event = event.clone();
        if let Some(translation) = &self.translation {
            translation.event(&mut event);
        }
        if *cue == Cue::None {
            let text = json::to_string(&event);
            self.listeners.retain(|listener| listener.send(text.clone()).is_ok());
        }
        self.played += 1;
        if let Some(offer) = event.job_offer {
            self.offers.insert(offer.id.clone(), offer);
        }
        if let Some(deal) = event.deal {
            self.deals.insert(deal.id.clone(), deal);
        }
    }
}
