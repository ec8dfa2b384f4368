//! The statement of a block: its strongest match, by a rule or by its composed meaning.

use std::cell::OnceCell;

use super::block::Block;
use super::compose;
use super::level::Level;
use super::rule::Strength;
use super::side_task::{self, SideTask};
use super::subject;
use super::table::{Hit, Read, Seen, Table};
use super::words::WordClass;
use super::wrapper;
use crate::Cause;

/// The deciding row and its match.
#[derive(Debug, Clone)]
pub(super) struct Decision<'t> {
    pub(super) row: u16,
    pub(super) strength: Strength,
    pub(super) level: Level,
    pub(super) line: &'t str,
    /// The index of that line.
    pub(super) index: usize,
    /// Its number in the input, from 1.
    pub(super) number: usize,
    /// Where the match begins in the folded line.
    pub(super) at: usize,
    /// The lines of the statement and its chain, innermost first.
    pub(super) statement: Vec<&'t str>,
    /// The lines shortly before the statement, the last one first.
    pub(super) before: Vec<&'t str>,
    /// The lines shortly after the deciding line.
    pub(super) after: Vec<&'t str>,
}

/// The number of lines before a statement that may announce its operation.
const MAX_LINES_BEFORE: usize = 8;
/// The length of the words of a symptom, in bytes.
const MAX_SYMPTOM: usize = 24;
/// The number of lines after a line that may show what it is about.
const MAX_LINES_AFTER: usize = 4;

/// A match in a line of a block.
#[derive(Debug, Clone, Copy)]
struct Found {
    line: usize,
    row: u16,
    strength: Strength,
    at: usize,
}

impl Found {
    fn decision<'t>(self, read: &Read<'t>, block: &Block) -> Decision<'t> {
        decision(read, block, self.line, self.row, self.strength, self.at)
    }
}

/// The decision on a block with matches of one strength: the innermost line that has a match.
pub(super) fn find_in<'t>(read: &Read<'t>, block: &Block, strength: Strength) -> Option<Decision<'t>> {
    Some(found_in(read, block, strength)?.decision(read, block))
}

fn found_in(read: &Read<'_>, block: &Block, strength: Strength) -> Option<Found> {
    let mut hits = block.lines.iter().filter_map(|line| Some((*line, read.seen[*line].first_hit(strength)?)));
    let (line, hit) = match strength {
        Strength::Whole => hits.min_by_key(|(_, hit)| hit.row),
        _ => hits.next(),
    }?;
    Some(Found { line, row: hit.row, strength, at: usize::from(hit.at) })
}

pub(super) fn decision<'t>(
    read: &Read<'t>,
    block: &Block,
    line: usize,
    row: u16,
    strength: Strength,
    at: usize,
) -> Decision<'t> {
    let statement = block.lines.iter().map(|line| read.text.written(*line)).collect();
    let before = (block.head.saturating_sub(MAX_LINES_BEFORE)..block.head).rev();
    let before = before.map(|line| read.text.written(line)).collect();
    let after = line + 1..read.text.len().min(line + 1 + MAX_LINES_AFTER);
    let after = after.map(|line| read.text.written(line)).collect();
    let (written, number) = (read.text.written(line), read.text.number(line));
    Decision {
        row,
        strength,
        level: block.level,
        line: written,
        index: line,
        number,
        at,
        statement,
        before,
        after,
    }
}

/// The innermost line that names its cause, by a rule or by its composed meaning.
fn find_cause(
    table: &Table,
    read: &Read<'_>,
    block: &Block,
    composed: impl Fn(usize) -> Option<Found>,
) -> Option<Found> {
    block.lines.iter().enumerate().find_map(|(nth, line)| {
        let seen = &read.seen[*line];
        let framed = table.framed_row(seen.needs_frame & block.framed).map(|row| {
            let at = seen.first_hit(Strength::Framed).map_or(0, |hit| hit.at);
            (row, Strength::Framed, at)
        });
        let by_phrase = seen.first_hit(Strength::Cause).map(|hit| (hit.row, Strength::Cause, hit.at));
        let local = is_local_line(read, *line);
        let said = framed.into_iter().chain(by_phrase);
        let said = said.filter(|(row, ..)| !local || table.row(*row).cause != Cause::Network);
        // Of two rules the upper one decides.
        match said.min_by_key(|(row, ..)| *row) {
            Some((row, strength, at)) => Some(Found { line: *line, row, strength, at: usize::from(at) }),
            None => composed(nth).filter(|found| found.strength == Strength::Cause),
        }
    })
}

/// Whether the line is about something local and names no address of another system.
fn is_local_line(read: &Read<'_>, line: usize) -> bool {
    read.seen[line].classes.has(WordClass::LocalLine)
        && compose::remote_address(read.text.folded(line)).is_none()
}

/// The composed meaning of a line. A failed operation is a symptom: earlier lines may say more.
fn composed(table: &Table, read: &Read<'_>, block: &Block, line: usize) -> Option<Found> {
    let unknown = |hit: Hit| table.row(hit.row).cause == Cause::Unknown;
    // A hint of an unknown cause: the words sound remote, and mean more than that.
    if read.seen[line].first_hit(Strength::Hint).is_some_and(unknown) {
        return None;
    }
    // A warning was survived, unless a rule knows better.
    if matches!(block.level, Level::Warn | Level::Info) {
        return None;
    }
    let before = line.checked_sub(1).filter(|_| line == block.head);
    let before = before.map(|line| (read.text.folded(line), read.words(line)));
    let before = before.as_ref().map(|(line, words)| (*line, &words[..]));
    let words = read.words(line);
    if !is_local_line(read, line)
        && let Some(meaning) = compose::meaning(read.text.folded(line), &words, before)
    {
        let strength = if meaning.names_failure { Strength::Cause } else { Strength::Symptom };
        return Some(Found { line, row: table.composed_row(meaning.kind), strength, at: meaning.at });
    }
    // A hint for the reader is not a statement, and what a rule calls a symptom names no cause.
    let seen = &read.seen[line];
    let folded = compose::without_frames(read.text.folded(line));
    if seen.classes.has(WordClass::ChatterFirst) {
        return None;
    }
    let meaning = subject::meaning(folded, &words)?;
    // The words of a symptom mean nothing else: "max retries exceeded with url".
    let in_symptom = |hit: Hit| meaning.at.checked_sub(hit.at.into()).is_some_and(|at| at < MAX_SYMPTOM);
    let is_symptom = seen.first_hit(Strength::Symptom).is_some_and(in_symptom);
    if is_symptom || !meaning.names_fault && block.level < Level::Error {
        return None;
    }
    let strength = if meaning.names_fault { Strength::Cause } else { Strength::Hint };
    Some(Found { line, row: table.composed_cause(meaning.cause), strength, at: meaning.at })
}

/// A block with its strongest match.
pub(super) struct Candidate<'r, 't> {
    pub(super) level: Level,
    pub(super) head: &'r str,
    pub(super) seen: &'r Seen,
    pub(super) best: Option<Decision<'t>>,
    /// Whether it is telemetry, clean-up or notification.
    pub(super) side_task: SideTask,
    /// Whether a wrapper reports that what it ran has ended.
    pub(super) is_wrapper: bool,
}

impl Candidate<'_, '_> {
    /// Whether a client on the command line says it.
    pub(super) fn is_tool(&self) -> bool {
        ["curl: (", "wget: ", "nc: "].iter().any(|name| self.head.starts_with(name))
    }
}

pub(super) fn candidate<'r, 't>(table: &Table, read: &'r Read<'t>, block: &Block) -> Candidate<'r, 't> {
    // A line is composed at most once: that is the most expensive step.
    let meanings: Vec<OnceCell<Option<Found>>> = block.lines.iter().map(|_| OnceCell::new()).collect();
    let meaning = |nth: usize| *meanings[nth].get_or_init(|| composed(table, read, block, block.lines[nth]));
    let composed = |strength: Strength| {
        (0..block.lines.len()).filter_map(meaning).find(|found| found.strength == strength)
    };
    let symptom = || {
        found_in(read, block, Strength::Symptom)
            .filter(|found| table.row(found.row).cause != Cause::Network || !is_local_line(read, found.line))
    };
    let known = |found: &Found| table.row(found.row).cause != Cause::Unknown;
    let best = find_cause(table, read, block, meaning)
        .or_else(|| symptom().filter(known))
        .or_else(|| composed(Strength::Symptom))
        .or_else(symptom)
        .or_else(|| composed(Strength::Hint))
        .or_else(|| found_in(read, block, Strength::Hint));
    let best = best.map(|found| found.decision(read, block));
    let head = read.text.folded(block.head);
    let side_task = side_task::of(read, block);
    // A rule, or a word for what is wrong, says more than that something ended.
    let says_why = best.as_ref().is_some_and(|best| {
        let cause = table.row(best.row).cause;
        match table.is_composed(best.row) {
            true => cause != Cause::Network && best.strength.names_the_cause(),
            // "Exception in thread" introduces any reason.
            false => cause != Cause::Application || best.strength != Strength::Hint,
        }
    });
    let reports_end = !says_why && wrapper::is_composed(read, block);
    let named = wrapper::is_named(read, block);
    // A fault that the words of a known wrapper seem to compose is about what it ran.
    let composed =
        |best: &Decision<'_>| table.is_composed(best.row) && table.row(best.row).cause != Cause::Network;
    let best = best.filter(|best| !(reports_end || named && composed(best)));
    let is_wrapper = reports_end || named;
    Candidate { level: block.level, head, seen: &read.seen[block.head], best, side_task, is_wrapper }
}
