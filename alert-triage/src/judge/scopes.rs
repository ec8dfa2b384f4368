//! The distinct scopes of alerts, stored compactly because there may be a million.

use std::cmp::Ordering;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::index::{ListIndex as _, ScopeIx};

/// Distinct scopes. A scope is a list of labels.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    /// All names and values, concatenated.
    text: String,
    /// The end of each name and value in `text`.
    ends: Vec<u32>,
    /// The end of each scope in `ends`.
    parts: Vec<u32>,
}

/// Finds scopes by their labels while they are collected.
pub(super) type ScopeTable = HashTable<ScopeIx>;

fn hash<'l>(labels: impl Iterator<Item = (&'l str, &'l str)>) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    labels.for_each(|label| label.hash(&mut hasher));
    hasher.finish()
}

impl Scopes {
    /// The scope with these labels. Adds it if it is new.
    pub(super) fn find_or_add(&mut self, labels: &[(&str, &str)], table: &mut ScopeTable) -> ScopeIx {
        let hash_of = hash(labels.iter().copied());
        let is_equal = |scope: &ScopeIx| self.labels(*scope).eq(labels.iter().copied());
        if let Some(scope) = table.find(hash_of, is_equal) {
            return *scope;
        }
        for part in labels.iter().flat_map(|(name, value)| [name, value]) {
            self.text.push_str(part);
            self.ends.push(self.text.len() as u32);
        }
        let scope = ScopeIx::new(self.parts.len());
        self.parts.push(self.ends.len() as u32);
        table.insert_unique(hash_of, scope, |scope| hash(self.labels(*scope)));
        scope
    }

    /// Has the scope no labels?
    pub(crate) fn is_empty(&self, scope: ScopeIx) -> bool {
        self.labels(scope).next().is_none()
    }

    /// Names and values, in the order of the rules.
    pub(crate) fn labels(&self, scope: ScopeIx) -> impl Iterator<Item = (&str, &str)> {
        let before = |of: &[u32], at: usize| at.checked_sub(1).map_or(0, |before| of[before] as usize);
        let at = scope.position();
        let part = move |at: usize| &self.text[before(&self.ends, at)..self.ends[at] as usize];
        (before(&self.parts, at)..self.parts[at] as usize).step_by(2).map(move |at| (part(at), part(at + 1)))
    }

    /// Compares two scopes by their labels.
    pub(crate) fn compare(&self, one: ScopeIx, other: ScopeIx) -> Ordering {
        self.labels(one).cmp(self.labels(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_its_labels() {
        let (mut scopes, mut table) = (Scopes::default(), ScopeTable::default());
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
                assert_eq!(
                    scopes.find_or_add(labels, &mut table),
                    ScopeIx::new(number),
                    "{labels:?} in round {round}"
                );
            }
            for (at, zone) in many.iter().enumerate() {
                assert_eq!(
                    scopes.find_or_add(&[("zone", zone)], &mut table),
                    ScopeIx::new(wanted.len() + at)
                );
            }
        }
        for (number, labels) in wanted.iter().enumerate() {
            assert!(scopes.labels(ScopeIx::new(number)).eq(labels.iter().copied()));
            assert_eq!(scopes.is_empty(ScopeIx::new(number)), labels.is_empty());
            for (other, theirs) in wanted.iter().enumerate() {
                assert_eq!(scopes.compare(ScopeIx::new(number), ScopeIx::new(other)), labels.cmp(theirs));
            }
        }
    }
}
