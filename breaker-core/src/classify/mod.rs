//! Why it died: from a termination to a verdict.
//!
//! ```text
//! Termination --kubernetes--> their own word --------------------------------.
//!      |                                                                      v
//!      `--words--> lines --block--> statements and chains --decide + table--> Verdict (quote, masked)
//! ```
//!
//! Kubernetes' own word first (`kubernetes`); then the last words, of which the fatal statement and its
//! innermost cause decide (`decide`); then what an exit code means by convention (`exit`). The rules are
//! data: `rules.yaml`, whose rows carry their own tests. No clock, no IO.

mod block;
mod check;
mod decide;
mod exit;
mod explanation;
mod kubernetes;
mod level;
mod lexicon;
mod line;
mod mask;
mod quote;
mod rule;
mod table;
mod trigger;
mod words;

use std::sync::{Arc, LazyLock};

pub use explanation::{EvidenceSource, Explanation};
pub use mask::mask;
pub use rule::RuleError;

use check::Check;
use level::Level;
use quote::verdict;
use rule::Says;
use table::Table;

use crate::verdict::{Confidence, UnknownReason};
use crate::{Cause, Termination, Verdict};

/// The built-in table, as text.
const BUILT_IN: &str = include_str!("rules.yaml");

/// Reads terminations by rules. Cloning shares the compiled table.
#[derive(Debug, Clone)]
pub struct Classifier {
    table: Arc<Table>,
}

impl Default for Classifier {
    /// The built-in rules, compiled once per process.
    fn default() -> Self {
        static TABLE: LazyLock<Arc<Table>> = LazyLock::new(|| {
            let table = rule::parse(BUILT_IN).and_then(Table::new);
            // A test compiles the same text; it cannot fail for a user.
            Arc::new(table.unwrap_or_else(|e| unreachable!("rules.yaml: {e}")))
        });
        Self { table: Arc::clone(&TABLE) }
    }
}

impl Classifier {
    /// The built-in rules, extended or overridden by a user's YAML: a list of rows of the same shape.
    ///
    /// The user's rows come first. A row with a built-in's id replaces it; `disabled: true` removes it.
    ///
    /// # Errors
    /// [`RuleError`] with line, column and the fix: for malformed YAML, an unknown field, cause or kind, an id
    /// used twice, a regex that does not compile, an example its own row does not decide.
    pub fn with_rules(yaml: &str) -> Result<Self, RuleError> {
        let mut rules = rule::parse(yaml)?;
        let checks: Vec<Check> = rules.iter().filter(|rule| !rule.disabled).map(Check::of).collect();
        for rule in rule::parse(BUILT_IN)? {
            if !rules.iter().any(|own| own.id == rule.id) {
                rules.push(rule);
            }
        }
        let built = Self { table: Arc::new(Table::new(rules)?) };
        checks.iter().try_for_each(|check| check.run(&built.table))?;
        Ok(built)
    }

    /// The verdict on what is known of `termination`.
    ///
    /// ```
    /// use breaker_core::pod::Terminated;
    /// use breaker_core::{Classifier, Termination};
    ///
    /// let terminated =
    ///     Terminated { exit_code: 1, message: "dial tcp: i/o timeout".into(), ..Terminated::default() };
    /// let verdict =
    ///     Classifier::default().classify(&Termination { terminated, ..Termination::default() });
    /// assert_eq!(verdict.label(), "network:timeout");
    /// ```
    ///
    /// Exit 137 and 143 are never network, and neither is a termination without evidence.
    pub fn classify(&self, termination: &Termination) -> Verdict {
        self.explain(termination).verdict
    }

    /// The verdict on text alone: the end of a log, or a termination message.
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
            None => Verdict::unknown(UnknownReason::NoRule),
        }
    }

    /// The same verdict with the place of the words that decided it.
    pub fn explain(&self, termination: &Termination) -> Explanation {
        if let Some(verdict) = kubernetes::verdict_of(termination) {
            return Explanation { verdict, place: Some(EvidenceSource::Kubernetes) };
        }
        let killed = kubernetes::killed(termination);
        let words = self.last_words(termination).filter(|said| {
            // Somebody else ended it, so of its words only those about memory explain the end.
            !killed || said.verdict.cause == Cause::Oom || said.verdict.rule == "asked-to-leave"
        });
        if let Some(said) = words {
            return said;
        }
        let verdict = match exit::convention(termination.terminated.exit_code) {
            Some((cause, rule)) => {
                let quote = format!("exit code {}", termination.terminated.exit_code);
                Verdict { confidence: Confidence::Low, ..verdict(cause, None, rule, &quote) }
            }
            None if silent(termination) => Verdict::unknown(UnknownReason::NoLastWords),
            None => Verdict::unknown(UnknownReason::NoRule),
        };
        Explanation { verdict, place: None }
    }

    /// The message is the program's own statement, or (`FallbackToLogsOnError`) the log's end: it is asked
    /// first. The log is asked when the message does not name a cause.
    fn last_words(&self, termination: &Termination) -> Option<Explanation> {
        let Termination { terminated, log_tail, .. } = termination;
        let said = self.decide_text(&terminated.message, EvidenceSource::Message);
        if said.as_ref().is_some_and(|(_, says)| says.names_the_cause()) {
            return said.map(|(explanation, _)| explanation);
        }
        let logged = if *log_tail == terminated.message {
            None
        } else {
            self.decide_text(log_tail, EvidenceSource::Log)
        };
        match (said, logged) {
            (Some(_), Some((logged, says))) if says.names_the_cause() => Some(logged),
            (said, logged) => said.or(logged).map(|(explanation, _)| explanation),
        }
    }

    fn decide_text(&self, text: &str, place: fn(usize) -> EvidenceSource) -> Option<(Explanation, Says)> {
        if text.trim().is_empty() {
            return None;
        }
        let last = words::last(text);
        let cleaned = words::clean(last);
        let decision = decide::decide(&self.table, &cleaned)?;
        let row = self.table.row(decision.row);
        let confidence = match decision.says {
            Says::Whole => Confidence::High,
            Says::Cause | Says::Framed if decision.level >= Level::Error => Confidence::High,
            Says::Cause | Says::Framed | Says::Symptom => Confidence::Medium,
            Says::Hint => Confidence::Low,
        };
        let mut verdict = verdict(row.cause, row.kind, &row.id, "");
        verdict.quote = quote::quote(decision.line, decision.at);
        verdict.confidence = confidence;
        if row.cause == Cause::Unknown {
            verdict.rule = UnknownReason::NoRule.as_str().into();
            verdict.confidence = Confidence::Low;
        }
        let before = text[..text.len() - last.len()].matches('\n').count();
        Some((Explanation { verdict, place: Some(place(before + decision.number)) }, decision.says))
    }
}

fn silent(termination: &Termination) -> bool {
    termination.log_tail.trim().is_empty() && termination.terminated.message.trim().is_empty()
}

#[cfg(test)]
mod tests;
