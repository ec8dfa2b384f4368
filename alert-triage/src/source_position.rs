use std::fmt;

/// The position of a record in the input: source, block of that source, line of that block.
///
/// Positions sort in the order of the input. Blocks let several threads read one file before the
/// number of lines of each block is known; the report computes line numbers. A position has 64
/// bits: 65,536 sources, 16.7 million blocks per source, 16.7 million lines per block. Larger
/// numbers saturate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourcePosition(u64);

impl SourcePosition {
    /// The last position.
    pub const MAX: SourcePosition = SourcePosition(u64::MAX);

    const LINE_BITS: u32 = 24;
    const BLOCK_BITS: u32 = 24;
    /// The largest line number of a block.
    pub(crate) const MAX_LINE: u64 = (1 << Self::LINE_BITS) - 1;
    const MAX_BLOCK: u64 = (1 << Self::BLOCK_BITS) - 1;

    /// `line` counts from 1 within the block; 0 means before the first line.
    pub fn new(source: usize, block: usize, line: u64) -> Self {
        let source = (source as u64).min(0xffff);
        let block = (block as u64).min(Self::MAX_BLOCK);
        Self(source << 48 | block << Self::LINE_BITS | line.min(Self::MAX_LINE))
    }

    /// The position `lines` lines later in the same block.
    pub(crate) fn plus_lines(self, lines: u64) -> Self {
        Self::new(self.source(), self.block(), self.line() + lines)
    }

    /// The source, from 0 in the order in which sources were added.
    pub fn source(self) -> usize {
        (self.0 >> 48) as usize
    }

    /// The block, from 0 in the source.
    pub fn block(self) -> usize {
        (self.0 >> Self::LINE_BITS & Self::MAX_BLOCK) as usize
    }

    /// The line, from 1 in the block.
    pub fn line(self) -> u64 {
        self.0 & Self::MAX_LINE
    }
}

impl fmt::Debug for SourcePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.source(), self.block(), self.line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_order_as_the_input_does() {
        let positions = [
            SourcePosition::new(0, 0, 1),
            SourcePosition::new(0, 0, 2),
            SourcePosition::new(0, 1, 1),
            SourcePosition::new(1, 0, 1),
            SourcePosition::MAX,
        ];
        assert!(positions.is_sorted());
        assert_eq!((positions[2].source(), positions[2].block(), positions[2].line()), (0, 1, 1));
        assert_eq!(SourcePosition::new(0, 0, u64::MAX).line(), SourcePosition::MAX_LINE);
    }
}
