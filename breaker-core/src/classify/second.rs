//! A second reading, for a text whose end explains nothing: what failed last, although the lines
//! after it did not end there.
//!
//! Programs print prose, an orderly end or the output of other tools after their error, and a
//! process that is restarted while it retries has no final statement. The last failure explains the
//! end, unless the process went on: it recovered, logged other work or failed for an unknown reason.

use super::block::Block;
use super::level::Level;
use super::line;
use super::rule::Strength;
use super::side_task::SideTask;
use super::statement::{Candidate, Decision, candidate};
use super::table::{Read, Table};
use super::words::WordClass;
use crate::Cause;

/// The maximum number of log records without trouble after the last failure.
const MAX_RECORDS_AFTER: usize = 5;

/// The last failure that a rule or its words explain; `None` if the process went on after it.
pub(super) fn reading<'t>(table: &Table, read: &Read<'t>, blocks: &[Block]) -> Option<Decision<'t>> {
    let mut records = 0;
    for block in blocks.iter().rev() {
        let candidate = candidate(table, read, block);
        if candidate.side_task != SideTask::No {
            continue;
        }
        if let Some(decision) = failure(table, &candidate) {
            let survived = candidate.seen.classes.has(WordClass::Survived);
            return (!survived).then(|| Decision { strength: Strength::Hint, ..decision.clone() });
        }
        records += usize::from(matches!(candidate.level, Level::Info | Level::Warn));
        if went_on(&candidate) || records > MAX_RECORDS_AFTER {
            return None;
        }
    }
    None
}

/// What failed, if the block says it.
fn failure<'c, 't>(table: &Table, block: &'c Candidate<'_, 't>) -> Option<&'c Decision<'t>> {
    let classes = block.seen.classes;
    let reported =
        block.level > Level::Info || classes.has(WordClass::Trouble) || classes.has(WordClass::Retry);
    let known = |best: &&Decision<'_>| {
        best.strength != Strength::Hint && table.row(best.row).cause != Cause::Unknown
    };
    block.best.as_ref().filter(|_| reported).filter(known)
}

/// Whether the process recovered, or failed for another reason.
fn went_on(block: &Candidate<'_, '_>) -> bool {
    let classes = block.seen.classes;
    let announced = [WordClass::Retry, WordClass::Attempt, WordClass::Trouble];
    if line::is_chatter(block.head, block.seen) {
        return false;
    }
    let recovered = line::is_recovery(classes) && !announced.iter().any(|class| classes.has(*class));
    let unexplained = block.level >= Level::Error
        && !classes.has(WordClass::Wrapper)
        && !line::is_effect(block.head, block.seen);
    recovered || unexplained
}
