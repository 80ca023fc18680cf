//! What the recorded solver said, put in order.

use std::collections::{BTreeMap, HashMap};

use lilypad_sdk::protocol::{AgreementState, DealContainer, Event, JobOffer, ResultRecord, json};
use serde::de::DeserializeOwned;

use super::unpack;
use crate::conversation::{Conversation, Entry, Exchange, JOB_CREATOR, Response};
use crate::multipart;
use crate::record::segments;

/// One thing that the solver says to the job creator.
#[derive(Debug)]
pub(super) struct Step {
    /// What it waits for.
    pub(super) cue: Cue,
    /// What it says. An answer stands here as an event that nobody is told.
    pub(super) event: Event,
}

/// What a step waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    /// Nothing: the solver tells an event.
    None,
    /// The job's offer, which the solver takes.
    Offer,
    /// The word that the result is accepted.
    Acceptance,
}

/// The solver's side of one job.
#[derive(Debug)]
pub(super) struct Script {
    /// The offer that the recorded job creator made, with its id.
    pub(super) offer: JobOffer,
    /// The files that came with it.
    pub(super) input_files: Option<BTreeMap<String, Vec<u8>>>,
    /// Answers to offers of the job that were refused before one was taken.
    pub(super) refusals: Vec<Response>,
    /// What it says, in order.
    pub(super) steps: Vec<Step>,
    /// Results by deal, from whoever posted or read them.
    pub(super) results: HashMap<String, ResultRecord>,
    /// Archives of results by deal, as job creators receive them.
    pub(super) archives: HashMap<String, Vec<u8>>,
    /// By path, answers to requests that were one too many, whoever made them: behind one address everybody shares a budget.
    pub(super) throttled: HashMap<String, Vec<Response>>,
    /// By method and path, the headers of the first successful answer to the job creator.
    pub(super) headers: HashMap<(String, String), BTreeMap<String, String>>,
}

impl Script {
    /// Reads a conversation.
    pub(super) fn read(conversation: &Conversation) -> Result<Self, String> {
        let mut script = Self {
            offer: JobOffer::default(),
            input_files: None,
            refusals: Vec::new(),
            steps: Vec::new(),
            results: HashMap::new(),
            archives: HashMap::new(),
            throttled: HashMap::new(),
            headers: HashMap::new(),
        };
        for (index, entry) in conversation.0.iter().enumerate() {
            script.add(entry).map_err(|error| format!("entry {index} of the conversation: {error}"))?;
        }
        if script.offer.id.is_empty() {
            return Err("the conversation has no job offer".into());
        }
        Ok(script)
    }

    /// Whether the offer was taken.
    pub(super) fn is_taken(&self) -> bool {
        self.steps.iter().any(|step| step.cue == Cue::Offer)
    }

    /// Whether the result was accepted.
    pub(super) fn is_accepted(&self) -> bool {
        self.steps.iter().any(|step| step.cue == Cue::Acceptance)
    }

    /// The job's deal.
    pub(super) fn deal(&self) -> Option<&DealContainer> {
        let mut deals = self.steps.iter().filter_map(|step| step.event.deal.as_ref());
        deals.find(|deal| deal.job_offer == self.offer.id)
    }

    /// The state in which the solver left the job's offer.
    pub(super) fn last_state(&self) -> AgreementState {
        let mut offers = self.steps.iter().rev().filter_map(|step| step.event.job_offer.as_ref());
        offers.find(|offer| offer.id == self.offer.id).map(|offer| offer.state).unwrap_or_default()
    }

    /// Adds one entry of the conversation.
    fn add(&mut self, entry: &Entry) -> Result<(), String> {
        match entry {
            Entry::Frame(frame) if frame.socket_of == JOB_CREATOR => {
                if let Some(text) = &frame.text {
                    self.steps.push(Step { cue: Cue::None, event: read(text.as_bytes())? });
                }
                Ok(())
            }
            Entry::Frame(_) => Ok(()),
            Entry::Exchange(exchange) => self.add_exchange(exchange),
        }
    }

    /// Adds a request and its answer.
    fn add_exchange(&mut self, exchange: &Exchange) -> Result<(), String> {
        let Exchange { who, request, response } = exchange;
        let path = request.path.split('?').next().unwrap_or_default();
        let answer = response.body.as_ref().map_or(&[][..], |body| body.bytes());
        let sent = request.body.as_ref().map_or(&[][..], |body| body.bytes());
        if response.status == 429 {
            self.throttled.entry(path.to_owned()).or_default().push(response.clone());
            return Ok(());
        }
        let ours = who == JOB_CREATOR;
        match (request.method.as_str(), segments(path).as_slice()) {
            ("POST", ["job_offers"] | ["job_offers", "with_files"]) if ours => {
                self.add_offer(sent, response)?;
            }
            _ if response.status != 200 => return Ok(()),
            // The reference client accepts twice; ours need not.
            ("POST", ["deals", _, "txs", "job_creator"]) if ours && !self.is_accepted() => {
                let event = Event { deal: Some(read(answer)?), ..Event::default() };
                self.steps.push(Step { cue: Cue::Acceptance, event });
            }
            ("GET" | "POST", ["deals", deal, "result"]) => {
                self.results.insert((*deal).to_owned(), read(answer)?);
            }
            ("GET", ["deals", deal, "files"]) => {
                self.archives.insert((*deal).to_owned(), answer.to_vec());
            }
            ("POST", ["deals", deal, "files"]) => {
                // What comes down is what went up, and three bytes more.
                self.archives.entry((*deal).to_owned()).or_insert_with(|| [sent, b"{}\n"].concat());
            }
            _ => {}
        }
        if ours && response.status == 200 {
            let key = (request.method.clone(), path.to_owned());
            self.headers.entry(key).or_insert_with(|| response.headers.clone());
        }
        Ok(())
    }

    /// Adds a posted offer and its answer.
    fn add_offer(&mut self, sent: &[u8], response: &Response) -> Result<(), String> {
        if self.is_taken() {
            return Err("a second job in one conversation, which nothing here plays".into());
        }
        let offer = match multipart::part(sent, "job_offer.json") {
            Some(offer) => {
                let archive = multipart::part(sent, "inputs.tar").ok_or("the offer's form has no files")?;
                self.input_files = Some(unpack(archive)?);
                offer
            }
            None => sent,
        };
        self.offer = read(offer)?;
        self.offer.id = self.offer.content_id();
        if response.status == 200 {
            let body = response.body.as_ref().map_or(&[][..], |body| body.bytes());
            let event = Event { job_offer: Some(read(body)?), ..Event::default() };
            self.steps.push(Step { cue: Cue::Offer, event });
        } else {
            self.refusals.push(response.clone());
        }
        Ok(())
    }
}

/// Reads a record.
fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    json::from_slice(text).map_err(|error| error.to_string())
}
