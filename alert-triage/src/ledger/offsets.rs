//! Line numbers across the blocks of a source.

use std::collections::BTreeMap;

use crate::place::Place;

/// Lines of a source that stand before each of its blocks.
#[derive(Debug, Default)]
pub(crate) struct Offsets(BTreeMap<(usize, usize), u64>);

impl Offsets {
    pub(super) fn new(offsets: BTreeMap<(usize, usize), u64>) -> Self {
        Self(offsets)
    }

    pub(crate) fn line(&self, place: Place) -> u64 {
        self.0.get(&(place.source(), place.block())).copied().unwrap_or(0) + place.line()
    }
}
