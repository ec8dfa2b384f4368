//! Single records that an engine keeps on request, since its sums cannot be taken apart again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::fault::Fault;
use crate::format::Format;
use crate::identity::IdentityParts;
use crate::record::{Record, Status};
use crate::source_position::SourcePosition;

/// At most this number of first, and of last, positions is kept per alert.
const MAX_POSITIONS: usize = 32;

/// At most this number of records is kept per line; a line may hold a payload of any number of
/// alerts.
const MAX_RECORDS_PER_LINE: usize = 64;

#[derive(Debug)]
pub(crate) enum RecordTrace {
    /// Every record.
    All(Vec<(SourcePosition, Record<'static>)>),
    /// The records of one line, or of the last line before it that has any.
    Line(LineTrace),
    /// The positions of the records of these alerts, by their keys.
    Alerts(BTreeMap<Box<[u8]>, RecordPositions>),
}

/// The records of one line. In a document, whose alerts span lines, the records that begin last up
/// to that line.
#[derive(Debug, Clone)]
pub(crate) struct LineTrace {
    pub(crate) wanted: SourcePosition,
    /// The format of its source.
    pub(crate) format: Option<Format>,
    /// The position of the records found.
    pub(crate) at: Option<SourcePosition>,
    pub(crate) records: Vec<TracedRecord>,
    /// The number of records above the limit.
    pub(crate) more: u64,
    pub(crate) fault: Option<Fault>,
}

/// One record and its identity.
#[derive(Debug, Clone)]
pub(crate) struct TracedRecord {
    pub(crate) record: Record<'static>,
    /// Empty for an end that names only a key.
    pub(crate) key: Box<[u8]>,
    pub(crate) same: RepeatKey,
}

/// What is equal in a repeat: label set, start and state.
pub(crate) type RepeatKey = (Box<[u8]>, Option<Timestamp>, Status);

/// The positions of an alert's records.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordPositions {
    pub(crate) records: u64,
    pub(crate) first: BTreeSet<SourcePosition>,
    pub(crate) last: BTreeSet<SourcePosition>,
    /// The first position of each record that was asked for.
    pub(crate) first_of: BTreeMap<RepeatKey, Option<SourcePosition>>,
}

impl RecordTrace {
    pub(crate) fn line(wanted: SourcePosition) -> Self {
        RecordTrace::Line(LineTrace::new(wanted))
    }

    /// A trace of these alerts, which also finds the first delivery of each record in `first_of`.
    pub(crate) fn alerts<'k>(keys: impl IntoIterator<Item = &'k [u8]>, first_of: &[TracedRecord]) -> Self {
        let mut alerts: BTreeMap<Box<[u8]>, RecordPositions> =
            keys.into_iter().map(|key| (key.into(), RecordPositions::default())).collect();
        for taken in first_of {
            let evidence = alerts.entry(taken.key.clone()).or_default();
            evidence.first_of.insert(taken.same.clone(), None);
        }
        RecordTrace::Alerts(alerts)
    }

    /// An empty trace of the same subject.
    pub(crate) fn blank(&self) -> Self {
        match self {
            RecordTrace::All(_) => RecordTrace::All(Vec::new()),
            RecordTrace::Line(line) => RecordTrace::line(line.wanted),
            RecordTrace::Alerts(alerts) => {
                let blank = |evidence: &RecordPositions| RecordPositions {
                    first_of: evidence.first_of.keys().map(|same| (same.clone(), None)).collect(),
                    ..RecordPositions::default()
                };
                RecordTrace::Alerts(
                    alerts.iter().map(|(key, evidence)| (key.clone(), blank(evidence))).collect(),
                )
            }
        }
    }

    pub(crate) fn format(&mut self, source: usize, format: Format) {
        if let RecordTrace::Line(line) = self
            && line.wanted.source() == source
        {
            line.format = Some(format);
        }
    }

    pub(crate) fn record(&mut self, position: SourcePosition, record: &Record<'_>, parts: &IdentityParts) {
        match self {
            RecordTrace::All(all) => all.push((position, record.clone().into_owned())),
            RecordTrace::Line(line) => {
                if !line.accepts(position) {
                    return;
                }
                if line.records.len() == MAX_RECORDS_PER_LINE {
                    line.more += 1;
                    return;
                }
                let (key, same) = (parts.key.0.as_slice().into(), same(record, parts));
                line.records.push(TracedRecord { record: record.clone().into_owned(), key, same });
            }
            RecordTrace::Alerts(alerts) => {
                let Some(evidence) = alerts.get_mut(parts.key.0.as_slice()) else { return };
                evidence.records += 1;
                evidence.first.insert(position);
                evidence.last.insert(position);
                evidence.bound();
                if !evidence.first_of.is_empty()
                    && let Some(first) = evidence.first_of.get_mut(&same(record, parts))
                {
                    *first = Some(first.map_or(position, |first| first.min(position)));
                }
            }
        }
    }

    pub(crate) fn fault(&mut self, position: SourcePosition, fault: &Fault) {
        if let RecordTrace::Line(line) = self
            && line.accepts(position)
        {
            line.fault.get_or_insert_with(|| fault.clone());
        }
    }

    pub(crate) fn merge(&mut self, other: RecordTrace) {
        match (self, other) {
            (RecordTrace::All(all), RecordTrace::All(theirs)) => all.extend(theirs),
            (RecordTrace::Line(line), RecordTrace::Line(theirs)) => {
                line.format = line.format.or(theirs.format);
                let Some(at) = theirs.at else { return };
                if line.accepts(at) {
                    line.records.extend(theirs.records);
                    line.more += theirs.more;
                    line.fault = line.fault.take().or(theirs.fault);
                }
            }
            (RecordTrace::Alerts(alerts), RecordTrace::Alerts(theirs)) => {
                for (key, evidence) in theirs {
                    alerts.entry(key).or_default().merge(evidence);
                }
            }
            // Siblings trace the same subject.
            _ => {}
        }
    }
}

impl LineTrace {
    fn new(wanted: SourcePosition) -> Self {
        Self { wanted, format: None, at: None, records: Vec::new(), more: 0, fault: None }
    }

    /// Whether the position is the last one so far, up to the wanted one.
    fn accepts(&mut self, position: SourcePosition) -> bool {
        if position > self.wanted
            || position.source() != self.wanted.source()
            || self.at.is_some_and(|at| position < at)
        {
            return false;
        }
        if self.at.is_none_or(|at| at < position) {
            *self = LineTrace { at: Some(position), format: self.format, ..LineTrace::new(self.wanted) };
        }
        true
    }
}

impl RecordPositions {
    fn bound(&mut self) {
        while self.first.len() > MAX_POSITIONS {
            self.first.pop_last();
        }
        while self.last.len() > MAX_POSITIONS {
            self.last.pop_first();
        }
    }

    fn merge(&mut self, other: RecordPositions) {
        self.records += other.records;
        self.first.extend(other.first);
        self.last.extend(other.last);
        self.bound();
        for (same, position) in other.first_of {
            let mine = self.first_of.entry(same).or_default();
            *mine = [*mine, position].into_iter().flatten().min();
        }
    }
}

fn same(record: &Record<'_>, parts: &IdentityParts) -> RepeatKey {
    (
        parts.label_set.0.as_slice().into(),
        record.starts.or(record.time.filter(|_| record.keyed)),
        record.status,
    )
}
