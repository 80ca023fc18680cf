//! Answers that say what isn't so.

use axum::body::Bytes;
use lilypad_sdk::protocol::{
    DealContainer, Event, JobOffer, JobOfferContainer, ResourceOfferContainer, ResultRecord, content_id, json,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::harm::Lie;

/// Somebody who has nothing to do with it: a well-known test address of development chains.
const STRANGER: &str = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";

/// What the solver says in place of `truth`. `None` if there is nothing to lie about.
pub(super) fn tell(lie: Lie, call: Call, truth: &[u8], first_answer: Option<Bytes>) -> Option<Bytes> {
    let mut text = match (lie, call) {
        (Lie::Stale, _) => return first_answer,
        (Lie::Omit, Call::ListJobOffers) => omit(truth, |job: &JobOfferContainer| job.job_offer.created_at),
        (Lie::Omit, Call::ListResourceOffers) => {
            omit(truth, |machine: &ResourceOfferContainer| machine.resource_offer.created_at)
        }
        (Lie::Omit, Call::ListDeals) => omit(truth, |deal: &DealContainer| deal.created_at),
        (Lie::Strangers, Call::ListJobOffers) => add_strangers(truth, estrange_job),
        (Lie::Strangers, Call::ListResourceOffers) => add_strangers(truth, estrange_machine),
        (Lie::Strangers, Call::ListDeals) => add_strangers(truth, estrange_deal),
        (Lie::FalseDeals, Call::ListDeals) => {
            let mut deals: Vec<DealContainer> = json::from_slice(truth).ok()?;
            deals.iter_mut().for_each(falsify);
            (!deals.is_empty()).then(|| json::to_vec(&deals))
        }
        (Lie::FalseDeals, Call::GetDeal) => {
            let mut deal: DealContainer = json::from_slice(truth).ok()?;
            falsify(&mut deal);
            Some(json::to_vec(&deal))
        }
        (Lie::WrongCid, Call::GetResult) => {
            let mut record: ResultRecord = json::from_slice(truth).ok()?;
            record.data_id = content_id(&record.data_id);
            Some(json::to_vec(&record))
        }
        _ => None,
    }?;
    text.push(b'\n');
    Some(text.into())
}

/// An event whose deal, if it has one, does not have the content of its id.
pub(in crate::solver) fn falsify_event(mut event: Event) -> Event {
    event.deal.as_mut().map(falsify);
    event
}

/// A job offer of somebody else, as the solver answers.
pub(super) fn other_offer() -> String {
    let mut container = estrange_job(JobOfferContainer::default());
    container.job_offer.nonce = "another".into();
    container.job_offer.id = container.job_offer.content_id();
    container.id.clone_from(&container.job_offer.id);
    json::to_string(&container) + "\n"
}

/// A list without its newest record. `None` if there is none.
fn omit<T: Serialize + DeserializeOwned>(list: &[u8], created_at: impl Fn(&T) -> i64) -> Option<Vec<u8>> {
    let mut list: Vec<T> = json::from_slice(list).ok()?;
    let (newest, _) = list.iter().enumerate().max_by_key(|(_, record)| created_at(record))?;
    list.remove(newest);
    Some(json::to_vec(&list))
}

/// A list with a stranger's record before each of its own, or just with one.
fn add_strangers<T>(list: &[u8], estrange: impl Fn(T) -> T) -> Option<Vec<u8>>
where
    T: Serialize + DeserializeOwned + Clone + Default,
{
    let own: Vec<T> = json::from_slice(list).ok()?;
    let mut strangers: Vec<T> = own.iter().cloned().map(&estrange).collect();
    if strangers.is_empty() {
        strangers.push(estrange(T::default()));
    }
    strangers.extend(own);
    Some(json::to_vec(&strangers))
}

/// The same job of a stranger's.
fn estrange_job(mut container: JobOfferContainer) -> JobOfferContainer {
    container.job_creator = STRANGER.into();
    container.job_offer = estranged(container.job_offer);
    container.id.clone_from(&container.job_offer.id);
    container
}

/// The same offer of a stranger's.
fn estranged(mut offer: JobOffer) -> JobOffer {
    offer.job_creator = STRANGER.into();
    offer.id = offer.content_id();
    offer
}

/// The same machine of a stranger's.
fn estrange_machine(mut container: ResourceOfferContainer) -> ResourceOfferContainer {
    container.resource_provider = STRANGER.into();
    container.resource_offer.resource_provider = STRANGER.into();
    container.resource_offer.id = container.resource_offer.content_id();
    container.id.clone_from(&container.resource_offer.id);
    container
}

/// The same deal between a stranger and the same provider.
fn estrange_deal(mut container: DealContainer) -> DealContainer {
    container.job_creator = STRANGER.into();
    container.deal.members.job_creator = STRANGER.into();
    container.deal.job_offer = estranged(container.deal.job_offer);
    container.job_offer.clone_from(&container.deal.job_offer.id);
    container.deal.id = container.deal.content_id();
    container.id.clone_from(&container.deal.id);
    container
}

/// Changes a deal's price, and not its id.
fn falsify(deal: &mut DealContainer) {
    deal.deal.pricing.instruction_price = deal.deal.pricing.instruction_price.wrapping_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_lacks_its_newest_record() {
        let job = |id: &str, created_at| {
            let mut job = JobOfferContainer { id: id.into(), ..JobOfferContainer::default() };
            job.job_offer.created_at = created_at;
            job
        };
        let told = tell(Lie::Omit, Call::ListJobOffers, &json::to_vec(&[job("new", 2), job("old", 1)]), None).unwrap();
        let left: Vec<JobOfferContainer> = json::from_slice(&told).unwrap();
        assert_eq!(left, [job("old", 1)]);
        assert_eq!(tell(Lie::Omit, Call::ListJobOffers, b"[]\n", None), None);
    }

    #[test]
    fn strangers_have_records_whose_ids_are_right() {
        let told = tell(Lie::Strangers, Call::ListDeals, b"[]\n", None).unwrap();
        let deals: Vec<DealContainer> = json::from_slice(&told).unwrap();
        assert_eq!(deals.len(), 1);
        assert_eq!(deals[0].id, deals[0].deal.content_id());
        assert_eq!(deals[0].job_creator, STRANGER);
        let told = tell(Lie::Strangers, Call::ListJobOffers, &json::to_vec(&[JobOfferContainer::default()]), None);
        let jobs: Vec<JobOfferContainer> = json::from_slice(&told.unwrap()).unwrap();
        assert_eq!((jobs[0].id.clone(), jobs[0].job_creator.as_str()), (jobs[0].job_offer.content_id(), STRANGER));
        assert_eq!(jobs[1], JobOfferContainer::default());
    }
}
