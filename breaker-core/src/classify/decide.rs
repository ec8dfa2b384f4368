//! Which words decide: the fatal statement and its innermost cause, not any line about a socket.
//!
//! Blocks are asked from the last one backwards. Goodbyes and hints are passed over. A statement
//! that names its cause decides. One that only says that something was given up (a *symptom*, or "…
//! failed") sends the question to the words before it, until a line says that things went on. Past
//! an error that no rule explains, nothing can be network any more: what came before it was
//! survived. A warning, or information, is the last word only if no crash was told shortly before
//! it: a process that dies may still warn of what it lived with.

use super::block::{Block, blocks};
use super::level::Level;
use super::lexicon::Marks;
use super::line;
use super::rule::Says;
use super::table::{Read, Seen, Table};
use crate::Cause;

/// The row that decided, and the words it decided on.
#[derive(Debug, Clone)]
pub(super) struct Decision<'t> {
    pub(super) row: u16,
    pub(super) says: Says,
    pub(super) level: Level,
    pub(super) line: &'t str,
    /// The number of that line, from 1.
    pub(super) number: usize,
    /// Where the row's words begin in the folded line.
    pub(super) at: usize,
}

/// Lines without a rule that may follow a crash before it stops being the last word.
///
/// Standard output of many runtimes is written in one piece at the end, after the crash was told on
/// standard error.
const AFTER_CRASH: usize = 12;
/// The same for a logged error, when it would be network: a process that worked on has survived it.
const AFTER_ERROR: usize = 1;

/// The decision on cleaned last words; `None` when no rule explains them.
pub(super) fn decide<'t>(table: &Table, cleaned: &'t str) -> Option<Decision<'t>> {
    let read = table.read(cleaned);
    let blocks = blocks(&read);
    let whole =
        blocks.iter().filter_map(|block| found(table, &read, block, Says::Whole)).min_by_key(|d| d.row);
    whole.or_else(|| walk(table, &read, &blocks))
}

/// What the table says of a block with words of this strength: the innermost line that has any
/// speaks.
fn found<'t>(table: &Table, read: &Read<'t>, block: &Block, says: Says) -> Option<Decision<'t>> {
    let mut hits = block.lines.iter().filter_map(|line| {
        let hit = read.seen[*line].of(says)?;
        let beside = || block.framed & table.row(hit.row).frames != 0;
        (says != Says::Framed || beside()).then_some((*line, hit))
    });
    let (line, hit) = match says {
        Says::Whole => hits.min_by_key(|(_, hit)| hit.row),
        _ => hits.next(),
    }?;
    let (written, at) = (read.text.written(line), usize::from(hit.at));
    Some(Decision {
        row: hit.row,
        says,
        level: block.level,
        line: written,
        number: read.text.number(line),
        at,
    })
}

/// A block with the best the table says of it.
struct Asked<'r, 't> {
    level: Level,
    head: &'r str,
    seen: &'r Seen,
    best: Option<Decision<'t>>,
}

fn ask<'r, 't>(table: &Table, read: &'r Read<'t>, block: &Block) -> Asked<'r, 't> {
    let best = [Says::Cause, Says::Framed, Says::Symptom, Says::Hint]
        .into_iter()
        .find_map(|says| found(table, read, block, says));
    Asked { level: block.level, head: read.text.folded(block.head), seen: &read.seen[block.head], best }
}

/// What is asked of the words further back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looking {
    /// The statement itself.
    Statement,
    /// The reason of an effect: "… failed", "giving up".
    Reason,
    /// The reason of a symptom a rule knows: a client that has stopped trying.
    Retries,
}

struct Walk<'t> {
    looking: Looking,
    /// The symptom or hint that decides if nothing better stands before it.
    fallback: Option<Decision<'t>>,
    /// What a warning or information said last; decides if no crash stands before it.
    murmur: Option<Decision<'t>>,
    /// Lines without a rule passed so far.
    passed: usize,
    /// A line that says things went on was passed.
    went_on: bool,
    /// An error that no rule explains was passed.
    unexplained: bool,
    /// A line in a language of which the table knows only the system's messages was passed.
    foreign: bool,
}

enum Step<'t> {
    Decided(Decision<'t>),
    Further,
    Enough,
}

fn walk<'t>(table: &Table, read: &Read<'t>, blocks: &[Block]) -> Option<Decision<'t>> {
    let mut walk = Walk {
        looking: Looking::Statement,
        fallback: None,
        murmur: None,
        passed: 0,
        went_on: false,
        unexplained: false,
        foreign: false,
    };
    for block in blocks.iter().rev() {
        match walk.step(table, &ask(table, read, block)) {
            Step::Decided(decision) => return Some(decision),
            Step::Further => {}
            Step::Enough => break,
        }
    }
    walk.fallback.or(walk.murmur)
}

impl<'t> Walk<'t> {
    fn step(&mut self, table: &Table, block: &Asked<'_, 't>) -> Step<'t> {
        if self.murmur.is_some() && block.level < Level::Fatal {
            self.passed += 1;
            return if self.passed > AFTER_CRASH { Step::Enough } else { Step::Further };
        }
        self.murmur = None;
        match &block.best {
            Some(decision) if self.reaches(table, block, decision) => self.heed(table, block, decision),
            _ => self.pass(block),
        }
    }

    /// Whether `decision` may still be the last word.
    fn reaches(&self, table: &Table, block: &Asked<'_, 't>, decision: &Decision<'t>) -> bool {
        if self.went_on && block.level < Level::Fatal {
            return false;
        }
        if block.seen.marks.has(Marks::SURVIVED) && block.level < Level::Fatal {
            return false;
        }
        let network = table.row(decision.row).cause == Cause::Network;
        let final_word = self.looking != Looking::Statement || !block.seen.marks.has(Marks::RETRY);
        match block.level {
            Level::Fatal => true,
            Level::Error => {
                final_word && (!network || self.looking != Looking::Statement || self.passed <= AFTER_ERROR)
            }
            Level::Plain => final_word && (self.passed == 0 || self.looking != Looking::Statement),
            Level::Warn => match self.looking {
                Looking::Retries => true,
                Looking::Reason => false,
                Looking::Statement => self.passed == 0 && !line::is_recovery(block.seen.marks),
            },
            Level::Info if self.looking == Looking::Retries => block.seen.marks.has(Marks::RETRY),
            // Some print even their last error as information.
            Level::Info => {
                self.passed == 0
                    && self.looking == Looking::Statement
                    && !line::is_recovery(block.seen.marks)
                    && block.seen.marks.has(Marks::TROUBLE)
            }
        }
    }

    fn heed(&mut self, table: &Table, block: &Asked<'_, 't>, decision: &Decision<'t>) -> Step<'t> {
        if self.unexplained && table.row(decision.row).cause == Cause::Network {
            return Step::Enough;
        }
        match decision.says {
            Says::Symptom => {
                self.fallback.get_or_insert_with(|| decision.clone());
                self.looking = Looking::Retries;
                Step::Further
            }
            Says::Hint if self.fallback.is_some() => Step::Further,
            Says::Hint if line::is_effect(block.head, block.seen) => {
                self.fallback = Some(decision.clone());
                self.looking = Looking::Reason;
                Step::Further
            }
            _ if block.level < Level::Plain && self.looking == Looking::Statement => {
                self.murmur = Some(decision.clone());
                Step::Further
            }
            _ => Step::Decided(decision.clone()),
        }
    }

    fn pass(&mut self, block: &Asked<'_, 't>) -> Step<'t> {
        let effect = line::is_effect(block.head, block.seen);
        let recovery = line::is_recovery(block.seen.marks);
        let error = block.level >= Level::Error && block.best.is_none();
        if line::is_chatter(block.head, block.seen) && block.level != Level::Fatal
            || (effect && !recovery && block.level >= Level::Plain)
        {
            if effect && self.looking == Looking::Statement {
                self.looking = Looking::Reason;
            }
            return Step::Further;
        }
        if error {
            self.unexplained |= self.looking == Looking::Statement;
        } else if recovery && (self.looking != Looking::Retries || block.seen.marks.has(Marks::SURVIVED)) {
            // Only a crash that was told before buffered output can still be the last word.
            self.went_on = true;
        } else if !self.foreign && block.level == Level::Plain && line::is_foreign(block.head) {
            self.foreign = true;
            return Step::Further;
        }
        self.passed += 1;
        match self.looking {
            Looking::Statement if self.passed > AFTER_CRASH => Step::Enough,
            _ => Step::Further,
        }
    }
}
