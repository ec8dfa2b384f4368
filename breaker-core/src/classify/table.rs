//! The compiled rules. One pass over the text finds the first matching row of each strength and the
//! words of every line.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};

use super::mask::Masks;
use super::phrase::{MatchResult, Phrase};
use super::rule::{Rule, RuleError, RuleSet, Strength};
use super::text::{Text, fold};
use super::trigger::triggers;
use super::words::{Word, WordClass, WordClasses};
use crate::Cause;
use crate::verdict::NetworkKind;

/// Rows in order of precedence, ready to match.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// Every literal of every kind; `meaning` holds the meaning of each, by its index.
    literals: AhoCorasick,
    meaning: Vec<Literal>,
    regexes: Vec<Pattern>,
    /// Regexes without a trigger literal; they run on every line.
    untriggered: Vec<u16>,
    /// The rows with `frames`, by the number of their bit.
    framed_rows: Vec<u16>,
    /// The secrets that quotes do not show.
    pub(super) masks: Masks,
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

impl Row {
    /// The row that stands for the composed meaning of a line.
    fn composed(cause: Cause, kind: Option<NetworkKind>) -> Self {
        let id = match kind {
            Some(kind) => format!("composed-{kind}").into(),
            None => format!("composed-{cause}").into(),
        };
        Self { id, cause, kind, strength: Strength::Cause, frames: 0 }
    }
}

#[derive(Debug)]
enum Literal {
    /// The first part of a phrase of this row.
    Phrase(u16, Phrase),
    /// The first part of a word.
    Word(Meant, Phrase),
    /// The regex of this index may match.
    Trigger(u16),
    /// The line is a stack frame for the row with this bit.
    Frame(u64),
}

/// What a word stands for.
#[derive(Debug, Clone, Copy)]
struct Meant {
    class: WordClass,
    kind: Option<NetworkKind>,
    cause: Option<Cause>,
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
    /// The words of every line, in the order of the lines.
    words: Vec<(usize, Word)>,
}

impl Read<'_> {
    /// The words of one line, in the order in which they end.
    pub(super) fn words(&self, line: usize) -> Vec<Word> {
        let from = self.words.partition_point(|(at, _)| *at < line);
        self.words[from..].iter().take_while(|(at, _)| *at == line).map(|(_, word)| *word).collect()
    }
}

/// The matches in one line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    first: [Option<Hit>; 5],
    pub(super) classes: WordClasses,
    /// The bits of the rows whose `frames` this line matches.
    pub(super) framed: u64,
    /// The bits of the rows with `frames` whose phrases this line matches.
    pub(super) needs_frame: u64,
    /// Where the last word of [`WordClass::Effect`] begins.
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

/// `at` as `u16`. Texts have at most 16 KiB.
fn narrow(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// The maximum size of one compiled regex and of its cache, in bytes.
const MAX_REGEX_BYTES: usize = 1 << 18;

impl Table {
    /// Compiles `rules`; earlier rows win.
    pub(super) fn new(set: RuleSet) -> Result<Self, RuleError> {
        let RuleSet { rules, words, masks: mask_rows } = set;
        let rules: Vec<Rule> = rules.into_iter().filter(|rule| !rule.disabled).collect();
        let at = rules.first().map(|rule| rule.at).unwrap_or(serde_saphyr::Location::UNKNOWN);
        let too_many = || RuleError::new(at, "too many rules; use fewer than 60,000 rows and regexes");
        let bits = frame_bits(&rules)?;
        let (mut literals, mut meaning) = (Vec::new(), Vec::new());
        let (mut regexes, mut untriggered) = (Vec::new(), Vec::new());
        for (row, rule) in rules.iter().enumerate() {
            let row = u16::try_from(row).map_err(|_| too_many())?;
            for phrase in &rule.phrases {
                let (phrase, start) = Phrase::new(&phrase.value);
                literals.push(start);
                meaning.push(Literal::Phrase(row, phrase));
            }
            for frame in &rule.frames {
                literals.push(fold(&frame.value));
                meaning.push(Literal::Frame(bits[usize::from(row)]));
            }
            for regex in &rule.regex {
                let index = u16::try_from(regexes.len()).map_err(|_| too_many())?;
                let compiled = compile(&regex.value).map_err(|e| {
                    RuleError::new(regex.referenced, format!("rule `{}`: {e}; mend the regex", rule.id))
                })?;
                regexes.push(Pattern { row, regex: compiled });
                match triggers(&regex.value) {
                    Some(set) => {
                        meaning.extend(set.iter().map(|_| Literal::Trigger(index)));
                        literals.extend(set);
                    }
                    None => untriggered.push(index),
                }
            }
        }
        for row in &words {
            for word in &row.words {
                let (phrase, start) = Phrase::new(&word.value);
                literals.push(start);
                let meant = Meant { class: row.class, kind: row.kind, cause: row.cause };
                meaning.push(Literal::Word(meant, phrase));
            }
        }
        let mut masks = Masks::default();
        for row in mask_rows {
            for pattern in &row.patterns {
                masks.add(&pattern.value).map_err(|e| {
                    RuleError::new(pattern.referenced, format!("mask: {e}; mend the pattern"))
                })?;
            }
            if let Some(example) = row.examples.iter().find(|text| !masks.hides(&text.value)) {
                let message = "this example contains no secret; mend the pattern or the example";
                return Err(RuleError::new(example.referenced, message));
            }
        }
        let literals = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .prefilter(false)
            .build(&literals)
            .map_err(|e| RuleError::new(at, format!("too many rules: {e}; use fewer")))?;
        let framed = (0..).zip(&bits).filter(|(_, bits)| **bits != 0);
        let framed_rows = framed.map(|(row, _)| row).collect();
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
            .chain(NetworkKind::ALL.map(|kind| Row::composed(Cause::Network, Some(kind))))
            .chain(Cause::ALL.map(|cause| Row::composed(cause, None)))
            .collect();
        Ok(Self { rows, literals, meaning, regexes, untriggered, framed_rows, masks })
    }

    /// The first of the rows with these bits; `None` without bits.
    pub(super) fn framed_row(&self, bits: u64) -> Option<u16> {
        (bits != 0).then(|| self.framed_rows[bits.trailing_zeros() as usize])
    }

    /// The row for a composed failure of the network, of this kind.
    pub(super) fn composed_row(&self, kind: NetworkKind) -> u16 {
        let at = NetworkKind::ALL.iter().position(|k| *k == kind).unwrap_or_default();
        self.nth_last(NetworkKind::ALL.len() + Cause::ALL.len() - at)
    }

    /// The row for a composed meaning of another cause.
    pub(super) fn composed_cause(&self, cause: Cause) -> u16 {
        let at = Cause::ALL.iter().position(|c| *c == cause).unwrap_or_default();
        self.nth_last(Cause::ALL.len() - at)
    }

    /// Whether the row is that of a composed meaning.
    pub(super) fn is_composed(&self, row: u16) -> bool {
        row >= self.nth_last(NetworkKind::ALL.len() + Cause::ALL.len())
    }

    fn nth_last(&self, at: usize) -> u16 {
        // `new` checked that the rows fit.
        u16::try_from(self.rows.len() - at).unwrap_or(u16::MAX)
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
        let mut words = Vec::new();
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
                Literal::Phrase(row, phrase) => {
                    let strength = self.row(*row).strength;
                    // Of the rows with frames, the frames choose.
                    let known = strength != Strength::Framed
                        && here.first_hit(strength).is_some_and(|best| best.row <= *row);
                    if known || failed.contains(&pattern) {
                        continue;
                    }
                    match phrase.matches(text.folded(line), start, end) {
                        MatchResult::Yes(_) => {
                            here.add(strength, *row, start);
                            here.needs_frame |= self.row(*row).frames;
                        }
                        MatchResult::NotHere => {}
                        MatchResult::NoMore => failed.push(pattern),
                    }
                }
                Literal::Word(Meant { class, kind, cause }, phrase) => {
                    if failed.contains(&pattern) {
                        continue;
                    }
                    match phrase.matches(text.folded(line), start, end) {
                        MatchResult::Yes(end) => {
                            let first = text.folded(line)[..start].trim_start().is_empty();
                            if first || !class.begins_a_line() {
                                here.classes.add(class.bit());
                                if class.is_composed() {
                                    words.push((
                                        line,
                                        Word { class: *class, kind: *kind, cause: *cause, start, end },
                                    ));
                                } else if *class == WordClass::Effect {
                                    here.effect = here.effect.max(Some(narrow(start)));
                                }
                            }
                        }
                        MatchResult::NotHere => {}
                        MatchResult::NoMore => failed.push(pattern),
                    }
                }
                Literal::Trigger(regex) => {
                    if !asked.contains(regex) {
                        asked.push(*regex);
                    }
                }
                Literal::Frame(bit) => here.framed |= *bit,
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
        Read { text, seen, words }
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
