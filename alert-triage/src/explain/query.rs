//! A query about one incident or one line, answered by reading the input again.

use jiff::Timestamp;

use super::evidence_lines::{EvidenceByKey, EvidenceLines};
use super::explanation::{Explanation, IncidentExplanation};
use super::naming::identity_key;
use super::query_error::QueryError;
use super::rank::Rank;
use super::subject::{self, Subject};
use super::{line_explanation, paging, record_explanation, what_if};
use crate::ledger::Engine;
use crate::record_trace::RecordTrace;

/// A question about one incident or one line.
///
/// An engine adds records up and keeps none, so the answer needs the input again: read it into each
/// engine that [`rerun`](Query::rerun) returns, and hand the engine back to [`take`](Query::take).
///
/// ```
/// use alert_triage::explain::{Explanation, Query};
/// use alert_triage::{Engine, Format, Rules};
///
/// let log = b"Zone XQ: EndpointRegistrationTransientFailure\n";
/// let mut engine = Engine::new(Rules::builtin());
/// engine.read("night.log", Format::Lines, log);
///
/// let mut query = Query::new(engine, None, "1").unwrap();
/// while let Some(mut engine) = query.rerun() {
///     engine.read_block(0, 0, Format::Lines, log);
///     query.take(engine);
/// }
/// let Explanation::Line(line) = query.answer(Some(&log[..log.len() - 1])) else { panic!("the query is about a line") };
/// assert_eq!(line.template.as_deref(), Some("line/zone"));
/// ```
#[derive(Debug)]
pub struct Query {
    engine: Engine,
    now: Option<Timestamp>,
    subject: Subject,
    line: Option<crate::record_trace::LineTrace>,
    evidence: Option<EvidenceByKey>,
}

impl Query {
    /// A query about `what`: an incident's id, the first digits of an id, or an earlier id; or a
    /// line as `12` or `night.log:12`.
    ///
    /// # Errors
    /// If `what` matches nothing, or several incidents or lines. The message lists what it could
    /// mean.
    pub fn new(mut engine: Engine, now: Option<Timestamp>, what: &str) -> Result<Self, QueryError> {
        let subject = subject::find(&mut engine, now, what)?;
        Ok(Self { engine, now, subject, line: None, evidence: None })
    }

    /// The input (counted from 0) and the line (counted from 1), if the query is about a line.
    pub fn line(&self) -> Option<(usize, u64)> {
        match self.subject {
            Subject::Line(source, line, _) => Some((source, line)),
            Subject::Incident(..) => None,
        }
    }

    /// An engine that must read all inputs again; `None` when no more input is needed.
    pub fn rerun(&mut self) -> Option<Engine> {
        let trace = match (&self.subject, &self.line) {
            (Subject::Line(.., position), None) => RecordTrace::line(*position),
            _ if self.evidence.is_some() => return None,
            (Subject::Line(..), Some(line)) => {
                let report = self.engine.report(self.now);
                let at = line.records.iter().filter_map(|taken| record_explanation::index(&report, taken));
                RecordTrace::alerts(at.map(|at| identity_key(&report, at)), &line.records)
            }
            (Subject::Incident(incident, _), _) => {
                let report = self.engine.report(self.now);
                let members = report.evaluation.members(*incident);
                RecordTrace::alerts(members.iter().map(|at| identity_key(&report, *at)), &[])
            }
        };
        let mut engine = self.engine.sibling();
        engine.trace = Some(trace);
        Some(engine)
    }

    /// Takes back the engine that has read all inputs.
    pub fn take(&mut self, engine: Engine) {
        match engine.trace {
            Some(RecordTrace::Line(line)) => self.line = Some(line),
            Some(RecordTrace::Alerts(alerts)) => self.evidence = Some(alerts),
            Some(RecordTrace::All(_)) | None => self.evidence = Some(EvidenceByKey::new()),
        }
    }

    /// Answers the query. `text` is the line of the query as it is in the input, if there is one.
    pub fn answer(mut self, text: Option<&[u8]>) -> Explanation {
        let evidence = self.evidence.take().unwrap_or_default();
        let report = self.engine.report(self.now);
        match self.subject {
            Subject::Line(source, number, _) => {
                let line = self.line.as_ref();
                Explanation::Line(line_explanation::explain(&report, (source, number), line, &evidence, text))
            }
            Subject::Incident(at, asked) => {
                let incident = report.incident(at);
                let members = report.evaluation.members(at);
                let evidence = (members.iter().zip(&incident.members))
                    .map(|(alert, member)| {
                        let evidence = evidence.get(identity_key(&report, *alert));
                        EvidenceLines::new(&report, &member.alert, evidence)
                    })
                    .collect();
                let rank = Rank::new(&report, at);
                let paging = paging::reasons(&report, at);
                let what_ifs = what_if::what_ifs(&report, at);
                let is_tried = what_ifs.is_some();
                let what_ifs = what_ifs.unwrap_or_default();
                let explained =
                    IncidentExplanation { incident, asked, rank, paging, evidence, what_ifs, is_tried };
                Explanation::Incident(Box::new(explained))
            }
        }
    }
}
