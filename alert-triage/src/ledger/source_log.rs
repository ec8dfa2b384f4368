//! What each source gave: whether any record, how many faults, and how it begins.

use std::collections::BTreeMap;

use crate::source_position::SourcePosition;

/// Bytes at the start of a source that are kept to describe it.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// Blocks of a source whose start is kept. Real blocks are longer than a head.
const MAX_HEAD_BLOCKS: usize = 64;

/// One entry for each source, by its number.
#[derive(Debug, Default, Clone)]
pub(crate) struct SourceLog {
    has_records: Vec<bool>,
    faults: BTreeMap<(usize, &'static str), u64>,
    /// By source and block, as long as no record of the source is known.
    heads: BTreeMap<(usize, usize), Vec<u8>>,
}

impl SourceLog {
    /// Notes that the source gave a record.
    pub(crate) fn note_record(&mut self, source: usize) {
        if let Some(has_records) = self.has_records.get_mut(source) {
            *has_records = true;
        } else {
            self.has_records.resize(source + 1, false);
            self.has_records[source] = true;
        }
    }

    pub(crate) fn note_fault(&mut self, source: usize, kind: &'static str) {
        *self.faults.entry((source, kind)).or_default() += 1;
    }

    /// Keeps the start of a block before it is read. A block may be read in parts.
    pub(crate) fn note_start(&mut self, position: SourcePosition, input: &[u8]) {
        let (source, block) = (position.source(), position.block());
        if block < MAX_HEAD_BLOCKS && !self.has_record(source) {
            let head = self.heads.entry((source, block)).or_default();
            let room = MAX_HEAD_BYTES.saturating_sub(head.len());
            head.extend_from_slice(&input[..input.len().min(room)]);
        }
    }

    /// Forgets the start of a source of which something was read.
    pub(crate) fn note_end(&mut self, source: usize) {
        if self.has_record(source) && !self.heads.is_empty() {
            self.heads.retain(|(of, _), _| *of != source);
        }
    }

    fn head(&self, source: usize) -> Vec<u8> {
        let mut head = Vec::new();
        for (_, part) in self.heads.range((source, 0)..=(source, usize::MAX)) {
            head.extend_from_slice(part);
        }
        head.truncate(MAX_HEAD_BYTES);
        head
    }

    fn has_record(&self, source: usize) -> bool {
        self.has_records.get(source).copied().unwrap_or(false)
    }

    /// The sources with faults and without any record, each with its start. An empty list has
    /// neither.
    pub(crate) fn unread(&self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let mut last = None;
        let sources = self.faults.keys().map(|(source, _)| *source);
        sources
            .filter(move |source| last.replace(*source) != Some(*source))
            .filter(|source| !self.has_record(*source))
            .map(|source| (source, self.head(source)))
    }

    /// Whether the source has faults and no record.
    pub(crate) fn is_unread(&self, source: usize) -> bool {
        !self.has_record(source) && self.faults_of(source) > 0
    }

    /// The number of faults of a source.
    pub(crate) fn faults_of(&self, source: usize) -> u64 {
        self.faults
            .range((source, "")..)
            .take_while(|((of, _), _)| *of == source)
            .map(|(_, count)| count)
            .sum()
    }

    /// The number of faults by kind, of the sources that `keep` selects.
    pub(crate) fn faults_by_kind(&self, keep: impl Fn(usize) -> bool) -> BTreeMap<&'static str, u64> {
        let mut by_kind = BTreeMap::new();
        for ((source, kind), count) in &self.faults {
            if keep(*source) {
                *by_kind.entry(*kind).or_default() += count;
            }
        }
        by_kind
    }

    pub(crate) fn merge(&mut self, other: SourceLog) {
        for (source, _) in other.has_records.iter().enumerate().filter(|(_, has_records)| **has_records) {
            self.note_record(source);
        }
        for (key, count) in other.faults {
            *self.faults.entry(key).or_default() += count;
        }
        self.heads.extend(other.heads);
        let has_records = &self.has_records;
        self.heads.retain(|(source, _), _| !has_records.get(*source).copied().unwrap_or(false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_unread_if_it_has_faults_alone() {
        let mut log = SourceLog::default();
        log.note_start(SourcePosition::new(0, 0, 0), b"non");
        log.note_start(SourcePosition::new(0, 1, 0), b"sense");
        log.note_fault(0, "no-template");
        log.note_fault(0, "not-utf8");
        log.note_start(SourcePosition::new(2, 0, 0), b"[]");
        log.note_record(3);
        log.note_fault(3, "no-template");
        assert_eq!(log.unread().collect::<Vec<_>>(), [(0, b"nonsense".to_vec())]);
        assert_eq!((log.faults_of(0), log.faults_of(2), log.faults_of(3)), (2, 0, 1));
        let mut other = SourceLog::default();
        other.note_record(0);
        log.merge(other);
        assert_eq!(log.unread().count(), 0, "another thread read a record of it");
    }
}
