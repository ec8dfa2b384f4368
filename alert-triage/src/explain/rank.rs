//! The rank of an incident, with the arithmetic behind it.

use serde::Serialize;

use super::naming::{alert_label, incident_label};
use crate::judge::{AlertIx, IncidentCore, IncidentIx, ListIndex as _};
use crate::printable;
use crate::report::Report;
use crate::report::wording::{counted, span};
use crate::verdict::{Priority, Verdict};

/// Maximum number of members listed in a reason.
const MAX_LISTED: usize = 8;

/// The position of an incident among all incidents, with reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rank {
    /// The position, counted from 1.
    pub position: usize,
    /// The number of incidents.
    pub of: usize,
    /// How the priority and the score follow from the members, one sentence each.
    pub because: Vec<String>,
    /// The incident before it.
    pub above: Option<AdjacentIncident>,
    /// The incident after it.
    pub below: Option<AdjacentIncident>,
}

/// The incident before or after, and what decides the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AdjacentIncident {
    /// Its id.
    pub id: String,
    /// Its headline.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
    /// Its priority.
    pub priority: Priority,
    /// The first term that differs: priority, alerts explained, rung, scopes, duration, count, key.
    pub decided_by: &'static str,
    /// The comparison in a sentence.
    pub sentence: String,
}

impl Rank {
    /// The rank of an incident.
    pub(super) fn new(report: &Report<'_>, incident: IncidentIx) -> Self {
        let incidents = &report.evaluation.incidents;
        let position = incident.position();
        let adjacent = |other: Option<usize>, is_above: bool| {
            let other = IncidentIx::new(other.filter(|other| *other < incidents.len())?);
            let (term, ours, theirs) = deciding_term(report, incident, other);
            let name = incident_label(report, other);
            let sentence = match is_above {
                true => format!("{name} comes before it by {term}: {theirs} before {ours}"),
                false => format!("it comes before {name} by {term}: {ours} before {theirs}"),
            };
            Some(AdjacentIncident {
                id: report.id(other),
                headline: report.name(incidents[other].headline),
                priority: incidents[other].priority,
                decided_by: term,
                sentence,
            })
        };
        Self {
            position: position + 1,
            of: incidents.len(),
            because: because(report, incident),
            above: adjacent(position.checked_sub(1), true),
            below: adjacent(position.checked_add(1), false),
        }
    }
}

/// The terms in the order in which incidents are compared. A higher figure ranks first.
pub(super) fn terms(core: &IncidentCore) -> [(&'static str, u64, String); 6] {
    let explained = counted(u64::from(core.explained), "alert");
    let scopes = counted(u64::from(core.scopes), "scope");
    let lasted = match core.lasted {
        0 => "an unknown duration".to_owned(),
        lasted => span(i64::from(lasted)),
    };
    [
        // P1 is the smallest priority.
        ("priority", u64::MAX - core.priority as u64, core.priority.to_string()),
        ("alerts explained", u64::from(core.explained), explained),
        ("rung", u64::from(core.rung), format!("rung {}", core.rung)),
        ("scopes", u64::from(core.scopes), scopes),
        ("duration", u64::from(core.lasted), lasted),
        ("count", core.count, counted(core.count, "record")),
    ]
}

/// The first term that differs, with both figures in words.
pub(super) fn deciding_term(
    report: &Report<'_>,
    ours: IncidentIx,
    theirs: IncidentIx,
) -> (&'static str, String, String) {
    let core = |incident: IncidentIx| &report.evaluation.incidents[incident];
    let both = terms(core(ours)).into_iter().zip(terms(core(theirs)));
    for ((term, our, ours), (_, their, theirs)) in both {
        if our != their {
            return (term, ours, theirs);
        }
    }
    let name = |incident: IncidentIx| incident_label(report, incident);
    ("key", name(ours), name(theirs))
}

fn because(report: &Report<'_>, incident: IncidentIx) -> Vec<String> {
    let core = &report.evaluation.incidents[incident];
    let members = report.evaluation.members(incident);
    let mut because = Vec::new();
    let mut firing: Vec<AlertIx> =
        members.iter().copied().filter(|at| report.alert(*at).sets_priority()).collect();
    firing.sort_by_key(|at| report.alert(*at).priority);
    for &at in firing.iter().take(MAX_LISTED) {
        let alert = report.alert(at);
        let why = match alert.verdict {
            _ if alert.is_transient() => "a transient of any severity".to_owned(),
            Verdict::Informational => "no fault".to_owned(),
            verdict => format!("{verdict}, {}", report.severity(at)),
        };
        because.push(format!("{}: {}, {why}", alert.priority, alert_label(report, at)));
    }
    if firing.len() > MAX_LISTED {
        because.push(format!(
            "and {} more firing members of the same or a lower priority",
            firing.len() - MAX_LISTED
        ));
    }
    let aside = members.len() - firing.len();
    because.push(match (firing.len(), aside) {
        (0, _) => format!("{}: no member is firing", core.priority),
        (1, 0) => format!("{} is the priority of its only member", core.priority),
        (_, 0) => format!("{} is the highest priority of the firing members", core.priority),
        (_, aside) => format!(
            "{} is the highest priority of the firing members; {} set aside and {} not count",
            core.priority,
            if aside == 1 { "1 member is".to_owned() } else { format!("{aside} members are") },
            if aside == 1 { "does" } else { "do" },
        ),
    });
    let score = report.incident(incident).score;
    because.push(format!(
        "score {} within {}: impact {} x 10000 + urgency {} x 1000 + persistence {} ({}); the score orders incidents of one \
         priority and never sets a priority",
        score.total,
        core.priority,
        score.impact,
        score.urgency,
        score.persistence,
        score.terms.join(", "),
    ));
    because
}
