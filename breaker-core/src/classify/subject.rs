//! Composes the causes beside the network: a subject, and what is wrong with it. A missing flag and
//! a malformed file are faults of the configuration; a full disk is a fault of the storage.
//!
//! Like [`super::compose`], it reads the lines that no phrase explains.

use super::words::{Word, WordClass, spoken};
use crate::Cause;
use crate::verdict::NetworkKind;

/// What a line says of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SubjectFault {
    pub(super) cause: Cause,
    /// The line says what is wrong. Otherwise something failed with the subject, and other lines
    /// may say why.
    pub(super) names_fault: bool,
    /// Where the words of the fault begin in the folded line.
    pub(super) at: usize,
}

/// The maximum distance between a subject and its fault, in bytes.
const MAX_DISTANCE: usize = 64;

/// The meaning of a folded line with these words; `None` without a subject that has a fault.
///
/// Of several faults the last one decides.
pub(super) fn meaning(line: &str, words: &[Word]) -> Option<SubjectFault> {
    let mut spoken = spoken(line, words);
    // The end of a file is not a file.
    let failures: Vec<Word> =
        spoken.iter().filter(|word| word.class == WordClass::Failure).copied().collect();
    let is_part = |word: &Word| {
        let first = failures.partition_point(|whole| whole.end < word.end);
        let near = failures[first..].iter().take_while(|whole| whole.end <= word.end + MAX_DISTANCE);
        near.copied().any(|whole| whole.start <= word.start)
    };
    spoken.retain(|word| word.class != WordClass::Subject || !is_part(word));
    let of = |class: WordClass| spoken.iter().rev().filter(move |word| word.class == class);
    of(WordClass::Fault)
        .find_map(|fault| said_of(&spoken, fault, true))
        .or_else(|| of(WordClass::Failing).find_map(|failing| said_of(&spoken, failing, false)))
        .or_else(|| of(WordClass::Failure).find_map(|failure| own_deadline(&spoken, failure)))
}

/// The subject of a fault: the nearest word that has a fault. A bad connection is not a bad driver.
fn said_of(words: &[Word], fault: &Word, names_fault: bool) -> Option<SubjectFault> {
    if let Some(cause) = fault.cause {
        return Some(SubjectFault { cause, names_fault, at: fault.start });
    }
    let can_have_it = |word: &&Word| match word.class {
        WordClass::Subject => true,
        WordClass::Operation => word.kind.is_some(),
        _ => false,
    };
    let (distance, subject) =
        words.iter().filter(can_have_it).map(|word| (distance(word, fault), word)).min_by_key(|(d, _)| *d)?;
    let meaning = SubjectFault { cause: subject.cause?, names_fault, at: fault.start };
    (distance <= MAX_DISTANCE).then_some(meaning)
}

/// A worker or a task that did not end in time: a deadline of the program itself.
fn own_deadline(words: &[Word], failure: &Word) -> Option<SubjectFault> {
    let own = words
        .iter()
        .any(|word| word.class == WordClass::LocalSubject && distance(word, failure) <= MAX_DISTANCE);
    let late = failure.kind == Some(NetworkKind::Timeout) && own;
    late.then_some(SubjectFault { cause: Cause::Application, names_fault: false, at: failure.start })
}

/// The number of bytes between two words; 0 if one is inside the other.
fn distance(one: &Word, other: &Word) -> usize {
    one.start.saturating_sub(other.end).max(other.start.saturating_sub(one.end))
}

#[cfg(test)]
mod tests {
    use super::super::label;

    #[test]
    fn a_subject_with_a_fault_has_the_cause_of_the_subject() {
        for (text, want) in [
            ("error: the flag retry-budget is malformed", "config"),
            ("fatal: no rounding policy is configured", "config"),
            ("error: the ledger volume is full", "storage"),
            ("error: memory of the ledger is exhausted", "oom"),
            ("error: rounding job 7 did not finish in time", "application"),
            ("error: the caller lacks permission for this ledger", "permission"),
        ] {
            assert_eq!(label(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_belongs_to_the_nearest_thing() {
        assert_ne!(label("startup: driver ledger: bad connection"), "config");
        assert_ne!(
            label("{\"level\":\"error\",\"file\":\"invalid/x.go\",\"msg\":\"totals differ\"}"),
            "config"
        );
    }
}
