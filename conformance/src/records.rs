//! Part `records`: everything that was said on the wire, read and written again.

use crate::answers;
use crate::conversation::{Conversation, Entry};
use crate::multipart;
use crate::record::Record;
use crate::report::{Outcome, Part, same_text};

/// Runs every record of the conversations and of the solver's answers.
pub(crate) fn run(conversations: &[(String, Conversation)], answers: &[answers::Case]) -> Part {
    let mut part = Part::new("records");
    for (name, conversation) in conversations {
        for (index, entry) in conversation.0.iter().enumerate() {
            for (what, record, text) in records_of(entry) {
                part.record(format_args!("{name}, entry {index}, {what}"), check(record, &text));
            }
        }
    }
    for case in answers {
        if let Some((record, text)) = case.record() {
            part.record(format_args!("answers, {}", case.name), check(record, text.as_bytes()));
        }
    }
    part
}

/// The records in an entry, and where in it they are.
fn records_of(entry: &Entry) -> Vec<(&'static str, Record, Vec<u8>)> {
    let mut found = Vec::new();
    match entry {
        Entry::Frame(frame) => {
            found.extend(frame.text.as_ref().map(|text| ("frame", Record::Event, text.clone().into())))
        }
        Entry::Exchange(exchange) if exchange.response.status != 200 => {}
        Entry::Exchange(exchange) => {
            let (method, path) = (exchange.request.method.as_str(), exchange.request.path.as_str());
            if let Some(body) = exchange.request.body.as_ref() {
                if let Some(record) = Record::of_request(method, path) {
                    found.push(("request", record, body.bytes().to_vec()));
                } else if let Some(offer) = multipart::part(body.bytes(), "job_offer.json") {
                    found.push(("request", Record::JobOffer, offer.to_vec()));
                }
            }
            if let (Some(body), Some(record)) = (exchange.response.body.as_ref(), Record::of_answer(method, path)) {
                found.push(("answer", record, body.bytes().to_vec()));
            }
        }
    }
    found
}

/// Checks that a record is written as it was read. Go's server ends its answers with a line feed, which is no part of the record.
pub(crate) fn check(record: Record, text: &[u8]) -> Outcome {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let written = record.rewrite(text).map_err(|error| error.to_string())?;
    same_text("what is written again", &String::from_utf8_lossy(text), &written)
}
