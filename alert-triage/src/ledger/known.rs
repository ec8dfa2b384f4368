//! Plain lines seen before, byte for byte: most lines of a stream repeat, and need not be parsed again.

use hashbrown::HashTable;

use super::entry::Plain;
use crate::place::Place;

/// Lines remembered; a stream with more distinct ones gains little from remembering.
const LINES: usize = 1 << 18;

/// Bytes of lines remembered.
const BYTES: usize = 16 << 20;

#[derive(Debug, Default)]
pub(crate) struct Known {
    table: HashTable<u32>,
    lines: Vec<Line>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Line {
    start: u32,
    len: u32,
    hash: u32,
    entry: u32,
    plain: Plain,
}

impl Known {
    /// Counts the line if it is known.
    #[inline]
    pub(crate) fn count(&mut self, hash: u64, line: &[u8], place: Place) -> bool {
        let Self { table, lines, bytes } = self;
        let found = table.find(hash, |&at| {
            let known = &lines[at as usize];
            known.hash == hash as u32
                && known.len as usize == line.len()
                && &bytes[known.start as usize..][..line.len()] == line
        });
        let Some(&at) = found else { return false };
        let plain = &mut lines[at as usize].plain;
        plain.count += 1;
        plain.first = plain.first.min(place);
        plain.last = plain.last.max(place);
        true
    }

    /// Remembers what a line is; not counted by that.
    pub(crate) fn learn(&mut self, hash: u64, line: &[u8], entry: u32) {
        if self.lines.len() >= LINES || self.bytes.len() + line.len() > BYTES {
            return;
        }
        let at = self.lines.len() as u32;
        self.lines.push(Line {
            start: self.bytes.len() as u32,
            len: line.len() as u32,
            hash: hash as u32,
            entry,
            plain: Plain::default(),
        });
        self.bytes.extend_from_slice(line);
        let lines = &self.lines;
        // The upper half of the hash places it, the lower half is compared; a table that grows hashes its lines anew.
        let bytes = &self.bytes;
        self.table.insert_unique(hash, at, |&at| {
            let line = &lines[at as usize];
            super::hash(&bytes[line.start as usize..][..line.len as usize])
        });
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
        self.table.clear();
        self.lines.clear();
        self.bytes.clear();
    }
}
