//! For machines: one document, or one object a line.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};

use alert_triage::{Group, Incident, Malformed, Overflow, Report, Totals};
use jiff::Timestamp;
use serde::Serialize;

/// `triage/v1`, complete. Indented for eyes; on one line for programs, which is half the bytes.
pub(super) fn document(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    match io::stdout().is_terminal() {
        true => serde_json::to_writer_pretty(&mut *to, report)?,
        false => serde_json::to_writer(&mut *to, report)?,
    }
    writeln!(to)
}

/// A line of `-o jsonl`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'r> {
    Incident(Incident),
    /// The last one: all of the document that is no incident.
    Report {
        schema: &'static str,
        now: Option<Timestamp>,
        totals: Totals,
        groups: Vec<Group>,
        overflow: Option<Overflow>,
        caveats: Vec<String>,
        malformed: Vec<Malformed>,
        malformed_by_error: &'r BTreeMap<&'static str, u64>,
    },
}

/// One incident a line, then one line for the rest; `type` tells them apart.
pub(super) fn lines(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    for incident in report.incidents() {
        serde_json::to_writer(&mut *to, &Line::Incident(incident))?;
        writeln!(to)?;
    }
    let last = Line::Report {
        schema: "triage/v1",
        now: report.now(),
        totals: report.totals(),
        groups: report.groups().collect(),
        overflow: report.overflow(),
        caveats: report.caveats(),
        malformed: report.malformed().collect(),
        malformed_by_error: report.malformed_by_error(),
    };
    serde_json::to_writer(&mut *to, &last)?;
    writeln!(to)
}
