//! What an engine adds up cannot be taken apart again: for whoever has to look back at single records, it keeps what it
//! is asked to keep.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::fault::Fault;
use crate::format::Format;
use crate::identity::IdentityParts;
use crate::record::{Record, Status};
use crate::source_position::SourcePosition;

/// Places kept of one alert, from either end.
const MAX_POSITIONS: usize = 32;

/// Records kept of one line; a payload of any number of alerts may stand on one.
const MAX_RECORDS_PER_LINE: usize = 64;

#[derive(Debug)]
pub(crate) enum RecordTrace {
    /// Every record.
    All(Vec<(SourcePosition, Record<'static>)>),
    /// What stands on one line, or before it.
    Line(LineTrace),
    /// Where the records of these alerts stand, by their keys.
    Alerts(BTreeMap<Box<[u8]>, RecordPositions>),
}

/// What one line holds; of a document, whose alerts go over many lines, what began last at that line.
#[derive(Debug, Clone)]
pub(crate) struct LineTrace {
    pub(crate) wanted: SourcePosition,
    /// What its source is read as.
    pub(crate) format: Option<Format>,
    /// Where what was found stands.
    pub(crate) at: Option<SourcePosition>,
    pub(crate) records: Vec<TracedRecord>,
    /// Records beyond those kept.
    pub(crate) more: u64,
    pub(crate) fault: Option<Fault>,
}

/// One record, and the identity that it was given.
#[derive(Debug, Clone)]
pub(crate) struct TracedRecord {
    pub(crate) record: Record<'static>,
    /// Empty for an end that names only a key.
    pub(crate) key: Box<[u8]>,
    pub(crate) same: RepeatKey,
}

/// What a repeat repeats: label set, start and state.
pub(crate) type RepeatKey = (Box<[u8]>, Option<Timestamp>, Status);

/// Where an alert's records stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordPositions {
    pub(crate) records: u64,
    pub(crate) first: BTreeSet<SourcePosition>,
    pub(crate) last: BTreeSet<SourcePosition>,
    /// The first record of each kind asked for.
    pub(crate) first_of: BTreeMap<RepeatKey, Option<SourcePosition>>,
}

impl RecordTrace {
    pub(crate) fn line(wanted: SourcePosition) -> Self {
        RecordTrace::Line(LineTrace::of(wanted))
    }

    /// `first_of`: records of which the first is to be found as well.
    pub(crate) fn alerts<'k>(keys: impl IntoIterator<Item = &'k [u8]>, first_of: &[TracedRecord]) -> Self {
        let mut alerts: BTreeMap<Box<[u8]>, RecordPositions> =
            keys.into_iter().map(|key| (key.into(), RecordPositions::default())).collect();
        for taken in first_of {
            let evidence = alerts.entry(taken.key.clone()).or_default();
            evidence.first_of.insert(taken.same.clone(), None);
        }
        RecordTrace::Alerts(alerts)
    }

    /// Asks for the same, and has nothing yet.
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
            // Siblings ask for the same.
            _ => {}
        }
    }
}

impl LineTrace {
    fn of(wanted: SourcePosition) -> Self {
        Self { wanted, format: None, at: None, records: Vec::new(), more: 0, fault: None }
    }

    /// The last place up to the one wanted, in its source, is the one.
    fn accepts(&mut self, position: SourcePosition) -> bool {
        if position > self.wanted
            || position.source() != self.wanted.source()
            || self.at.is_some_and(|at| position < at)
        {
            return false;
        }
        if self.at.is_none_or(|at| at < position) {
            *self = LineTrace { at: Some(position), format: self.format, ..LineTrace::of(self.wanted) };
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
