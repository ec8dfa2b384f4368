//! Line numbers across the blocks of a source.

use std::collections::BTreeMap;

use crate::source_position::SourcePosition;

/// Lines of a source that stand before each of its blocks.
#[derive(Debug, Default)]
pub(crate) struct Offsets(BTreeMap<(usize, usize), u64>);

impl Offsets {
    pub(super) fn new(offsets: BTreeMap<(usize, usize), u64>) -> Self {
        Self(offsets)
    }

    pub(crate) fn line(&self, position: SourcePosition) -> u64 {
        self.0.get(&(position.source(), position.block())).copied().unwrap_or(0) + position.line()
    }
}
