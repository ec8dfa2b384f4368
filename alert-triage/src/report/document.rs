//! `triage/v1`, written piece by piece: neither a million incidents nor one of a million members is ever held whole.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::incident::{Incident, Score};
use super::labels::{Labels, Printable};
use super::totals::{Overflow, Totals};
use super::view::Report;
use crate::printable;
use crate::verdict::{Notify, Priority, Verdict};

/// Items that are made while they are written.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq((self.0)())
    }
}

/// What makes up an incident, whether it is at hand or made on the way.
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
    score: &'i Score,
    members: M,
    because: &'i [String],
    alternatives: &'i [String],
}

impl<'i, C, M> IncidentShape<'i, C, M> {
    fn of(incident: &'i Incident, scopes: Option<C>, members: M) -> Self {
        Self {
            id: &incident.id,
            aliases: &incident.aliases,
            priority: incident.priority,
            notify: incident.notify,
            state: incident.state,
            scope: incident.scope.as_ref().map(Printable),
            scopes,
            headline: &incident.headline,
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
        IncidentShape::of(self, scopes, self.members.as_slice()).serialize(to)
    }
}

/// The incident of that number, not made yet.
struct LazyIncident<'r>(&'r Report<'r>, usize);

impl Serialize for LazyIncident<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(report, number) = *self;
        let head = report.incident_of(number, 0, 2);
        let numbers = report.scope_numbers(number);
        let scopes = Each(|| numbers.iter().map(|scope| Owned(report.scope(*scope))));
        let members = Each(|| report.members_of(number).iter().map(|at| report.member(*at)));
        IncidentShape::of(&head, head.scopes.is_some().then_some(scopes), members).serialize(to)
    }
}

/// The group of that number, not made yet.
struct LazyGroup<'r>(&'r Report<'r>, usize);

impl Serialize for LazyGroup<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'g, C, I> {
            #[serde(serialize_with = "printable::serialize")]
            alert: &'g str,
            scopes: C,
            incidents: I,
            #[serde(skip_serializing_if = "Option::is_none")]
            folded: Option<I>,
        }

        let Self(report, number) = *self;
        let group = &report.judgement.groups[number];
        let ids = |incidents: &'_ [u32]| {
            let incidents = incidents.to_vec();
            Each(move || incidents.clone().into_iter().map(|incident| report.id(incident as usize)))
        };
        Shape {
            alert: &group.alert,
            scopes: Each(|| group.scopes.iter().map(|scope| Owned(report.scope(*scope)))),
            incidents: ids(&group.incidents),
            folded: (!group.folded.is_empty()).then(|| ids(&group.folded)),
        }
        .serialize(to)
    }
}

/// Labels made on the way.
struct Owned(Labels);

impl Serialize for Owned {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Printable(&self.0).serialize(to)
    }
}

/// Incidents that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Their numbers, from 0 in the order of the report.
    pub incidents: Range<usize>,
    /// Members of all of them.
    pub members: usize,
}

/// What stands before the incidents.
#[derive(Serialize)]
struct Before {
    schema: &'static str,
    now: Option<Timestamp>,
    totals: Totals,
}

/// What stands behind them.
#[derive(Serialize)]
struct Behind<'r, G, M> {
    groups: G,
    overflow: Option<Overflow>,
    caveats: Vec<String>,
    malformed: M,
    malformed_by_error: &'r BTreeMap<&'static str, u64>,
}

/// The whole document, or all of it that is no incident.
#[derive(Serialize)]
struct ReportShape<B, I, E> {
    #[serde(flatten)]
    before: B,
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents: Option<I>,
    #[serde(flatten)]
    behind: E,
}

impl Report<'_> {
    fn document<S: Serializer>(&self, with_incidents: bool, to: S) -> Result<S::Ok, S::Error> {
        let incidents = Each(|| (0..self.judgement.incidents.len()).map(|number| LazyIncident(self, number)));
        let (before, behind) = self.frame();
        ReportShape { before, incidents: with_incidents.then_some(incidents), behind }.serialize(to)
    }

    /// The document in pieces that several threads can write side by side: what stands before the incidents, what stands
    /// behind them; between them belongs `"incidents"`, an array of [them all](Report::incidents_in).
    pub fn frame(&self) -> (impl Serialize + '_, impl Serialize + '_) {
        let before = Before { schema: "triage/v1", now: self.now(), totals: self.totals };
        let behind = Behind {
            groups: Each(|| (0..self.judgement.groups.len()).map(|number| LazyGroup(self, number))),
            overflow: self.overflow(),
            caveats: self.caveats(),
            malformed: Each(|| self.malformed()),
            malformed_by_error: self.malformed_by_error(),
        };
        (before, behind)
    }

    /// Some of the incidents, counted from 0 in their order, each made while it is written.
    pub fn incidents_in(&self, numbers: Range<usize>) -> impl Iterator<Item = impl Serialize + '_> {
        numbers.map(|number| LazyIncident(self, number))
    }

    /// All incidents in runs of about so many members, for [`incidents_in`](Report::incidents_in); an incident of more is
    /// a run by itself.
    pub fn runs(&self, members: usize) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (number, core) in self.judgement.incidents.iter().enumerate() {
            match runs.last_mut().filter(|run| run.members + core.members.len() <= members) {
                Some(run) => {
                    run.incidents.end = number + 1;
                    run.members += core.members.len();
                }
                None => runs.push(Run { incidents: number..number + 1, members: core.members.len() }),
            }
        }
        runs
    }

    /// The document in parts, for output that is read line by line: each incident with `"type": "incident"`, in their
    /// order; then, always and last, `"type": "report"` with everything else.
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
        let incidents =
            (0..self.judgement.incidents.len()).map(|number| Part::Incident(LazyIncident(self, number)));
        incidents.chain(std::iter::once(Part::Report(Rest(self))))
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Part<'r> {
    Incident(LazyIncident<'r>),
    Report(Rest<'r>),
}

struct Rest<'r>(&'r Report<'r>);

impl Serialize for Rest<'_> {
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
    fn what_is_written_on_the_way_is_what_is_at_hand() {
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
    fn parts_make_up_the_document() {
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
