use std::collections::{BTreeMap, HashMap};

use serde::{Serialize, Serializer, ser::SerializeSeq as _, ser::SerializeStruct as _};

use crate::line::{Fault, Identity, LINE_LIMIT, Record};
use crate::printable::{self, printable};
use crate::severity::Severity;

/// How many malformed lines a report shows one by one; the rest is counted by kind.
pub const MALFORMED_KEPT: usize = 1_000;

/// How many differing texts a member keeps as examples.
pub const EXAMPLES_KEPT: usize = 5;

/// Reads lines and accounts for every one of them.
///
/// Each line ends as blank, as malformed or as one record counted by exactly one [`Member`]; [`Totals`] adds up at
/// any moment. Any order of the same lines gives the same members and counts; the order only decides `first`,
/// `last`, `examples`, and which of two equally severe members stands above the other.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    sources: Vec<String>,
    totals: Totals,
    /// In order of first appearance.
    members: Vec<Member>,
    /// Zone, then alert, to an index of `members`: two steps, so that a look-up copies nothing.
    index: HashMap<String, HashMap<String, usize>>,
    malformed: Vec<Malformed>,
    malformed_by_kind: BTreeMap<&'static str, u64>,
}

impl Ledger {
    /// An empty ledger; its report is valid, and all zeros.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the next input; its lines count from 1. The name is for people, and may repeat.
    pub fn source(&mut self, name: impl Into<String>) -> Source<'_> {
        self.sources.push(name.into());
        Source { place: Place { source: self.sources.len() - 1, line: 0 }, ledger: self }
    }

    /// What the lines so far add up to.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Closes the ledger: members by [`Severity::rank`], among equals by first appearance.
    pub fn report(mut self) -> Report {
        self.members.sort_by_key(|member| member.severity.rank());
        Report {
            sources: self.sources,
            totals: self.totals,
            members: self.members,
            malformed: self.malformed,
            malformed_by_kind: self.malformed_by_kind,
        }
    }

    fn line(&mut self, place: Place, line: &[u8]) {
        self.totals.lines += 1;
        match Record::parse(line) {
            Ok(None) => self.totals.blank += 1,
            Ok(Some(record)) => self.record(place, &record),
            Err(fault) => self.fault(place, fault, line),
        }
    }

    fn record(&mut self, place: Place, record: &Record<'_>) {
        self.totals.records += 1;
        let known = self.index.get(record.zone).and_then(|alerts| alerts.get(record.alert)).copied();
        let at = known.unwrap_or_else(|| {
            let at = self.members.len();
            self.index.entry(record.zone.to_owned()).or_default().insert(record.alert.to_owned(), at);
            self.members.push(Member::new(record, place));
            self.totals.distinct += 1;
            at
        });
        self.members[at].count(place, record.text);
    }

    fn fault(&mut self, place: Place, fault: Fault, line: &[u8]) {
        self.totals.malformed += 1;
        *self.malformed_by_kind.entry(fault.kind()).or_default() += 1;
        if self.malformed.len() < MALFORMED_KEPT {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let text = if fault == Fault::TooLong {
                // Whoever reads may hand over only the start of an endless line, so its length is not known.
                format!("{}… (over {LINE_LIMIT} bytes)", printable(&line[..TOO_LONG_SHOWN]))
            } else {
                printable(line)
            };
            self.malformed.push(Malformed { place, fault, text });
        }
    }
}

/// Bytes shown of a line beyond the limit: few enough for all of them to need an escape.
const TOO_LONG_SHOWN: usize = 36;

/// One open input of a [`Ledger`]; numbers its lines.
#[derive(Debug)]
pub struct Source<'ledger> {
    ledger: &'ledger mut Ledger,
    place: Place,
}

impl Source<'_> {
    /// Reads one line, with or without its line ending.
    ///
    /// A line longer than [`LINE_LIMIT`] is malformed whatever it holds, so it may be handed over cut, as long as
    /// more than `LINE_LIMIT + 2` bytes are left.
    pub fn line(&mut self, line: &[u8]) {
        self.place.line += 1;
        self.ledger.line(self.place, line);
    }

    /// Reads a whole text. The last line needs no line ending; the empty text has no line.
    pub fn lines(&mut self, text: &[u8]) {
        text.split_inclusive(|byte| *byte == b'\n').for_each(|line| self.line(line));
    }
}

/// Where a line stands. Ordered as it was read: by source, then by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Index into [`Report::sources`].
    pub source: usize,
    /// From 1.
    pub line: u64,
}

/// What was read. `lines = blank + malformed + records`, and `records` is the sum of the members' counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// All lines of all sources.
    pub lines: u64,
    /// Lines of white space only.
    pub blank: u64,
    /// Lines that are no record, shown or not.
    pub malformed: u64,
    /// Lines that are a record.
    pub records: u64,
    /// Members: differing identities.
    pub distinct: u64,
}

/// All records of one identity, folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Member {
    /// Which alert it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// By its name.
    pub severity: Severity,
    /// Records folded; at least 1. It never changes a row's place.
    pub count: u64,
    /// Where it was first read.
    pub first: Place,
    /// Where it was last read.
    pub last: Place,
    /// The first [`EXAMPLES_KEPT`] differing texts that stood behind the name, printable and cut.
    pub examples: Vec<String>,
}

impl Member {
    fn new(record: &Record<'_>, place: Place) -> Self {
        let severity = Severity::of(record.alert);
        Member {
            identity: record.identity(),
            severity,
            count: 0,
            first: place,
            last: place,
            examples: vec![],
        }
    }

    fn count(&mut self, place: Place, text: &str) {
        self.count += 1;
        self.last = place;
        if !text.is_empty() && self.examples.len() < EXAMPLES_KEPT {
            let text = printable(text);
            if !self.examples.contains(&text) {
                self.examples.push(text);
            }
        }
    }
}

/// A line that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Malformed {
    /// Where it stands.
    pub place: Place,
    /// Why it is none; serialised as its `kind` and, as `error`, its message.
    pub fault: Fault,
    /// The line, printable and cut.
    pub text: String,
}

impl Serialize for Malformed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut row = to.serialize_struct("Malformed", 5)?;
        row.serialize_field("source", &self.place.source)?;
        row.serialize_field("line", &self.place.line)?;
        row.serialize_field("kind", self.fault.kind())?;
        row.serialize_field("error", &self.fault.to_string())?;
        row.serialize_field("text", &self.text)?;
        row.end()
    }
}

/// What a [`Ledger`] came to. Serialising it escapes and cuts every text as [`printable`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Names of the inputs, in the order they were read.
    #[serde(serialize_with = "printable_all")]
    pub sources: Vec<String>,
    /// What was read.
    pub totals: Totals,
    /// Every distinct alert, by [`Severity::rank`], among equals by first appearance.
    pub members: Vec<Member>,
    /// The first [`MALFORMED_KEPT`] malformed lines, in the order read.
    pub malformed: Vec<Malformed>,
    /// How many lines each [`Fault::kind`] accounts for; complete.
    #[serde(rename = "malformed_by_error")]
    pub malformed_by_kind: BTreeMap<&'static str, u64>,
}

fn printable_all<S: Serializer>(texts: &[String], to: S) -> Result<S::Ok, S::Error> {
    let mut list = to.serialize_seq(Some(texts.len()))?;
    texts.iter().try_for_each(|text| list.serialize_element(&printable::printable(text)))?;
    list.end()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn read(text: &[u8]) -> Report {
        let mut ledger = Ledger::new();
        ledger.source("test").lines(text);
        ledger.report()
    }

    fn counts(report: &Report) -> BTreeMap<Identity, u64> {
        report.members.iter().map(|member| (member.identity.clone(), member.count)).collect()
    }

    #[test]
    fn equal_alerts_of_a_zone_fold() {
        let report = read(b"Zone A: X\nZone B: X\n\nZone A: X again\nZone A: x\n");
        let rows: Vec<_> = report
            .members
            .iter()
            .map(|m| (m.identity.to_string(), m.count, m.first.line, m.last.line))
            .collect();
        assert_eq!(
            rows,
            [
                ("zone A: X".to_owned(), 2, 1, 4),
                ("zone B: X".to_owned(), 1, 2, 2),
                ("zone A: x".to_owned(), 1, 5, 5)
            ]
        );
        assert_eq!(report.members[0].examples, ["again"]);
        assert_eq!(report.totals, Totals { lines: 5, blank: 1, malformed: 0, records: 4, distinct: 3 });
    }

    #[test]
    fn severity_orders_and_the_count_does_not() {
        let report = read(
            b"Zone A: Loud\nZone A: Loud\nZone A: Loud\nZone A: LLMModelStale\nZone A: LLMModelVeryStale\n\
              Zone A: TooFewEndpointsRegistered\nZone A: Quiet\nZone A: LLMModelStale\n",
        );
        let order: Vec<_> = report.members.iter().map(|m| m.identity.alert.as_str()).collect();
        assert_eq!(
            order,
            ["TooFewEndpointsRegistered", "LLMModelVeryStale", "Loud", "LLMModelStale", "Quiet"]
        );
    }

    #[test]
    fn line_ends_are_counted_as_an_editor_does() {
        for (text, lines, blank) in
            [("", 0, 0), ("\n", 1, 1), ("Zone A: X", 1, 0), ("Zone A: X\n", 1, 0), ("\n\n ", 3, 3)]
        {
            let totals = read(text.as_bytes()).totals;
            assert_eq!((totals.lines, totals.blank), (lines, blank), "{text:?}");
        }
    }

    #[test]
    fn sources_number_their_own_lines() {
        let mut ledger = Ledger::new();
        ledger.source("a").lines(b"Zone A: X\n?\n");
        ledger.source("b").lines(b"?\nZone A: X\n");
        let report = ledger.report();
        assert_eq!(report.members[0].first, Place { source: 0, line: 1 });
        assert_eq!(report.members[0].last, Place { source: 1, line: 2 });
        let places: Vec<_> = report.malformed.iter().map(|m| (m.place.source, m.place.line)).collect();
        assert_eq!(places, [(0, 2), (1, 1)]);
    }

    #[test]
    fn a_flood_of_malformed_lines_is_counted_in_full() {
        let report = read("?\n".repeat(MALFORMED_KEPT + 7).as_bytes());
        assert_eq!(report.malformed.len(), MALFORMED_KEPT);
        assert_eq!(report.malformed_by_kind, BTreeMap::from([("no-zone", MALFORMED_KEPT as u64 + 7)]));
    }

    #[test]
    fn an_endless_line_is_shown_by_its_start() {
        let report = read(&[b'x'; LINE_LIMIT + 3]);
        assert_eq!(report.malformed[0].text, format!("{}… (over 65536 bytes)", "x".repeat(36)));
    }

    /// Lines good and bad, few enough names that they fold.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        let good =
            (select(vec!["AB", "XQ", "OH-1"]), select(vec!["LLMModelStale", "LLMModelVeryStale", "X", "x"]))
                .prop_map(|(zone, alert)| format!("Zone {zone}: {alert}").into_bytes());
        let bad = vec(any::<u8>().prop_filter("one line", |byte| *byte != b'\n'), 0..12);
        prop_oneof![4 => good, 1 => bad, 1 => Just(b" \r".to_vec())]
    }

    proptest! {
        /// Law: nothing is lost, whatever comes in.
        #[test]
        fn every_line_is_accounted_for(lines in vec(line(), 0..60), tail: Vec<u8>) {
            let mut text = lines.join(&b'\n');
            text.extend(&tail);
            let report = read(&text);
            let totals = report.totals;
            let ends = text.iter().filter(|byte| **byte == b'\n').count();
            let unended = usize::from(text.last().is_some_and(|byte| *byte != b'\n'));
            prop_assert_eq!(totals.lines, (ends + unended) as u64);
            prop_assert_eq!(totals.lines, totals.blank + totals.malformed + totals.records);
            prop_assert_eq!(totals.records, report.members.iter().map(|member| member.count).sum::<u64>());
            prop_assert_eq!(totals.distinct, counts(&report).len() as u64);
            prop_assert_eq!(totals.malformed, report.malformed_by_kind.values().sum::<u64>());
            prop_assert!(report.members.iter().all(|member| member.first <= member.last));
        }

        /// Law: the order of lines changes neither who is a member nor how often.
        #[test]
        fn members_are_free_of_order(
            (lines, shuffled) in vec(line(), 0..60).prop_flat_map(|l| (Just(l.clone()), Just(l).prop_shuffle()))
        ) {
            let end = |lines: Vec<Vec<u8>>| lines.into_iter().flat_map(|line| [line, b"\n".to_vec()].concat());
            let one = read(&end(lines).collect::<Vec<_>>());
            let other = read(&end(shuffled).collect::<Vec<_>>());
            prop_assert_eq!(counts(&one), counts(&other));
            prop_assert_eq!(one.totals, other.totals);
            prop_assert_eq!(one.malformed_by_kind, other.malformed_by_kind);
        }

        /// Law: two sources hold what one of both texts holds.
        #[test]
        fn a_cut_between_lines_changes_nothing(lines in vec(line(), 1..40), at: prop::sample::Index) {
            let at = at.index(lines.len());
            let mut cut = Ledger::new();
            for part in [&lines[..at], &lines[at..]] {
                let mut source = cut.source("part");
                part.iter().for_each(|line| source.line(line));
            }
            let mut whole = Ledger::new();
            let mut source = whole.source("whole");
            lines.iter().for_each(|line| source.line(line));
            prop_assert_eq!(cut.totals(), whole.totals());
            prop_assert_eq!(counts(&cut.report()), counts(&whole.report()));
        }
    }
}
