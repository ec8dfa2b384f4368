//! One alert: the sum of all records of one identity.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::arrival_span::ArrivalSpan;
use super::label_set_history::{LabelSetHistory, TimedPosition};
use super::newest::Newest;
use super::small_map::SmallMap;
use super::source_set::SourceSet;
use crate::hashing::hash;
use crate::identity::{Identity, IdentityParts, Key, source_key};
use crate::line_cache::LineCount;
use crate::record::{Record, Status};
use crate::source_position::SourcePosition;

/// At most this number of dropped values is kept per alert.
const MAX_EXAMPLES: usize = 5;

/// At most this number of label sets is distinguished per alert, such as the pods of a very large
/// workload.
const MAX_LABEL_SETS: usize = 4_096;

/// All records of one identity. The struct is small, since there may be a million of them.
#[derive(Debug, Clone)]
pub(crate) struct AlertEntry {
    pub(crate) key: Box<[u8]>,
    pub(crate) hash: u64,
    /// Plain lines: records with a position and nothing else.
    pub(crate) lines: LineCount,
    /// The class of the severity, which depends on the identity and the rules only.
    pub(crate) class: u8,
    /// The sources that reported it.
    pub(crate) sources: SourceSet,
    /// When the plain lines arrived, if arrival times are known.
    pub(crate) arrivals: ArrivalSpan,
    pub(crate) timed: Option<Box<TimedRecords>>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct TimedRecords {
    pub(crate) examples: Vec<(SourcePosition, Box<str>)>,
    pub(crate) label_sets: SmallMap<Box<[u8]>, Box<LabelSetHistory>>,
    /// Label sets above the limit.
    pub(crate) folded: Folded,
    /// Label sets that are retired.
    pub(crate) retired: Folded,
}

/// Label sets that are only counted, and taken for open while records arrive.
#[derive(Debug, Default, Clone)]
pub(crate) struct Folded {
    pub(crate) records: u64,
    /// Records that repeat another record.
    repeats: u64,
    pub(crate) last_seen: Option<Timestamp>,
    /// Boxed, since very few alerts have it.
    span: Option<Box<(TimedPosition, TimedPosition)>>,
}

impl AlertEntry {
    pub(crate) fn new(key: &[u8], hash: u64, class: u8) -> Self {
        Self {
            key: key.into(),
            hash,
            class,
            lines: LineCount::default(),
            sources: SourceSet::default(),
            arrivals: ArrivalSpan::default(),
            timed: None,
        }
    }

    pub(crate) fn identity(&self) -> Identity<'_> {
        Identity::from_key(&self.key)
    }

    /// The same alert with another value of one label.
    pub(crate) fn with_label(&self, label: &str, value: &str) -> Self {
        let identity = self.identity();
        let mut labels: BTreeMap<&str, &str> = identity.labels().collect();
        labels.insert(label, value);
        let mut key = Key::default();
        key.part(identity.alert);
        key.part(identity.text);
        for (name, value) in labels {
            key.part(name);
            key.part(value);
        }
        let hash = hash(&key.0);
        Self { key: key.0.into(), hash, ..self.clone() }
    }

    pub(crate) fn record(
        &mut self,
        position: SourcePosition,
        record: &Record<'_>,
        parts: &IdentityParts,
        gap: SignedDuration,
        arrival: Option<Timestamp>,
    ) {
        self.sources.add(position.source());
        if let (Status::Resolved, Some(at), true) = (record.status, arrival, parts.label_set.0.is_empty()) {
            self.arrivals.restart(at);
        }
        let is_plain = record.status == Status::Event && record.time.is_none() && record.starts.is_none();
        if is_plain && parts.label_set.0.is_empty() && !Newest::concerns(record) {
            self.lines.add(LineCount { count: 1, first: position, last: position });
            if let Some(at) = arrival {
                self.arrivals.extend(at, gap);
            }
        } else {
            let timed = self.timed.get_or_insert_default();
            match timed.label_set_mut(&parts.label_set.0) {
                Some(set) => set.record(position, record, gap, arrival),
                None => {
                    let set = timed.label_sets.or_default(parts.label_set.0.as_slice().into());
                    set.record(position, record, gap, arrival);
                    timed.fold_excess();
                }
            }
        }
        for value in &parts.dropped {
            self.timed.get_or_insert_default().add_example(position, value);
        }
    }

    pub(crate) fn merge(&mut self, other: AlertEntry, gap: SignedDuration) {
        self.sources.merge(other.sources);
        self.lines.add(other.lines);
        self.arrivals.merge(other.arrivals, gap);
        let Some(theirs) = other.timed else { return };
        let timed = self.timed.get_or_insert_default();
        for (position, example) in &theirs.examples {
            timed.add_example(*position, example);
        }
        for (key, set) in theirs.label_sets {
            match timed.label_set_mut(&key) {
                Some(mine) => mine.merge(*set, gap),
                None => *timed.label_sets.or_default(key) = set,
            }
        }
        timed.folded.merge(theirs.folded);
        timed.retired.merge(theirs.retired);
        timed.fold_excess();
    }

    pub(crate) fn records(&self) -> u64 {
        self.lines.count
            + self.timed.as_ref().map_or(0, |timed| {
                timed.folded.records
                    + timed.retired.records
                    + timed.label_sets.values().map(|set| set.records()).sum::<u64>()
            })
    }

    pub(crate) fn repeats(&self) -> u64 {
        self.timed.as_ref().map_or(0, |timed| {
            timed.folded.repeats
                + timed.retired.repeats
                + timed.label_sets.values().map(|set| set.repeats()).sum::<u64>()
        })
    }

    pub(crate) fn count(&self) -> u64 {
        self.records() - self.repeats()
    }

    pub(crate) fn label_sets(&self) -> impl Iterator<Item = (&[u8], &LabelSetHistory)> {
        self.timed
            .iter()
            .flat_map(|timed| timed.label_sets.iter().map(|(key, set)| (key.as_ref(), set.as_ref())))
    }

    /// Whether label sets were only counted, so that their positions are not known.
    pub(crate) fn has_folded_label_sets(&self) -> bool {
        self.timed.as_ref().is_some_and(|timed| timed.folded.records + timed.retired.records > 0)
    }

    /// Label sets that have a key of their source, by that key.
    pub(crate) fn keyed_label_sets(&self) -> impl Iterator<Item = (&str, &LabelSetHistory)> {
        self.label_sets().filter_map(|(key, set)| Some((source_key(key)?, set)))
    }

    /// Whether its severity is that of its newest record and not that of a label.
    pub(crate) fn has_own_severity(&self) -> bool {
        self.label_sets()
            .any(|(_, set)| set.newest.as_ref().is_some_and(|newest| newest.severity().is_some()))
    }

    /// The texts for people in the newest record that has any.
    pub(crate) fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        let newest = self.label_sets().filter_map(|(_, set)| set.newest.as_deref());
        newest.max_by(|a, b| a.cmp_annotations(b)).into_iter().flat_map(Newest::annotations)
    }

    /// Folds these label sets into one count.
    pub(crate) fn retire_label_sets(&mut self, sets: &[Box<[u8]>]) {
        let Some(timed) = &mut self.timed else { return };
        for key in sets {
            if let Some(set) = timed.label_sets.remove(key) {
                timed.retired.merge(Folded::from_history(&set));
            }
        }
    }

    /// The earliest and the latest record.
    pub(crate) fn span(&self) -> Option<(TimedPosition, TimedPosition)> {
        let plain = (self.lines.count > 0).then_some((
            TimedPosition { at: None, position: self.lines.first },
            TimedPosition { at: None, position: self.lines.last },
        ));
        let timed = self.timed.iter().flat_map(|timed| {
            timed
                .label_sets
                .values()
                .filter_map(|set| set.span())
                .chain(timed.folded.span())
                .chain(timed.retired.span())
        });
        timed.chain(plain).reduce(|a, b| (a.0.earlier(b.0), a.1.later(b.1)))
    }
}

impl TimedRecords {
    /// Most alerts have one label set, with an empty key, which sorts first. Comparing two empty
    /// slices is slow where memcmp uses masked loads, so the empty key has a path of its own.
    fn label_set_mut(&mut self, key: &[u8]) -> Option<&mut LabelSetHistory> {
        if key.is_empty() {
            return self
                .label_sets
                .first_mut()
                .filter(|(first, _)| first.is_empty())
                .map(|(_, set)| set.as_mut());
        }
        self.label_sets.get_mut(key).map(Box::as_mut)
    }

    /// Keeps the first distinct values, by position and then by value, whatever the order of
    /// arrival.
    fn add_example(&mut self, position: SourcePosition, value: &str) {
        let known = self.examples.iter().position(|(_, known)| known.as_ref() == value);
        match known {
            Some(at) if self.examples[at].0 <= position => return,
            Some(at) => {
                self.examples.remove(at);
            }
            None if self.examples.len() == MAX_EXAMPLES
                && self
                    .examples
                    .last()
                    .is_some_and(|(last, known)| (*last, known.as_ref()) < (position, value)) =>
            {
                return;
            }
            None => {}
        }
        let at = self.examples.partition_point(|(known, text)| (*known, text.as_ref()) < (position, value));
        self.examples.insert(at, (position, value.into()));
        self.examples.truncate(MAX_EXAMPLES);
    }

    /// Keeps the label sets with the smallest keys, whatever the order of arrival.
    fn fold_excess(&mut self) {
        while self.label_sets.len() > MAX_LABEL_SETS {
            if let Some((_, set)) = self.label_sets.pop_last() {
                self.folded.merge(Folded::from_history(&set));
            }
        }
    }
}

impl Folded {
    fn span(&self) -> Option<(TimedPosition, TimedPosition)> {
        self.span.as_deref().copied()
    }

    fn from_history(set: &LabelSetHistory) -> Self {
        let (records, repeats) = (set.records(), set.repeats());
        Self {
            records,
            repeats,
            last_seen: set.last_seen.max(set.arrivals.last()),
            span: set.span().map(Box::new),
        }
    }

    fn merge(&mut self, other: Folded) {
        self.records += other.records;
        self.repeats += other.repeats;
        self.last_seen = self.last_seen.max(other.last_seen);
        self.span = match (self.span.take(), other.span) {
            (Some(a), Some(b)) => Some(Box::new((a.0.earlier(b.0), a.1.later(b.1)))),
            (a, b) => a.or(b),
        };
    }
}
