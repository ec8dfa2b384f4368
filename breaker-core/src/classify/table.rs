//! The rules, compiled: one pass over a line finds the first row of each strength that speaks of it.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{RegexSet, RegexSetBuilder};

use super::rule::{Rule, RuleError, Says};
use super::words::fold;
use crate::{Cause, NetworkKind};

/// Rows in order of precedence, ready to match.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    phrases: Vec<Phrase>,
    starts: AhoCorasick,
    regexes: RegexSet,
    regex_rows: Vec<u16>,
}

/// What is left of a rule once its words are compiled.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: Box<str>,
    pub(super) cause: Cause,
    pub(super) kind: Option<NetworkKind>,
    pub(super) says: Says,
}

/// `first ... second ... third`, folded; only `first` is in the automaton.
#[derive(Debug)]
struct Phrase {
    row: u16,
    word_start: bool,
    word_end: bool,
    rest: Box<[Box<str>]>,
}

/// The first row of each strength that matches a line, with where its words begin.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hits {
    first: [Option<(u16, usize)>; 4],
}

impl Hits {
    pub(super) fn of(&self, says: Says) -> Option<(u16, usize)> {
        self.first[says as usize]
    }

    fn add(&mut self, says: Says, row: u16, at: usize) {
        let slot = &mut self.first[says as usize];
        if slot.is_none_or(|(best, _)| row < best) {
            *slot = Some((row, at));
        }
    }
}

/// Bound on the compiled form and on the cache of all regexes together.
const REGEX_BYTES: usize = 1 << 20;

impl Table {
    /// Compiles `rules`; earlier rows win.
    pub(super) fn new(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let rules: Vec<Rule> = rules.into_iter().filter(|rule| !rule.disabled).collect();
        let (mut phrases, mut starts) = (Vec::new(), Vec::new());
        let (mut patterns, mut regex_rows) = (Vec::new(), Vec::new());
        for (rule, row) in rules.iter().zip(0u16..) {
            for phrase in &rule.phrases {
                let (phrase, start) = Phrase::new(&phrase.value, row);
                phrases.push(phrase);
                starts.push(start);
            }
            for regex in &rule.regex {
                patterns.push(regex.value.as_str());
                regex_rows.push(row);
            }
        }
        let at = rules.first().map(|rule| rule.at).unwrap_or(serde_saphyr::Location::UNKNOWN);
        let too_big =
            |e: &dyn std::fmt::Display| RuleError::at(at, format!("too many rules: {e}; use fewer"));
        Ok(Self {
            starts: AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .prefilter(false)
                .build(&starts)
                .map_err(|e| too_big(&e))?,
            regexes: compile(&patterns).map_err(|e| culprit(&rules).unwrap_or_else(|| too_big(&e)))?,
            rows: rules
                .into_iter()
                .map(|r| Row { id: r.id.into(), cause: r.cause, kind: r.kind, says: r.says })
                .collect(),
            phrases,
            regex_rows,
        })
    }

    pub(super) fn row(&self, index: u16) -> &Row {
        &self.rows[usize::from(index)]
    }

    /// The rows that speak of `folded`, one line as [`fold`] returns it.
    pub(super) fn hits(&self, folded: &str) -> Hits {
        let mut hits = Hits::default();
        for found in self.starts.find_overlapping_iter(folded) {
            let phrase = &self.phrases[found.pattern().as_usize()];
            let says = self.row(phrase.row).says;
            let known = hits.of(says).is_some_and(|(best, _)| best <= phrase.row);
            if !known && phrase.holds(folded, found.start(), found.end()) {
                hits.add(says, phrase.row, found.start());
            }
        }
        if !self.regexes.is_empty() {
            for index in self.regexes.matches(folded.as_bytes()) {
                let row = self.regex_rows[index];
                hits.add(self.row(row).says, row, 0);
            }
        }
        hits
    }
}

/// Byte classes keep the tables small; `(?u)` in a pattern asks for Unicode.
fn compile(patterns: &[&str]) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(patterns)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(REGEX_BYTES)
        .dfa_size_limit(REGEX_BYTES)
        .build()
}

/// The first regex that does not compile even by itself.
fn culprit(rules: &[Rule]) -> Option<RuleError> {
    let all = rules.iter().flat_map(|rule| rule.regex.iter().map(move |regex| (rule, regex)));
    all.into_iter().find_map(|(rule, regex)| {
        let e = compile(&[regex.value.as_str()]).err()?;
        Some(RuleError::at(regex.referenced, format!("rule `{}`: {e}; mend the regex", rule.id)))
    })
}

impl Phrase {
    fn new(written: &str, row: u16) -> (Self, String) {
        let (word_start, word_end) = (!written.starts_with("..."), !written.ends_with("..."));
        let folded = fold(written);
        let mut parts = folded.split("...").map(str::trim).filter(|part| !part.is_empty());
        let start = parts.next().unwrap_or_default().to_owned();
        (Self { row, word_start, word_end, rest: parts.map(Box::from).collect() }, start)
    }

    /// The parts follow each other and the outer ends stand on word boundaries.
    fn holds(&self, text: &str, start: usize, end: usize) -> bool {
        if self.word_start && joined(text, start) {
            return false;
        }
        let mut from = end;
        for (nth, part) in self.rest.iter().enumerate() {
            let last = nth + 1 == self.rest.len();
            let mut searched = from;
            loop {
                let Some(at) = text[searched..].find(&**part) else { return false };
                from = searched + at + part.len();
                if !(last && self.word_end && joined(text, from)) {
                    break;
                }
                searched = from;
            }
        }
        !(self.word_end && self.rest.is_empty() && joined(text, end))
    }
}

/// ASCII letters or digits on both sides of `at`: a word goes on there.
fn joined(text: &str, at: usize) -> bool {
    let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = text.as_bytes();
    at > 0 && word(bytes.get(at - 1)) && word(bytes.get(at))
}
