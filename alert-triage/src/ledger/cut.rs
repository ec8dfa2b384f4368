//! Cuts a block into its lines, each as a few machine words: finding a line's end, hashing it and comparing it are then
//! a handful of instructions without a branch that depends on the line.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;

use crate::hashing;

/// Lines cut at once.
pub(crate) const BATCH: usize = 32;

/// Words of a line's beginning.
pub(super) const WORDS: usize = 6;

/// Bytes of them.
const BYTES: usize = 8 * WORDS;

/// The beginning of a line, each byte XOR a line end, zeros behind its last. No line contains its own end, so no byte of
/// it is zero, and a beginning that ends in zero is the whole line.
pub(super) type Beginning = [u64; WORDS];

/// One line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut<'l> {
    /// Without its end.
    pub(crate) line: &'l [u8],
    pub(super) beginning: Beginning,
    pub(super) hash: u32,
}

impl<'l> Cut<'l> {
    /// What its beginning has no room for.
    #[inline]
    pub(super) fn rest(&self) -> Option<&'l [u8]> {
        (self.beginning[WORDS - 1] >> 56 != 0).then(|| &self.line[BYTES..])
    }
}

/// Lines that follow each other.
#[derive(Debug)]
pub(crate) struct Batch<'l> {
    len: usize,
    cuts: [Cut<'l>; BATCH],
    /// Number of the first line, in its block.
    pub(super) first: u64,
}

impl<'l> Batch<'l> {
    pub(crate) fn new() -> Self {
        let nothing = Cut { line: &[], beginning: [0; WORDS], hash: 0 };
        Self { len: 0, cuts: [nothing; BATCH], first: 1 }
    }

    /// Takes the next lines of a block, from 1 in the first call; answers what is left of it.
    pub(crate) fn fill(&mut self, mut input: &'l [u8]) -> &'l [u8] {
        self.first += self.len as u64;
        self.len = 0;
        for cut in &mut self.cuts {
            if input.is_empty() {
                break;
            }
            (*cut, input) = next(input);
            self.len += 1;
        }
        input
    }

    /// Lines up to and with the last one.
    pub(crate) fn lines(&self) -> u64 {
        self.first - 1 + self.len as u64
    }

    pub(super) fn cuts(&self) -> &[Cut<'l>] {
        &self.cuts[..self.len]
    }

    /// Each with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Cut<'l>)> {
        (self.first..).zip(self.cuts())
    }
}

/// The first line of what is not empty, and what stands behind it.
#[inline]
fn next(input: &[u8]) -> (Cut<'_>, &[u8]) {
    if let Some(window) = input.first_chunk::<BYTES>() {
        let beginning = words(window);
        let ends = zeros(&beginning);
        if ends != 0 {
            let end = ends.trailing_zeros() as usize;
            let len = end - usize::from(end > 0 && window[end - 1] == b'\r');
            let beginning = up_to(beginning, len);
            return (Cut { line: &input[..len], beginning, hash: hash(&beginning) }, &input[end + 1..]);
        }
    }
    unusual(input)
}

/// A long line, or one near the end of the block.
#[cold]
#[inline(never)]
fn unusual(input: &[u8]) -> (Cut<'_>, &[u8]) {
    let (line, behind) = match memchr::memchr(b'\n', input) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let len = line.len().min(BYTES);
    let mut window = [b'\n'; BYTES];
    window[..len].copy_from_slice(&line[..len]);
    let beginning = words(&window);
    let mut hash = hash(&beginning);
    if let Some(rest) = line.get(BYTES..) {
        hash ^= hashing::hash(rest) as u32;
    }
    (Cut { line, beginning, hash }, behind)
}

#[inline]
pub(super) fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u64; WORDS] {
    const { assert!(BYTES == 8 * WORDS) }
    const ENDS: u64 = u64::from_le_bytes([b'\n'; 8]);
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]) ^ ENDS)
}

/// A bit for each byte that is zero; bits above the lowest one may be wrong.
#[inline]
fn zeros(words: &Beginning) -> u64 {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    // Brings the lowest bits of eight bytes together.
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
fn up_to(mut words: Beginning, len: usize) -> Beginning {
    static KEPT: [u8; 2 * BYTES] = {
        let mut kept = [0; 2 * BYTES];
        let mut at = 0;
        while at < BYTES {
            kept[at] = 0xff;
            at += 1;
        }
        kept
    };
    let kept = KEPT[BYTES - len.min(BYTES)..].as_chunks::<8>().0;
    for (word, kept) in words.iter_mut().zip(kept) {
        *word &= u64::from_le_bytes(*kept);
    }
    words
}

#[inline]
fn hash(beginning: &Beginning) -> u32 {
    let mut hasher = FixedState::with_seed(0x00b1_62ed_b077).build_hasher();
    for word in beginning {
        hasher.write_u64(*word);
    }
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(input: &[u8]) -> Vec<(u64, Cut<'_>)> {
        let mut batch = Batch::new();
        let mut rest = input;
        let mut lines = Vec::new();
        while !rest.is_empty() {
            rest = batch.fill(rest);
            lines.extend(batch.iter().map(|(number, cut)| (number, *cut)));
        }
        assert_eq!(batch.lines(), lines.len() as u64);
        lines
    }

    proptest! {
        /// Law: lines are those that a plain split finds, whatever their lengths and wherever they stand.
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
            prop_assert_eq!(lines.iter().map(|(_, cut)| cut.line).collect::<Vec<_>>(), want);
            prop_assert!(lines.iter().map(|(number, _)| *number).eq(1..=lines.len() as u64));
        }

        /// Law: equal lines are cut alike near the end of a block and far from it, and different ones differently.
        #[test]
        fn a_cut_is_of_the_line_alone(a in "[ab]{0,60}", b in "[ab]{0,60}") {
            let far = format!("{a}\n{}", "x".repeat(100));
            let (near, far, other) = (next(a.as_bytes()).0, next(far.as_bytes()).0, format!("{b}\n"));
            let other = next(other.as_bytes()).0;
            if !a.is_empty() {
                prop_assert_eq!((near.beginning, near.hash, near.rest()), (far.beginning, far.hash, far.rest()));
                let is_same = |one: &Cut<'_>, two: &Cut<'_>| (one.beginning, one.rest()) == (two.beginning, two.rest());
                prop_assert_eq!(is_same(&near, &other), a == b);
            }
        }
    }
}
