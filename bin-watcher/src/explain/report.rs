//! An explanation as it is shown: a few lines for people, one object for programs.

use std::fmt;

use breaker_core::Cause;
use breaker_core::classify::Explanation;
use breaker_core::evidence::ExplainedTermination;
use breaker_core::verdict::{Confidence, NetworkKind};
use serde::Serialize;

use crate::explain::case::Case;
use crate::output::stdout::without_control_chars;

#[derive(Serialize)]
pub(crate) struct TerminationReport {
    id: String,
    cause: Cause,
    kind: Option<NetworkKind>,
    confidence: Confidence,
    rule: String,
    quote: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip)]
    verdict: String,
    /// What it should have been, where it is not.
    #[serde(skip)]
    wanted: Option<String>,
}

impl TerminationReport {
    fn new(id: &str, explanation: &Explanation) -> Self {
        let Explanation { verdict, place } = explanation;
        Self {
            id: id.to_owned(),
            cause: verdict.cause,
            kind: verdict.kind,
            confidence: verdict.confidence,
            rule: verdict.rule.clone(),
            quote: verdict.quote.clone(),
            place: place.filter(|_| !verdict.quote.is_empty()).map(|place| place.to_string()),
            verdict: verdict.label(),
            wanted: None,
        }
    }

    pub(crate) fn case(case: &Case, explanation: &Explanation) -> Self {
        let wanted = case.label.filter(|label| *label != explanation.verdict.cause);
        Self { wanted: wanted.map(|cause| cause.to_string()), ..Self::new(&case.id, explanation) }
    }

    pub(crate) fn words(explanation: &Explanation) -> Self {
        Self::new("last words", explanation)
    }

    pub(crate) fn death(death: &ExplainedTermination) -> Self {
        let of = &death.termination;
        let at = of.death.finished_at.map(|at| format!(" at {at:.0}")).unwrap_or_default();
        let id = format!("{}/{} exit {}{at}", of.pod, of.container, of.death.exit_code);
        Self::new(&id, &death.explanation)
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
        write!(f, "{}: {verdict} by {rule}, confidence {confidence}", without_control_chars(id))?;
        if let Some(wanted) = &self.wanted {
            write!(f, "; labelled {wanted}")?;
        }
        if !self.quote.is_empty() {
            let place = self.place.as_deref().unwrap_or("exit code");
            write!(f, "\n    {place}: {:?}", self.quote)?;
        }
        writeln!(f)
    }
}
