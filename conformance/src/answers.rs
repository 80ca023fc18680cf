//! Part `answers`: bad, odd and boundary requests, and how a solver answers them.

use std::collections::BTreeMap;

use lilypad_node::solver::{Clock, Solver, SolverOptions};
use lilypad_sdk::protocol::{JobOffer, json};
use reqwest::{Method, Url};
use serde::Deserialize;

use crate::record::Record;
use crate::report::{Outcome, Part, same_text};

/// The offers of these cases were made so many milliseconds before the solver's time; all others at it.
const SHIFTED: &[(&str, i64)] = &[("old timestamp", 31_000), ("future timestamp", -31_000)];
/// The headers that clients go by.
const NEEDED: &[&str] = &["Access-Control-Allow-Origin", "Content-Type", "Retry-After"];
/// Stands for a token in a recorded answer: every solver makes its own.
const TOKEN: &str = "<token>";

/// A request and the reference solver's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    /// What is odd about it.
    #[serde(rename = "case")]
    pub(crate) name: String,
    /// What is asked.
    request: Request,
    /// What the reference solver did.
    answer: Answer,
}

/// What is asked.
#[derive(Debug, Deserialize)]
struct Request {
    /// Its method.
    method: String,
    /// Its path with its query.
    path: String,
    /// Its headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Its body.
    #[serde(default)]
    body: Option<String>,
}

/// What the reference solver did.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    /// It answered.
    Given {
        /// Its status.
        status: u16,
        /// Its headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Its text.
        body: String,
    },
    /// It closed the connection; the text says so in words.
    HungUp(String),
}

impl Case {
    /// The record in the answer, if there is one.
    pub(crate) fn record(&self) -> Option<(Record, &str)> {
        match &self.answer {
            Answer::Given { status: 200, body, .. } => {
                Record::of_answer(&self.request.method, &self.request.path).map(|record| (record, body.as_str()))
            }
            _ => None,
        }
    }

    /// The solver's time when the request came; `None` if it cannot be told from it.
    fn now(&self) -> Option<i64> {
        let offer: JobOffer = json::from_str(self.request.body.as_deref()?).ok()?;
        let shift = SHIFTED.iter().find(|(name, _)| *name == self.name).map_or(0, |(_, shift)| *shift);
        (offer.created_at > 0).then_some(offer.created_at + shift)
    }
}

/// Runs all cases, in order, against one solver.
pub(crate) async fn run(cases: &[Case]) -> Part {
    let mut part = Part::new("answers");
    let clock = Clock::manual(cases.iter().find_map(Case::now).unwrap_or_default());
    let mut options = SolverOptions::default();
    options.clock = clock.clone();
    // The recording was made in a second or two, without a limit.
    options.rate_limit = None;
    let solver = match Solver::start(options).await {
        Ok(solver) => solver,
        Err(error) => {
            part.record("start", Err(error.to_string()));
            return part;
        }
    };
    for case in cases {
        if let Some(now) = case.now() {
            clock.set(now);
        }
        part.record(&case.name, check(case, solver.url()).await);
    }
    solver.stop().await;
    part
}

/// Sends one request and compares the answers.
async fn check(case: &Case, url: &Url) -> Outcome {
    let answer = send(&case.request, url).await?;
    let (status, headers, body, answer) = match (&case.answer, answer) {
        (Answer::HungUp(_), None) => return Ok(()),
        (Answer::HungUp(words), Some(answer)) => return Err(format!("expected {words:?}, found {}", answer.status())),
        (Answer::Given { status, .. }, None) => return Err(format!("expected status {status}, found no answer")),
        (Answer::Given { status, headers, body }, Some(answer)) => (status, headers, body, answer),
    };
    let (found_status, found_headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.map_err(|error| format!("read the answer: {error}"))?;
    if found_status != *status {
        return Err(format!("expected status {status}, found {found_status}: {text}"));
    }
    for (name, expected) in headers.iter().filter(|(name, _)| NEEDED.contains(&name.as_str())) {
        let found = found_headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        same_text(&format!("header {name}"), expected, found)?;
    }
    match body.split_once(TOKEN) {
        Some((before, after)) if text.starts_with(before) && text.ends_with(after) => Ok(()),
        _ => same_text("the text", body, &text),
    }
}

/// Sends a request exactly as it was recorded. `None` if the connection was closed without an answer.
async fn send(request: &Request, url: &Url) -> Result<Option<reqwest::Response>, String> {
    let failed = |error: reqwest::Error| format!("send the request: {error}");
    // A connection of its own for every request, so that one that is closed says something about this request.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().map_err(failed)?;
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?;
    let address = url.join(&request.path).map_err(|error| error.to_string())?;
    let mut builder = client.request(method, address);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    if let Some(body) = &request.body {
        builder = builder.body(body.clone());
    }
    match builder.send().await {
        Ok(response) => Ok(Some(response)),
        Err(error) if error.is_request() && !error.is_connect() => Ok(None),
        Err(error) => Err(failed(error)),
    }
}
