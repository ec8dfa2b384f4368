//! The scopes that alerts are in, each once. Small, for there may be a million of them.

use std::cmp::Ordering;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Labels by the number of the scope that they make.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    /// Names and values, one behind the other.
    text: String,
    /// Where each of those ends.
    ends: Vec<u32>,
    /// How many of those stand before the end of each scope.
    parts: Vec<u32>,
}

/// Finds scopes by their labels, while they are being collected.
pub(super) type Index = HashTable<u32>;

fn hash<'l>(labels: impl Iterator<Item = (&'l str, &'l str)>) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    labels.for_each(|label| label.hash(&mut hasher));
    hasher.finish()
}

impl Scopes {
    /// The number of the scope of these labels, a new one if it is met for the first time.
    pub(super) fn number(&mut self, labels: &[(&str, &str)], index: &mut Index) -> u32 {
        let hash_of = hash(labels.iter().copied());
        let is_it = |number: &u32| self.labels(*number).eq(labels.iter().copied());
        if let Some(number) = index.find(hash_of, is_it) {
            return *number;
        }
        for part in labels.iter().flat_map(|(name, value)| [name, value]) {
            self.text.push_str(part);
            self.ends.push(self.text.len() as u32);
        }
        let number = self.parts.len() as u32;
        self.parts.push(self.ends.len() as u32);
        index.insert_unique(hash_of, number, |number| hash(self.labels(*number)));
        number
    }

    /// Nothing says where it is.
    pub(crate) fn is_nowhere(&self, scope: u32) -> bool {
        self.labels(scope).next().is_none()
    }

    /// Names and values, in the order in which the rules name scopes.
    pub(crate) fn labels(&self, scope: u32) -> impl Iterator<Item = (&str, &str)> {
        let before = |of: &[u32], at: usize| at.checked_sub(1).map_or(0, |before| of[before] as usize);
        let at = scope as usize;
        let part = move |at: usize| &self.text[before(&self.ends, at)..self.ends[at] as usize];
        (before(&self.parts, at)..self.parts[at] as usize).step_by(2).map(move |at| (part(at), part(at + 1)))
    }

    /// In the order of their labels.
    pub(crate) fn compare(&self, one: u32, other: u32) -> Ordering {
        self.labels(one).cmp(self.labels(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_its_labels() {
        let (mut scopes, mut index) = (Scopes::default(), Index::default());
        let wanted: Vec<Vec<(&str, &str)>> = vec![
            vec![],
            vec![("zone", "A")],
            vec![("zone", "AB")],
            vec![("zone", "A"), ("cluster", "B")],
            vec![("zon", "eA")],
            vec![("zone", "")],
        ];
        let many: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
        for round in 0..2 {
            for (number, labels) in wanted.iter().enumerate() {
                assert_eq!(scopes.number(labels, &mut index), number as u32, "{labels:?} in round {round}");
            }
            for (at, zone) in many.iter().enumerate() {
                assert_eq!(scopes.number(&[("zone", zone)], &mut index) as usize, wanted.len() + at);
            }
        }
        for (number, labels) in wanted.iter().enumerate() {
            assert!(scopes.labels(number as u32).eq(labels.iter().copied()));
            assert_eq!(scopes.is_nowhere(number as u32), labels.is_empty());
            for (other, theirs) in wanted.iter().enumerate() {
                assert_eq!(scopes.compare(number as u32, other as u32), labels.cmp(theirs));
            }
        }
    }
}
