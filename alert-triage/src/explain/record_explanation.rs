//! Explains one record of a line.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::evidence_lines::{EvidenceByKey, EvidenceLines};
use super::location::Location;
use super::naming::{identity_key, location};
use super::paging;
use crate::identity::{Identity, visible_key, workload};
use crate::judge::{AlertIx, IncidentIx, ListIndex as _, key_owners};
use crate::mask;
use crate::printable::{self, printable};
use crate::record::Status;
use crate::record_trace::TracedRecord;
use crate::report::{Labels, Member, Report};
use crate::source_position::SourcePosition;
use crate::verdict::{Notify, Priority};

/// How one record was read, and the alert and the incident that it belongs to.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct RecordExplanation {
    /// The name as it was read.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// The state of the record: `firing`, `resolved`, `pending` or `event`.
    pub state: &'static str,
    /// The time of the record.
    pub at: Option<Timestamp>,
    /// The start of the episode.
    pub starts: Option<Timestamp>,
    /// Labels that are not part of the identity, each with the reason.
    pub dropped_labels: Vec<DroppedLabel>,
    /// The free text as it was read, if masking changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masked: Option<String>,
    /// The location of the record that it repeats. A duplicate counts in `totals.duplicates` only.
    pub duplicate_of: Option<Location>,
    /// The scope of the alert.
    pub scope: Labels,
    /// The severity, and where it comes from.
    pub severity: String,
    /// The alert in the report; `None` if it is counted in the overflow.
    pub alert_now: Option<Member>,
    /// The lines of all records of that alert.
    pub evidence: Option<EvidenceLines>,
    /// The incident that contains the alert.
    pub incident: Option<IncidentRef>,
    /// Why that incident pages or does not page.
    pub paging: Vec<String>,
}

/// A label that is not part of the identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DroppedLabel {
    /// The name of the label.
    #[serde(serialize_with = "printable::serialize")]
    pub label: String,
    /// The value as it was read.
    #[serde(serialize_with = "printable::serialize")]
    pub value: String,
    /// Why it is not part of the identity.
    pub why: String,
}

/// A reference to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IncidentRef {
    /// The id of the incident.
    pub id: String,
    /// Its rank, counted from 1.
    pub rank: usize,
    /// Its priority.
    pub priority: Priority,
    /// The notification that the priority calls for.
    pub notify: Notify,
    /// Its headline.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
}

impl RecordExplanation {
    pub(super) fn new(
        report: &Report<'_>,
        position: Option<SourcePosition>,
        taken: &TracedRecord,
        evidence: &EvidenceByKey,
    ) -> Self {
        let record = &taken.record;
        let at = index(report, taken);
        let key = at.map_or(taken.key.as_ref(), |at| identity_key(report, at));
        let found = evidence.get(key);
        let is_keyed = record.status != Status::Event && (record.starts.is_some() || record.keyed);
        let first = found.and_then(|found| found.first_of.get(&taken.same).copied().flatten());
        // A firing record after the end is not a repeat of the one before it, although both are
        // equal.
        let fires_again = record.status == Status::Firing
            && at.zip(record.starts).zip(position).is_some_and(|((at, starts), position)| {
                let entry = report.evaluation.entry(at);
                entry.label_sets().any(|(_, set)| set.is_after_end(starts, position))
            });
        let duplicate_of = first
            .filter(|first| is_keyed && !fires_again && Some(*first) != position)
            .map(|first| location(report, first));
        let incident = at.and_then(|at| incident_of(report, at));
        let member = at.map(|at| report.member(at));
        Self {
            alert: match record.alert.is_empty() {
                true => record.key.clone().unwrap_or_default().into_owned(),
                false => record.alert.clone().into_owned(),
            },
            state: match record.status {
                Status::Pending => "pending",
                Status::Event => "event",
                Status::Firing => "firing",
                Status::Resolved => "resolved",
            },
            at: record.time,
            starts: record.starts,
            dropped_labels: dropped_labels(report, taken),
            masked: (!record.text.is_empty()
                && mask::mask(&record.text, |id| report.evaluation.engine.rules().is_on(id)).0
                    != record.text)
                .then(|| printable(record.text.as_ref())),
            duplicate_of,
            scope: at.map(|at| report.scope(report.alert(at).scope)).unwrap_or_default(),
            severity: at.map(|at| report.severity(at)).unwrap_or_default(),
            evidence: member.as_ref().map(|member| EvidenceLines::new(report, &member.alert, found)),
            alert_now: member,
            paging: incident.map(|incident| paging::reasons(report, incident)).unwrap_or_default(),
            incident: incident.map(|incident| {
                let core = &report.evaluation.incidents[incident];
                IncidentRef {
                    id: report.id(incident),
                    rank: incident.position() + 1,
                    priority: core.priority,
                    notify: core.priority.notify(),
                    headline: report.name(core.headline),
                }
            }),
        }
    }
}

/// The alert of a record. A resolve by key belongs to the alert with that key.
pub(super) fn index(report: &Report<'_>, taken: &TracedRecord) -> Option<AlertIx> {
    let engine = report.evaluation.engine;
    let is_end = taken.key.is_empty() || taken.record.is_named_end();
    let named = || engine.find(&taken.key).map(|at| AlertIx::new(at as usize));
    if !is_end {
        return named();
    }
    let key = taken.record.key.as_deref()?;
    if let Some(owner) = key_owners(engine).get(key) {
        return Some(*owner);
    }
    let mut unmatched = report.evaluation.alerts.indices().skip(engine.entries.len());
    let is_meant = |at: &AlertIx| match taken.key.is_empty() {
        true => Identity::from_key(identity_key(report, *at)).alert == visible_key(key),
        false => *identity_key(report, *at) == *taken.key,
    };
    named().or_else(|| unmatched.find(is_meant))
}

fn incident_of(report: &Report<'_>, at: AlertIx) -> Option<IncidentIx> {
    let mut incidents = report.evaluation.incidents.indices();
    incidents.find(|incident| report.evaluation.members(*incident).contains(&at))
}

fn dropped_labels(report: &Report<'_>, taken: &TracedRecord) -> Vec<DroppedLabel> {
    let rules = report.evaluation.engine.rules();
    let record = &taken.record;
    let identity: BTreeMap<&str, &str> = Identity::from_key(&taken.key).labels().collect();
    let pod = record.labels.iter().rfind(|(name, _)| name == "pod").map(|(_, pod)| pod.as_ref());
    let mut dropped = Vec::new();
    for (at, (name, value)) in record.labels.iter().enumerate() {
        if taken.key.is_empty() || identity.get(name.as_ref()) == Some(&value.as_ref()) {
            continue;
        }
        let again = record.labels[at + 1..].iter().any(|(later, _)| later == name);
        let why = match name.as_ref() {
            _ if again => "the label occurs twice and the later value counts".to_owned(),
            _ if value.is_empty() => "an empty value means no label".to_owned(),
            _ if rules.is_volatile(name) => "differs between senders or restarts (identity.drop)".to_owned(),
            "pod" => format!("its workload {} replaces it (identity/pod)", printable(workload(value))),
            "instance" if pod.is_some() => "it changes with the pod (identity/pod)".to_owned(),
            _ => "not part of the identity".to_owned(),
        };
        dropped.push(DroppedLabel { label: name.to_string(), value: value.to_string(), why });
    }
    dropped
}
