//! What an engine adds up cannot be taken apart again: for whoever has to look back at single records, it keeps what it
//! is asked to keep.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::fault::Fault;
use crate::format::Format;
use crate::identity::Split;
use crate::place::Place;
use crate::record::{Record, Status};

/// Places kept of one alert, from either end.
const ENDS: usize = 32;

/// Records kept of one line; a payload of any number of alerts may stand on one.
const ON_A_LINE: usize = 64;

#[derive(Debug)]
pub(crate) enum Tape {
    /// Every record.
    All(Vec<(Place, Record<'static>)>),
    /// What stands on one line, or before it.
    Line(Line),
    /// Where the records of these alerts stand, by their keys.
    Alerts(BTreeMap<Box<[u8]>, Evidence>),
}

/// What one line holds; of a document, whose alerts go over many lines, what began last at that line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) wanted: Place,
    /// What its source is read as.
    pub(crate) format: Option<Format>,
    /// Where what was found stands.
    pub(crate) at: Option<Place>,
    pub(crate) records: Vec<Taken>,
    /// Records beyond those kept.
    pub(crate) more: u64,
    pub(crate) fault: Option<Fault>,
}

/// One record, and the identity that it was given.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) record: Record<'static>,
    /// Empty for an end that names only a key.
    pub(crate) key: Box<[u8]>,
    pub(crate) same: Same,
}

/// What a repeat repeats: label set, start and state.
pub(crate) type Same = (Box<[u8]>, Option<Timestamp>, Status);

/// Where an alert's records stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    pub(crate) records: u64,
    pub(crate) first: BTreeSet<Place>,
    pub(crate) last: BTreeSet<Place>,
    /// The first record of each kind asked for.
    pub(crate) first_of: BTreeMap<Same, Option<Place>>,
}

impl Tape {
    pub(crate) fn line(wanted: Place) -> Self {
        Tape::Line(Line::of(wanted))
    }

    /// `first_of`: records of which the first is to be found as well.
    pub(crate) fn alerts<'k>(keys: impl IntoIterator<Item = &'k [u8]>, first_of: &[Taken]) -> Self {
        let mut alerts: BTreeMap<Box<[u8]>, Evidence> =
            keys.into_iter().map(|key| (key.into(), Evidence::default())).collect();
        for taken in first_of {
            let evidence = alerts.entry(taken.key.clone()).or_default();
            evidence.first_of.insert(taken.same.clone(), None);
        }
        Tape::Alerts(alerts)
    }

    /// Asks for the same, and has nothing yet.
    pub(crate) fn blank(&self) -> Self {
        match self {
            Tape::All(_) => Tape::All(Vec::new()),
            Tape::Line(line) => Tape::line(line.wanted),
            Tape::Alerts(alerts) => {
                let blank = |evidence: &Evidence| Evidence {
                    first_of: evidence.first_of.keys().map(|same| (same.clone(), None)).collect(),
                    ..Evidence::default()
                };
                Tape::Alerts(alerts.iter().map(|(key, evidence)| (key.clone(), blank(evidence))).collect())
            }
        }
    }

    pub(crate) fn format(&mut self, source: usize, format: Format) {
        if let Tape::Line(line) = self
            && line.wanted.source() == source
        {
            line.format = Some(format);
        }
    }

    pub(crate) fn record(&mut self, place: Place, record: &Record<'_>, split: &Split) {
        match self {
            Tape::All(all) => all.push((place, record.clone().into_owned())),
            Tape::Line(line) => {
                if !line.comes_to(place) {
                    return;
                }
                if line.records.len() == ON_A_LINE {
                    line.more += 1;
                    return;
                }
                let (key, same) = (split.key.0.as_slice().into(), same(record, split));
                line.records.push(Taken { record: record.clone().into_owned(), key, same });
            }
            Tape::Alerts(alerts) => {
                let Some(evidence) = alerts.get_mut(split.key.0.as_slice()) else { return };
                evidence.records += 1;
                evidence.first.insert(place);
                evidence.last.insert(place);
                evidence.bound();
                if !evidence.first_of.is_empty()
                    && let Some(first) = evidence.first_of.get_mut(&same(record, split))
                {
                    *first = Some(first.map_or(place, |first| first.min(place)));
                }
            }
        }
    }

    pub(crate) fn fault(&mut self, place: Place, fault: &Fault) {
        if let Tape::Line(line) = self
            && line.comes_to(place)
        {
            line.fault.get_or_insert_with(|| fault.clone());
        }
    }

    pub(crate) fn merge(&mut self, other: Tape) {
        match (self, other) {
            (Tape::All(all), Tape::All(theirs)) => all.extend(theirs),
            (Tape::Line(line), Tape::Line(theirs)) => {
                line.format = line.format.or(theirs.format);
                let Some(at) = theirs.at else { return };
                if line.comes_to(at) {
                    line.records.extend(theirs.records);
                    line.more += theirs.more;
                    line.fault = line.fault.take().or(theirs.fault);
                }
            }
            (Tape::Alerts(alerts), Tape::Alerts(theirs)) => {
                for (key, evidence) in theirs {
                    alerts.entry(key).or_default().merge(evidence);
                }
            }
            // Siblings ask for the same.
            _ => {}
        }
    }
}

impl Line {
    fn of(wanted: Place) -> Self {
        Self { wanted, format: None, at: None, records: Vec::new(), more: 0, fault: None }
    }

    /// The last place up to the one wanted, in its source, is the one.
    fn comes_to(&mut self, place: Place) -> bool {
        if place > self.wanted
            || place.source() != self.wanted.source()
            || self.at.is_some_and(|at| place < at)
        {
            return false;
        }
        if self.at.is_none_or(|at| at < place) {
            *self = Line { at: Some(place), format: self.format, ..Line::of(self.wanted) };
        }
        true
    }
}

impl Evidence {
    fn bound(&mut self) {
        while self.first.len() > ENDS {
            self.first.pop_last();
        }
        while self.last.len() > ENDS {
            self.last.pop_first();
        }
    }

    fn merge(&mut self, other: Evidence) {
        self.records += other.records;
        self.first.extend(other.first);
        self.last.extend(other.last);
        self.bound();
        for (same, place) in other.first_of {
            let mine = self.first_of.entry(same).or_default();
            *mine = [*mine, place].into_iter().flatten().min();
        }
    }
}

fn same(record: &Record<'_>, split: &Split) -> Same {
    (split.set.0.as_slice().into(), record.starts.or(record.time.filter(|_| record.keyed)), record.status)
}
