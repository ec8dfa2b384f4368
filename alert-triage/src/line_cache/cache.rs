//! A cache of plain lines, compared byte for byte: most lines of a stream repeat, and need not be
//! parsed again.
//!
//! A long input spends nearly all of its time here, waiting for memory. So a line and its count
//! share one cell of the size of a cache line, and lines are looked up in [batches](LineBatch): all
//! slots first, then all cells, so that the memory accesses of a batch overlap.

use super::line_count::LineCount;
use super::slice::{self, LineBatch, LineSlice, MAX_BATCH_LINES, PREFIX_WORDS, Prefix};
use crate::source_position::SourcePosition;

/// The maximum number of cells. A stream with more distinct lines gains little from a cache.
const MAX_CELLS: usize = 1 << 17;

/// The maximum sum of all counts before they are drained, so that no count overflows 32 bits.
const MAX_COUNTED: u64 = 1 << 31;

#[derive(Debug, Default)]
pub(crate) struct LineCache {
    /// A hash table whose length is a power of two, at most half in use. A slot holds the number of
    /// the line's cell plus one and, in the upper bits, bits of the line's hash; 0 is free.
    slots: Vec<u32>,
    cells: Vec<Cell>,
    /// All cached lines.
    lines: Vec<CachedLine>,
    counted: u64,
    /// The last block that lines were counted in.
    block: Option<SourcePosition>,
}

/// A line that fits, or the first part of one. The rest is in the next cells, padded with at least
/// one zero.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Cell {
    alert: u32,
    count: u32,
    last: SourcePosition,
    text: Prefix,
}

#[derive(Debug, Clone, Copy)]
struct CachedLine {
    cell: u32,
    hash: u32,
}

/// The number of bytes of a line's rest in one cell.
const CELL_BYTES: usize = 8 * PREFIX_WORDS;

/// The number of bits of a slot that hold the cell's number.
const CELL_NUMBER_BITS: u32 = MAX_CELLS.ilog2() + 1;

impl LineCache {
    /// Starts the block after `before`. Returns whether it precedes a block whose lines were
    /// counted.
    ///
    /// Counts carry no first position, since a line enters the cache at its first position. That
    /// holds while blocks come in the order of the input. Otherwise the counts must be
    /// [drained](LineCache::drain_counts) and the cache [cleared](LineCache::clear).
    pub(crate) fn starts_earlier_block(&mut self, before: SourcePosition) -> bool {
        self.block.replace(before).is_some_and(|block| before < block)
    }

    /// Whether a block of another source begins. Then the counts must be
    /// [drained](LineCache::drain_counts).
    pub(crate) fn is_other_source(&self, before: SourcePosition) -> bool {
        self.block.is_some_and(|block| block.source() != before.source())
    }

    /// Whether the counts must be [drained](LineCache::drain_counts) before more lines are counted.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.counted >= MAX_COUNTED
    }

    /// Counts the lines of a batch that are cached. Returns a bit for each line that is not. The
    /// block begins after `before`.
    pub(crate) fn count_all(&mut self, batch: &LineBatch<'_>, before: SourcePosition) -> u32 {
        let slices = batch.slices();
        let all = ((1u64 << slices.len()) - 1) as u32;
        let Some(mask) = self.slots.len().checked_sub(1) else { return all };
        let before = before.plus_lines(batch.first);
        let mut slots = [0; MAX_BATCH_LINES];
        for (slot, slice) in slots.iter_mut().zip(slices) {
            *slot = self.slots[slice.hash as usize & mask];
        }
        // Reading one field of a cell fetches the whole cell.
        let mut fetched = 0;
        for slot in &slots[..slices.len()] {
            fetched |= self.cells.get(number(*slot)).map_or(0, |cell| cell.alert);
        }
        std::hint::black_box(fetched);
        let mut unknown = 0;
        for (at, slice) in slices.iter().enumerate() {
            let found = match slots[at] {
                0 => None,
                slot if tag(slot) == tag_of(slice.hash) && self.is_at(number(slot), slice) => {
                    Some(number(slot))
                }
                // The slot of another line; the next slots may hold this one.
                _ => self.find(slice),
            };
            match found {
                Some(number) => self.add(number, before.plus_lines(at as u64)),
                None => unknown |= 1 << at,
            }
        }
        unknown
    }

    /// Counts the line if it is cached. Returns whether it is.
    pub(crate) fn count(&mut self, slice: &LineSlice<'_>, position: SourcePosition) -> bool {
        let found = self.find(slice);
        if let Some(number) = found {
            self.add(number, position);
        }
        found.is_some()
    }

    #[inline]
    fn add(&mut self, number: usize, position: SourcePosition) {
        let cell = &mut self.cells[number];
        cell.count += 1;
        cell.last = position;
        self.counted += 1;
    }

    #[inline]
    fn is_at(&self, number: usize, slice: &LineSlice<'_>) -> bool {
        self.cells.get(number).is_some_and(|cell| is_same(&cell.text, &slice.prefix))
            && slice.rest().is_none_or(|rest| self.is_rest(number + 1, rest))
    }

    fn is_rest(&self, number: usize, rest: &[u8]) -> bool {
        let cells = self.cells.get(number..).unwrap_or_default();
        parts(rest).zip(cells).filter(|(part, cell)| *part == cell.text).count()
            == rest.len() / CELL_BYTES + 1
    }

    fn find(&self, slice: &LineSlice<'_>) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = slice.hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if tag(slot) == tag_of(slice.hash) && self.is_at(number(slot), slice) {
                return Some(number(slot));
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a line that is not cached yet, without counting it.
    pub(crate) fn insert(&mut self, slice: &LineSlice<'_>, alert: u32) {
        let rest = slice.rest();
        if self.cells.len() + rest.map_or(1, |rest| rest.len() / CELL_BYTES + 2) > MAX_CELLS {
            return;
        }
        let cell = self.cells.len() as u32;
        let of = |text| Cell { alert, count: 0, last: SourcePosition::new(0, 0, 0), text };
        self.cells.push(of(slice.prefix));
        self.cells.extend(rest.into_iter().flat_map(parts).map(of));
        self.lines.push(CachedLine { cell, hash: slice.hash });
        if self.slots.len() < 2 * self.lines.len() {
            self.slots = vec![0; (self.slots.len() * 2).max(1 << 10)];
            for at in 0..self.lines.len() {
                self.fill_slot(self.lines[at]);
            }
        } else {
            self.fill_slot(CachedLine { cell, hash: slice.hash });
        }
    }

    fn fill_slot(&mut self, line: CachedLine) {
        let mask = self.slots.len() - 1;
        let mut at = line.hash as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = tag_of(line.hash) << CELL_NUMBER_BITS | (line.cell + 1);
    }

    /// Passes each count to `to`, and resets it.
    pub(crate) fn drain_counts(&mut self, mut to: impl FnMut(u32, LineCount)) {
        self.counted = 0;
        for line in &self.lines {
            let cell = &mut self.cells[line.cell as usize];
            if cell.count > 0 {
                to(
                    cell.alert,
                    LineCount { count: cell.count.into(), first: SourcePosition::MAX, last: cell.last },
                );
                cell.count = 0;
            }
        }
    }

    /// Drops all lines. Their counts must be drained before.
    pub(crate) fn clear(&mut self) {
        *self = Self { block: self.block, ..Self::default() };
    }
}

/// Compares inline, where `==` would call memcmp.
#[inline]
fn is_same(one: &Prefix, other: &Prefix) -> bool {
    one.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}

/// The rest of a line, cell by cell.
fn parts(rest: &[u8]) -> impl Iterator<Item = Prefix> {
    (0..=rest.len() / CELL_BYTES).map(|at| {
        let part = &rest[at * CELL_BYTES..rest.len().min((at + 1) * CELL_BYTES)];
        let mut padded = [b'\n'; CELL_BYTES];
        padded[..part.len()].copy_from_slice(part);
        slice::words(&padded)
    })
}

/// The number of the slot's cell; of a free slot, a number that no cell has.
#[inline]
fn number(slot: u32) -> usize {
    (slot & ((1 << CELL_NUMBER_BITS) - 1)).wrapping_sub(1) as usize
}

#[inline]
fn tag(slot: u32) -> u32 {
    slot >> CELL_NUMBER_BITS
}

/// The upper bits of the hash, since the lower ones choose the slot.
#[inline]
fn tag_of(hash: u32) -> u32 {
    hash >> CELL_NUMBER_BITS
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Law: the count of a line is the number of its occurrences since it was added, whatever
        /// its length and whichever lines share its prefix.
        #[test]
        fn lines_are_counted_each_for_itself(
            lines in prop::collection::vec(("[ab]{0,3}", prop::sample::select(vec![0, 44, 45, 46, 47, 48, 93, 94, 95, 96])), 1..400),
        ) {
            let lines: Vec<String> = lines.into_iter().map(|(end, len)| format!("{}{end}", "-".repeat(len))).collect();
            let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let mut cache = LineCache::default();
            let mut numbers: HashMap<&[u8], u32> = HashMap::new();
            let mut batch = LineBatch::new();
            let mut rest = input.as_bytes();
            while !rest.is_empty() {
                rest = batch.fill(rest);
                let unknown = cache.count_all(&batch, SourcePosition::new(0, 0, 0));
                for (at, (number, slice)) in batch.iter().enumerate() {
                    if unknown >> at & 1 == 1 && !cache.count(slice, SourcePosition::new(0, 0, number)) {
                        let next = numbers.len() as u32;
                        cache.insert(slice, *numbers.entry(slice.line).or_insert(next));
                    }
                }
            }
            let mut want: HashMap<&str, (u64, u64)> = HashMap::new();
            for (at, line) in lines.iter().enumerate() {
                let expected = want.entry(line).or_default();
                *expected = (expected.0 + 1, at as u64 + 1);
            }
            let mut counted: HashMap<u32, LineCount> = HashMap::new();
            cache.drain_counts(|alert, count| { counted.insert(alert, count); });
            for (line, number) in numbers {
                let (count, last) = want[std::str::from_utf8(line).unwrap()];
                let counted = counted.get(&number);
                // The first occurrence was added and not counted.
                prop_assert_eq!(counted.map_or(0, |counted| counted.count), count - 1);
                prop_assert!(counted.is_none_or(|counted| counted.last == SourcePosition::new(0, 0, last)));
            }
        }
    }
}
