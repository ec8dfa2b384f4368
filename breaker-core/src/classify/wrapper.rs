//! Reports of wrappers: a worker exited, a job failed. They say that something ended, not why.

use super::block::Block;
use super::table::Read;
use super::words::{Word, WordClass};

/// The maximum distance between what ended and the word for its end, in bytes.
const MAX_DISTANCE: usize = 40;

/// Whether the block begins with the words of a known wrapper.
pub(super) fn is_named(read: &Read<'_>, block: &Block) -> bool {
    read.seen[block.head].classes.has(WordClass::Wrapper)
}

/// Whether the block reports in its own words only that a process or a part of it ended.
///
/// A reason may follow in the last clause of the line: `job failed: totals differ`.
pub(super) fn is_composed(read: &Read<'_>, block: &Block) -> bool {
    let line = read.text.folded(block.head);
    let named = || line.starts_with("failed: ") && is_bare(&line[8..]);
    block.classes.has(WordClass::Ended)
        && block.lines == [block.head]
        && (named() || block.classes.has(WordClass::Child) && ends(line, &read.words(block.head)))
}

/// Whether the report of an end says that the process ended successfully.
pub(super) fn is_success(folded: &str) -> bool {
    const ZERO: [&str; 4] = ["code 0", "code: 0", "status 0", "status: 0"];
    let ends_there =
        |at: usize, zero: &str| !folded[at + zero.len()..].starts_with(|c: char| c.is_ascii_digit());
    ZERO.iter().any(|zero| folded.find(zero).is_some_and(|at| ends_there(at, zero)))
}

/// Whether the words are a name, a number or a command line, and so no reason.
fn is_bare(words: &str) -> bool {
    let words = words.trim();
    !words.contains(' ') || words.starts_with('\'') && words.ends_with('\'')
}

fn ends(line: &str, words: &[Word]) -> bool {
    let of = |class: WordClass| words.iter().filter(move |word| word.class == class);
    let is_end = |word: &Word| of(WordClass::Ended).any(|ended| ended.start == word.start);
    let says_why = words.iter().filter(|word| !is_end(word)).any(|word| {
        let why = [WordClass::Failure, WordClass::NamedFailure, WordClass::FailureOfOperation];
        why.contains(&word.class) || word.class == WordClass::Fault && word.cause.is_some()
    });
    let clause = line.rfind(": ").map_or(0, |colon| colon + 2);
    let joined = |ended: &Word| {
        of(WordClass::Child).any(|child| {
            let gap = child.start.saturating_sub(ended.end).max(ended.start.saturating_sub(child.end));
            gap <= MAX_DISTANCE
        })
    };
    !says_why
        && of(WordClass::Ended).any(joined)
        && (is_bare(&line[clause..])
            || line.contains("exit code ")
            || line.contains("exit status ")
            || of(WordClass::Ended).any(|ended| ended.start >= clause))
}

#[cfg(test)]
mod tests {
    use super::super::Classifier;
    use super::super::block::blocks;
    use super::*;

    #[test]
    fn an_end_without_a_reason_is_the_report_of_a_wrapper() {
        let classifier = Classifier::default();
        let reports = |line: &str| {
            let read = classifier.table.read(line);
            blocks(&read).iter().any(|block| is_composed(&read, block))
        };
        for line in [
            "[ERROR] Unexpected exit from worker-1",
            "[CRITICAL] Worker with PID 9 exited unexpectedly (code 1). Shutting down...",
            "error: command terminated with exit code 1",
            "Error: execution of an external program failed: '/app/settle --once'",
            "Failed:    settle#start",
            "pnpm: Command failed with exit code 1: node dist/boot.js",
            "INFO:     Finished server process [7]",
            "settle:start: ERROR: command finished with error: command (/app) npm run start exited (1)",
            "Error: UPGRADE FAILED: pre-upgrade hooks failed: job failed: BackoffLimitExceeded",
        ] {
            assert!(reports(line), "{line}");
        }
        for line in [
            "ERROR job failed: totals differ by 3",
            "ERROR worker failed: the broker refused it",
            "ERROR totals differ",
        ] {
            assert!(!reports(line), "{line}");
        }
    }
}
