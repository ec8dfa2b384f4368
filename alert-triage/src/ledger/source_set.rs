//! A set of sources, small enough for a million alerts to have one each.

/// Sources by their numbers. All numbers from [`MAX_SOURCE`](Self::MAX_SOURCE) on count as that
/// one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceSet(u64);

impl SourceSet {
    pub(crate) const MAX_SOURCE: usize = 63;

    pub(crate) fn add(&mut self, source: usize) {
        self.0 |= 1 << source.min(Self::MAX_SOURCE);
    }

    pub(crate) fn merge(&mut self, other: SourceSet) {
        self.0 |= other.0;
    }

    /// From the lowest number to the highest.
    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        (0..=Self::MAX_SOURCE).filter(move |source| self.0 >> source & 1 == 1)
    }

    pub(crate) fn first(self) -> Option<usize> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_numbers_count_as_one() {
        let (mut set, mut other) = (SourceSet::default(), SourceSet::default());
        assert_eq!(set.first(), None);
        set.add(3);
        set.add(70_000);
        other.add(64);
        other.add(1);
        set.merge(other);
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 3, 63]);
        assert_eq!(set.first(), Some(1));
    }
}
