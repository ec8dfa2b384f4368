//! Splits a block into lines, each with its prefix as machine words: finding the line end, hashing
//! and comparing take a few instructions without a branch that depends on the line.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;

use crate::hashing;

/// The number of lines in a batch.
pub(crate) const MAX_BATCH_LINES: usize = 32;

/// The number of words of a line's prefix.
pub(super) const PREFIX_WORDS: usize = 6;

/// The number of bytes of a line's prefix.
const PREFIX_BYTES: usize = 8 * PREFIX_WORDS;

/// The first bytes of a line, each XOR a line end, then zeros. A line contains no line end, so none
/// of its bytes is zero, and a prefix that ends in zero is the whole line.
pub(super) type Prefix = [u64; PREFIX_WORDS];

/// One line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineSlice<'l> {
    /// Without the line end.
    pub(crate) line: &'l [u8],
    pub(super) prefix: Prefix,
    pub(super) hash: u32,
}

impl<'l> LineSlice<'l> {
    /// The bytes after the prefix, if there are any.
    #[inline]
    pub(super) fn rest(&self) -> Option<&'l [u8]> {
        (self.prefix[PREFIX_WORDS - 1] >> 56 != 0).then(|| &self.line[PREFIX_BYTES..])
    }
}

/// Consecutive lines.
#[derive(Debug)]
pub(crate) struct LineBatch<'l> {
    len: usize,
    slices: [LineSlice<'l>; MAX_BATCH_LINES],
    /// The number of the first line in its block.
    pub(super) first: u64,
}

impl<'l> LineBatch<'l> {
    pub(crate) fn new() -> Self {
        let nothing = LineSlice { line: &[], prefix: [0; PREFIX_WORDS], hash: 0 };
        Self { len: 0, slices: [nothing; MAX_BATCH_LINES], first: 1 }
    }

    /// Takes the next lines of a block, from line 1 in the first call. Returns the rest of the
    /// block.
    pub(crate) fn fill(&mut self, mut input: &'l [u8]) -> &'l [u8] {
        self.first += self.len as u64;
        self.len = 0;
        for slice in &mut self.slices {
            if input.is_empty() {
                break;
            }
            (*slice, input) = next(input);
            self.len += 1;
        }
        input
    }

    /// The number of the last line.
    pub(crate) fn lines(&self) -> u64 {
        self.first - 1 + self.len as u64
    }

    /// The number of lines of the batch.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn slices(&self) -> &[LineSlice<'l>] {
        &self.slices[..self.len]
    }

    /// Each line with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &LineSlice<'l>)> {
        (self.first..).zip(self.slices())
    }
}

/// The first line of a non-empty input, and the rest.
#[inline]
fn next(input: &[u8]) -> (LineSlice<'_>, &[u8]) {
    if let Some(window) = input.first_chunk::<PREFIX_BYTES>() {
        let prefix = words(window);
        let ends = zeros(&prefix);
        if ends != 0 {
            let end = ends.trailing_zeros() as usize;
            let len = end - usize::from(end > 0 && window[end - 1] == b'\r');
            let prefix = first_bytes(prefix, len);
            return (LineSlice { line: &input[..len], prefix, hash: hash(&prefix) }, &input[end + 1..]);
        }
    }
    next_slow(input)
}

/// A long line, or one near the end of the block.
#[cold]
#[inline(never)]
fn next_slow(input: &[u8]) -> (LineSlice<'_>, &[u8]) {
    let (line, behind) = match memchr::memchr(b'\n', input) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let len = line.len().min(PREFIX_BYTES);
    let mut window = [b'\n'; PREFIX_BYTES];
    window[..len].copy_from_slice(&line[..len]);
    let prefix = words(&window);
    let mut hash = hash(&prefix);
    if let Some(rest) = line.get(PREFIX_BYTES..) {
        hash ^= hashing::hash(rest) as u32;
    }
    (LineSlice { line, prefix, hash }, behind)
}

#[inline]
pub(super) fn words<const PREFIX_BYTES: usize, const PREFIX_WORDS: usize>(
    bytes: &[u8; PREFIX_BYTES],
) -> [u64; PREFIX_WORDS] {
    const { assert!(PREFIX_BYTES == 8 * PREFIX_WORDS) }
    const ENDS: u64 = u64::from_le_bytes([b'\n'; 8]);
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]) ^ ENDS)
}

/// A bit for each byte that is zero; bits above the lowest one may be wrong.
#[inline]
fn zeros(words: &Prefix) -> u64 {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    // Gathers the lowest bits of eight bytes.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut bits = 0;
    for (at, word) in words.iter().enumerate() {
        let zeros = (word.wrapping_sub(LOW) & !word) >> 7 & LOW;
        bits |= (zeros.wrapping_mul(GATHER) >> 56) << (8 * at);
    }
    bits
}

/// The first bytes, then zeros.
#[inline]
fn first_bytes(mut words: Prefix, len: usize) -> Prefix {
    static MASKS: [u8; 2 * PREFIX_BYTES] = {
        let mut mask = [0; 2 * PREFIX_BYTES];
        let mut at = 0;
        while at < PREFIX_BYTES {
            mask[at] = 0xff;
            at += 1;
        }
        mask
    };
    let mask = MASKS[PREFIX_BYTES - len.min(PREFIX_BYTES)..].as_chunks::<8>().0;
    for (word, mask) in words.iter_mut().zip(mask) {
        *word &= u64::from_le_bytes(*mask);
    }
    words
}

#[inline]
fn hash(prefix: &Prefix) -> u32 {
    let mut hasher = FixedState::with_seed(0x00b1_62ed_b077).build_hasher();
    for word in prefix {
        hasher.write_u64(*word);
    }
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(input: &[u8]) -> Vec<(u64, LineSlice<'_>)> {
        let mut batch = LineBatch::new();
        let mut rest = input;
        let mut lines = Vec::new();
        while !rest.is_empty() {
            rest = batch.fill(rest);
            lines.extend(batch.iter().map(|(number, slice)| (number, *slice)));
        }
        assert_eq!(batch.lines(), lines.len() as u64);
        lines
    }

    proptest! {
        /// Law: the lines are those of a plain split, whatever their lengths and positions.
        #[test]
        fn lines_are_those_of_a_split(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..120), any::<bool>()), 0..80),
            is_cut in any::<bool>(),
        ) {
            let mut input: Vec<u8> = parts
                .into_iter()
                .flat_map(|(part, cr)| part.into_iter().chain(cr.then_some(b'\r')).chain([b'\n']))
                .collect();
            if is_cut {
                input.pop();
            }
            let whole = input.strip_suffix(b"\n").unwrap_or(&input);
            let want = whole.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            let want: Vec<&[u8]> = if input.is_empty() { Vec::new() } else { want.collect() };
            let lines = lines(&input);
            prop_assert_eq!(lines.iter().map(|(_, slice)| slice.line).collect::<Vec<_>>(), want);
            prop_assert!(lines.iter().map(|(number, _)| *number).eq(1..=lines.len() as u64));
        }

        /// Law: equal lines give equal slices near the end of a block and far from it, different
        /// lines give different ones.
        #[test]
        fn a_cut_is_of_the_line_alone(a in "[ab]{0,60}", b in "[ab]{0,60}") {
            let far = format!("{a}\n{}", "x".repeat(100));
            let (near, far, other) = (next(a.as_bytes()).0, next(far.as_bytes()).0, format!("{b}\n"));
            let other = next(other.as_bytes()).0;
            if !a.is_empty() {
                prop_assert_eq!((near.prefix, near.hash, near.rest()), (far.prefix, far.hash, far.rest()));
                let is_same = |one: &LineSlice<'_>, two: &LineSlice<'_>| (one.prefix, one.rest()) == (two.prefix, two.rest());
                prop_assert_eq!(is_same(&near, &other), a == b);
            }
        }
    }
}
