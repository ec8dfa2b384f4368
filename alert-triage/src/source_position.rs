use std::fmt;

/// Where a record stands in the input: source, block of that source, line of that block.
///
/// Places order as the input does. Blocks let several threads read one file before anybody knows how many lines
/// stand before each block; the report adds them up. Packed into 64 bits: 65,536 sources, 16.7 million blocks a
/// source, 16.7 million lines a block; beyond that a place says the last one it can.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePosition(u64);

impl SourcePosition {
    /// The last place there is: after all others.
    pub const MAX: SourcePosition = SourcePosition(u64::MAX);

    const LINE_BITS: u32 = 24;
    const BLOCK_BITS: u32 = 24;
    /// The most lines that a block can tell apart.
    pub(crate) const LINES: u64 = (1 << Self::LINE_BITS) - 1;
    const BLOCKS: u64 = (1 << Self::BLOCK_BITS) - 1;

    /// `line` counts from 1 inside the block, 0 stands for none.
    pub fn new(source: usize, block: usize, line: u64) -> Self {
        let source = (source as u64).min(0xffff);
        let block = (block as u64).min(Self::BLOCKS);
        Self(source << 48 | block << Self::LINE_BITS | line.min(Self::LINES))
    }

    /// The line `lines` further down in the same block.
    pub(crate) fn down(self, lines: u64) -> Self {
        Self::new(self.source(), self.block(), self.line() + lines)
    }

    /// Counts from 0 in the order in which the engine was told of them.
    pub fn source(self) -> usize {
        (self.0 >> 48) as usize
    }

    /// Counts from 0 in the source.
    pub fn block(self) -> usize {
        (self.0 >> Self::LINE_BITS & Self::BLOCKS) as usize
    }

    /// Counts from 1 in the block.
    pub fn line(self) -> u64 {
        self.0 & Self::LINES
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
        assert_eq!(SourcePosition::new(0, 0, u64::MAX).line(), SourcePosition::LINES);
    }
}
