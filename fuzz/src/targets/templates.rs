//! `templates`: whatever a template is, rendering it ends, and does what Go does.
//!
//! Compared are whether a template can be read and rendered, and what it prints, to the byte. Words of errors are the SDK's own. What
//! goes beyond the SDK's limits is not given to Go, which might go on for ever.

use std::collections::BTreeMap;

use lilypad_sdk::fuzzing::{TemplateFailure, render_template};

use super::Target;
use crate::failure::{Outcome, check_text, guarded};
use crate::generate::{self, Random};
use crate::reference::go::{Answer, Go, Request, is_installed};

/// The most bytes that a template prints, by the SDK's promise.
const MOST: usize = 16 << 20;
/// How many templates go to Go at once.
const BATCH: usize = 64;
/// What errors say that are the SDK's limits, which Go does not have; and one that Go has too, but takes minutes to report when
/// the templates use each other inside a `range`.
const LIMITS: &[&str] = &[
    "the template does not end",
    "the template prints more than",
    "the template makes texts that are too long",
    "templates use each other more than",
];

/// The target.
pub(super) struct Templates {
    /// Go, where it is installed.
    go: Option<Go>,
    /// Cases that Go has not seen yet.
    waiting: Vec<(u64, Request)>,
}

/// What the figures do not say.
pub(super) fn note() -> Option<String> {
    (!is_installed()).then(|| {
        "NOT COMPARED WITH GO: there is no `go` command, so only crashes, limits and repeatability were checked"
            .to_owned()
    })
}

impl Templates {
    /// Starts Go, where it is installed.
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self { go: Go::start()?, waiting: Vec::new() })
    }

    /// Compares with Go, one template at a time. A failure is told with the smallest template that fails.
    fn compare_one(&mut self, request: &Request) -> Outcome {
        let request_inputs = &request.inputs;
        check_text(&request.text, |text| {
            let found = render(text, request_inputs)?;
            let request = Request { text: text.to_owned(), inputs: request_inputs.clone() };
            if is_limit(&found) {
                return Ok(());
            }
            let Some(go) = &mut self.go else { return Ok(()) };
            match go.render(&[request]) {
                Ok(answers) => compare(&found, &answers[0])
                    .or_else(|failure| if shows_address(text, request_inputs) { Ok(()) } else { Err(failure) }),
                Err(reason) => {
                    self.go = Go::start()?;
                    Err(reason)
                }
            }
        })
        .map_err(|failure| format!("{failure}\n  inputs: {:?}", request.inputs))
    }
}

impl Target for Templates {
    fn case(&mut self, number: u64, random: &mut Random) -> Outcome {
        let (text, inputs) = (generate::template::text(random), generate::template::inputs(random));
        check_text(&text, |text| render(text, &inputs).map(drop))?;
        if self.go.is_some() {
            self.waiting.push((number, Request { text, inputs }));
        }
        Ok(())
    }

    fn settle(&mut self) -> Vec<(u64, String)> {
        let mut failures = Vec::new();
        let waiting = std::mem::take(&mut self.waiting);
        for batch in waiting.chunks(BATCH) {
            let rendered: Vec<_> =
                batch.iter().map(|(_, request)| guarded(|| render(&request.text, &request.inputs))).collect();
            // What failed above, or has no end, is not asked about.
            let asked: Vec<_> = batch
                .iter()
                .zip(rendered)
                .filter_map(|(case, found)| found.ok().filter(|found| !is_limit(found)).map(|found| (case, found)))
                .collect();
            let requests: Vec<_> = asked.iter().map(|((_, request), _)| request.clone()).collect();
            let answers = self.go.as_mut().map(|go| go.render(&requests));
            let suspects: Vec<_> = match answers {
                Some(Ok(answers)) => asked
                    .iter()
                    .zip(answers)
                    .filter(|((_, found), answer)| compare(found, answer).is_err())
                    .map(|((case, _), _)| *case)
                    .collect(),
                // Go gave up: all of them, one by one.
                _ => match Go::start() {
                    Ok(go) => {
                        self.go = go;
                        asked.iter().map(|(case, _)| *case).collect()
                    }
                    Err(reason) => {
                        failures.extend(asked.iter().map(|((number, _), _)| (*number, reason.clone())));
                        continue;
                    }
                },
            };
            for (number, request) in suspects {
                // Smaller ones would be as slow: each try takes Go's whole time.
                if is_slow(&mut self.go, request) {
                    failures.push((*number, format!("Go takes too long for {request:?}")));
                    continue;
                }
                if let Err(failure) = self.compare_one(request) {
                    failures.push((*number, failure));
                }
            }
        }
        failures
    }
}

/// Whether Go does not finish a template in its time.
fn is_slow(go: &mut Option<Go>, request: &Request) -> bool {
    let answers = go.as_mut().map(|go| go.render(std::slice::from_ref(request)));
    answers.is_some_and(|answers| answers.is_ok_and(|answers| answers[0].outcome == "slow"))
}

/// What a template prints, or why it does not.
type Rendering = Result<String, TemplateFailure>;

/// Renders twice, and checks what holds without Go.
fn render(text: &str, inputs: &BTreeMap<String, String>) -> Result<Rendering, String> {
    let found = render_template(text, inputs);
    match (&found, render_template(text, inputs)) {
        (Ok(first), Ok(second)) if *first == second => {}
        (Err(first), Err(second)) if format!("{first:?}") == format!("{second:?}") => {}
        (first, second) => return Err(format!("it is {first:?} first and {second:?} then")),
    }
    match &found {
        Ok(text) if text.len() > MOST * 3 => Err(format!("it prints {} bytes", text.len())),
        Err(failure) => {
            let line = text.split('\n').nth(failure.line.wrapping_sub(1));
            let inside = line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&failure.column));
            match inside && !failure.message.is_empty() {
                true => Ok(found),
                false => Err(format!("its error names no place in it: {failure:?}")),
            }
        }
        _ => Ok(found),
    }
}

/// Whether a template ended at a limit of the SDK.
fn is_limit(found: &Rendering) -> bool {
    found.as_ref().is_err_and(|failure| LIMITS.iter().any(|limit| failure.message.starts_with(limit)))
}

/// Whether a template may print where in memory its inputs are (`%p` of the map), which differs from run to run.
fn shows_address(text: &str, inputs: &BTreeMap<String, String>) -> bool {
    let shows = |text: &str| {
        text.split('%').skip(1).any(|verb| {
            verb.trim_start_matches(|c: char| c.is_ascii_digit() || "+-# .*[]".contains(c)).starts_with('p')
        })
    };
    (shows(text) || inputs.values().any(|value| shows(value))) && text.contains(['.', '$'])
}

/// Whether Go did the same.
fn compare(found: &Rendering, answer: &Answer) -> Outcome {
    let outcome = match found {
        Ok(_) => "ok",
        Err(failure) if failure.while_reading => "parse",
        Err(_) => "execute",
    };
    // A panic inside Go's own packages ends a template as an error does.
    if outcome != answer.outcome {
        return Err(format!("it is {found:?}, but Go says {} {}", answer.outcome, answer.reason));
    }
    let Ok(text) = found else { return Ok(()) };
    let printed = answer.output();
    // Bytes that are no characters are replaced one by one, as whoever reads the JSON would do.
    let mut expected = String::with_capacity(printed.len());
    for chunk in printed.utf8_chunks() {
        expected.push_str(chunk.valid());
        (0..chunk.invalid().len()).for_each(|_| expected.push('\u{fffd}'));
    }
    if *text == expected { Ok(()) } else { Err(format!("it prints {text:?}\n  and Go prints {expected:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_reach_all_ends() {
        let (mut rendered, mut unreadable, mut failing) = (0, 0, 0);
        for number in 0..600 {
            let mut random = Random::of_case(1, "templates", number);
            let (text, inputs) = (generate::template::text(&mut random), generate::template::inputs(&mut random));
            match render_template(&text, &inputs) {
                Ok(_) => rendered += 1,
                Err(failure) if failure.while_reading => unreadable += 1,
                Err(_) => failing += 1,
            }
        }
        assert!(rendered > 100 && unreadable > 100 && failing > 50, "{rendered} {unreadable} {failing}");
    }

    #[test]
    fn only_an_address_may_differ() {
        let none = BTreeMap::new();
        for text in ["{{printf `%p` .}}", "{{printf `%-+5.*[1]p` $}}"] {
            assert!(shows_address(text, &none), "{text}");
        }
        assert!(shows_address("{{printf .A .}}", &BTreeMap::from([("A".to_owned(), "%p".to_owned())])));
        for text in ["{{printf `%d` .}}", "{{print .p}}", "{{printf `%dp` .}}", "{{printf `%p` 1}}"] {
            assert!(!shows_address(text, &none), "{text}");
        }
    }
}
