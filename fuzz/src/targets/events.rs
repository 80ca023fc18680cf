//! `events`: frames of the event socket are read as Go wrote them, and the filter before the parser skips no frame of ours.

use lilypad_sdk::protocol::{Event, json};
use serde_json::Value;

use super::Target;
use super::records::agrees;
use crate::failure::{Outcome, check_bytes};
use crate::generate::{self, Random};
use crate::reference::json::write;
use crate::reference::wire::EVENT;

/// The target.
pub(super) struct Events;

/// Whose frames are looked for.
const OURS: &str = "0x2546BcD3c84621e976D8185a91A922aE77ECEC30";
/// Somebody else, who differs in case alone.
const THEIRS: &str = "0x2546bcd3c84621e976d8185a91a922ae77ecec30";

impl Target for Events {
    fn case(&mut self, _: u64, random: &mut Random) -> Outcome {
        if random.once_in(2) {
            let bytes = generate::json::bytes(random, &EVENT);
            return check_bytes(&bytes, |bytes| agrees::<Event>(&EVENT, bytes));
        }
        let mut value = generate::json::value(random, &EVENT);
        let mut ours = false;
        for place in ["/job_offer/job_creator", "/deal/job_creator", "/job_offer/job_offer/job_creator"] {
            if let Some(creator) = value.pointer_mut(place) {
                let mine = random.once_in(2);
                ours |= mine;
                *creator = Value::from(if mine { OURS } else { THEIRS });
            }
        }
        check_frame(&value, ours)
    }
}

/// A frame that Go wrote is read to the byte, and passes the filter if a record in it is ours.
fn check_frame(value: &Value, ours: bool) -> Outcome {
    let frame = write(value);
    let wrong = |what: String| Err(format!("{what}\n  frame: {frame:?}"));
    // The tracker's own filter, in `job/tracker.rs`: the raw text is searched for this.
    let passes = frame.contains(&format!(r#""job_creator":"{OURS}""#));
    if ours && !passes {
        return wrong("the filter skips a frame that carries a record of ours".into());
    }
    let event: Event = match json::from_slice(frame.as_bytes()) {
        Ok(event) => event,
        Err(error) => return wrong(format!("it is refused: {error}")),
    };
    if json::to_string(&event) != frame {
        return wrong(format!("it is written as {}", json::to_string(&event)));
    }
    let carries = event.deal.as_ref().is_some_and(|deal| deal.job_creator == OURS)
        || event.job_offer.as_ref().is_some_and(|offer| offer.job_creator == OURS);
    if carries && !passes {
        return wrong("the filter skips a frame whose record was read as ours".into());
    }
    Ok(())
}
