//! A set of sources, small enough for a million alerts to have one each.

use std::collections::BTreeSet;

/// Sources by their numbers. The first [`LOW`](Self::LOW) take no memory of their own.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct SourceSet {
    low: u64,
    /// Numbers from [`LOW`](Self::LOW) on.
    #[expect(clippy::box_collection, reason = "nearly no alert has any, and there may be a million alerts")]
    high: Option<Box<BTreeSet<usize>>>,
}

impl SourceSet {
    const LOW: usize = 64;

    pub(crate) fn add(&mut self, source: usize) {
        match source {
            0..Self::LOW => self.low |= 1 << source,
            _ => {
                self.high.get_or_insert_default().insert(source);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: SourceSet) {
        self.low |= other.low;
        if let Some(theirs) = other.high {
            self.high.get_or_insert_default().extend(*theirs);
        }
    }

    /// From the lowest number to the highest.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        let low = (0..Self::LOW).filter(|source| self.low >> source & 1 == 1);
        low.chain(self.high.iter().flat_map(|high| high.iter().copied()))
    }

    pub(crate) fn first(&self) -> Option<usize> {
        match self.low {
            0 => self.high.as_ref().and_then(|high| high.first().copied()),
            low => Some(low.trailing_zeros() as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_kept() {
        let (mut set, mut other) = (SourceSet::default(), SourceSet::default());
        assert_eq!(set.first(), None);
        set.add(65_535);
        set.add(64);
        assert_eq!(set.first(), Some(64));
        set.add(63);
        other.add(64);
        other.add(1);
        set.merge(other);
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 63, 64, 65_535]);
        assert_eq!(set.first(), Some(1));
    }
}
