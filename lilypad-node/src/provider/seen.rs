//! Remembering what was there before, without growing for ever.

use std::collections::{BTreeMap, HashMap};

/// Ids of the last things that were seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// The most ids.
    capacity: usize,
    /// When each was seen last.
    when: HashMap<String, u64>,
    /// The other way round.
    ids: BTreeMap<u64, String>,
    /// Counts what was seen.
    count: u64,
}

impl Seen {
    /// Nothing was seen yet. Of what will be, the last `capacity` ids are remembered.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, when: HashMap::new(), ids: BTreeMap::new(), count: 0 }
    }

    /// Sees `id`: whether that is new.
    pub(super) fn see(&mut self, id: &str) -> bool {
        self.count += 1;
        let before = self.when.insert(id.to_owned(), self.count);
        if let Some(before) = before {
            self.ids.remove(&before);
        }
        self.ids.insert(self.count, id.to_owned());
        if self.ids.len() > self.capacity
            && let Some((_, oldest)) = self.ids.pop_first()
        {
            self.when.remove(&oldest);
        }
        before.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_and_again_is_known_and_what_has_long_not_come_is_forgotten() {
        let mut seen = Seen::new(2);
        assert!(seen.see("a") && seen.see("b"));
        assert!(!seen.see("a"));
        assert!(seen.see("c"), "in the place of b, which was seen least recently");
        assert!(!seen.see("a"));
        assert!(seen.see("b"));
        assert_eq!((seen.when.len(), seen.ids.len()), (2, 2));
    }
}
