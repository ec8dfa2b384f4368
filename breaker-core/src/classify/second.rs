//! A second reading, for a text whose end explains nothing: what failed last, although the lines
//! after it did not end there.
//!
//! Programs print prose, an orderly end or the output of other tools after their error, and a
//! process that is restarted while it retries has no final statement. The last failure explains the
//! end, unless the process went on: it recovered, logged other work or failed for an unknown
//! reason.

use super::block::Block;
use super::level::Level;
use super::line;
use super::rule::Strength;
use super::side_task::SideTask;
use super::statement::{Candidate, Decision, candidate, decision};
use super::table::{Read, Table};
use super::words::WordClass;
use crate::Cause;
use crate::verdict::NetworkKind;

/// The maximum number of log records without trouble after the last failure.
const MAX_RECORDS_AFTER: usize = 5;
/// The maximum number of other lines without trouble after it, apart from prose.
const MAX_LINES_AFTER: usize = 2;
/// A line with this number of words is prose: an explanation, not a report of work.
const PROSE: usize = 6;

/// The last failure that a rule or its words explain; `None` if the process went on after it.
pub(super) fn reading<'t>(table: &Table, read: &Read<'t>, blocks: &[Block]) -> Option<Decision<'t>> {
    let (mut records, mut lines) = (0, 0);
    let mut side_task_unexplained = false;
    // A failure that was to be retried, or that was only warned of, or that the process waited for.
    let (mut tentative, mut waited): (Option<Decision<'t>>, bool) = (None, false);
    for block in blocks.iter().rev() {
        let candidate = candidate(table, read, block);
        // A script reported that a side task failed; the line of the tool before it says why.
        let explains_side_task = std::mem::take(&mut side_task_unexplained) && candidate.is_tool();
        if candidate.side_task != SideTask::No || explains_side_task {
            side_task_unexplained = candidate.best.is_none();
            continue;
        }
        if let Some(decision) = failure(table, &candidate) {
            // What is only information ended nothing.
            let network = table.row(decision.row).cause == Cause::Network;
            if network && candidate.level == Level::Info && !candidate.seen.classes.has(WordClass::Startup) {
                continue;
            }
            let decision = Decision { strength: Strength::Hint, ..decision.clone() };
            let classes = candidate.seen.classes;
            if classes.has(WordClass::Survived) {
                return None;
            }
            let retried = candidate.level == Level::Warn || classes.has(WordClass::Retry);
            match tentative.take() {
                None if retried && table.row(decision.row).cause == Cause::Network => {
                    tentative = Some(decision);
                    continue;
                }
                // It failed again and again, until the end.
                Some(last) if !waited => return Some(last),
                _ => return Some(decision),
            }
        }
        if candidate.seen.classes.has(WordClass::Progress)
            && let Some(waiting) = waiting(table, read, block)
        {
            if tentative.is_some() {
                return tentative;
            }
            (tentative, waited) = (Some(waiting), true);
            continue;
        }
        match candidate.level {
            Level::Info | Level::Warn => records += 1,
            Level::Plain if !is_aside(&candidate) => lines += 1,
            _ => {}
        }
        if went_on(&candidate) || records > MAX_RECORDS_AFTER || lines > MAX_LINES_AFTER {
            return None;
        }
    }
    None
}

/// Waiting for another system, as a failure to reach it; `None` if the line names none.
fn waiting<'t>(table: &Table, read: &Read<'t>, block: &Block) -> Option<Decision<'t>> {
    let words = read.words(block.head);
    let has = |class: WordClass| words.iter().any(|word| word.class == class);
    let remote = has(WordClass::Remote) && !has(WordClass::Local);
    let row = table.composed_row(NetworkKind::Unreachable);
    remote.then(|| decision(read, block, block.head, row, Strength::Hint, 0))
}

/// Whether the line reports no work: prose, a part of an object or of an answer, chatter, trouble.
fn is_aside(block: &Candidate<'_, '_>) -> bool {
    let dumped = block.head.ends_with([',', '{', '}', '[', ']', '(', ')']);
    let prose = block.head.split(' ').filter(|word| word.contains(char::is_alphabetic)).count() >= PROSE;
    let markup = block.head.starts_with('<') && block.head.ends_with('>');
    dumped
        || prose
        || markup
        || block.seen.classes.has(WordClass::Trouble)
        || line::is_chatter(block.head, block.seen)
}

/// What failed, if the block says it.
fn failure<'c, 't>(table: &Table, block: &'c Candidate<'_, 't>) -> Option<&'c Decision<'t>> {
    let classes = block.seen.classes;
    let reported =
        block.level > Level::Info || classes.has(WordClass::Trouble) || classes.has(WordClass::Retry);
    let known =
        |best: &&Decision<'_>| best.strength != Strength::Hint && table.row(best.row).cause != Cause::Unknown;
    block.best.as_ref().filter(|_| reported).filter(known)
}

/// Whether the process recovered, or failed for another reason.
fn went_on(block: &Candidate<'_, '_>) -> bool {
    let classes = block.seen.classes;
    let announced = [WordClass::Retry, WordClass::Attempt, WordClass::Trouble];
    let recovered = line::is_recovery(classes)
        && !classes.has(WordClass::Chatter)
        && !announced.iter().any(|class| classes.has(*class));
    let unexplained = block.level >= Level::Error
        && !block.is_wrapper
        && !block.head.ends_with([':', ','])
        && !line::is_effect(block.head, block.seen)
        && !line::is_chatter(block.head, block.seen);
    recovered || unexplained
}
