//! Words and names in the sentences of a report.

use std::fmt::Write as _;

use jiff::SignedDuration;

use super::view::Report;
use crate::judge::AlertIx;
use crate::printable::printable;
use crate::rules::SeveritySource;

/// Maximum number of names in one sentence.
const MAX_NAMES: usize = 6;

/// A count with its noun: `1 line`, `2 lines`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A duration in words: `1h 30m`.
pub(crate) fn span(seconds: i64) -> String {
    format!("{:#}", SignedDuration::from_secs(seconds))
}

/// Names separated by commas, at most [`MAX_NAMES`] of them.
pub(super) fn list(names: &[String]) -> String {
    let mut text = names.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MAX_NAMES {
        let _ = write!(text, " and {} more", names.len() - MAX_NAMES);
    }
    text
}

impl Report<'_> {
    /// The name of an alert, made printable.
    pub(crate) fn name(&self, at: AlertIx) -> String {
        printable(self.evaluation.name(at))
    }

    /// The word that gives the severity: that of the newest record, else that of the label.
    pub(super) fn severity_word(&self, at: AlertIx) -> String {
        match self.evaluation.state(at).severity {
            Some(word) => printable(word.as_bytes()),
            None => printable(self.evaluation.entry(at).identity().label("severity").unwrap_or_default()),
        }
    }

    /// The severity of an alert, and where it comes from.
    pub(crate) fn severity(&self, at: AlertIx) -> String {
        let alert = self.alert(at);
        let severity = alert.severity;
        match alert.severity_by {
            SeveritySource::Label if self.evaluation.entry(at).has_own_severity() => {
                format!("{severity} by its newest record")
            }
            SeveritySource::Label => format!("{severity} by its label"),
            SeveritySource::Alias(_) => {
                format!("{severity} by its label {}", alert.severity_by.label().unwrap_or_default())
            }
            SeveritySource::UnknownWord => {
                format!("severity `{}` is not known: taken for a warning", self.severity_word(at))
            }
            SeveritySource::Row(_) => {
                let id = self.evaluation.engine.rules().severity_id(alert.severity_by);
                format!("{severity} by the rule {id}")
            }
            SeveritySource::Name => format!("{severity} by a word of its name"),
            SeveritySource::Default => format!("{severity} by default, without a label or a rule"),
        }
    }
}
