//! Composes the meaning of a line from its word classes: an operation on something remote, or a
//! remote thing, with a failure of the network, and nothing that is local.
//!
//! Phrases of the rules come first; this module reads the lines that no phrase explains.

use super::hosts::{Address, addresses};
use super::words::{Word, WordClass, spoken};
use crate::verdict::NetworkKind;

/// What a line says: a failure of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) kind: NetworkKind,
    /// The line says how the network failed. Otherwise only an operation failed, and earlier lines
    /// may say how.
    pub(super) names_failure: bool,
    /// Where the words of the failure begin in the folded line.
    pub(super) at: usize,
}

/// The maximum distance between an operation and the word that it failed, in bytes.
const MAX_DISTANCE: usize = 60;

/// The meaning of a folded line with these words; `None` if it is not a failure of the network.
///
/// `before` is the line before the statement, with its words. It can announce the operation:
/// `connecting to the ledger`, then `FATAL timed out`.
pub(super) fn meaning(line: &str, words: &[Word], before: Option<(&str, &[Word])>) -> Option<Meaning> {
    let line = without_advice(without_frames(line));
    let all: Vec<Word> = words.iter().filter(|word| word.end <= line.len()).copied().collect();
    let said = spoken(line, &all);
    let fails = said.iter().any(|word| is_failure(word) || word.class == WordClass::Failing);
    if !fails || all.iter().any(|word| word.class == WordClass::Setting) {
        return None;
    }
    let announced = before.is_some_and(|(line, words)| announces(line, words));
    let found =
        named_failure(line, &all, &said, announced).or_else(|| failed_operation(line, &all, &said))?;
    match found.kind {
        NetworkKind::Unreachable if names_duration(line) => {
            Some(Meaning { kind: NetworkKind::Timeout, ..found })
        }
        _ => Some(found),
    }
}

/// Whether the line says how long the process waited: `within 15000 ms`, `after 2s`.
fn names_duration(line: &str) -> bool {
    [" within ", " after ", " for "].iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            let number = &line[at + word.len()..];
            let unit = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            let end = |c: char| !c.is_ascii_alphabetic();
            let unit_is_time = matches!(
                unit.trim_start().split(end).next().unwrap_or_default(),
                "ms" | "s" | "sec" | "secs" | "second" | "seconds" | "milliseconds" | "m" | "min" | "minutes"
            );
            unit.len() < number.len() && unit_is_time
        })
    })
}

/// The line without the stack frames that a record contains behind its message.
pub(super) fn without_frames(line: &str) -> &str {
    let is_frame = |at: usize| {
        let frame = line[at + 4..].split(' ').next().unwrap_or_default();
        frame.contains('(') && frame.contains(['.', ':'])
    };
    // By bytes: a search for a string costs more than such a short line.
    let mut frames =
        line.as_bytes().windows(4).enumerate().filter(|(_, four)| *four == b" at ").map(|(at, _)| at);
    frames.find(|at| is_frame(*at)).map_or(line, |at| &line[..at])
}

/// The line without the sentences behind it that tell the reader what to do: "Please check the
/// parameter 'server.url'".
fn without_advice(line: &str) -> &str {
    const ADVICE: [&str; 4] = [". please ", ". make sure ", ". check ", ". ensure "];
    ADVICE.iter().filter_map(|advice| line.find(advice)).min().map_or(line, |at| &line[..at])
}

/// Whether a line announces a connection, or another operation of a client, and reports no result.
fn announces(line: &str, words: &[Word]) -> bool {
    let has = |class: WordClass| words.iter().any(|word| word.class == class);
    let connects = words.iter().any(|word| word.class == WordClass::Operation && word.kind.is_some());
    let result = words.iter().any(is_failure) || has(WordClass::Failing) || has(WordClass::Local);
    !result && (connects || line.contains(" client") || remote_address(line).is_some())
}

/// A failure of the network with an operation or a remote thing. `said` are the words that report
/// something.
fn named_failure(line: &str, words: &[Word], said: &[Word], announced: bool) -> Option<Meaning> {
    let of = |class: WordClass| said.iter().filter(move |word| word.class == class);
    let failures = said.iter().filter(|word| is_failure(word));
    // The last one, and the longest of those that end together.
    let failure = failures.max_by_key(|word| (word.end, word.end - word.start))?;
    // Another word, or a part of this one: "connection closed".
    let other = |word: &&Word| {
        let apart = word.end <= failure.start || word.start >= failure.end;
        apart || word.end - word.start < failure.end - failure.start
    };
    let apart = |word: &&Word| word.end <= failure.start || word.start >= failure.end;
    let operation = of(WordClass::Operation).rfind(other);
    let remote = failure.class != WordClass::FailureOfOperation
        && words.iter().any(|word| word.class == WordClass::Remote && apart(&word) && !in_path(line, word));
    let named = || of(WordClass::NamedFailure);
    let alone = named().next().is_some();
    if operation.is_none() && !remote && !alone && !announced && remote_address(line).is_none() {
        return None;
    }
    // "Job failed: DeadlineExceeded": a job that is named alone had a deadline of its own.
    let nothing_remote = operation.is_none() && !remote && !announced && remote_address(line).is_none();
    if nothing_remote && words.iter().any(|word| word.class == WordClass::LocalSubject) {
        return None;
    }
    if is_local(line, words, failure) || operation.is_some_and(|word| is_local(line, words, word)) {
        return None;
    }
    let said = failure.kind?;
    // A lookup or a handshake that timed out is a failure of DNS or TLS.
    let clause = clause(line, failure);
    let in_clause = of(WordClass::Operation).filter(|word| clause.contains(&word.start)).chain(named());
    let layer = in_clause
        .filter_map(|word| word.kind)
        .find(|kind| matches!(kind, NetworkKind::Dns | NetworkKind::Tls) && said == NetworkKind::Timeout);
    let kind = layer.unwrap_or(said);
    // "Unreachable" names no reason yet.
    let names_failure = kind != NetworkKind::Unreachable;
    Some(Meaning { kind, names_failure, at: failure.start })
}

/// Whether a word is a part of a path of a file: `/prometheus/wal`.
fn in_path(line: &str, word: &Word) -> bool {
    line[..word.start].ends_with('/') && line[word.end..].starts_with('/')
}

/// Whether the clause of a word is about something local, or a later clause is.
fn is_local(line: &str, words: &[Word], word: &Word) -> bool {
    let start = line[..word.start].rfind(": ").map_or(0, |at| at + 2);
    let clause = clause(line, word);
    // Parts of a URL are names.
    let in_url = |word: &Word| {
        let token = line[..word.start].rfind(' ').map_or(0, |at| at + 1);
        line[token..word.start].contains("://")
    };
    words.iter().filter(|word| !in_url(word)).any(|local| match local.class {
        WordClass::Local => local.start >= start,
        WordClass::LocalSubject => clause.contains(&local.start),
        _ => false,
    })
}

/// Where the clause of a word begins and ends.
fn clause(line: &str, word: &Word) -> std::ops::Range<usize> {
    // By bytes: a search for a string costs more than such a short line.
    let bytes = line.as_bytes();
    let ends = |at: &usize| bytes[at + 1] == b' ' && b":,;.".contains(&bytes[*at]);
    let start = (0..word.start.saturating_sub(1)).rev().find(ends);
    let end = (word.end..bytes.len().saturating_sub(1)).find(ends);
    start.map_or(0, |at| at + 2)..end.unwrap_or(line.len())
}

fn is_failure(word: &Word) -> bool {
    matches!(word.class, WordClass::Failure | WordClass::NamedFailure | WordClass::FailureOfOperation)
}

/// An operation that failed, as the last thing that the line says.
fn failed_operation(line: &str, words: &[Word], said: &[Word]) -> Option<Meaning> {
    let of = |class: WordClass| said.iter().filter(move |word| word.class == class);
    let failing = of(WordClass::Failing).next_back()?;
    let distance = |word: &&Word| word.start.abs_diff(failing.start);
    let near = |word: &&Word| word.kind.is_some() && distance(word) <= MAX_DISTANCE;
    let operation = of(WordClass::Operation).filter(near).min_by_key(distance);
    let address = remote_address(line);
    let remote = address.is_some() || words.iter().any(|word| word.class == WordClass::Remote);
    let kind = match operation {
        Some(operation) => operation.kind?,
        None => {
            address.filter(|_| line[..failing.end].ends_with("ready")).map(|_| NetworkKind::Unreachable)?
        }
    };
    if is_local(line, words, failing) || operation.is_some_and(|word| is_local(line, words, word)) {
        return None;
    }
    let names_failure = matches!(kind, NetworkKind::Dns | NetworkKind::Tls);
    let (at, end) = operation.map_or((failing.start, failing.end), |word| (word.start, word.end));
    let last = end.max(failing.end);
    // Addresses say no more.
    let is_address = |token: &str| token.contains("://") || token.contains([':', '/']) && token.len() > 2;
    let says_more = line[last..].match_indices(": ").any(|(at, _)| {
        let rest = line[last + at + 2..].split(' ').filter(|token| !is_address(token));
        rest.flat_map(str::bytes).filter(u8::is_ascii_alphabetic).count() > 2
    });
    (remote && !says_more).then_some(Meaning { kind, names_failure, at: at.min(failing.start) })
}

/// The first address in the line that another system may have.
pub(super) fn remote_address(line: &str) -> Option<Address<'_>> {
    addresses(line).find(|address| !matches!(address.host, "0.0.0.0" | "[::]"))
}

#[cfg(test)]
mod tests {
    use super::super::label;

    #[test]
    fn words_in_any_order_are_a_failure_of_the_network() {
        for (text, want) in [
            ("error: the quote broker never answered the subscribe", "network:timeout"),
            ("fatal: publish to ledger-bus:7222 cut off by the far end", "network:reset"),
            ("error: upstream fx did not respond to the query in time", "network:timeout"),
            ("fatal: rates endpoint cannot be reached", "network:unreachable"),
            (
                "fatal: rates endpoint cannot be reached. Please check the parameter 'rates.url'.",
                "network:unreachable",
            ),
        ] {
            assert_eq!(label(text), want, "{text}");
        }
    }

    #[test]
    fn local_things_that_sound_remote_are_not() {
        for text in [
            "error: flag -dial-timeout: must be positive",
            "error: dial.timeout is not a number",
            "error: connectionTimeout cannot be less than 250ms",
            "error: connection pool closed",
            "error: timed out waiting for the migration lock held by node-2",
            "error: worker 3 timed out",
            "error: ledger job failed: DeadlineExceeded",
        ] {
            assert!(!label(text).starts_with("network"), "{text}: {}", label(text));
        }
    }
}
