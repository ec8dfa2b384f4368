//! Groups incidents with the same alert in several scopes.

use super::evaluation::Evaluation;
use super::incident_core::AlertGroup;
use super::index::{AlertIx, GroupIx, IncidentIx, ListIndex as _, ScopeIx};
use crate::hashing::hash;

/// An alert that may be the headline of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// The hash of its name.
    name: u64,
    incident: IncidentIx,
    alert: AlertIx,
}

/// Forms the groups of all incidents.
pub(super) fn form(evaluation: &mut Evaluation<'_>) {
    // Sorted, the candidates need no map of names; nearly all of a million alerts may have distinct
    // names.
    let mut candidates: Vec<Candidate> = Vec::new();
    for incident in evaluation.incidents.indices() {
        for &at in evaluation.members(incident) {
            let alert = &evaluation.alerts[at];
            if alert.headline_tier() == 0 && !evaluation.scopes.is_empty(alert.scope) {
                let name = hash(evaluation.name(at).as_bytes());
                candidates.push(Candidate { name, incident, alert: at });
            }
        }
    }
    candidates.sort_unstable();
    let mut groups = Vec::new();
    for same in candidates.chunk_by(|one, other| one.name == other.name) {
        // Different names rarely have equal hashes.
        let mut left = same.to_vec();
        while let Some(first) = left.first() {
            let name = evaluation.name(first.alert);
            let (own, others) = left.iter().partition(|candidate| evaluation.name(candidate.alert) == name);
            groups.extend(group(evaluation, name, own));
            left = others;
        }
    }
    groups.sort_unstable_by(|a, b| (a.incidents.first(), &a.alert).cmp(&(b.incidents.first(), &b.alert)));
    for (position, group) in groups.iter().enumerate() {
        for &incident in &group.folded {
            evaluation.incidents[incident].group = Some(GroupIx::new(position));
        }
    }
    evaluation.groups = groups.into();
}

/// The group of these candidates. `None` if they are all in one scope.
fn group(evaluation: &Evaluation<'_>, alert: &str, candidates: Vec<Candidate>) -> Option<AlertGroup> {
    if candidates.len() < 2 {
        return None;
    }
    let distinct = |candidates: &mut dyn Iterator<Item = &Candidate>| {
        let mut scopes: Vec<ScopeIx> =
            candidates.map(|candidate| evaluation.alerts[candidate.alert].scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    };
    let mut scopes = distinct(&mut candidates.iter());
    if scopes.len() < 2 {
        return None;
    }
    scopes.sort_unstable_by(|one, other| evaluation.scopes.compare(*one, *other));
    let is_headline =
        |candidate: &&Candidate| evaluation.incidents[candidate.incident].headline == candidate.alert;
    let headlines = || candidates.iter().filter(is_headline);
    let rules = evaluation.engine.rules();
    let is_folded = rules.is_on("group") && distinct(&mut headlines()).len() >= rules.limits().group_scopes;
    let folded =
        if is_folded { headlines().map(|candidate| candidate.incident).collect() } else { Vec::new() };
    let mut incidents: Vec<IncidentIx> = candidates.iter().map(|candidate| candidate.incident).collect();
    incidents.dedup();
    Some(AlertGroup { alert: alert.into(), scopes, incidents, folded })
}
