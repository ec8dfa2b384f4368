//! A small sorted map in one allocation without spare room.

use std::borrow::Borrow;
use std::collections::VecDeque;

/// A sorted map that mostly has one entry and exists a million times: a `BTreeMap` allocates room
/// for eleven. Insertion at the end and removal at the front are cheap; insertion in between moves
/// the others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SmallMap<K, V>(VecDeque<(K, V)>);

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: Ord, V> SmallMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // Most keys are inserted in order.
        match self.0.back() {
            Some((last, _)) if last.borrow() < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(known, _)| known.borrow().cmp(key)),
        }
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|at| &mut self.0[at].1)
    }

    /// The value of `key`, a default one if there is none.
    pub(crate) fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                // The capacity grows as 1, 2, 4, and further powers of two.
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(self.0.len().max(1));
                }
                self.0.insert(at, (key, V::default()));
                at
            }
        };
        &mut self.0[at].1
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.0.remove(at).map(|(_, value)| value)
    }

    /// The smallest.
    pub(crate) fn first_mut(&mut self) -> Option<(&K, &mut V)> {
        self.0.front_mut().map(|(key, value)| (&*key, value))
    }

    /// The smallest.
    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        self.0.pop_front()
    }

    /// The largest.
    pub(crate) fn pop_last(&mut self) -> Option<(K, V)> {
        self.0.pop_back()
    }

    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        self.into_iter()
    }

    /// The first entry after `key`.
    pub(crate) fn after(&self, key: &K) -> Option<(&K, &V)> {
        let at = self.find(key).map_or_else(|at| at, |at| at + 1);
        self.0.get(at).map(|(key, value)| (key, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}

type Pair<'s, K, V> = fn(&'s (K, V)) -> (&'s K, &'s V);
type Iter<'s, K, V> = std::iter::Map<std::collections::vec_deque::Iter<'s, (K, V)>, Pair<'s, K, V>>;

impl<'s, K, V> IntoIterator for &'s SmallMap<K, V> {
    type Item = (&'s K, &'s V);
    type IntoIter = Iter<'s, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl<K, V> IntoIterator for SmallMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::collections::vec_deque::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Law: it holds what a `BTreeMap` holds.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0u8..6, 0u16..20), 0..60)) {
            let mut map: BTreeMap<u16, u64> = BTreeMap::new();
            let mut sorted: SmallMap<u16, u64> = SmallMap::default();
            for (step, key) in steps {
                match step {
                    0 => prop_assert_eq!(sorted.remove(&key), map.remove(&key)),
                    1 => prop_assert_eq!(sorted.pop_first(), map.pop_first()),
                    2 => prop_assert_eq!(sorted.pop_last(), map.pop_last()),
                    _ => {
                        *sorted.or_default(key) += 1;
                        *map.entry(key).or_default() += 1;
                    }
                }
                prop_assert_eq!(sorted.get_mut(&key).copied(), map.get(&key).copied());
                prop_assert_eq!(sorted.first_mut(), map.iter_mut().next());
                prop_assert!(sorted.iter().rev().eq(map.iter().rev()));
                prop_assert_eq!(sorted.after(&key), map.range(key + 1..).next());
                prop_assert!(sorted.values().eq(map.values()));
                prop_assert_eq!(sorted.len(), map.len());
            }
            prop_assert!(sorted.into_iter().eq(map));
        }
    }

    #[test]
    fn one_entry_takes_the_room_of_one() {
        let mut sorted: SmallMap<u8, [u64; 30]> = SmallMap::default();
        for (key, room) in [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8)] {
            sorted.or_default(key);
            assert_eq!(sorted.0.capacity(), room);
        }
    }
}
