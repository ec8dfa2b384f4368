//! Line numbers across the blocks of a source.

use std::collections::BTreeMap;

use crate::source_position::SourcePosition;

/// The number of lines before each block of a source.
#[derive(Debug, Default)]
pub(crate) struct LineOffsets(BTreeMap<(usize, usize), u64>);

impl LineOffsets {
    pub(super) fn new(offsets: BTreeMap<(usize, usize), u64>) -> Self {
        Self(offsets)
    }

    pub(crate) fn line(&self, position: SourcePosition) -> u64 {
        self.0.get(&(position.source(), position.block())).copied().unwrap_or(0) + position.line()
    }
}
