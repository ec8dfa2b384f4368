//! Plain lines seen before, byte for byte: most lines of a stream repeat, and need not be parsed again.
//!
//! Nearly all the time of a long input is spent here, waiting for memory: slot, line and bytes lie apart and each hangs
//! on the one before. So lines are looked up a [batch](Batch) at a time, all slots first, then all lines, then all
//! bytes: the waiting is done once for the batch.

use super::entry::Plain;
use crate::place::Place;

/// Lines remembered; a stream with more distinct ones gains little from remembering.
const LINES: usize = 1 << 17;

/// Bytes of lines remembered.
const BYTES: usize = 12 << 20;

/// Lines looked up at once.
pub(crate) const BATCH: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// A power of two of them, at most half in use: one more than the number of the line, and in the upper bits some of
    /// the line's hash; 0 is free.
    slots: Vec<u32>,
    lines: Vec<Line>,
    /// Each line with a line end behind it, which no line contains: a look-up needs no length.
    bytes: Vec<u8>,
}

/// Half of what a processor fetches at once.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    start: u32,
    entry: u32,
    plain: Plain,
}

/// Bits of a slot that number the line.
const NUMBER: u32 = LINES.ilog2() + 1;

/// Lines to be looked up together.
#[derive(Debug)]
pub(crate) struct Batch<'l> {
    len: usize,
    lines: [&'l [u8]; BATCH],
    hashes: [u64; BATCH],
    /// Number of the first line, in its block; the others follow.
    first: u64,
}

impl<'l> Batch<'l> {
    pub(crate) fn new() -> Self {
        Self { len: 0, lines: [&[]; BATCH], hashes: [0; BATCH], first: 1 }
    }

    /// Adds the next line; true if there is no room for another.
    #[inline]
    pub(crate) fn push(&mut self, line: &'l [u8]) -> bool {
        let at = self.len % BATCH;
        self.lines[at] = line;
        self.hashes[at] = super::hash(line);
        self.len = at + 1;
        self.len == BATCH
    }

    /// Empties it; lines go on behind its last one.
    pub(crate) fn clear(&mut self) {
        self.first += self.len as u64;
        self.len = 0;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64, &'l [u8])> {
        (0..self.len).map(|at| (self.first + at as u64, self.hashes[at], self.lines[at]))
    }
}

impl Known {
    /// Counts the lines of a batch that are known; answers a bit for each that is not. The block begins below `before`.
    pub(crate) fn count_all(&mut self, batch: &Batch<'_>, before: Place) -> u32 {
        let before = before.down(batch.first);
        let all = ((1u64 << batch.len) - 1) as u32;
        if self.slots.is_empty() {
            return all;
        }
        let mask = self.slots.len() - 1;
        let mut slots = [0; BATCH];
        for (slot, hash) in slots.iter_mut().zip(&batch.hashes) {
            *slot = self.slots[*hash as usize & mask];
        }
        let mut starts = [0; BATCH];
        for (start, slot) in starts.iter_mut().zip(&slots) {
            *start = self.lines.get(number(*slot)).map_or(0, |line| line.start);
        }
        let mut unknown = 0;
        for at in 0..batch.len {
            let line = batch.lines[at];
            let is_it =
                tag(slots[at]) == tag_of(batch.hashes[at]) && slots[at] != 0 && self.is_at(starts[at], line);
            let found = match is_it {
                true => Some(number(slots[at])),
                // Another line's slot; the next ones may hold it.
                false if slots[at] != 0 => self.find(batch.hashes[at], line),
                false => None,
            };
            match found {
                Some(number) => self.add(number, before.down(at as u64)),
                None => unknown |= 1 << at,
            }
        }
        unknown
    }

    /// Counts the line if it is known.
    pub(crate) fn count(&mut self, hash: u64, line: &[u8], place: Place) -> bool {
        let found = self.find(hash, line);
        if let Some(number) = found {
            self.add(number, place);
        }
        found.is_some()
    }

    #[inline]
    fn add(&mut self, number: usize, place: Place) {
        let plain = &mut self.lines[number].plain;
        plain.count += 1;
        plain.first = plain.first.min(place);
        plain.last = plain.last.max(place);
    }

    #[inline]
    fn is_at(&self, start: u32, line: &[u8]) -> bool {
        let from = start as usize;
        self.bytes.get(from + line.len()) == Some(&b'\n') && &self.bytes[from..from + line.len()] == line
    }

    fn find(&self, hash: u64, line: &[u8]) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if tag(slot) == tag_of(hash) && self.is_at(self.lines[number(slot)].start, line) {
                return Some(number(slot));
            }
            at = (at + 1) & mask;
        }
    }

    /// Remembers what a line is; not counted by that. It must not be known.
    pub(crate) fn learn(&mut self, hash: u64, line: &[u8], entry: u32) {
        if self.lines.len() >= LINES || self.bytes.len() + line.len() >= BYTES {
            return;
        }
        if self.slots.len() < 2 * (self.lines.len() + 1) {
            self.grow();
        }
        self.lines.push(Line { start: self.bytes.len() as u32, entry, plain: Plain::default() });
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
        self.place(hash, self.lines.len() - 1);
    }

    fn place(&mut self, hash: u64, number: usize) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = tag_of(hash) << NUMBER | (number + 1) as u32;
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(1 << 10)];
        let mut start = 0;
        for number in 0..self.lines.len() {
            let end = self.lines.get(number + 1).map_or(self.bytes.len(), |next| next.start as usize);
            let hash = super::hash(&self.bytes[start..end - 1]);
            self.place(hash, number);
            start = end;
        }
    }

    /// Hands over what was counted, and counts from zero.
    pub(crate) fn settle(&mut self, mut to: impl FnMut(u32, Plain)) {
        for line in &mut self.lines {
            if line.plain.count > 0 {
                to(line.entry, std::mem::take(&mut line.plain));
            }
        }
    }

    /// Forgets all lines; what was counted must be settled before.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Of the line that a slot in use names; of a free one, none.
#[inline]
fn number(slot: u32) -> usize {
    (slot & ((1 << NUMBER) - 1)).wrapping_sub(1) as usize
}

#[inline]
fn tag(slot: u32) -> u32 {
    slot >> NUMBER
}

/// The upper bits, since the lower ones choose the slot.
#[inline]
fn tag_of(hash: u64) -> u32 {
    (hash >> (32 + NUMBER)) as u32
}
