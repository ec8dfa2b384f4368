//! The compiled rules. One pass over the text finds the first matching row of each strength and the
//! flags of every line.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};

use super::lexicon::{self, LineFlags};
use super::rule::{Rule, RuleError, Strength};
use super::text::{Text, fold};
use super::trigger::triggers;
use crate::Cause;
use crate::verdict::NetworkKind;

/// Rows in order of precedence, ready to match.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// Every literal of every kind; `meaning` holds the meaning of each, by its index.
    literals: AhoCorasick,
    meaning: Vec<Meaning>,
    regexes: Vec<Pattern>,
    /// Regexes without a trigger literal; they run on every line.
    untriggered: Vec<u16>,
}

/// A compiled rule without its phrases and regexes.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: Box<str>,
    pub(super) cause: Cause,
    pub(super) kind: Option<NetworkKind>,
    pub(super) strength: Strength,
    /// The bit of this row's frames; 0 without frames.
    pub(super) frames: u64,
}

#[derive(Debug)]
enum Meaning {
    Phrase(Phrase),
    /// The regex of this index may match.
    Trigger(u16),
    /// The line is a stack frame for the row with this bit.
    Frame(u64),
    Flag(LineFlags),
}

/// `first ... second ... third`, folded; only `first` is in the automaton.
#[derive(Debug)]
struct Phrase {
    row: u16,
    word_start: bool,
    word_end: bool,
    rest: Box<[Box<str>]>,
}

#[derive(Debug)]
struct Pattern {
    row: u16,
    regex: Regex,
}

/// A text with the matches in each line.
#[derive(Debug)]
pub(super) struct Read<'t> {
    pub(super) text: Text<'t>,
    pub(super) seen: Vec<Seen>,
}

/// The matches in one line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    first: [Option<Hit>; 5],
    pub(super) flags: LineFlags,
    /// The bits of the rows whose `frames` this line matches.
    pub(super) framed: u64,
    /// Where the last word of [`LineFlags::EFFECT`] begins.
    pub(super) effect: Option<u16>,
}

/// A matching row and where its match begins in the folded line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) row: u16,
    pub(super) at: u16,
}

impl Seen {
    /// The first row of this strength.
    pub(super) fn first_hit(&self, strength: Strength) -> Option<Hit> {
        self.first[strength as usize]
    }

    fn add(&mut self, strength: Strength, row: u16, at: usize) {
        let slot = &mut self.first[strength as usize];
        if slot.is_none_or(|best| row < best.row) {
            *slot = Some(Hit { row, at: narrow(at) });
        }
    }
}

/// `at` as `u16`. Texts have at most 4 KiB.
fn narrow(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// The maximum size of one compiled regex and of its cache, in bytes.
const MAX_REGEX_BYTES: usize = 1 << 18;

impl Table {
    /// Compiles `rules`; earlier rows win.
    pub(super) fn new(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let rules: Vec<Rule> = rules.into_iter().filter(|rule| !rule.disabled).collect();
        let at = rules.first().map(|rule| rule.at).unwrap_or(serde_saphyr::Location::UNKNOWN);
        let too_many = || RuleError::new(at, "too many rules; use fewer than 60,000 rows and regexes");
        let bits = frame_bits(&rules)?;
        let (mut literals, mut meaning) = (Vec::new(), Vec::new());
        let (mut regexes, mut untriggered) = (Vec::new(), Vec::new());
        for (row, rule) in rules.iter().enumerate() {
            let row = u16::try_from(row).map_err(|_| too_many())?;
            for phrase in &rule.phrases {
                let (phrase, start) = Phrase::new(&phrase.value, row);
                literals.push(start);
                meaning.push(Meaning::Phrase(phrase));
            }
            for frame in &rule.frames {
                literals.push(fold(&frame.value));
                meaning.push(Meaning::Frame(bits[usize::from(row)]));
            }
            for regex in &rule.regex {
                let index = u16::try_from(regexes.len()).map_err(|_| too_many())?;
                let compiled = compile(&regex.value).map_err(|e| {
                    RuleError::new(regex.referenced, format!("rule `{}`: {e}; mend the regex", rule.id))
                })?;
                regexes.push(Pattern { row, regex: compiled });
                match triggers(&regex.value) {
                    Some(set) => {
                        meaning.extend(set.iter().map(|_| Meaning::Trigger(index)));
                        literals.extend(set);
                    }
                    None => untriggered.push(index),
                }
            }
        }
        for (word, flag) in lexicon::words() {
            literals.push(word.to_owned());
            meaning.push(Meaning::Flag(flag));
        }
        let literals = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .prefilter(false)
            .build(&literals)
            .map_err(|e| RuleError::new(at, format!("too many rules: {e}; use fewer")))?;
        let rows = rules
            .into_iter()
            .zip(bits)
            .map(|(r, frames)| Row {
                id: r.id.into(),
                cause: r.cause,
                kind: r.kind,
                strength: r.strength,
                frames,
            })
            .collect();
        Ok(Self { rows, literals, meaning, regexes, untriggered })
    }

    pub(super) fn row(&self, index: u16) -> &Row {
        &self.rows[usize::from(index)]
    }

    /// Finds the matches in every line of a cleaned text.
    pub(super) fn read<'t>(&self, cleaned: &'t str) -> Read<'t> {
        let text = Text::new(cleaned);
        let mut seen = vec![Seen::default(); text.len()];
        let all = text.all_folded();
        let mut line = 0;
        // For the current line: regexes to run, and phrases whose remaining parts do not follow. A
        // later start of the same phrase has less text to search, so it is skipped.
        let (mut asked, mut failed) = (Vec::new(), Vec::new());
        for found in self.literals.find_overlapping_iter(all) {
            while found.end() > text.span(line).end {
                self.ask(&asked, text.folded(line), &mut seen[line]);
                asked.clear();
                failed.clear();
                line += 1;
            }
            let from = text.span(line).start;
            let (start, end) = (found.start() - from, found.end() - from);
            let here = &mut seen[line];
            let pattern = found.pattern().as_usize();
            match &self.meaning[pattern] {
                Meaning::Phrase(phrase) => {
                    let strength = self.row(phrase.row).strength;
                    let known = here.first_hit(strength).is_some_and(|best| best.row <= phrase.row);
                    if known || failed.contains(&pattern) {
                        continue;
                    }
                    match phrase.holds(text.folded(line), start, end) {
                        MatchResult::Yes => here.add(strength, phrase.row, start),
                        MatchResult::NotHere => {}
                        MatchResult::NoMore => failed.push(pattern),
                    }
                }
                Meaning::Trigger(regex) => {
                    if !asked.contains(regex) {
                        asked.push(*regex);
                    }
                }
                Meaning::Frame(bit) => here.framed |= *bit,
                Meaning::Flag(LineFlags::CHATTER_FIRST) => {
                    if text.folded(line)[..start].trim().is_empty() {
                        here.flags.add(LineFlags::CHATTER_FIRST);
                    }
                }
                Meaning::Flag(flag) => {
                    here.flags.add(*flag);
                    if *flag == LineFlags::EFFECT {
                        here.effect = here.effect.max(Some(narrow(start)));
                    }
                }
            }
        }
        if line < seen.len() {
            self.ask(&asked, text.folded(line), &mut seen[line]);
        }
        if !self.untriggered.is_empty() {
            for (line, here) in seen.iter_mut().enumerate() {
                self.ask(&self.untriggered, text.folded(line), here);
            }
        }
        Read { text, seen }
    }

    fn ask(&self, regexes: &[u16], folded: &str, here: &mut Seen) {
        for index in regexes {
            let Pattern { row, regex } = &self.regexes[usize::from(*index)];
            let strength = self.row(*row).strength;
            if here.first_hit(strength).is_none_or(|best| *row < best.row)
                && let Some(found) = regex.find(folded.as_bytes())
            {
                here.add(strength, *row, found.start());
            }
        }
    }
}

/// One bit for each row with `frames`, 0 for the other rows.
fn frame_bits(rules: &[Rule]) -> Result<Vec<u64>, RuleError> {
    let mut next = Some(1_u64);
    let bit = |rule: &Rule| {
        if rule.frames.is_empty() {
            return Ok(0);
        }
        let too_many = || RuleError::new(rule.at, "more than 64 rows with `frames`; join some of them");
        let bit = next.ok_or_else(too_many)?;
        next = bit.checked_mul(2);
        Ok(bit)
    };
    rules.iter().map(bit).collect()
}

/// Compiles a pattern with byte classes, which keep the tables small. `(?u)` enables Unicode.
fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(MAX_REGEX_BYTES)
        .dfa_size_limit(MAX_REGEX_BYTES)
        .build()
}

/// Whether a phrase matches where its first part was found.
enum MatchResult {
    Yes,
    NotHere,
    /// Neither here nor later in this line.
    NoMore,
}

impl Phrase {
    fn new(written: &str, row: u16) -> (Self, String) {
        let (word_start, word_end) = (!written.starts_with("..."), !written.ends_with("..."));
        let folded = fold(written);
        let mut parts = folded.split("...").map(str::trim).filter(|part| !part.is_empty());
        let start = parts.next().unwrap_or_default().to_owned();
        (Self { row, word_start, word_end, rest: parts.map(Box::from).collect() }, start)
    }

    /// Whether the parts follow each other, and the outer ends are at word boundaries.
    fn holds(&self, line: &str, start: usize, end: usize) -> MatchResult {
        if self.word_start && joined(line, start) {
            return MatchResult::NotHere;
        }
        let Some((last, between)) = self.rest.split_last() else {
            return if self.word_end && joined(line, end) { MatchResult::NotHere } else { MatchResult::Yes };
        };
        let mut from = end;
        for part in between {
            let Some(at) = line[from..].find(&**part) else { return MatchResult::NoMore };
            from += at + part.len();
        }
        let mut ends = line[from..].match_indices(&**last).map(|(at, part)| from + at + part.len());
        match ends.any(|end| !(self.word_end && joined(line, end))) {
            true => MatchResult::Yes,
            false => MatchResult::NoMore,
        }
    }
}

/// Whether a word continues at `at`: both sides are ASCII letters, digits or underscores.
fn joined(text: &str, at: usize) -> bool {
    let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = text.as_bytes();
    at > 0 && word(bytes.get(at - 1)) && word(bytes.get(at))
}
