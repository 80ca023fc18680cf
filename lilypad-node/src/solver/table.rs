//! Records by id, and by who they belong to and how far they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

use lilypad_sdk::protocol::{AgreementState, DealContainer, JobOfferContainer, ResourceOfferContainer};

/// Every state there is or may be.
pub(super) const ANY_STATE: RangeInclusive<AgreementState> = AgreementState(0)..=AgreementState(u8::MAX);

/// Where a record stands in the order in which records came.
pub(super) type Place = u64;

/// What a [`Table`] keeps.
pub(super) trait Record: Clone {
    /// Its id.
    fn id(&self) -> &str;
    /// The addresses under which it is looked up.
    fn parties(&self) -> impl Iterator<Item = &str>;
    /// How far it is.
    fn state(&self) -> AgreementState;
}

impl Record for JobOfferContainer {
    fn id(&self) -> &str {
        &self.id
    }

    fn parties(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.job_creator.as_str())
    }

    fn state(&self) -> AgreementState {
        self.state
    }
}

impl Record for ResourceOfferContainer {
    fn id(&self) -> &str {
        &self.id
    }

    fn parties(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.resource_provider.as_str())
    }

    fn state(&self) -> AgreementState {
        self.state
    }
}

impl Record for DealContainer {
    fn id(&self) -> &str {
        &self.id
    }

    fn parties(&self) -> impl Iterator<Item = &str> {
        [self.job_creator.as_str(), self.resource_provider.as_str()].into_iter()
    }

    fn state(&self) -> AgreementState {
        self.state
    }
}

/// Records of one kind. Looking up those of a party, or in a state, costs as much as there are of them, however many others there are.
///
/// Records are shared: a reader keeps what it got while the table goes on.
#[derive(Debug)]
pub(super) struct Table<R> {
    /// Records in the order in which they came.
    records: BTreeMap<Place, Arc<R>>,
    /// Where each id stands.
    places: HashMap<String, Place>,
    /// Of each party, and of [`EVERYBODY`], the records by state.
    by_party: HashMap<String, BTreeSet<(AgreementState, Place)>>,
    /// The place that was taken last.
    last: Place,
}

/// Under this name the index holds all records. No party is called so.
const EVERYBODY: &str = "";

impl<R: Record> Table<R> {
    /// A table of nothing.
    pub(super) fn new() -> Self {
        Self { records: BTreeMap::new(), places: HashMap::new(), by_party: HashMap::new(), last: 0 }
    }

    /// The record with this id.
    pub(super) fn get(&self, id: &str) -> Option<&Arc<R>> {
        self.records.get(self.places.get(id)?)
    }

    /// The record at this place.
    pub(super) fn at(&self, place: Place) -> Option<&Arc<R>> {
        self.records.get(&place)
    }

    /// The place of the record with this id.
    pub(super) fn place(&self, id: &str) -> Option<Place> {
        self.places.get(id).copied()
    }

    /// Puts a record in, in place of one with the same id.
    pub(super) fn put(&mut self, record: R) -> Place {
        let place = match self.place(record.id()) {
            Some(place) => {
                self.take_out(place);
                place
            }
            None => {
                self.last += 1;
                self.last
            }
        };
        self.put_in(place, Arc::new(record));
        place
    }

    /// Changes the record with this id, if there is one.
    pub(super) fn update(&mut self, id: &str, change: impl FnOnce(&mut R)) -> Option<Arc<R>> {
        let place = self.place(id)?;
        let mut record = self.take_out(place)?;
        change(Arc::make_mut(&mut record));
        self.put_in(place, record.clone());
        Some(record)
    }

    /// Removes the record with this id.
    pub(super) fn remove(&mut self, id: &str) {
        if let Some(place) = self.place(id) {
            self.take_out(place);
        }
    }

    /// The records of `party`, or of everybody, that are in one of `states`.
    pub(super) fn select(
        &self,
        party: Option<&str>,
        states: RangeInclusive<AgreementState>,
    ) -> impl Iterator<Item = &Arc<R>> {
        let range = (*states.start(), Place::MIN)..=(*states.end(), Place::MAX);
        self.by_party
            .get(party.unwrap_or(EVERYBODY))
            .into_iter()
            .flat_map(move |places| places.range(range.clone()))
            .filter_map(|(_, place)| self.at(*place))
    }

    /// Enters a record everywhere.
    fn put_in(&mut self, place: Place, record: Arc<R>) {
        self.places.insert(record.id().to_owned(), place);
        for party in record.parties().chain([EVERYBODY]) {
            match self.by_party.get_mut(party) {
                Some(places) => {
                    places.insert((record.state(), place));
                }
                None => {
                    self.by_party.insert(party.to_owned(), BTreeSet::from([(record.state(), place)]));
                }
            }
        }
        self.records.insert(place, record);
    }

    /// Takes a record out everywhere.
    fn take_out(&mut self, place: Place) -> Option<Arc<R>> {
        let record = self.records.remove(&place)?;
        self.places.remove(record.id());
        for party in record.parties().chain([EVERYBODY]) {
            if let Some(places) = self.by_party.get_mut(party) {
                places.remove(&(record.state(), place));
                if places.is_empty() {
                    self.by_party.remove(party);
                }
            }
        }
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deal(id: &str, creator: &str, provider: &str) -> DealContainer {
        DealContainer {
            id: id.into(),
            job_creator: creator.into(),
            resource_provider: provider.into(),
            ..DealContainer::default()
        }
    }

    fn ids(table: &Table<DealContainer>, party: Option<&str>, states: RangeInclusive<AgreementState>) -> Vec<String> {
        table.select(party, states).map(|deal| deal.id.clone()).collect()
    }

    #[test]
    fn records_are_found_by_either_party_and_by_state() {
        let agreed = AgreementState::DEAL_AGREED;
        let mut table = Table::new();
        table.put(deal("one", "alice", "bob"));
        table.put(deal("two", "alice", "carol"));
        table.update("two", |deal| deal.state = agreed).unwrap();
        assert_eq!(ids(&table, Some("alice"), ANY_STATE), ["one", "two"]);
        assert_eq!(ids(&table, Some("carol"), agreed..=agreed), ["two"]);
        assert_eq!(ids(&table, None, agreed..=agreed), ["two"]);
        assert_eq!(ids(&table, Some("dave"), ANY_STATE), [""; 0]);
        table.remove("two");
        assert_eq!(ids(&table, None, ANY_STATE), ["one"]);
    }

    #[test]
    fn a_record_put_in_again_replaces_the_first() {
        let mut table = Table::new();
        table.put(deal("one", "alice", "bob"));
        table.update("one", |deal| deal.state = AgreementState::DEAL_AGREED).unwrap();
        table.put(deal("one", "alice", "bob"));
        assert_eq!(table.get("one").unwrap().state, AgreementState::DEAL_NEGOTIATING);
        assert_eq!(ids(&table, None, ANY_STATE), ["one"]);
    }
}
