//! Serializes a report as `triage/v1`, piece by piece: a report with a million incidents, or an
//! incident with a million members, is never held in memory as a whole.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::incident::{Incident, Score};
use super::labels::{Labels, Printable};
use super::totals::{Overflow, Totals};
use super::unread::Unread;
use super::view::Report;
use crate::judge::{GroupIx, IncidentIx, ListIndex as _};
use crate::printable;
use crate::verdict::{Notify, Priority, Verdict};

/// Items that are derived while they are written.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq((self.0)())
    }
}

/// The fields of an incident, whether it exists or is derived while it is written.
#[derive(Serialize)]
struct IncidentShape<'i, C, M> {
    id: &'i str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    aliases: &'i [String],
    priority: Priority,
    notify: Notify,
    state: Verdict,
    scope: Option<Printable<'i>>,
    scopes: Option<C>,
    #[serde(serialize_with = "printable::serialize")]
    headline: &'i str,
    instances: u64,
    score: &'i Score,
    members: M,
    because: &'i [String],
    alternatives: &'i [String],
}

impl<'i, C, M> IncidentShape<'i, C, M> {
    fn new(incident: &'i Incident, scopes: Option<C>, members: M) -> Self {
        Self {
            id: &incident.id,
            aliases: &incident.aliases,
            priority: incident.priority,
            notify: incident.notify,
            state: incident.state,
            scope: incident.scope.as_ref().map(Printable),
            scopes,
            headline: &incident.headline,
            instances: incident.instances,
            score: &incident.score,
            members,
            because: &incident.because,
            alternatives: &incident.alternatives,
        }
    }
}

impl Serialize for Incident {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let scopes = self.scopes.as_ref().map(|scopes| Each(|| scopes.iter().map(Printable)));
        IncidentShape::new(self, scopes, self.members.as_slice()).serialize(to)
    }
}

/// An incident that is derived while it is written.
struct LazyIncident<'r>(&'r Report<'r>, IncidentIx);

impl Serialize for LazyIncident<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(report, incident) = *self;
        let head = report.incident_with(incident, 0, 2);
        let scopes = report.distinct_scopes(incident);
        let scopes = Each(|| scopes.iter().map(|scope| Owned(report.scope(*scope))));
        let members = Each(|| report.evaluation.members(incident).iter().map(|at| report.member(*at)));
        IncidentShape::new(&head, head.scopes.is_some().then_some(scopes), members).serialize(to)
    }
}

/// A group that is derived while it is written.
struct LazyGroup<'r>(&'r Report<'r>, GroupIx);

impl Serialize for LazyGroup<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct GroupShape<'g, C, I> {
            #[serde(serialize_with = "printable::serialize")]
            alert: &'g str,
            scopes: C,
            incidents: I,
            #[serde(skip_serializing_if = "Option::is_none")]
            folded: Option<I>,
        }

        let Self(report, group) = *self;
        let group = &report.evaluation.groups[group];
        let ids = |incidents: &'_ [IncidentIx]| {
            let incidents = incidents.to_vec();
            Each(move || incidents.clone().into_iter().map(|incident| report.id(incident)))
        };
        GroupShape {
            alert: &group.alert,
            scopes: Each(|| group.scopes.iter().map(|scope| Owned(report.scope(*scope)))),
            incidents: ids(&group.incidents),
            folded: (!group.folded.is_empty()).then(|| ids(&group.folded)),
        }
        .serialize(to)
    }
}

/// Labels that are derived while they are written.
struct Owned(Labels);

impl Serialize for Owned {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Printable(&self.0).serialize(to)
    }
}

/// A range of consecutive incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncidentRun {
    /// Their positions in the report, counted from 0.
    pub incidents: Range<usize>,
    /// The number of their members.
    pub members: usize,
}

/// The fields before the incidents.
#[derive(Serialize)]
struct HeadFields {
    schema: &'static str,
    now: Option<Timestamp>,
    totals: Totals,
}

/// The fields after the incidents.
#[derive(Serialize)]
struct TailFields<G, M, U> {
    groups: G,
    overflow: Option<Overflow>,
    caveats: Vec<String>,
    malformed: M,
    malformed_by_error: BTreeMap<&'static str, u64>,
    unread: U,
}

/// The document with or without its incidents.
#[derive(Serialize)]
struct ReportShape<H, I, T> {
    #[serde(flatten)]
    head: H,
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents: Option<I>,
    #[serde(flatten)]
    tail: T,
}

impl Report<'_> {
    fn document<S: Serializer>(&self, with_incidents: bool, to: S) -> Result<S::Ok, S::Error> {
        let incidents =
            Each(|| self.evaluation.incidents.indices().map(|incident| LazyIncident(self, incident)));
        let (head, tail) = self.frame();
        ReportShape { head, incidents: with_incidents.then_some(incidents), tail }.serialize(to)
    }

    /// The fields before and after the incidents, for writing the document with several threads.
    /// Between them belongs `"incidents"`, an array of [all incidents](Report::incidents_in).
    pub fn frame(&self) -> (impl Serialize + '_, impl Serialize + '_) {
        let head = HeadFields { schema: "triage/v1", now: self.now(), totals: self.totals };
        let tail = TailFields {
            groups: Each(|| self.evaluation.groups.indices().map(|group| LazyGroup(self, group))),
            overflow: self.overflow(),
            caveats: self.caveats(),
            malformed: Each(|| self.malformed()),
            malformed_by_error: self.malformed_by_error(),
            unread: Each(|| self.unread()),
        };
        (head, tail)
    }

    /// The incidents at these positions, counted from 0. Each is derived while it is written.
    pub fn incidents_in(&self, positions: Range<usize>) -> impl Iterator<Item = impl Serialize + '_> {
        positions.map(|position| LazyIncident(self, IncidentIx::new(position)))
    }

    /// Splits all incidents into runs of at most `members` members, for
    /// [`incidents_in`](Report::incidents_in). An incident with more members is a run of its own.
    pub fn runs(&self, members: usize) -> Vec<IncidentRun> {
        let mut runs: Vec<IncidentRun> = Vec::new();
        for (position, core) in self.evaluation.incidents.iter().enumerate() {
            match runs.last_mut().filter(|run| run.members + core.members.len() <= members) {
                Some(run) => {
                    run.incidents.end = position + 1;
                    run.members += core.members.len();
                }
                None => {
                    runs.push(IncidentRun { incidents: position..position + 1, members: core.members.len() })
                }
            }
        }
        runs
    }

    /// The document in parts, for output that is read line by line: first each [unread
    /// input](Report::unread) with `"type": "unread"`, then each incident with
    /// `"type": "incident"`, then one part with `"type": "report"` and all other fields.
    ///
    /// ```
    /// use alert_triage::{Engine, Format, Rules};
    ///
    /// let mut engine = Engine::new(Rules::builtin());
    /// engine.read("night.log", Format::Lines, b"Zone AB: LLMModelStale\n");
    /// let lines: Vec<_> = engine.report(None).parts().map(|part| serde_json::to_value(part).unwrap()).collect();
    ///
    /// assert_eq!((&lines[0]["type"], &lines[0]["priority"]), (&"incident".into(), &"P3".into()));
    /// assert_eq!((&lines[1]["type"], &lines[1]["totals"]["tickets"]), (&"report".into(), &1.into()));
    /// ```
    pub fn parts(&self) -> impl Iterator<Item = impl Serialize + '_> {
        let incidents = self.evaluation.incidents.indices();
        let incidents = incidents.map(|incident| DocumentPart::Incident(LazyIncident(self, incident)));
        let unread = self.unread().map(DocumentPart::Unread);
        unread.chain(incidents).chain(std::iter::once(DocumentPart::Report(WithoutIncidents(self))))
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum DocumentPart<'r> {
    Unread(Unread),
    Incident(LazyIncident<'r>),
    Report(WithoutIncidents<'r>),
}

struct WithoutIncidents<'r>(&'r Report<'r>);

impl Serialize for WithoutIncidents<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.document(false, to)
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.document(true, to)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Engine, Format, Rules};

    /// A report with a pattern, a folded group, superseded members and something malformed.
    fn engine() -> Engine {
        let mut engine = Engine::new(Rules::builtin());
        engine.read(
            "-",
            Format::Jsonl,
            br#"{"alertname":"XTransientFailure","labels":{"zone":"A","cluster":"b"}}
                {"alertname":"XTransientFailure","labels":{"zone":"B","cluster":"a"}}
                {"alertname":"XTransientFailure","labels":{"zone":"B"}}
                {"alertname":"LLMModelStale","labels":{"zone":"A"}}
                {"alertname":"LLMModelVeryStale","labels":{"zone":"A"}}
                {"alertname":"DiskDown","labels":{"zone":"A"}}
                {"alertname":"DiskDown","labels":{"zone":"B"}}
                {"alertname":"DiskDown","labels":{"zone":"C"}}
                nonsense"#,
        );
        engine
    }

    #[test]
    fn a_derived_incident_is_written_like_an_existing_one() {
        let mut engine = engine();
        let report = engine.report(None);
        let written = serde_json::to_value(&report).unwrap();
        let incidents: Vec<_> = report.incidents().collect();
        assert!(
            incidents.iter().any(|incident| incident.scopes.as_ref().is_some_and(|scopes| scopes.len() == 3))
        );
        assert_eq!(written["incidents"], json!(incidents));
        let groups: Vec<_> = report.groups().collect();
        assert!(groups.iter().any(|group| group.folded.len() == 3));
        assert_eq!(written["groups"], json!(groups));
        assert_eq!(written["malformed"], json!(report.malformed().collect::<Vec<_>>()));
    }

    #[test]
    fn the_parts_make_up_the_document() {
        let mut engine = engine();
        let report = engine.report(None);
        let mut parts: Vec<Value> = report.parts().map(|part| serde_json::to_value(part).unwrap()).collect();
        let mut whole = parts.pop().unwrap();
        for part in parts.iter_mut() {
            assert_eq!(part.as_object_mut().unwrap().remove("type"), Some(json!("incident")));
        }
        assert_eq!(whole.as_object_mut().unwrap().remove("type"), Some(json!("report")));
        whole["incidents"] = Value::Array(parts);
        assert_eq!(whole, serde_json::to_value(&report).unwrap());
    }
}
