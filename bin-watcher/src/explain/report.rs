//! The explanation of one termination: two lines of text, or one JSON object.

use std::fmt;

use breaker_core::classify::Explanation;
use breaker_core::evidence::ExplainedTermination;
use breaker_core::printable::one_line;
use breaker_core::verdict::{Confidence, NetworkKind};
use breaker_core::{Cause, Classifier, Termination};
use serde::Serialize;

use crate::explain::case::Case;

/// A row for a rules file that gives the last words of an unknown restart a cause. The user puts
/// the cause that fits.
pub(crate) fn suggested_row(cause: Cause, quote: &str) -> Option<String> {
    if cause != Cause::Unknown { None } else { Classifier::suggest_row(quote, Cause::Network) }
}

/// Why one container terminated.
#[derive(Serialize)]
pub(crate) struct TerminationReport {
    id: String,
    cause: Cause,
    kind: Option<NetworkKind>,
    confidence: Confidence,
    rule: String,
    quote: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// A row for a rules file, where no rule explains the last words.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<String>,
    #[serde(skip)]
    verdict: String,
    /// The label of the case, where the verdict differs.
    #[serde(skip)]
    label: Option<String>,
}

impl TerminationReport {
    pub(crate) fn new(id: &str, explanation: &Explanation) -> Self {
        let Explanation { verdict, place } = explanation;
        Self {
            id: one_line(id),
            cause: verdict.cause,
            kind: verdict.kind,
            confidence: verdict.confidence,
            rule: verdict.rule.clone(),
            quote: verdict.quote.clone(),
            peer: verdict.peer.clone(),
            peer_status: verdict.peer_status.clone(),
            place: place.filter(|_| !verdict.quote.is_empty()).map(|place| place.to_string()),
            row: suggested_row(verdict.cause, &verdict.quote),
            verdict: verdict.label(),
            label: None,
        }
    }

    pub(crate) fn of_case(case: &Case, explanation: &Explanation) -> Self {
        let label = case.label.filter(|label| *label != explanation.verdict.cause);
        Self { label: label.map(|cause| cause.to_string()), ..Self::new(&case.id, explanation) }
    }

    pub(crate) fn of_termination(explained: &ExplainedTermination) -> Self {
        let Termination { pod, container, terminated, .. } = &explained.termination;
        let at = terminated.finished_at.map(|at| format!(" at {at:.0}")).unwrap_or_default();
        Self::new(&format!("{pod}/{container} exit {}{at}", terminated.exit_code), &explained.explanation)
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for TerminationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, verdict, rule, confidence, .. } = self;
        let confidence = match confidence {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        };
        write!(f, "{id}: {verdict} by {rule}, confidence {confidence}")?;
        if let Some(peer) = &self.peer {
            write!(f, "; peer {peer}")?;
            if let Some(status) = &self.peer_status {
                write!(f, ", {status}")?;
            }
        }
        if let Some(label) = &self.label {
            write!(f, "; labelled {label}")?;
        }
        if !self.quote.is_empty() {
            let place = self.place.as_deref().unwrap_or("exit code");
            write!(f, "\n    {place}: {:?}", self.quote)?;
        }
        if let Some(row) = &self.row {
            write!(f, "\n    a row for --rules, with the cause that fits:\n{row}")?;
        }
        writeln!(f)
    }
}
