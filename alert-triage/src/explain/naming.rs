//! Labels for alerts and incidents, and the locations of their records.

use super::location::Location;
use crate::judge::{AlertIx, IncidentIx};
use crate::printable::printable;
use crate::report::{Labels, Report};
use crate::source_position::SourcePosition;

/// The location of a record.
pub(super) fn location(report: &Report<'_>, position: SourcePosition) -> Location {
    Location { source: report.source(position), line: report.offsets.line(position) }
}

/// The identity key of an alert.
pub(super) fn identity_key<'r>(report: &'r Report<'_>, at: AlertIx) -> &'r [u8] {
    &report.evaluation.entry(at).key
}

/// `X zone=AB`, or `X in 2 scopes` if the incident covers several.
pub(super) fn incident_label(report: &Report<'_>, incident: IncidentIx) -> String {
    let core = &report.evaluation.incidents[incident];
    match core.scopes {
        0 | 1 => alert_label(report, core.headline),
        several => format!("{} in {several} scopes", report.name(core.headline)),
    }
}

/// `X` or `X zone=AB`: the name of an alert and its scope.
pub(super) fn alert_label(report: &Report<'_>, at: AlertIx) -> String {
    with_labels(&report.name(at), &report.scope(report.alert(at).scope))
}

/// `X` or `X zone=AB`.
pub(super) fn with_labels(name: &str, labels: &Labels) -> String {
    let mut text = printable(name);
    for (name, value) in labels {
        text.push_str(&format!(" {}={}", printable(name), printable(value)));
    }
    text
}
