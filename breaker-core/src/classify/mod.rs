//! Why it died: from a termination to a verdict.
//!
//! ```text
//! Termination --kubernetes--> their own word --------------------------------.
//!      |                                                                      v
//!      `--words--> lines --block--> statements and chains --decide + table--> Verdict (quote, masked)
//! ```
//!
//! Kubernetes' own word first ([`kubernetes`]); then the last words, of which the fatal statement and its
//! innermost cause decide ([`mod@decide`]); then what an exit code means by convention ([`exit`]). The rules are
//! data: `rules.yaml`, whose rows carry their own tests. No clock, no IO.

mod block;
mod check;
mod decide;
mod exit;
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

pub use mask::mask;
pub use rule::RuleError;

use check::Check;
use level::Level;
use rule::Says;
use table::Table;

use crate::{Cause, Confidence, NetworkKind, Termination, Verdict};

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
    /// Exit 137 and 143 are never network, and neither is a death without evidence.
    pub fn classify(&self, termination: &Termination) -> Verdict {
        if let Some(verdict) = kubernetes::verdict_of(termination) {
            return verdict;
        }
        let killed = kubernetes::killed(termination);
        let words = self.last_words(termination).filter(|verdict| {
            // Somebody else ended it, so of its words only those about memory explain the end.
            !killed || verdict.cause == Cause::Oom || verdict.rule == "asked-to-leave"
        });
        if let Some(verdict) = words {
            return verdict;
        }
        match exit::convention(termination.death.exit_code) {
            Some((cause, rule)) => {
                let quote = format!("exit code {}", termination.death.exit_code);
                Verdict { confidence: Confidence::Low, ..verdict(cause, None, rule, &quote) }
            }
            None if silent(termination) => Verdict::unknown("no-last-words"),
            None => Verdict::unknown("no-rule"),
        }
    }

    /// The message is the program's own statement, or (`FallbackToLogsOnError`) the log's end: it is asked
    /// first. The log is asked when the message does not name a cause.
    fn last_words(&self, termination: &Termination) -> Option<Verdict> {
        let message = &termination.death.message;
        let said = self.read(message);
        if said.as_ref().is_some_and(|(_, says)| matches!(says, Says::Cause | Says::Framed | Says::Whole)) {
            return said.map(|(verdict, _)| verdict);
        }
        let logged = if termination.log_tail == *message { None } else { self.read(&termination.log_tail) };
        match (said, logged) {
            (
                Some((_, Says::Hint | Says::Symptom)),
                Some((logged, Says::Cause | Says::Framed | Says::Whole)),
            ) => Some(logged),
            (said, logged) => said.or(logged).map(|(verdict, _)| verdict),
        }
    }

    fn read(&self, text: &str) -> Option<(Verdict, Says)> {
        if text.trim().is_empty() {
            return None;
        }
        let text = words::clean(text);
        let decision = decide::decide(&self.table, &text)?;
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
            verdict.rule = "no-rule".into();
            verdict.confidence = Confidence::Low;
        }
        Some((verdict, decision.says))
    }
}

fn silent(termination: &Termination) -> bool {
    termination.log_tail.trim().is_empty() && termination.death.message.trim().is_empty()
}

/// A verdict of high confidence that quotes `words`.
fn verdict(cause: Cause, kind: Option<NetworkKind>, rule: &str, words: &str) -> Verdict {
    let quote = quote::quote(&words::clean(words), 0);
    Verdict { cause, kind, confidence: Confidence::High, rule: rule.into(), quote }
}

#[cfg(test)]
mod tests;
