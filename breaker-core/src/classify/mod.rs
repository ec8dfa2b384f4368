//! The classifier: from a termination to a verdict.
//!
//! ```text
//! Termination --kubernetes--> status and events -----------------------------------.
//!      |                                                                            v
//!      `--unwrap, fold--> text --table--> words --block--> statements --decide, second--> Verdict
//!                                                             ^                     (quote, peer)
//!                                    rules, compose, subject, side_task, echo
//! ```
//!
//! The status and events of Kubernetes decide first (`kubernetes`). Then the message and the log
//! decide, by the statement that ended the process and its innermost cause (`decide`). A line means
//! what a rule says, or what its words compose (`compose`). Then the exit code decides, by
//! convention (`exit`). Rules and words are data in `rules.yaml`, whose rows contain their own
//! tests. The module uses no clock and no I/O.

mod block;
mod check;
mod compose;
mod decide;
mod echo;
mod exit;
mod explanation;
mod fold;
mod hosts;
mod kubernetes;
mod last_words;
mod level;
mod line;
mod mask;
mod peer;
mod phrase;
mod quote;
mod rule;
mod second;
mod side_task;
mod statement;
mod subject;
mod table;
mod text;
mod trigger;
mod unwrap;
mod words;
mod wrapper;

use std::sync::{Arc, LazyLock};

pub use explanation::{EvidenceSource, Explanation};
pub use mask::mask;
pub use rule::RuleError;

use check::Check;
use level::Level;
use quote::verdict;
use rule::Strength;
use table::Table;

use crate::verdict::{Confidence, UnknownReason};
use crate::{Cause, Termination, Verdict};

/// The built-in rules, as YAML.
const BUILT_IN: &str = include_str!("rules.yaml");

/// Decides why containers ended, by rules. Clones share the compiled rules.
#[derive(Debug, Clone)]
pub struct Classifier {
    table: Arc<Table>,
}

impl Default for Classifier {
    /// The built-in rules, compiled once per process.
    fn default() -> Self {
        static TABLE: LazyLock<Arc<Table>> = LazyLock::new(|| {
            let table = rule::parse(BUILT_IN).and_then(Table::new);
            // A test compiles the same text, so this cannot fail for a user.
            Arc::new(table.unwrap_or_else(|e| unreachable!("rules.yaml: {e}")))
        });
        Self { table: Arc::clone(&TABLE) }
    }
}

impl Classifier {
    /// Creates a classifier from the built-in rules and custom rules in YAML, a list of rows.
    ///
    /// Custom rows take precedence. A row with the ID of a built-in row replaces that row;
    /// `disabled: true` removes it.
    ///
    /// # Errors
    /// Returns a [`RuleError`] with line, column and the fix for malformed YAML, an unknown field,
    /// cause or kind, a duplicate ID, a regex that does not compile, or an example that another row
    /// decides.
    pub fn with_rules(yaml: &str) -> Result<Self, RuleError> {
        let mut set = rule::parse(yaml)?;
        let checks = Check::of(&set);
        let built_in = rule::parse(BUILT_IN)?;
        for rule in built_in.rules {
            if !set.rules.iter().any(|own| own.id == rule.id) {
                set.rules.push(rule);
            }
        }
        set.words.extend(built_in.words);
        let built = Self { table: Arc::new(Table::new(set)?) };
        checks.iter().try_for_each(|check| check.run(&built.table))?;
        Ok(built)
    }

    /// The verdict on `termination`.
    ///
    /// ```
    /// use breaker_core::pod::Terminated;
    /// use breaker_core::{Classifier, Termination};
    ///
    /// let terminated =
    ///     Terminated { exit_code: 1, message: "dial tcp: i/o timeout".into(), ..Terminated::default() };
    /// let verdict =
    ///     Classifier::default().classify(&Termination::new(terminated, ""));
    /// assert_eq!(verdict.label(), "network:timeout");
    /// ```
    ///
    /// Exit codes 137 and 143 are never network, and neither is a termination without evidence.
    pub fn classify(&self, termination: &Termination) -> Verdict {
        self.explain(termination).verdict
    }

    /// The verdict on a text alone: the end of a log, or a termination message.
    ///
    /// ```
    /// use breaker_core::{Cause, Classifier};
    ///
    /// let verdict = Classifier::default().read("FATAL: dial tcp 10.0.0.7:5432: connect: connection refused");
    /// assert_eq!(verdict.label(), "network:refused");
    /// assert_eq!(Classifier::default().read("").cause, Cause::Unknown);
    /// ```
    pub fn read(&self, text: &str) -> Verdict {
        match self.decide_text(text, EvidenceSource::Log) {
            Some((explanation, _)) => explanation.verdict,
            None if text.trim().is_empty() => Verdict::unknown(UnknownReason::NoLastWords),
            None => self.unread(text, EvidenceSource::Log).verdict,
        }
    }

    /// A row for a file of rules that gives `quote` a cause: the words of the line without numbers
    /// and identifiers. `None` if the line has no such words, or if the row would not decide on it.
    ///
    /// ```
    /// use breaker_core::{Cause, Classifier};
    ///
    /// let row = Classifier::suggest_row("fatal: ledger 4711 lost its quorum", Cause::Application).unwrap();
    /// assert!(row.contains("lost its quorum"), "{row}");
    /// let own = Classifier::with_rules(&row).unwrap();
    /// assert_eq!(own.read("fatal: ledger 9 lost its quorum").cause, Cause::Application);
    /// ```
    pub fn suggest_row(quote: &str, cause: Cause) -> Option<String> {
        last_words::row(quote, cause).filter(|row| Self::with_rules(row).is_ok())
    }

    /// The verdict on `termination`, with the source of its quote.
    pub fn explain(&self, termination: &Termination) -> Explanation {
        if let Some(mut verdict) = kubernetes::verdict_of(termination) {
            if verdict.cause == Cause::Network {
                let messages = termination.events.iter().map(|event| event.message.as_str());
                let mut about = messages
                    .filter(|message| message.contains("sandbox") || message.contains("SetupNetwork"));
                verdict.peer = about.find_map(|message| peer::peer(message, &[], &[], &[]));
            }
            verdict.quote = self.table.masks.mask(&verdict.quote);
            return Explanation { verdict, place: Some(EvidenceSource::Kubernetes) };
        }
        let killed = kubernetes::killed(termination);
        let crashed = kubernetes::crashed(termination);
        let by_text = self
            .explain_text(termination)
            .filter(|explanation| {
                // A process that handles a failure of the network does not crash on memory.
                let network = explanation.verdict.cause == Cause::Network;
                !(crashed && network && explanation.verdict.confidence < Confidence::High)
            })
            .filter(|explanation| {
                // A signal ended the process, so only messages about memory, a probe or a requested
                // stop explain the end.
                !killed
                    || matches!(explanation.verdict.cause, Cause::Oom | Cause::Probe)
                    || explanation.verdict.rule == "asked-to-leave"
            });
        if let Some(explanation) = by_text {
            return explanation;
        }
        let verdict = match exit::convention(termination.terminated.exit_code) {
            Some((cause, rule)) => {
                let quote = format!("exit code {}", termination.terminated.exit_code);
                Verdict { confidence: Confidence::Low, ..verdict(cause, None, rule, &quote) }
            }
            None if silent(termination) => Verdict::unknown(UnknownReason::NoLastWords),
            None if termination.log_tail.trim().is_empty() => {
                return self.unread(&termination.terminated.message, EvidenceSource::Message);
            }
            None => return self.unread(&termination.log_tail, EvidenceSource::Log),
        };
        Explanation { verdict, place: None }
    }

    /// The unknown verdict on a text that no rule explains, with its last words as the quote: who
    /// reads them can write a rule.
    fn unread(&self, text: &str, place: fn(usize) -> EvidenceSource) -> Explanation {
        let tail = text::tail(text);
        let cleaned = unwrap::unwrap(tail);
        let folded = fold::fold(&cleaned);
        let verdict = Verdict::unknown(UnknownReason::NoRule);
        match last_words::last_words(&self.table, &folded.text, &self.table.masks) {
            Some((quote, line)) => {
                let before = text[..text.len() - tail.len()].matches('\n').count();
                let place = Some(place(before + folded.cut + line));
                Explanation { verdict: Verdict { quote, ..verdict }, place }
            }
            None => Explanation { verdict, place: None },
        }
    }

    /// The decision on the termination message, or on the log when the message does not name a
    /// cause.
    ///
    /// The message comes first because the program writes it on purpose. With
    /// `FallbackToLogsOnError` it is the end of the log.
    fn explain_text(&self, termination: &Termination) -> Option<Explanation> {
        let Termination { terminated, log_tail, .. } = termination;
        let by_message = self.decide_text(&terminated.message, EvidenceSource::Message);
        if by_message.as_ref().is_some_and(|(_, strength)| strength.names_the_cause()) {
            return by_message.map(|(explanation, _)| explanation);
        }
        let by_log = if *log_tail == terminated.message {
            None
        } else {
            self.decide_text(log_tail, EvidenceSource::Log)
        };
        match (by_message, by_log) {
            (Some(_), Some((by_log, strength))) if strength.names_the_cause() => Some(by_log),
            (by_message, by_log) => by_message.or(by_log).map(|(explanation, _)| explanation),
        }
    }

    fn decide_text(&self, text: &str, place: fn(usize) -> EvidenceSource) -> Option<(Explanation, Strength)> {
        if text.trim().is_empty() {
            return None;
        }
        let tail = text::tail(text);
        let cleaned = unwrap::unwrap(tail);
        let folded = fold::fold(&cleaned);
        let decision = decide::decide(&self.table, &folded.text)?;
        let row = self.table.row(decision.row);
        let confidence = match decision.strength {
            Strength::Whole => Confidence::High,
            Strength::Cause | Strength::Framed if decision.level >= Level::Error => Confidence::High,
            Strength::Cause | Strength::Framed | Strength::Symptom => Confidence::Medium,
            Strength::Hint => Confidence::Low,
        };
        let mut verdict = verdict(row.cause, row.kind, &row.id, "");
        verdict.quote = quote::quote(decision.line, decision.at, &self.table.masks);
        verdict.confidence = confidence;
        if row.cause == Cause::Network {
            verdict.peer = peer::peer(decision.line, &decision.statement, &decision.before, &decision.after);
        }
        if row.cause == Cause::Unknown {
            verdict.rule = UnknownReason::NoRule.as_str().into();
            verdict.confidence = Confidence::Low;
        }
        let before = text[..text.len() - tail.len()].matches('\n').count();
        Some((
            Explanation { verdict, place: Some(place(before + folded.cut + decision.number)) },
            decision.strength,
        ))
    }
}

/// Whether a text begins inside a stack: the statement that the stack belongs to was cut off.
pub(crate) fn begins_in_stack(text: &str) -> bool {
    fold::begins_in_stack(text)
}

fn silent(termination: &Termination) -> bool {
    termination.log_tail.trim().is_empty() && termination.terminated.message.trim().is_empty()
}

/// What the table of rules makes of a text.
#[cfg(test)]
fn label(text: &str) -> String {
    Classifier::default().read(text).label()
}

#[cfg(test)]
mod tests;
