//! Incidents as people are shown them: the same alert in many scopes takes one row.

use std::collections::{HashMap, HashSet};

use alert_triage::{Incident, Labels, Report};

/// Incidents shown unless all are asked for.
pub(super) const INCIDENTS: usize = 20;

/// One row: an incident, or the first of those that are told of once.
pub(super) struct Row {
    pub(super) incident: Incident,
    /// Incidents it stands for, itself among them; 1 where there is no group.
    pub(super) incidents: u64,
    /// Where it is; one scope, but for groups and patterns.
    pub(super) scopes: Vec<Labels>,
}

/// The rows in the order of the report, each made when it is asked for.
pub(super) fn rows<'r>(report: &'r Report<'_>) -> impl Iterator<Item = Row> + 'r {
    let mut first: HashMap<String, (u64, Vec<Labels>)> = HashMap::new();
    let mut others: HashSet<String> = HashSet::new();
    for group in report.groups() {
        let count = group.folded.len() as u64;
        let mut ids = group.folded.into_iter();
        if let Some(id) = ids.next() {
            first.insert(id, (count, group.scopes));
        }
        others.extend(ids);
    }
    report.incidents().filter(move |incident| !others.contains(&incident.id)).map(move |incident| {
        let (incidents, scopes) = match (first.remove(&incident.id), &incident.scopes, &incident.scope) {
            (Some(group), ..) => group,
            (None, Some(scopes), _) => (1, scopes.clone()),
            (None, None, scope) => (1, scope.iter().filter(|scope| !scope.is_empty()).cloned().collect()),
        };
        Row { incident, incidents, scopes }
    })
}
