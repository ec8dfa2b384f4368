//! Why an incident ranks where it does, or what became of a line, and what would change it.
//!
//! ```text
//! what was asked --Inquiry--> (again: reads the same inputs once more) --> Explanation
//! ```
//!
//! An engine adds records up, so that looking at single ones needs the input again. What would change an incident is
//! not guessed: the part of the alerts that it may have to do with is judged again with the change.

mod ask;
mod line;
mod rank;
mod would;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

pub use self::line::{Became, InIncident, LineExplained, Loose, RecordExplained};
pub use self::rank::{Neighbour, Rank};
pub use self::would::{Outlook, Would};
use crate::ledger::Engine;
use crate::printable;
use crate::record_trace::{RecordPositions, RecordTrace};
use crate::report::{Incident, Labels, Report};
use crate::source_position::SourcePosition;

/// Asks about one incident or one line.
///
/// ```
/// use alert_triage::{Engine, Explanation, Format, Inquiry, Rules};
///
/// let log = b"Zone XQ: EndpointRegistrationTransientFailure\n";
/// let mut engine = Engine::new(Rules::builtin());
/// engine.read("night.log", Format::Lines, log);
///
/// let mut inquiry = Inquiry::new(engine, None, "1").unwrap();
/// while let Some(mut again) = inquiry.again() {
///     again.read_block(0, 0, Format::Lines, log);
///     inquiry.take(again);
/// }
/// let Explanation::Line(line) = inquiry.answer(Some(&log[..log.len() - 1])) else { panic!("asked for a line") };
/// assert_eq!(line.template.as_deref(), Some("line/zone"));
/// ```
#[derive(Debug)]
pub struct Inquiry {
    engine: Engine,
    now: Option<Timestamp>,
    subject: Subject,
    line: Option<crate::record_trace::LineTrace>,
    evidence: Option<Known>,
}

/// By the keys of alerts.
type Known = BTreeMap<Box<[u8]>, RecordPositions>;

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// By its number in the report; and the id under which it was asked for, if it has another now.
    Incident(usize, Option<String>),
    Line(usize, u64, SourcePosition),
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Explanation {
    /// Of an incident.
    Incident(Box<IncidentExplained>),
    /// Of a line.
    Line(LineExplained),
}

/// Why an incident is what it is, and what would change it.
#[derive(Debug, Serialize)]
pub struct IncidentExplained {
    /// As in the report.
    pub incident: Incident,
    /// The id under which it was asked for, if it goes by another now: that of one of its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Where it stands among the others, and why.
    pub rank: Rank,
    /// Why somebody is woken, or nobody is; sentences.
    pub paging: Vec<String>,
    /// Where the records of each member stand, in the order of the members.
    pub evidence: Vec<Lines>,
    /// What would change it, each judged again.
    pub would: Vec<Would>,
    /// False if nothing was judged again, for the incident may have to do with more than 20,000 alerts.
    pub is_tried: bool,
}

/// Where an alert's records stand in the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// The alert's name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// How many records, repeats of the same one included.
    pub records: u64,
    /// The first and the last of them, each line once.
    pub lines: Vec<At>,
    /// Are there others between the first and the last?
    pub is_cut: bool,
}

/// A line of an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct At {
    /// Name of its input; none if there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Counts from 1.
    pub line: u64,
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}:{}", self.line),
            None => write!(f, "{}", self.line),
        }
    }
}

impl Inquiry {
    /// `what` is an incident's id, the first digits of one or an id that it went by before; or a line, as `12` or
    /// `night.log:12`.
    ///
    /// # Errors
    /// Says what could be meant: an id that several incidents begin with, a line of several inputs, a line behind the
    /// end, a name that is no id.
    pub fn new(mut engine: Engine, now: Option<Timestamp>, what: &str) -> Result<Self, String> {
        let subject = ask::subject(&mut engine, now, what)?;
        Ok(Self { engine, now, subject, line: None, evidence: None })
    }

    /// Number of the input and of the line, counting from 0 and from 1, if a line is asked about.
    pub fn line(&self) -> Option<(usize, u64)> {
        match self.subject {
            Subject::Line(source, line, _) => Some((source, line)),
            Subject::Incident(..) => None,
        }
    }

    /// An engine that is to read all inputs again; none once everything is known.
    pub fn again(&mut self) -> Option<Engine> {
        let trace = match (&self.subject, &self.line) {
            (Subject::Line(.., position), None) => RecordTrace::line(*position),
            _ if self.evidence.is_some() => return None,
            (Subject::Line(..), Some(line)) => {
                let report = self.engine.report(self.now);
                let at = line.records.iter().filter_map(|taken| line::index(&report, taken));
                RecordTrace::alerts(at.map(|at| report.key(at)), &line.records)
            }
            (Subject::Incident(number, _), _) => {
                let report = self.engine.report(self.now);
                let members = report.members(&report.judgement.incidents[*number]);
                RecordTrace::alerts(members.iter().map(|at| report.key(*at)), &[])
            }
        };
        let mut again = self.engine.sibling();
        again.trace = Some(trace);
        Some(again)
    }

    /// Takes that engine back.
    pub fn take(&mut self, read: Engine) {
        match read.trace {
            Some(RecordTrace::Line(line)) => self.line = Some(line),
            Some(RecordTrace::Alerts(alerts)) => self.evidence = Some(alerts),
            Some(RecordTrace::All(_)) | None => self.evidence = Some(Known::new()),
        }
    }

    /// The answer; `text` is the line asked about, as it stands in the input.
    pub fn answer(mut self, text: Option<&[u8]>) -> Explanation {
        let evidence = self.evidence.take().unwrap_or_default();
        let report = self.engine.report(self.now);
        match self.subject {
            Subject::Line(source, number, _) => {
                let line = self.line.as_ref();
                Explanation::Line(line::explain(&report, (source, number), line, &evidence, text))
            }
            Subject::Incident(number, asked) => {
                let incident = report.incident(number);
                let members = report.members(&report.judgement.incidents[number]);
                let evidence = (members.iter().zip(&incident.members))
                    .map(|(at, member)| Lines::of(&report, &member.alert, evidence.get(report.key(*at))))
                    .collect();
                let rank = rank::of(&report, number);
                let paging = rank::paging(&report, number);
                let would = would::of(&report, number);
                let is_tried = would.is_some();
                let would = would.unwrap_or_default();
                let explained =
                    IncidentExplained { incident, asked, rank, paging, evidence, would, is_tried };
                Explanation::Incident(Box::new(explained))
            }
        }
    }
}

impl Lines {
    fn of(report: &Report<'_>, alert: &str, evidence: Option<&RecordPositions>) -> Self {
        let mut lines: Vec<At> = Vec::new();
        let (mut records, mut kept) = (0, 0);
        if let Some(evidence) = evidence {
            records = evidence.records;
            let mut positions = evidence.first.clone();
            positions.extend(&evidence.last);
            kept = positions.len() as u64;
            lines = positions.into_iter().map(|position| report.at(position)).collect();
            lines.dedup();
        }
        // Several records may stand on one line.
        let is_cut = kept < records
            && lines.len() > 1
            && evidence.is_some_and(|found| found.first.last() < found.last.first());
        Self { alert: alert.to_owned(), records, lines, is_cut }
    }
}

impl Report<'_> {
    fn at(&self, position: SourcePosition) -> At {
        At { source: self.source(position), line: self.offsets.line(position) }
    }

    fn key(&self, at: u32) -> &[u8] {
        &self.judgement.entry(self.engine, at).key
    }

    /// As [`called`](Report::called), or `X in 2 scopes`.
    fn incident_called(&self, number: usize) -> String {
        let core = &self.judgement.incidents[number];
        match core.scopes {
            0 | 1 => self.called(core.headline),
            several => format!("{} in {several} scopes", self.name(core.headline)),
        }
    }

    /// `X` or `X zone=AB`, by the scope alone.
    fn called(&self, at: u32) -> String {
        named(&self.name(at), &self.scope(self.judged(at).scope))
    }
}

/// `X` or `X zone=AB`.
fn named(name: &str, labels: &Labels) -> String {
    let mut text = printable::printable(name);
    for (name, value) in labels {
        text.push_str(&format!(" {}={}", printable::printable(name), printable::printable(value)));
    }
    text
}

#[cfg(test)]
mod tests;
