//! `records`: every record of the wire is read as Go reads it and written as Go writes it, whatever the bytes.

use lilypad_sdk::protocol::{self as sdk, json};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Target;
use crate::failure::{Outcome, check_bytes};
use crate::generate::{self, Random};
use crate::reference::json::{Refusal, read, write};
use crate::reference::shape::Shape;
use crate::reference::wire;

/// The target.
pub(super) struct Records;

/// A type of record: its shape, and what is promised of its type in the SDK.
type Kind = (&'static Shape, fn(&Shape, &[u8]) -> Outcome);

/// All types of records.
const KINDS: &[Kind] = &[
    (&wire::MODULE_CONFIG, agrees::<sdk::ModuleConfig>),
    (&wire::MACHINE_SPEC, agrees::<sdk::MachineSpec>),
    (&wire::INPUT_FILES, agrees::<sdk::InputFiles>),
    (&wire::DEAL_PRICING, agrees::<sdk::DealPricing>),
    (&wire::SERVICE_CONFIG, agrees::<sdk::ServiceConfig>),
    (&wire::JOB_OFFER, agrees::<sdk::JobOffer>),
    (&wire::JOB_OFFER_CONTAINER, agrees::<sdk::JobOfferContainer>),
    (&wire::RESOURCE_OFFER, agrees::<sdk::ResourceOffer>),
    (&wire::RESOURCE_OFFER_CONTAINER, agrees::<sdk::ResourceOfferContainer>),
    (&wire::DEAL, agrees::<sdk::Deal>),
    (&wire::DEAL_CONTAINER, agrees::<sdk::DealContainer>),
    (&wire::DEAL_TRANSACTIONS, agrees::<sdk::DealTransactions>),
    (&wire::RESULT, agrees::<sdk::ResultRecord>),
    (&wire::EVENT, agrees::<sdk::Event>),
];

impl Target for Records {
    fn case(&mut self, _: u64, random: &mut Random) -> Outcome {
        let (shape, check) = KINDS[random.below(KINDS.len())];
        if random.once_in(4) {
            // As Go writes it: it must come back to the byte.
            let value = settled(generate::json::value(random, shape));
            let text = write(&value);
            return check_bytes(text.as_bytes(), |bytes| {
                check(shape, bytes)?;
                if bytes == text.as_bytes() && read(shape, bytes).as_ref() != Ok(&value) {
                    return Err("the reference does not read what it wrote".into());
                }
                Ok(())
            });
        }
        let bytes = generate::json::bytes(random, shape);
        check_bytes(&bytes, |bytes| check(shape, bytes))
    }
}

/// Reading, and writing what was read, does what the reference does.
pub(super) fn agrees<T: Serialize + DeserializeOwned + PartialEq>(shape: &Shape, bytes: &[u8]) -> Outcome {
    let expected = read(shape, bytes).map(settled);
    match (json::from_slice::<T>(bytes), expected) {
        (Ok(record), Ok(expected)) => {
            let (written, expected) = (json::to_string(&record), write(&expected));
            if written != expected {
                return Err(format!("read and written it is {written}\n  and should be        {expected}"));
            }
            match json::from_slice::<T>(written.as_bytes()) {
                Ok(again) if again == record && json::to_string(&again) == written => Ok(()),
                Ok(_) => Err(format!("it changes when it is read again: {written}")),
                Err(error) => Err(format!("what was written cannot be read: {error}: {written}")),
            }
        }
        (Err(error), Err(refusal)) => {
            let same = match refusal {
                Refusal::Syntax => json::ErrorClass::Syntax,
                Refusal::Shape(_) => json::ErrorClass::Type,
            };
            if error.class() == same {
                names_a_place(&error, bytes)
            } else {
                Err(format!("{error}, but it is {refusal:?}"))
            }
        }
        (Ok(_), Err(refusal)) => Err(format!("it is read, but should be refused: {refusal:?}")),
        (Err(error), Ok(expected)) => Err(format!("it is refused ({error}), but means {}", write(&expected))),
    }
}

/// An error says a line and a column that the text has.
pub(super) fn names_a_place(error: &json::Error, bytes: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(bytes);
    let line = text.split('\n').nth(error.line().wrapping_sub(1));
    let inside = line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&error.column()));
    if inside && !error.message().is_empty() { Ok(()) } else { Err(format!("it names no place of the text: {error}")) }
}

/// A result's record after its older name of the data's id had its say; other values as they are.
fn settled(mut value: Value) -> Value {
    if let Some(record) = value.as_object_mut()
        && let Some(older) = record.get("results_id").cloned()
    {
        let id = if older.is_null() { record["data_id"].clone() } else { older };
        record["data_id"] = id.clone();
        record["results_id"] = id;
    }
    value
}
