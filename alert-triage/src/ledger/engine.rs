//! The engine: adds records up to alerts.

use std::collections::{BTreeMap, BinaryHeap};

use hashbrown::HashTable;
use jiff::Timestamp;

use super::alert_entry::AlertEntry;
use super::arrival_span::RetiredRecords;
use super::keyed_end::KeyedEnd;
use super::line_offsets::LineOffsets;
use super::malformed::MalformedInput;
use super::source_log::SourceLog;
use super::stated_counts::StatedCounts;
use crate::fault::{Fault, MAX_LINE_BYTES, MAX_MALFORMED_KEPT};
use crate::hashing::hash;
use crate::identity::{Identity, IdentityParts};
use crate::line_cache::{LineBatch, LineCache, LineSlice};
use crate::printable::printable;
use crate::record::{Ends, Record, Status};
use crate::record_trace::RecordTrace;
use crate::rules::Rules;
use crate::source_position::SourcePosition;
use crate::time::TimeReader;

/// Adds records up to alerts, and reports on them.
///
/// An engine takes single records with [`ingest`](Engine::ingest) and whole inputs with
/// [`read`](Engine::read), in any order. Engines over parts of an input can be
/// [merged](Engine::merge). [`report`](Engine::report) judges all alerts at one instant. An engine
/// reads no clock and does no IO.
///
/// Memory is bounded by the number of distinct alerts. Above the limit of the rules (one million by
/// default) the least severe alerts are only counted per severity.
///
/// ```
/// use alert_triage::{Engine, Format, Rules};
///
/// let mut engine = Engine::new(Rules::builtin());
/// engine.read("tickets.log", Format::Lines, b"Zone AB: TooFewEndpointsRegistered\nnonsense\n");
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
    /// The alert to evict first; built when the limit is reached.
    pub(crate) eviction_heap: Option<BinaryHeap<(u8, u64, u32)>>,
    /// Resolves that name their alert by its key.
    pub(crate) keyed_ends: BTreeMap<Box<str>, KeyedEnd>,
    pub(crate) line_cache: LineCache,
    parts: IdentityParts,
    pub(crate) overflow: [u64; 4],
    pub(crate) sources: Vec<String>,
    /// The number of lines of each block of each source, for line numbers.
    pub(crate) blocks: BTreeMap<(usize, usize), u64>,
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) malformed: u64,
    pub(crate) truncated: u64,
    /// By position; one line may hold several, as a whole document.
    pub(crate) faults: BTreeMap<(SourcePosition, u32), MalformedInput>,
    pub(crate) source_log: SourceLog,
    /// Where the newest snapshot of each source begins.
    pub(crate) snapshots: BTreeMap<usize, SourcePosition>,
    pub(crate) newest: Option<Timestamp>,
    /// Whether any record carries an end or is a resolve.
    has_ends: bool,
    /// The counts that stand in lines.
    pub(crate) stated: StatedCounts,
    /// The number of times without a year.
    pub(crate) yearless: u64,
    pub(crate) times: TimeReader,
    /// Keeps single records, if asked for.
    pub(crate) trace: Option<RecordTrace>,
    /// The arrival time of what is read now.
    pub(crate) arrival: Option<Timestamp>,
    pub(crate) arrivals_since: Option<Timestamp>,
    pub(crate) retired: RetiredRecords,
}

impl Engine {
    /// An empty engine. Its report is valid: all totals are zero.
    pub fn new(rules: Rules) -> Self {
        let times = TimeReader { zone: rules.time_zone(), ..TimeReader::default() };
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
            source_log: SourceLog::default(),
            snapshots: BTreeMap::new(),
            newest: None,
            has_ends: false,
            stated: StatedCounts::default(),
            yearless: 0,
            times,
            trace: None,
            arrival: None,
            arrivals_since: None,
            retired: RetiredRecords::default(),
        }
    }

    /// An empty engine that also keeps every single record, for a backtest. Memory grows with the
    /// number of records.
    pub fn recording(rules: Rules) -> Self {
        Self { trace: Some(RecordTrace::All(Vec::new())), ..Self::new(rules) }
    }

    /// Takes out the records kept so far, by position.
    pub(crate) fn take_records(&mut self) -> Vec<(SourcePosition, Record<'static>)> {
        let Some(RecordTrace::All(records)) = &mut self.trace else { return Vec::new() };
        let mut records = std::mem::take(records);
        // The sort is stable: records of one line keep their order.
        records.sort_by_key(|(position, _)| *position);
        records
    }

    /// The rules of this engine.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Adds a source by its display name. Returns its number, which its [`SourcePosition`]s carry.
    pub fn add_source(&mut self, name: impl Into<String>) -> usize {
        self.sources.push(name.into());
        self.sources.len() - 1
    }

    /// An empty engine with the same rules and sources, for another part of the same input.
    #[must_use]
    pub fn sibling(&self) -> Engine {
        let mut sibling = Engine::new(self.rules.clone());
        sibling.sources = self.sources.clone();
        sibling.times = self.times.sibling();
        sibling.trace = self.trace.as_ref().map(RecordTrace::blank);
        sibling.arrival = self.arrival;
        sibling.arrivals_since = self.arrivals_since;
        sibling
    }

    /// Takes one record, read at `position`; records of equal positions have no order.
    ///
    /// A record without an alert name is the end of whichever alert carries its
    /// [`key`](Record::key). Without a key as well it is malformed: the report counts and lists it.
    ///
    /// ```
    /// use alert_triage::{Engine, Record, Rules, SourcePosition};
    ///
    /// let mut engine = Engine::new(Rules::builtin());
    /// engine.ingest(SourcePosition::new(0, 0, 1), &Record::firing(""));
    /// let report = engine.report(None);
    /// assert_eq!((report.totals().records, report.totals().malformed), (0, 1));
    /// assert_eq!(report.malformed().next().unwrap().error, "has no alert name, or an empty one: set it");
    /// ```
    pub fn ingest(&mut self, position: SourcePosition, record: &Record<'_>) {
        if self.rules.has_scope_constants()
            && let Some(record) = self.with_scope(position, record)
        {
            return self.ingest_scoped(position, &record);
        }
        self.ingest_scoped(position, record);
    }

    /// The record with the constant scope of its source, if it has no label of a scope.
    #[cold]
    fn with_scope<'r>(&self, position: SourcePosition, record: &Record<'r>) -> Option<Record<'r>> {
        let has_scope = record.labels.iter().any(|(name, _)| self.rules.is_scope_label(name));
        let source = self.sources.get(position.source()).map_or("", String::as_str);
        let labels = self.rules.scope_constant(source);
        if has_scope || record.alert.is_empty() || labels.is_empty() {
            return None;
        }
        let mut record = record.clone();
        record.labels.extend(labels.iter().map(|(name, value)| (name.clone().into(), value.clone().into())));
        Some(record)
    }

    fn ingest_scoped(&mut self, position: SourcePosition, record: &Record<'_>) {
        if record.alert.trim().is_empty() {
            return self.ingest_unnamed(position, record);
        }
        if record.is_named_end() {
            return self.ingest_named_end(position, record);
        }
        self.observe(position, record);
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

    /// Takes the end of the alert that carries the record's key.
    #[cold]
    fn ingest_unnamed(&mut self, position: SourcePosition, record: &Record<'_>) {
        let Some(key) = record.key.as_deref().filter(|key| !key.is_empty()) else {
            let labels: Vec<String> =
                record.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            let shown = format!("{{{}}} {}", labels.join(", "), record.text);
            return self.fault(position, Fault::Missing { field: "alert name" }, shown.trim_end().as_bytes());
        };
        self.ingest_end(position, record, key, &IdentityParts::default());
    }

    /// Takes the end of the alert that carries the record's key, of a record that has a name.
    #[cold]
    fn ingest_named_end(&mut self, position: SourcePosition, record: &Record<'_>) {
        let key = record.key.as_deref().unwrap_or_default();
        let mut parts = IdentityParts::default();
        parts.fill(record, &self.rules);
        self.ingest_end(position, record, key, &parts);
    }

    fn ingest_end(
        &mut self,
        position: SourcePosition,
        record: &Record<'_>,
        key: &str,
        parts: &IdentityParts,
    ) {
        self.observe(position, record);
        let end = self.keyed_ends.entry(key.into()).or_default();
        end.history.record(position, record, self.rules.limits().gap, self.arrival);
        if !parts.key.0.is_empty() {
            end.add_identity(parts.key.0.as_slice().into());
        }
        self.bound_keyed_ends();
        if let Some(trace) = &mut self.trace {
            trace.record(position, record, parts);
        }
    }

    /// Notes what any record says of the input as a whole.
    fn observe(&mut self, position: SourcePosition, record: &Record<'_>) {
        self.source_log.note_record(position.source());
        self.newest = self.newest.max(record.newest());
        self.has_ends |= record.status == Status::Resolved || record.ends != Ends::Open;
    }

    /// Notes that a snapshot begins here.
    pub(crate) fn note_snapshot(&mut self, start: SourcePosition) {
        let newest = self.snapshots.entry(start.source()).or_insert(start);
        *newest = (*newest).max(start);
    }

    /// Starts a block of plain lines, whose first line follows `before`.
    pub(crate) fn start_block(&mut self, before: SourcePosition) {
        // A cached count belongs to one source.
        if self.line_cache.is_other_source(before) {
            self.flush_line_counts();
        }
        if self.line_cache.starts_earlier_block(before) {
            self.flush_line_counts();
            self.line_cache.clear();
        }
    }

    /// Counts the lines of a batch that are in the cache. Returns a bit for each line that is not.
    pub(crate) fn count_cached(&mut self, batch: &LineBatch<'_>, before: SourcePosition) -> u32 {
        if self.line_cache.is_full() {
            self.flush_line_counts();
        }
        self.line_cache.count_all(batch, before)
    }

    /// Counts a line if an earlier line of its batch brought it into the cache.
    pub(crate) fn count_if_cached(&mut self, slice: &LineSlice<'_>, position: SourcePosition) -> bool {
        self.line_cache.count(slice, position)
    }

    /// Takes the record of a whole line. A line without a time is added to the cache.
    pub(crate) fn ingest_line(
        &mut self,
        slice: &LineSlice<'_>,
        position: SourcePosition,
        record: &Record<'_>,
    ) {
        self.ingest(position, record);
        // A trace has to see each line.
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

    /// The position of the alert with this identity.
    pub(crate) fn find(&self, key: &[u8]) -> Option<u32> {
        let hash = hash(key);
        self.index.find(hash, |&at| self.entries[at as usize].key.as_ref() == key).copied()
    }

    /// `None` if the alert is above the limit.
    fn find_or_insert(&mut self, key: &[u8]) -> Option<u32> {
        let hash = hash(key);
        if let Some(at) = self.index.find(hash, |&at| self.entries[at as usize].key.as_ref() == key) {
            return Some(*at);
        }
        let class = class(key, &self.rules);
        self.insert(AlertEntry::new(key, hash, class)).ok()
    }

    /// Adds an alert. At the limit the largest alert by (class, hash) is evicted.
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
            if let Some((_, end)) = self.keyed_ends.pop_last() {
                self.overflow[3] += end.history.records();
            }
        }
    }

    /// Adds the counts of the line cache to the alerts.
    pub(crate) fn flush_line_counts(&mut self) {
        let Self { line_cache, entries, arrival, rules, .. } = self;
        line_cache.drain_counts(|entry, plain| {
            let entry = &mut entries[entry as usize];
            entry.sources.add(plain.last.source());
            entry.lines.add(plain);
            if let Some(at) = *arrival {
                entry.arrivals.extend(at, rules.limits().gap);
            }
        });
    }

    /// Counts and keeps a line or a record that could not be read.
    pub(crate) fn fault(&mut self, position: SourcePosition, fault: Fault, text: &[u8]) {
        if let Some(trace) = &mut self.trace {
            trace.fault(position, &fault);
        }
        self.malformed += 1;
        self.source_log.note_fault(position.source(), fault.kind());
        if self.faults.len() == MAX_MALFORMED_KEPT
            && self.faults.last_key_value().is_some_and(|((last, _), _)| *last <= position)
        {
            return;
        }
        let text = if fault == Fault::TooLong {
            // A caller may pass only the start of a very long line, so its length is unknown.
            format!("{}… (over {MAX_LINE_BYTES} bytes)", printable(&text[..text.len().min(64)]))
        } else {
            printable(text)
        };
        let same = self.faults.range((position, 0)..=(position, u32::MAX)).next_back();
        let number = same.map_or(0, |((_, last), _)| last + 1);
        self.faults.insert((position, number), MalformedInput { fault, text });
        if self.faults.len() > MAX_MALFORMED_KEPT {
            self.faults.pop_last();
        }
    }

    /// Adds to the number of lines of a block, which gives later blocks their line numbers.
    pub(crate) fn add_lines(&mut self, position: SourcePosition, lines: u64) {
        self.lines += lines;
        *self.blocks.entry((position.source(), position.block())).or_default() += lines;
    }

    /// The position of a source's last line; in a new block if the last block has no room for
    /// `more` lines.
    pub(crate) fn last_line(&self, source: usize, more: u64) -> SourcePosition {
        match self.blocks.range((source, 0)..=(source, usize::MAX)).next_back() {
            None => SourcePosition::new(source, 0, 0),
            Some((&(_, block), &lines)) if lines + more <= SourcePosition::MAX_LINE => {
                SourcePosition::new(source, block, lines)
            }
            Some((&(_, block), _)) => SourcePosition::new(source, block + 1, 0),
        }
    }

    /// Adds everything that `other` has read. Both must have the same rules and number their
    /// sources alike: create engines for parts of one input with [`sibling`](Engine::sibling).
    ///
    /// The result equals that of one engine over the whole input, in any order and grouping of
    /// merges.
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
        for (key, end) in other.keyed_ends {
            self.keyed_ends.entry(key).or_default().merge(end, gap);
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
        while self.faults.len() > MAX_MALFORMED_KEPT {
            self.faults.pop_last();
        }
        self.source_log.merge(other.source_log);
        for start in other.snapshots.into_values() {
            self.note_snapshot(start);
        }
        self.newest = self.newest.max(other.newest);
        self.has_ends |= other.has_ends;
        self.stated.merge(other.stated);
        self.yearless += other.yearless;
        self.times.merge(&other.times);
        if let (Some(trace), Some(theirs)) = (&mut self.trace, other.trace) {
            trace.merge(theirs);
        }
        self.arrival = self.arrival.max(other.arrival);
        self.arrivals_since = self.arrivals_since.into_iter().chain(other.arrivals_since).min();
        self.retired.add(other.retired);
    }

    /// A copy with only the alerts that `keep` selects, to judge them with a change.
    pub(crate) fn subset(&self, keep: impl Fn(&AlertEntry) -> bool) -> Engine {
        let mut part = Engine::new(self.rules.clone());
        part.sources = self.sources.clone();
        part.newest = self.newest;
        part.has_ends = self.has_ends;
        part.keyed_ends = self.keyed_ends.clone();
        part.snapshots = self.snapshots.clone();
        for entry in self.entries.iter().filter(|entry| keep(entry)) {
            part.add(entry.clone());
        }
        part
    }

    /// Adds an alert of another engine.
    pub(crate) fn add(&mut self, entry: AlertEntry) {
        // A subset is never larger than the whole engine, which is below the limit.
        let _ = self.insert(entry);
    }

    /// Replaces the rules. The new rules must produce the same identities.
    pub(crate) fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// The blocks of one source in order, with the number of lines of each.
    pub(crate) fn blocks_of(&self, source: usize) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.blocks.range((source, 0)..=(source, usize::MAX)).map(|((_, block), lines)| (*block, *lines))
    }

    /// The names and labels of all alerts.
    pub(crate) fn alerts(&self) -> Vec<(String, Vec<(String, String)>)> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        (self.entries.iter().map(|entry| entry.identity()))
            .map(|identity| (identity.alert.to_owned(), identity.labels().map(owned).collect()))
            .collect()
    }

    /// Whether any record carries an end or is a resolve.
    pub(crate) fn has_ends(&self) -> bool {
        self.has_ends
    }

    /// The name of the source, if there are several sources.
    pub(crate) fn source_name(&self, position: SourcePosition) -> Option<String> {
        let name = self.sources.get(position.source()).filter(|_| self.sources.len() > 1);
        name.map(printable)
    }

    /// The first line of each block, for many lookups.
    pub(crate) fn offsets(&self) -> LineOffsets {
        let mut offsets = BTreeMap::new();
        let mut at = (0, 0);
        for (&(source, block), lines) in &self.blocks {
            if source != at.0 {
                at = (source, 0);
            }
            offsets.insert((source, block), at.1);
            at.1 += lines;
        }
        LineOffsets::new(offsets)
    }
}

fn class(key: &[u8], rules: &Rules) -> u8 {
    let identity = Identity::from_key(key);
    rules.severity(identity.alert, |name| identity.label(name)).0.class()
}
