//! Decides which line explains the end: the fatal statement and its innermost cause, not any line
//! about a socket.
//!
//! The search goes through the blocks from the last one backwards and skips exit messages and
//! hints. A statement that names its cause decides. A statement that only reports that the process
//! gave up (a *symptom*, or "… failed") continues the search in the earlier blocks, until a line
//! reports a recovery. Before an error that no rule explains, no block can decide for network,
//! because the process survived it. A warning or an informational line decides only if no crash was
//! logged shortly before it, because a failing process may still warn of problems it survived.

use super::block::{Block, blocks};
use super::level::Level;
use super::lexicon::LineFlags;
use super::line;
use super::rule::Strength;
use super::table::{Read, Seen, Table};
use crate::Cause;

/// The deciding row and its match.
#[derive(Debug, Clone)]
pub(super) struct Decision<'t> {
    pub(super) row: u16,
    pub(super) strength: Strength,
    pub(super) level: Level,
    pub(super) line: &'t str,
    /// The number of that line, from 1.
    pub(super) number: usize,
    /// Where the match begins in the folded line.
    pub(super) at: usize,
}

/// The maximum number of lines without a rule between a crash that decides and the end of the text.
///
/// Many runtimes write standard output in one piece at the end, after the crash on standard error.
const MAX_LINES_AFTER_CRASH: usize = 12;
/// The same for a logged network error: a process that continued has survived it.
const MAX_LINES_AFTER_ERROR: usize = 1;

/// The decision on a cleaned text; `None` when no rule explains it.
pub(super) fn decide<'t>(table: &Table, cleaned: &'t str) -> Option<Decision<'t>> {
    let read = table.read(cleaned);
    let blocks = blocks(&read);
    let whole =
        blocks.iter().filter_map(|block| find_in(table, &read, block, Strength::Whole)).min_by_key(|d| d.row);
    whole.or_else(|| walk(table, &read, &blocks))
}

/// The decision on a block with matches of one strength: the innermost line that has a match.
fn find_in<'t>(table: &Table, read: &Read<'t>, block: &Block, strength: Strength) -> Option<Decision<'t>> {
    let mut hits = block.lines.iter().filter_map(|line| {
        let hit = read.seen[*line].first_hit(strength)?;
        let beside = || block.framed & table.row(hit.row).frames != 0;
        (strength != Strength::Framed || beside()).then_some((*line, hit))
    });
    let (line, hit) = match strength {
        Strength::Whole => hits.min_by_key(|(_, hit)| hit.row),
        _ => hits.next(),
    }?;
    let (written, at) = (read.text.written(line), usize::from(hit.at));
    Some(Decision {
        row: hit.row,
        strength,
        level: block.level,
        line: written,
        number: read.text.number(line),
        at,
    })
}

/// A block with its strongest match.
struct Candidate<'r, 't> {
    level: Level,
    head: &'r str,
    seen: &'r Seen,
    best: Option<Decision<'t>>,
}

fn candidate<'r, 't>(table: &Table, read: &'r Read<'t>, block: &Block) -> Candidate<'r, 't> {
    let best = [Strength::Cause, Strength::Framed, Strength::Symptom, Strength::Hint]
        .into_iter()
        .find_map(|strength| find_in(table, read, block, strength));
    Candidate { level: block.level, head: read.text.folded(block.head), seen: &read.seen[block.head], best }
}

/// What the search looks for in the earlier blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SearchFor {
    /// The statement itself.
    Statement,
    /// The reason of a failure: "… failed", "giving up".
    Reason,
    /// The reason of a symptom that a rule matches: a client has stopped retrying.
    Retries,
}

struct Walk<'t> {
    search_for: SearchFor,
    /// The symptom or hint that decides if no stronger match precedes it.
    fallback: Option<Decision<'t>>,
    /// The last warning or informational line; it decides if no crash precedes it.
    low_level: Option<Decision<'t>>,
    /// Number of blocks without a rule skipped so far.
    skipped: usize,
    /// A line that reports a recovery was skipped.
    recovered: bool,
    /// An error that no rule explains was skipped.
    unexplained: bool,
    /// A line in a language other than English was skipped.
    foreign: bool,
}

enum Step<'t> {
    Decided(Decision<'t>),
    Continue,
    Stop,
}

fn walk<'t>(table: &Table, read: &Read<'t>, blocks: &[Block]) -> Option<Decision<'t>> {
    let mut walk = Walk {
        search_for: SearchFor::Statement,
        fallback: None,
        low_level: None,
        skipped: 0,
        recovered: false,
        unexplained: false,
        foreign: false,
    };
    for block in blocks.iter().rev() {
        match walk.step(table, &candidate(table, read, block)) {
            Step::Decided(decision) => return Some(decision),
            Step::Continue => {}
            Step::Stop => break,
        }
    }
    walk.fallback.or(walk.low_level)
}

impl<'t> Walk<'t> {
    fn step(&mut self, table: &Table, block: &Candidate<'_, 't>) -> Step<'t> {
        if self.low_level.is_some() && block.level < Level::Fatal {
            self.skipped += 1;
            return if self.skipped > MAX_LINES_AFTER_CRASH { Step::Stop } else { Step::Continue };
        }
        self.low_level = None;
        match &block.best {
            Some(decision) if self.may_decide(table, block, decision) => {
                self.consider(table, block, decision)
            }
            _ => self.skip(block),
        }
    }

    /// Whether `decision` can still decide.
    fn may_decide(&self, table: &Table, block: &Candidate<'_, 't>, decision: &Decision<'t>) -> bool {
        if self.recovered && block.level < Level::Fatal {
            return false;
        }
        if block.seen.flags.has(LineFlags::SURVIVED) && block.level < Level::Fatal {
            return false;
        }
        let network = table.row(decision.row).cause == Cause::Network;
        let final_line = self.search_for != SearchFor::Statement || !block.seen.flags.has(LineFlags::RETRY);
        match block.level {
            Level::Fatal => true,
            Level::Error => {
                final_line
                    && (!network
                        || self.search_for != SearchFor::Statement
                        || self.skipped <= MAX_LINES_AFTER_ERROR)
            }
            Level::Plain => final_line && (self.skipped == 0 || self.search_for != SearchFor::Statement),
            Level::Warn => match self.search_for {
                SearchFor::Retries => true,
                SearchFor::Reason => false,
                SearchFor::Statement => self.skipped == 0 && !line::is_recovery(block.seen.flags),
            },
            Level::Info if self.search_for == SearchFor::Retries => block.seen.flags.has(LineFlags::RETRY),
            // Some programs log even their fatal error as information.
            Level::Info => {
                self.skipped == 0
                    && self.search_for == SearchFor::Statement
                    && !line::is_recovery(block.seen.flags)
                    && block.seen.flags.has(LineFlags::TROUBLE)
            }
        }
    }

    fn consider(&mut self, table: &Table, block: &Candidate<'_, 't>, decision: &Decision<'t>) -> Step<'t> {
        if self.unexplained && table.row(decision.row).cause == Cause::Network {
            return Step::Stop;
        }
        match decision.strength {
            Strength::Symptom => {
                self.fallback.get_or_insert_with(|| decision.clone());
                self.search_for = SearchFor::Retries;
                Step::Continue
            }
            Strength::Hint if self.fallback.is_some() => Step::Continue,
            Strength::Hint if line::is_effect(block.head, block.seen) => {
                self.fallback = Some(decision.clone());
                self.search_for = SearchFor::Reason;
                Step::Continue
            }
            _ if block.level < Level::Plain && self.search_for == SearchFor::Statement => {
                self.low_level = Some(decision.clone());
                Step::Continue
            }
            _ => Step::Decided(decision.clone()),
        }
    }

    fn skip(&mut self, block: &Candidate<'_, 't>) -> Step<'t> {
        let effect = line::is_effect(block.head, block.seen);
        let recovery = line::is_recovery(block.seen.flags);
        let error = block.level >= Level::Error && block.best.is_none();
        if line::is_chatter(block.head, block.seen) && block.level != Level::Fatal
            || (effect && !recovery && block.level >= Level::Plain)
        {
            if effect && self.search_for == SearchFor::Statement {
                self.search_for = SearchFor::Reason;
            }
            return Step::Continue;
        }
        if error {
            self.unexplained |= self.search_for == SearchFor::Statement;
        } else if recovery
            && (self.search_for != SearchFor::Retries || block.seen.flags.has(LineFlags::SURVIVED))
        {
            // Now only a crash before buffered output can still decide.
            self.recovered = true;
        } else if !self.foreign && block.level == Level::Plain && line::is_foreign(block.head) {
            self.foreign = true;
            return Step::Continue;
        }
        self.skipped += 1;
        match self.search_for {
            SearchFor::Statement if self.skipped > MAX_LINES_AFTER_CRASH => Step::Stop,
            _ => Step::Continue,
        }
    }
}
