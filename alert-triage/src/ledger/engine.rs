//! The engine: takes records, and knows what each alert adds up to.

use std::collections::{BTreeMap, BinaryHeap};

use hashbrown::HashTable;
use jiff::Timestamp;

use super::alert_entry::AlertEntry;
use super::arrival_span::Retired;
use super::label_set_history::LabelSetHistory;
use super::malformed::{MALFORMED_KEPT, Malformed};
use super::offsets::Offsets;
use crate::fault::{Fault, LINE_LIMIT};
use crate::hashing::hash;
use crate::identity::{Identity, IdentityParts};
use crate::line_cache::{LineBatch, LineCache, LineSlice};
use crate::printable::printable;
use crate::record::{Ends, Record, Status};
use crate::record_trace::RecordTrace;
use crate::rules::Rules;
use crate::source_position::SourcePosition;

/// Reads records and answers what they mean.
///
/// An engine takes records in any order ([`ingest`](Engine::ingest), or whole inputs by
/// [`read`](Engine::read)), engines over parts of an input can be [merged](Engine::merge), and
/// [`report`](Engine::report) judges what is known at one instant. It reads no clock and does no IO. Memory is
/// bounded by the number of distinct alerts; above the rules' limit (a million) the mildest are counted per severity
/// and no longer told apart.
///
/// ```
/// use alert_triage::{Engine, Format, Rules};
///
/// let mut engine = Engine::new(Rules::builtin());
/// engine.read("tickets.log", Format::Lines, b"Zone AB: TooFewEndpointsRegistered\nZone AB: nonsense!\n");
/// let report = engine.report(None);
/// let first = report.incidents().next().unwrap();
/// assert_eq!((first.headline.as_str(), first.priority.to_string()), ("TooFewEndpointsRegistered", "P1".to_owned()));
/// assert_eq!(report.totals().malformed, 1);
/// ```
#[derive(Debug)]
pub struct Engine {
    pub(crate) rules: Rules,
    pub(crate) entries: Vec<AlertEntry>,
    pub(crate) index: HashTable<u32>,
    /// The one to go first; built when the limit is reached.
    pub(crate) eviction_heap: Option<BinaryHeap<(u8, u64, u32)>>,
    /// Ends that name only a key.
    pub(crate) keyed_ends: BTreeMap<Box<str>, LabelSetHistory>,
    pub(crate) line_cache: LineCache,
    parts: IdentityParts,
    pub(crate) overflow: [u64; 4],
    pub(crate) sources: Vec<String>,
    /// Lines of each block of each source; lines are counted from there.
    pub(crate) blocks: BTreeMap<(usize, usize), u64>,
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) malformed: u64,
    pub(crate) truncated: u64,
    /// By place; a line may hold a whole document, with several of them.
    pub(crate) faults: BTreeMap<(SourcePosition, u32), Malformed>,
    pub(crate) faults_by_kind: BTreeMap<&'static str, u64>,
    pub(crate) newest: Option<Timestamp>,
    /// Some record says that something is, or will be, over.
    has_ends: bool,
    /// Times that named no year.
    pub(crate) yearless: u64,
    /// Gives those a year.
    pub(crate) reference: Option<Timestamp>,
    /// Keeps single records, for whoever asked.
    pub(crate) trace: Option<RecordTrace>,
    /// What is read now arrives then, and what is heard is noted since then.
    pub(crate) arrival: Option<Timestamp>,
    pub(crate) arrivals_since: Option<Timestamp>,
    pub(crate) retired: Retired,
}

impl Engine {
    /// An empty engine; its report is valid, and all zeros.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            entries: Vec::new(),
            index: HashTable::new(),
            eviction_heap: None,
            keyed_ends: BTreeMap::new(),
            line_cache: LineCache::default(),
            parts: IdentityParts::default(),
            overflow: [0; 4],
            sources: Vec::new(),
            blocks: BTreeMap::new(),
            lines: 0,
            blank: 0,
            malformed: 0,
            truncated: 0,
            faults: BTreeMap::new(),
            faults_by_kind: BTreeMap::new(),
            newest: None,
            has_ends: false,
            yearless: 0,
            reference: None,
            trace: None,
            arrival: None,
            arrivals_since: None,
            retired: Retired::default(),
        }
    }

    /// An empty engine that keeps every record it reads, one by one and not only what they add up to: for histories that
    /// are gone through again, as a backtest does. Memory grows with records.
    pub fn recording(rules: Rules) -> Self {
        Self { trace: Some(RecordTrace::All(Vec::new())), ..Self::new(rules) }
    }

    /// The records kept so far, by place; none are kept of them.
    pub(crate) fn take_records(&mut self) -> Vec<(SourcePosition, Record<'static>)> {
        let Some(RecordTrace::All(records)) = &mut self.trace else { return Vec::new() };
        let mut records = std::mem::take(records);
        // Those of one line keep the order they were read in.
        records.sort_by_key(|(position, _)| *position);
        records
    }

    /// The rules it judges by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Gives the next source its name, for people; answers the number that its [`SourcePosition`]s carry.
    pub fn add_source(&mut self, name: impl Into<String>) -> usize {
        self.sources.push(name.into());
        self.sources.len() - 1
    }

    /// An empty engine with the same rules and sources, for another part of the same input.
    #[must_use]
    pub fn sibling(&self) -> Engine {
        let mut sibling = Engine::new(self.rules.clone());
        sibling.sources = self.sources.clone();
        sibling.reference = self.reference;
        sibling.trace = self.trace.as_ref().map(RecordTrace::blank);
        sibling.arrival = self.arrival;
        sibling.arrivals_since = self.arrivals_since;
        sibling
    }

    /// Takes one record. Where it stands in the input is part of it: equal places order by nothing else.
    pub fn ingest(&mut self, position: SourcePosition, record: &Record<'_>) {
        self.newest = self.newest.max(record.newest());
        self.has_ends |= record.status == Status::Resolved || record.ends != Ends::Open;
        if record.alert.is_empty() {
            // Only an end may name a key alone.
            if let Some(key) = &record.key {
                let set = self.keyed_ends.entry(key.as_ref().into()).or_default();
                set.record(position, record, self.rules.limits().gap, self.arrival);
                self.bound_keyed_ends();
            }
            if let Some(trace) = &mut self.trace {
                trace.record(position, record, &IdentityParts::default());
            }
            return;
        }
        let mut parts = std::mem::take(&mut self.parts);
        parts.fill(record, &self.rules);
        if let Some(trace) = &mut self.trace {
            trace.record(position, record, &parts);
        }
        match self.find_or_insert(&parts.key.0) {
            Some(at) => {
                let gap = self.rules.limits().gap;
                self.entries[at as usize].record(position, record, &parts, gap, self.arrival);
            }
            None => self.overflow[usize::from(class(&parts.key.0, &self.rules))] += 1,
        }
        self.parts = parts;
    }

    /// Plain lines of the block below `before` come next.
    pub(crate) fn start_block(&mut self, before: SourcePosition) {
        if self.line_cache.starts_earlier_block(before) {
            self.flush_line_counts();
            self.line_cache.clear();
        }
    }

    /// Counts the lines of a batch that were seen before, byte for byte; answers a bit for each that was not.
    pub(crate) fn count_cached(&mut self, batch: &LineBatch<'_>, before: SourcePosition) -> u32 {
        if self.line_cache.is_full() {
            self.flush_line_counts();
        }
        self.line_cache.count_all(batch, before)
    }

    /// Counts a line that may have been seen since its batch was.
    pub(crate) fn count_if_cached(&mut self, slice: &LineSlice<'_>, position: SourcePosition) -> bool {
        self.line_cache.count(slice, position)
    }

    /// Takes a record that a whole line made; if it carries no time, the line is remembered.
    pub(crate) fn ingest_line(
        &mut self,
        slice: &LineSlice<'_>,
        position: SourcePosition,
        record: &Record<'_>,
    ) {
        self.ingest(position, record);
        // A tape wants to see each line.
        let is_plain = record.status == Status::Event && record.time.is_none() && self.trace.is_none();
        if is_plain
            && self.eviction_heap.is_none()
            && self.parts.label_set.0.is_empty()
            && self.parts.dropped.is_empty()
            && let Some(entry) = self.find(&self.parts.key.0)
        {
            self.line_cache.insert(slice, entry);
        }
    }

    fn find(&self, key: &[u8]) -> Option<u32> {
        let hash = hash(key);
        self.index.find(hash, |&at| self.entries[at as usize].key.as_ref() == key).copied()
    }

    /// None if it is beyond the limit.
    fn find_or_insert(&mut self, key: &[u8]) -> Option<u32> {
        let hash = hash(key);
        if let Some(at) = self.index.find(hash, |&at| self.entries[at as usize].key.as_ref() == key) {
            return Some(*at);
        }
        let class = class(key, &self.rules);
        self.insert(AlertEntry::new(key, hash, class)).ok()
    }

    /// Adds a new alert; above the limit the largest by (class, hash) goes.
    fn insert(&mut self, entry: AlertEntry) -> Result<u32, AlertEntry> {
        let cap = self.rules.limits().identities;
        let at = if self.entries.len() < cap {
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        } else {
            self.flush_line_counts();
            self.line_cache.clear();
            let entries = &self.entries;
            let largest = self.eviction_heap.get_or_insert_with(|| {
                entries.iter().enumerate().map(|(at, entry)| (entry.class, entry.hash, at as u32)).collect()
            });
            match largest.peek() {
                Some(&(class, hash, at)) if (entry.class, entry.hash) < (class, hash) => {
                    largest.pop();
                    largest.push((entry.class, entry.hash, at));
                    let gone = std::mem::replace(&mut self.entries[at as usize], entry);
                    if let Ok(slot) = self.index.find_entry(gone.hash, |&known| known == at) {
                        slot.remove();
                    }
                    self.overflow[usize::from(gone.class)] += gone.records();
                    at
                }
                _ => return Err(entry),
            }
        };
        let entries = &self.entries;
        self.index.insert_unique(entries[at as usize].hash, at, |&at| entries[at as usize].hash);
        Ok(at)
    }

    fn bound_keyed_ends(&mut self) {
        while self.keyed_ends.len() > self.rules.limits().identities {
            if let Some((_, set)) = self.keyed_ends.pop_last() {
                self.overflow[3] += set.records();
            }
        }
    }

    /// Brings what was counted by line home to the alerts.
    pub(crate) fn flush_line_counts(&mut self) {
        let Self { line_cache, entries, arrival, rules, .. } = self;
        line_cache.drain_counts(|entry, plain| {
            let entry = &mut entries[entry as usize];
            entry.lines.add(plain);
            if let Some(at) = *arrival {
                entry.arrivals.extend(at, rules.limits().gap);
            }
        });
    }

    /// Records a line or a record that could not be read.
    pub(crate) fn fault(&mut self, position: SourcePosition, fault: Fault, text: &[u8]) {
        if let Some(trace) = &mut self.trace {
            trace.fault(position, &fault);
        }
        self.malformed += 1;
        *self.faults_by_kind.entry(fault.kind()).or_default() += 1;
        if self.faults.len() == MALFORMED_KEPT
            && self.faults.last_key_value().is_some_and(|((last, _), _)| *last <= position)
        {
            return;
        }
        let text = if fault == Fault::TooLong {
            // Whoever reads may hand over only the start of an endless line, so its length is not known.
            format!("{}… (over {LINE_LIMIT} bytes)", printable(&text[..text.len().min(64)]))
        } else {
            printable(text)
        };
        let same = self.faults.range((position, 0)..=(position, u32::MAX)).next_back();
        let number = same.map_or(0, |((_, last), _)| last + 1);
        self.faults.insert((position, number), Malformed { fault, text });
        if self.faults.len() > MALFORMED_KEPT {
            self.faults.pop_last();
        }
    }

    /// Says how many lines a block has, or has more, for the numbers of those behind it.
    pub(crate) fn add_lines(&mut self, position: SourcePosition, lines: u64) {
        self.lines += lines;
        *self.blocks.entry((position.source(), position.block())).or_default() += lines;
    }

    /// The last line of a source so far; in a new block if the last one has no room for so many more.
    pub(crate) fn last_line(&self, source: usize, more: u64) -> SourcePosition {
        match self.blocks.range((source, 0)..=(source, usize::MAX)).next_back() {
            None => SourcePosition::new(source, 0, 0),
            Some((&(_, block), &lines)) if lines + more <= SourcePosition::LINES => {
                SourcePosition::new(source, block, lines)
            }
            Some((&(_, block), _)) => SourcePosition::new(source, block + 1, 0),
        }
    }

    /// Takes over all that `other` knows. Both must have the same rules; sources are told apart by their numbers, so
    /// engines over parts of one input come from [`sibling`](Engine::sibling).
    ///
    /// In any order and in any grouping the result is that of one engine over all of it.
    pub fn merge(&mut self, mut other: Engine) {
        other.flush_line_counts();
        self.flush_line_counts();
        self.line_cache.clear();
        let gap = self.rules.limits().gap;
        if other.sources.len() > self.sources.len() {
            self.sources = std::mem::take(&mut other.sources);
        }
        for entry in other.entries {
            let found =
                self.index.find(entry.hash, |&at| self.entries[at as usize].key == entry.key).copied();
            match found {
                Some(at) => self.entries[at as usize].merge(entry, gap),
                None => {
                    if let Err(entry) = self.insert(entry) {
                        self.overflow[usize::from(entry.class)] += entry.records();
                    }
                }
            }
        }
        for (key, set) in other.keyed_ends {
            self.keyed_ends.entry(key).or_default().merge(set, gap);
        }
        self.bound_keyed_ends();
        for (mine, theirs) in self.overflow.iter_mut().zip(other.overflow) {
            *mine += theirs;
        }
        for (block, lines) in other.blocks {
            *self.blocks.entry(block).or_default() += lines;
        }
        self.lines += other.lines;
        self.blank += other.blank;
        self.malformed += other.malformed;
        self.truncated += other.truncated;
        self.faults.append(&mut other.faults);
        while self.faults.len() > MALFORMED_KEPT {
            self.faults.pop_last();
        }
        for (kind, count) in other.faults_by_kind {
            *self.faults_by_kind.entry(kind).or_default() += count;
        }
        self.newest = self.newest.max(other.newest);
        self.has_ends |= other.has_ends;
        self.yearless += other.yearless;
        if let (Some(trace), Some(theirs)) = (&mut self.trace, other.trace) {
            trace.merge(theirs);
        }
        self.arrival = self.arrival.max(other.arrival);
        self.arrivals_since = self.arrivals_since.into_iter().chain(other.arrivals_since).min();
        self.retired.add(other.retired);
    }

    /// A copy that knows only the alerts that `keep` takes, for judging them again with something changed.
    pub(crate) fn subset(&self, keep: impl Fn(&AlertEntry) -> bool) -> Engine {
        let mut part = Engine::new(self.rules.clone());
        part.sources = self.sources.clone();
        part.newest = self.newest;
        part.has_ends = self.has_ends;
        part.keyed_ends = self.keyed_ends.clone();
        for entry in self.entries.iter().filter(|entry| keep(entry)) {
            part.add(entry.clone());
        }
        part
    }

    /// Takes an alert over as it is.
    pub(crate) fn add(&mut self, entry: AlertEntry) {
        // A part is never larger than the whole, which kept to the limit.
        let _ = self.insert(entry);
    }

    /// Judges by other rules from now on; they must read and tell alerts apart as those before did.
    pub(crate) fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// The blocks of one source in their order, with how many lines each has.
    pub(crate) fn blocks_of(&self, source: usize) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.blocks.range((source, 0)..=(source, usize::MAX)).map(|((_, block), lines)| (*block, *lines))
    }

    /// Names and labels of all alerts.
    pub(crate) fn alerts(&self) -> Vec<(String, Vec<(String, String)>)> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        (self.entries.iter().map(|entry| entry.identity()))
            .map(|identity| (identity.alert.to_owned(), identity.labels().map(owned).collect()))
            .collect()
    }

    /// Does any record say that something is over?
    pub(crate) fn has_ends(&self) -> bool {
        self.has_ends
    }

    /// The name of the source, where there are several.
    pub(crate) fn source_name(&self, position: SourcePosition) -> Option<String> {
        let name = self.sources.get(position.source()).filter(|_| self.sources.len() > 1);
        name.map(printable)
    }

    /// Where each block begins, for many look-ups.
    pub(crate) fn offsets(&self) -> Offsets {
        let mut offsets = BTreeMap::new();
        let mut at = (0, 0);
        for (&(source, block), lines) in &self.blocks {
            if source != at.0 {
                at = (source, 0);
            }
            offsets.insert((source, block), at.1);
            at.1 += lines;
        }
        Offsets::new(offsets)
    }
}

fn class(key: &[u8], rules: &Rules) -> u8 {
    let identity = Identity::of(key);
    rules.severity(identity.alert, |name| identity.label(name)).0.class()
}
