//! Why it died: from a termination to a verdict.
//!
//! ```text
//! status, events --kubernetes--> verdict
//! last words --clean--> statements --rules, from the last one back--> verdict + quote
//! ```
//!
//! The process's last words are read as a person reads them: the last loud statement decides, by its
//! innermost cause. A warning that was lived with decides nothing; a farewell ("giving up, exiting")
//! passes the question on to what was said before it; a fatal statement of another kind ends the search,
//! so that network noise before a bug stays noise. No exit code alone says network.

mod kubernetes;
mod mask;
mod rules;
mod statement;

use std::ops::Range;

pub use self::mask::mask;
pub use self::rules::RuleError;
use self::rules::{Hit, Rule, Rules, Tier};
use self::statement::{Level, Statement};
use crate::{Cause, Confidence, Termination, Verdict};

/// The longest quote, in characters.
const QUOTE: usize = 200;

/// Statements without any rule that may stand between the deciding one and the end.
const MOST_UNREAD: usize = 4;

/// Reads terminations by rules. Build one and share it: a call keeps no state.
#[derive(Debug)]
pub struct Classifier {
    rules: Rules,
}

impl Default for Classifier {
    fn default() -> Self {
        Self { rules: Rules::built_in() }
    }
}

impl Classifier {
    /// The built-in rules, extended or overridden by a user's YAML: rows of the same shape, read before the
    /// built-in ones; the same id replaces; `disable: [id]` switches one off.
    ///
    /// ```
    /// # use breaker_core::{Cause, Classifier, Termination};
    /// let classifier = Classifier::with_rules(
    ///     "rules: [{id: swype-down, cause: network, kind: gateway, any: [SWYPE-5031]}]",
    /// )?;
    /// let mut termination = Termination { log_tail: "fatal: SWYPE-5031".into(), ..Default::default() };
    /// termination.death.exit_code = 1;
    /// assert_eq!(classifier.classify(&termination).cause, Cause::Network);
    /// # Ok::<(), breaker_core::RuleError>(())
    /// ```
    ///
    /// # Errors
    /// [`RuleError`] with line and column.
    pub fn with_rules(yaml: &str) -> Result<Self, RuleError> {
        Ok(Self { rules: Rules::with(Some(yaml))? })
    }

    /// The verdict on what is known of `termination`.
    pub fn classify(&self, termination: &Termination) -> Verdict {
        if let Some(verdict) = kubernetes::verdict(termination) {
            return verdict;
        }
        let verdict = self.by_last_words(termination);
        // A signal from outside says nothing about what the process was doing.
        if matches!(termination.death.exit_code, 137 | 143) && verdict.cause == Cause::Network {
            return Verdict::unknown("killed-by-signal");
        }
        verdict
    }

    fn by_last_words(&self, termination: &Termination) -> Verdict {
        let said = [&termination.death.message, &termination.log_tail];
        let mut verdict = Verdict::unknown("no-last-words");
        for text in said.into_iter().filter(|text| !text.trim().is_empty()) {
            verdict = self.read(text);
            if verdict.cause != Cause::Unknown {
                return verdict;
            }
        }
        by_exit_code(termination.death.exit_code).unwrap_or(verdict)
    }

    fn read(&self, text: &str) -> Verdict {
        let text = statement::clean(text);
        let statements = statement::statements(&text);
        let mut asked_before = false;
        let mut unread = 0;
        for statement in statements.iter().rev() {
            match self.decide(statement) {
                Some((line, hit)) if self.rules.row(hit).tier == Tier::Aside => {
                    let _ = line;
                    asked_before = true;
                }
                // A warning that was lived with speaks only where a farewell asks it to.
                Some((_, hit))
                    if statement.level == Level::Quiet && !(asked_before && self.is_network(hit)) => {}
                Some((line, hit)) => return self.verdict(line, hit),
                None if statement.level == Level::Quiet => {}
                None => {
                    unread += 1;
                    if unread > MOST_UNREAD {
                        break;
                    }
                }
            }
        }
        Verdict::unknown("no-rule")
    }

    fn is_network(&self, hit: Hit) -> bool {
        self.rules.row(hit).cause == Cause::Network
    }

    /// The line and the row that decide within one statement.
    fn decide<'a>(&self, statement: &Statement<'a>) -> Option<(&'a str, Hit)> {
        let mut best: [Option<(&'a str, Hit)>; 4] = [None; 4];
        for line in &statement.lines {
            for (tier, hit) in self.rules.fits(line).into_iter().enumerate() {
                let Some(hit) = hit else { continue };
                // Innermost: the last line of a chain, except where the language prints it first.
                let keep_first = statement.innermost_first || tier == Tier::Veto as usize;
                if best[tier].is_none() || !keep_first {
                    best[tier] = Some((line, hit));
                }
            }
        }
        best.into_iter().flatten().next()
    }

    fn verdict(&self, line: &str, hit: Hit) -> Verdict {
        let Rule { id, cause, kind, tier, .. } = self.rules.row(hit);
        Verdict {
            cause: *cause,
            kind: *kind,
            confidence: if matches!(tier, Tier::General) { Confidence::Medium } else { Confidence::High },
            rule: if *cause == Cause::Unknown { "no-rule".into() } else { id.clone() },
            quote: quote(line, hit.start..hit.end),
        }
    }
}

/// What an exit code says by convention; never network.
fn by_exit_code(code: i32) -> Option<Verdict> {
    let (cause, rule) = match code {
        126 => (Cause::Permission, "exit-126-not-executable"),
        127 => (Cause::Config, "exit-127-not-found"),
        132 | 134 | 135 | 136 | 139 | 141 => (Cause::Application, "exit-by-own-signal"),
        _ => return None,
    };
    let quote = format!("exit {code}");
    Some(Verdict { cause, kind: None, confidence: Confidence::Low, rule: rule.into(), quote })
}

/// The line, masked and on one line; when too long, the part around `place`.
fn quote(line: &str, place: Range<usize>) -> String {
    // Masked as a whole first: a cut must not take away what tells a secret.
    let around = line.get(place).map(mask).filter(|words| !words.is_empty());
    let masked: String = mask(line).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let masked = masked.trim();
    let count = masked.chars().count();
    if count <= QUOTE {
        return masked.to_owned();
    }
    let at = around.and_then(|words| masked.find(&words)).map_or(0, |at| masked[..at].chars().count());
    let skip = at.saturating_sub(QUOTE / 2).min(count - (QUOTE - 1));
    let lead = if skip > 0 { "…" } else { "" };
    let room = QUOTE - 1 - lead.chars().count();
    let kept: String = masked.chars().skip(skip).take(room).collect();
    let tail = if skip + room < count { "…" } else { "" };
    format!("{lead}{kept}{tail}")
}

#[cfg(test)]
mod tests;
