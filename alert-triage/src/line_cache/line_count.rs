//! Counts of plain lines.

use crate::source_position::SourcePosition;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LineCount {
    pub(crate) count: u64,
    pub(crate) first: SourcePosition,
    pub(crate) last: SourcePosition,
}

impl Default for LineCount {
    fn default() -> Self {
        Self { count: 0, first: SourcePosition::MAX, last: SourcePosition::new(0, 0, 0) }
    }
}

impl LineCount {
    pub(crate) fn add(&mut self, other: LineCount) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        if other.count > 0 {
            self.last = self.last.max(other.last);
        }
    }
}
