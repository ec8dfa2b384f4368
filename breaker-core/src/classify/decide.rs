//! Decides which line explains the end: the fatal statement and its innermost cause, not any line
//! about a socket.
//!
//! The search goes through the blocks from the last one backwards and skips exit messages and
//! hints. A statement that names its cause decides. A statement that only reports that the process
//! gave up (a *symptom*, or "… failed") continues the search in the earlier blocks, until a line
//! reports a recovery. Before an error that no rule explains, no block can decide for network,
//! because the process survived it. A warning or an informational line decides only if no crash was
//! logged shortly before it, because a failing process may still warn of problems it survived.

use super::block::{self, Block, blocks};
use super::compose;
use super::level::Level;
use super::line;
use super::rule::Strength;
use super::second;
use super::side_task::{self, SideTask};
use super::statement::{Candidate, Decision, candidate, decision, find_in};
use super::table::{Read, Table};
use super::words::WordClass;
use super::wrapper;
use crate::Cause;

/// The maximum number of lines without a rule between a crash that decides and the end of the text.
///
/// Many runtimes write standard output in one piece at the end, after the crash on standard error.
const MAX_LINES_AFTER_CRASH: usize = 12;
/// The same for a logged network error: a process that continued has survived it.
const MAX_LINES_AFTER_ERROR: usize = 1;

/// The number of lines that a wrapper may write after it has reported the end. After more of them a
/// process that outlived a worker is at work.
const MAX_LINES_AFTER_REPORT: usize = 4;

/// Whether a word of [`WordClass::LocalSocket`] in this line is about a socket file. `.sock` is, if
/// it is part of a path and no field of an object.
fn is_about_socket_file(folded: &str) -> bool {
    let path = |token: &str| token.contains('/') && token.contains(".sock");
    !folded.contains(".sock") || folded.split([' ', '"', '\'', ',']).any(path)
}

/// The number of lines before and after a statement that may name a socket file.
const LINES_AROUND: (usize, usize) = (8, 4);

/// The decision on a cleaned text; `None` when no rule explains it.
pub(super) fn decide<'t>(table: &Table, cleaned: &'t str) -> Option<Decision<'t>> {
    let read = table.read(cleaned);
    let mut blocks = blocks(&read);
    side_task::mark_reasons(&read, &mut blocks);
    let whole =
        blocks.iter().filter_map(|block| find_in(&read, block, Strength::Whole)).min_by_key(|d| d.row);
    let decided = whole.or_else(|| walk(table, &read, &blocks));
    let known = |decision: &Decision<'_>| table.row(decision.row).cause != Cause::Unknown;
    let decided = match decided {
        Some(decision) if known(&decision) => Some(decision),
        unknown => second::reading(table, &read, &blocks).or(unknown),
    };
    let decided = match decided {
        Some(decision) if known(&decision) => Some(decision),
        unknown => silent_socket(table, &read, &blocks).or(unknown),
    };
    let decided = decided.map(|found| end_before(table, &read, &blocks, &found).unwrap_or(found));
    decided.map(|decision| {
        let other = match () {
            () if talks_to_local_socket(table, &read, &decision) => Cause::Application,
            () if waits_for_own_child(table, &read, &decision) => Cause::Unknown,
            () => return decision,
        };
        Decision { row: table.composed_cause(other), ..decision }
    })
}

/// The number of lines before a statement that may say that the process started a server itself.
const LINES_OF_START: usize = 40;

/// Whether the process could not reach a server that it had started itself: an entry point that
/// says "Starting MySQL server..." first. Why that server does not answer is not said.
fn waits_for_own_child(table: &Table, read: &Read<'_>, decision: &Decision<'_>) -> bool {
    if table.row(decision.row).cause != Cause::Network || decision.level == Level::Fatal {
        return false;
    }
    let said = read.text.folded(decision.index);
    let started = |line: usize| {
        let (_, what) = read.text.folded(line).split_once("starting ")?;
        let (name, rest) = what.split_once(' ')?;
        (rest.starts_with("server") || rest.starts_with("daemon")).then_some(name)
    };
    let before = decision.index.saturating_sub(LINES_OF_START)..decision.index;
    compose::remote_address(said).is_none()
        && before.filter_map(started).any(|name| said.split(' ').any(|word| word == name))
}

/// Whether what looks like a failure of the network is that of a process in the same pod, behind a
/// socket file: lines around the statement name one, and the statement names no address.
fn talks_to_local_socket(table: &Table, read: &Read<'_>, decision: &Decision<'_>) -> bool {
    let names_address = || decision.statement.iter().any(|line| compose::remote_address(line).is_some());
    let around = decision.index.saturating_sub(LINES_AROUND.0)..decision.index + LINES_AROUND.1;
    let names_socket = |line: usize| {
        // Advice names socket files that nobody used.
        let says = |class: WordClass| read.seen.get(line).is_some_and(|seen| seen.classes.has(class));
        let flagged = says(WordClass::LocalSocket) && !says(WordClass::Hedge);
        // A server removes its own socket file when it ends.
        let own = || read.text.folded(line).contains(" removed");
        flagged && is_about_socket_file(read.text.folded(line)) && !own()
    };
    table.row(decision.row).cause == Cause::Network
        && around.into_iter().any(names_socket)
        && !names_address()
}

/// The last error, if it says only that something took too long or closed, and the lines before it
/// name a socket file: a process of the same pod did not answer.
fn silent_socket<'t>(table: &Table, read: &Read<'t>, blocks: &[Block]) -> Option<Decision<'t>> {
    let last = blocks.iter().rev().find(|block| block.level >= Level::Error)?;
    let words = read.words(last.head);
    let failure = words.iter().find(|word| word.class == WordClass::Failure)?;
    let row = table.composed_cause(Cause::Application);
    let around = last.head.saturating_sub(LINES_AROUND.0)..last.head;
    let mut around = around.filter(|line| read.seen[*line].classes.has(WordClass::LocalSocket));
    around
        .any(|line| is_about_socket_file(read.text.folded(line)))
        .then(|| decision(read, last, last.head, row, Strength::Hint, failure.start))
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
    /// How many of them may belong to an orderly end that began before them.
    calm: usize,
    /// A line that reports a recovery was skipped.
    recovered: bool,
    /// An error that no rule explains was skipped.
    unexplained: bool,
    /// A line in a language other than English was skipped.
    foreign: bool,
    /// The failure of what may be a side task; it decides if no error precedes it.
    uncertain: Option<Decision<'t>>,
    /// The last failure of the network, if its retry was announced and the text ends there.
    retried: Option<Decision<'t>>,
    /// All skipped statements announced a retry.
    only_retries: bool,
    /// A script reported that a side task failed; the line of the tool before it says why.
    side_task_unexplained: bool,
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
        calm: 0,
        recovered: false,
        unexplained: false,
        foreign: false,
        uncertain: None,
        retried: None,
        only_retries: true,
        side_task_unexplained: false,
    };
    let mut decided = None;
    for block in blocks.iter().rev() {
        match walk.step(table, &candidate(table, read, block)) {
            Step::Decided(decision) => {
                decided = Some(decision);
                break;
            }
            Step::Continue => {}
            Step::Stop => break,
        }
    }
    let decided = decided.or(walk.fallback).or(walk.low_level);
    match (walk.uncertain, decided) {
        (Some(uncertain), Some(decided)) if !explains_end(table, &decided) => Some(uncertain),
        (uncertain, decided) => decided.or(uncertain).or(walk.retried),
    }
}

/// The statement of another cause that ended the process shortly before a failure of the network
/// that ended nothing: the process failed to report or to clean up.
fn end_before<'t>(
    table: &Table,
    read: &Read<'t>,
    blocks: &[Block],
    found: &Decision<'t>,
) -> Option<Decision<'t>> {
    if table.row(found.row).cause != Cause::Network || found.level == Level::Fatal {
        return None;
    }
    let block = blocks.iter().position(|block| block.lines.contains(&found.index))?;
    let mut distance = 0;
    let mut worked_on = false;
    let mut ended = None;
    for block in blocks[..block].iter().rev().take(2 * MAX_LINES_AFTER_CRASH) {
        let earlier = candidate(table, read, block);
        let classes = earlier.seen.classes;
        if earlier.side_task != SideTask::No {
            continue;
        }
        let cause = earlier.best.as_ref().map_or(Cause::Unknown, |best| table.row(best.row).cause);
        // Words that compose another cause are too weak against a failure of the network.
        let by_rule = |best: &Decision<'_>| best.strength.names_the_cause() && !table.is_composed(best.row);
        let named = earlier.best.as_ref().is_some_and(by_rule);
        let survived = classes.has(WordClass::Survived) || classes.has(WordClass::Retry);
        // A warning is weaker than any other statement that names its cause.
        let warned = found.level == Level::Warn && distance <= MAX_LINES_AFTER_CRASH;
        let is_end = match earlier.level {
            Level::Fatal => true,
            Level::Error | Level::Plain if warned && named && !survived => true,
            Level::Error => named && !worked_on && !survived,
            Level::Plain => {
                let reported =
                    cause != Cause::Config || classes.has(WordClass::Trouble) || earlier.head.contains(": ");
                named && reported && !worked_on && !survived && distance <= MAX_LINES_AFTER_ERROR
            }
            Level::Info | Level::Warn => false,
        };
        let other = !matches!(cause, Cause::Unknown | Cause::Completed | Cause::Network);
        if is_end && other && !earlier.best.as_ref().is_some_and(|best| announces_reason(best.line)) {
            return earlier.best;
        }
        let recovery = earlier.level < Level::Fatal && line::is_recovery(classes);
        if cause == Cause::Network || recovery {
            return None;
        }
        // The process had ended, and nothing says why.
        let unexplained = match earlier.level {
            // What follows a stack without an exception is its exception.
            Level::Fatal => {
                !announces_reason(earlier.head)
                    && !line::is_effect(earlier.head, earlier.seen)
                    && !block::is_exception(found.line)
            }
            _ => classes.has(WordClass::Exit) && !worked_on && !survived && !announces_reason(earlier.head),
        };
        if unexplained && ended.is_none() {
            let row = table.composed_cause(Cause::Unknown);
            ended = Some(decision(read, block, block.head, row, Strength::Hint, 0));
        }
        if earlier.level == Level::Fatal {
            return ended;
        }
        // Work after an error means that the process survived it.
        let orderly = classes.has(WordClass::Shutdown) || line::is_chatter(earlier.head, earlier.seen);
        worked_on |= earlier.level <= Level::Warn && !orderly;
        distance += usize::from(!orderly);
    }
    ended
}

/// Whether the reason follows in the next lines, or the line only warns.
fn announces_reason(line: &str) -> bool {
    line.trim_end().ends_with([':', '*']) || line.contains("arning")
}

/// Whether an earlier statement explains the end, so that what follows is a side task.
fn explains_end(table: &Table, decision: &Decision<'_>) -> bool {
    let network = table.row(decision.row).cause == Cause::Network;
    decision.level >= Level::Error || !network && decision.level == Level::Plain
}

impl<'t> Walk<'t> {
    fn step(&mut self, table: &Table, block: &Candidate<'_, 't>) -> Step<'t> {
        let cause = block.best.as_ref().map_or(Cause::Unknown, |best| table.row(best.row).cause);
        if matches!(cause, Cause::Network | Cause::Unknown) && self.skips_side_task(block) {
            return Step::Continue;
        }
        let explained = block.best.as_ref().is_some_and(|best| best.strength.names_the_cause());
        let calm = block.level <= Level::Plain && block.best.is_none();
        let orderly = calm
            && block.seen.classes.has(WordClass::Shutdown)
            && !block.seen.classes.has(WordClass::Trouble);
        // "Waiting for the database ..." announces another attempt.
        let waiting = calm && block.seen.classes.has(WordClass::Progress);
        if orderly {
            // The lines after the announcement of an orderly end are a part of it.
            self.skipped -= std::mem::take(&mut self.calm);
        }
        let reports_failure = block.is_wrapper && !explained && !wrapper::is_success(block.head);
        if reports_failure && !self.recovered && self.skipped <= MAX_LINES_AFTER_REPORT {
            // What a wrapper wrote after this report is not work of the process, which had ended.
            (self.skipped, self.calm) = (0, 0);
        }
        if orderly || waiting || block.is_wrapper && !explained {
            return Step::Continue;
        }
        if self.low_level.is_some() && block.level < Level::Fatal {
            self.skipped += 1;
            return if self.skipped > MAX_LINES_AFTER_CRASH { Step::Stop } else { Step::Continue };
        }
        self.low_level = None;
        match &block.best {
            Some(decision) if self.may_decide(table, block, decision) => {
                self.consider(table, block, decision)
            }
            best => {
                self.remember_retry(block, best.as_ref().filter(|_| cause == Cause::Network));
                self.skip(block)
            }
        }
    }

    /// Remembers the last failure of the network that was to be retried, if nothing but its own
    /// announcements followed it.
    fn remember_retry(&mut self, block: &Candidate<'_, 't>, failure: Option<&Decision<'t>>) {
        let classes = block.seen.classes;
        let retry = classes.has(WordClass::Retry) && !classes.has(WordClass::Survived);
        self.only_retries &= retry;
        let logged = block.level >= Level::Plain || classes.has(WordClass::Trouble);
        if let Some(failure) = failure.filter(|_| self.only_retries && logged) {
            self.retried.get_or_insert_with(|| failure.clone());
        }
    }

    /// Whether the block is the failure of a side task, or may be one.
    fn skips_side_task(&mut self, block: &Candidate<'_, 't>) -> bool {
        let explains_side_task = std::mem::take(&mut self.side_task_unexplained) && block.is_tool();
        match block.side_task {
            SideTask::No if explains_side_task => true,
            SideTask::No => false,
            SideTask::Maybe => match &block.best {
                Some(best) if self.uncertain.is_none() && self.skipped == 0 => {
                    self.uncertain = Some(best.clone());
                    true
                }
                _ => false,
            },
            SideTask::Yes => {
                self.side_task_unexplained = block.best.is_none();
                true
            }
        }
    }

    /// Whether `decision` can still decide.
    fn may_decide(&self, table: &Table, block: &Candidate<'_, 't>, decision: &Decision<'t>) -> bool {
        if self.recovered && block.level < Level::Fatal {
            return false;
        }
        // A client that gave up may have found another way before.
        let survived = block.seen.classes.has(WordClass::Survived) && self.search_for != SearchFor::Retries;
        if survived && block.level < Level::Fatal {
            return false;
        }
        let network = table.row(decision.row).cause == Cause::Network;
        let final_line = self.search_for != SearchFor::Statement || !block.seen.classes.has(WordClass::Retry);
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
                SearchFor::Statement => self.skipped == 0 && !line::is_recovery(block.seen.classes),
            },
            Level::Info if self.search_for == SearchFor::Retries => block.seen.classes.has(WordClass::Retry),
            // Some programs log even their fatal error as information.
            Level::Info => {
                !network
                    && self.skipped == 0
                    && self.search_for == SearchFor::Statement
                    && !line::is_recovery(block.seen.classes)
                    && block.seen.classes.has(WordClass::Trouble)
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
            Strength::Hint
                if line::is_effect(block.head, block.seen) || block.seen.classes.has(WordClass::Chatter) =>
            {
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
        let recovery = line::is_recovery(block.seen.classes);
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
            && (self.search_for != SearchFor::Retries || block.seen.classes.has(WordClass::Survived))
        {
            // Now only a crash before buffered output can still decide.
            self.recovered = true;
        } else if !self.foreign && block.level == Level::Plain && line::is_foreign(block.head) {
            self.foreign = true;
            return Step::Continue;
        }
        self.skipped += 1;
        let is_calm = !error && !self.recovered && block.level <= Level::Info;
        self.calm = if is_calm && self.skipped == self.calm + 1 { self.skipped } else { 0 };
        match self.search_for {
            SearchFor::Statement if self.skipped > MAX_LINES_AFTER_CRASH => Step::Stop,
            _ => Step::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::label;

    #[test]
    fn a_few_lines_after_the_report_of_a_failure_hide_nothing() {
        let refused = "ERROR quotes: dial tcp 10.43.7.21:443: connect: connection refused";
        let lines = |n: usize| -> String { (0..n).map(|n| format!("served request {n} today\n")).collect() };
        let after = |report: &str, n: usize| label(&format!("{refused}\n{report}\n{}", lines(n)));
        assert_eq!(after("job settle failed: exit code 1", 4), "network:refused");
        // A worker that is done, and a process that goes on.
        assert_eq!(after("worker 3 exited with code 0", 4), "unknown");
        assert_eq!(after("worker 3 exited with code 1", 6), "unknown");
    }
}
