//! One alert: what all records of one identity add up to.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::heard::Heard;
use super::plain::Plain;
use super::set::{Seen, Set};
use super::sorted::Sorted;
use crate::hashing::hash;
use crate::identity::{Identity, Key, Split, source_key};
use crate::place::Place;
use crate::record::{Record, Status};

/// Dropped values kept of one alert.
const EXAMPLES: usize = 5;

/// Label sets of one alert that are told apart; the pods of a very large workload.
const SETS: usize = 4_096;

/// Small, for there may be a million of them.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Box<[u8]>,
    pub(crate) hash: u64,
    /// Records with nothing but their place: plain lines.
    pub(crate) plain: Plain,
    /// Class of the severity, which is the identity's and the rules' alone.
    pub(crate) class: u8,
    /// When its plain lines arrived, if anybody listened.
    pub(crate) heard: Heard,
    pub(crate) more: Option<Box<More>>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct More {
    pub(crate) examples: Vec<(Place, Box<str>)>,
    pub(crate) sets: Sorted<Box<[u8]>, Box<Set>>,
    /// Of label sets beyond the limit.
    pub(crate) rest: Rest,
    /// Of label sets that are long over.
    pub(crate) over: Rest,
}

/// Label sets that are no longer told apart: counted, and taken for standing as long as they are heard of.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rest {
    pub(crate) records: u64,
    /// Those that repeat another.
    repeats: u64,
    pub(crate) seen: Option<Timestamp>,
    /// Of very few alerts.
    span: Option<Box<(Seen, Seen)>>,
}

impl Entry {
    pub(crate) fn new(key: &[u8], hash: u64, class: u8) -> Self {
        Self { key: key.into(), hash, class, plain: Plain::default(), heard: Heard::default(), more: None }
    }

    pub(crate) fn identity(&self) -> Identity<'_> {
        Identity::of(&self.key)
    }

    /// The same with another value of one label.
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
        place: Place,
        record: &Record<'_>,
        split: &Split,
        gap: SignedDuration,
        arrival: Option<Timestamp>,
    ) {
        if let (Status::Resolved, Some(at), true) = (record.status, arrival, split.set.0.is_empty()) {
            self.heard.restart(at);
        }
        let is_plain = record.status == Status::Event && record.time.is_none() && record.starts.is_none();
        if is_plain && split.set.0.is_empty() {
            self.plain.add(Plain { count: 1, first: place, last: place });
            if let Some(at) = arrival {
                self.heard.hear(at, gap);
            }
        } else {
            let more = self.more.get_or_insert_default();
            match more.set_mut(&split.set.0) {
                Some(set) => set.record(place, record, gap, arrival),
                None => {
                    let set = more.sets.or_default(split.set.0.as_slice().into());
                    set.record(place, record, gap, arrival);
                    more.fold();
                }
            }
        }
        for value in &split.dropped {
            self.more.get_or_insert_default().example(place, value);
        }
    }

    pub(crate) fn merge(&mut self, other: Entry, gap: SignedDuration) {
        self.plain.add(other.plain);
        self.heard.merge(other.heard, gap);
        let Some(theirs) = other.more else { return };
        let more = self.more.get_or_insert_default();
        for (place, example) in &theirs.examples {
            more.example(*place, example);
        }
        for (key, set) in theirs.sets {
            match more.set_mut(&key) {
                Some(mine) => mine.merge(*set, gap),
                None => *more.sets.or_default(key) = set,
            }
        }
        more.rest.merge(theirs.rest);
        more.over.merge(theirs.over);
        more.fold();
    }

    pub(crate) fn records(&self) -> u64 {
        self.plain.count
            + self.more.as_ref().map_or(0, |more| {
                more.rest.records
                    + more.over.records
                    + more.sets.values().map(|set| set.records()).sum::<u64>()
            })
    }

    pub(crate) fn repeats(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| {
            more.rest.repeats + more.over.repeats + more.sets.values().map(|set| set.repeats()).sum::<u64>()
        })
    }

    pub(crate) fn count(&self) -> u64 {
        self.records() - self.repeats()
    }

    pub(crate) fn sets(&self) -> impl Iterator<Item = (&[u8], &Set)> {
        self.more.iter().flat_map(|more| more.sets.iter().map(|(key, set)| (key.as_ref(), set.as_ref())))
    }

    /// By the keys by which their source joins its events.
    pub(crate) fn keyed_sets(&self) -> impl Iterator<Item = (&str, &Set)> {
        self.sets().filter_map(|(key, set)| Some((source_key(key)?, set)))
    }

    /// Counts those label sets, and tells them apart no more.
    pub(crate) fn retire(&mut self, sets: &[Box<[u8]>]) {
        let Some(more) = &mut self.more else { return };
        for key in sets {
            if let Some(set) = more.sets.remove(key) {
                more.over.merge(Rest::of(&set));
            }
        }
    }

    /// Earliest and latest record.
    pub(crate) fn span(&self) -> Option<(Seen, Seen)> {
        let plain = (self.plain.count > 0).then_some((
            Seen { at: None, place: self.plain.first },
            Seen { at: None, place: self.plain.last },
        ));
        let more = self.more.iter().flat_map(|more| {
            more.sets.values().filter_map(|set| set.span()).chain(more.rest.span()).chain(more.over.span())
        });
        more.chain(plain).reduce(|a, b| (a.0.earlier(b.0), a.1.later(b.1)))
    }
}

impl More {
    /// Most alerts have one label set, with an empty key; it comes first. An empty slice has no address, and comparing
    /// two of them costs more than all the rest of the look-up where memcmp loads by mask: such a load is assisted.
    fn set_mut(&mut self, key: &[u8]) -> Option<&mut Set> {
        if key.is_empty() {
            return self.sets.first_mut().filter(|(first, _)| first.is_empty()).map(|(_, set)| set.as_mut());
        }
        self.sets.get_mut(key).map(Box::as_mut)
    }

    /// The first values, each once, by place and then by value: in any order of arrival the same.
    fn example(&mut self, place: Place, value: &str) {
        let known = self.examples.iter().position(|(_, known)| known.as_ref() == value);
        match known {
            Some(at) if self.examples[at].0 <= place => return,
            Some(at) => {
                self.examples.remove(at);
            }
            None if self.examples.len() == EXAMPLES
                && self
                    .examples
                    .last()
                    .is_some_and(|(last, known)| (*last, known.as_ref()) < (place, value)) =>
            {
                return;
            }
            None => {}
        }
        let at = self.examples.partition_point(|(known, text)| (*known, text.as_ref()) < (place, value));
        self.examples.insert(at, (place, value.into()));
        self.examples.truncate(EXAMPLES);
    }

    /// The label sets with the smallest keys stay; which they are does not depend on the order.
    fn fold(&mut self) {
        while self.sets.len() > SETS {
            if let Some((_, set)) = self.sets.pop_last() {
                self.rest.merge(Rest::of(&set));
            }
        }
    }
}

impl Rest {
    fn span(&self) -> Option<(Seen, Seen)> {
        self.span.as_deref().copied()
    }

    fn of(set: &Set) -> Self {
        let (records, repeats) = (set.records(), set.repeats());
        Self { records, repeats, seen: set.seen.max(set.heard.last()), span: set.span().map(Box::new) }
    }

    fn merge(&mut self, other: Rest) {
        self.records += other.records;
        self.repeats += other.repeats;
        self.seen = self.seen.max(other.seen);
        self.span = match (self.span.take(), other.span) {
            (Some(a), Some(b)) => Some(Box::new((a.0.earlier(b.0), a.1.later(b.1)))),
            (a, b) => a.or(b),
        };
    }
}
