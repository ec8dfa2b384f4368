//! How often lines say that their alerts came.

/// Counts that stand in pasted lines, as `uniq -c` writes them. A line is one record all the same.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatedCounts {
    /// Lines with a count.
    pub(crate) lines: u64,
    /// The sum of their counts.
    pub(crate) times: u64,
}

impl StatedCounts {
    /// Adds the count of one line.
    pub(crate) fn add_line(&mut self, times: u64) {
        self.merge(Self { lines: 1, times });
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.times = self.times.saturating_add(other.times);
    }
}
