//! Causes and symptoms whose common labels agree.

use std::collections::BTreeMap;

use crate::hashing::HashSet;
use crate::identity::WORKLOAD_LABELS;
use crate::judge::evaluation::Evaluation;
use crate::judge::index::AlertIx;
use crate::rules::Edge;

/// Labels of the observer or the owner. They may differ between cause and symptom.
const IGNORED_LABELS: [&str; 16] = [
    "severity",
    "job",
    "service",
    "instance",
    "container",
    "endpoint",
    "team",
    "owner",
    "receiver",
    "app",
    "component",
    "group",
    "source",
    "host",
    "reason",
    "condition",
];

/// Causes, and the symptoms that agree with each of them.
pub(super) type Agreeing = (Vec<AlertIx>, Vec<AlertIx>);

/// Causes and symptoms whose common labels agree, in an order that does not depend on arrival.
///
/// They are joined by the values of the labels that both carry, so the cost is linear in their
/// number.
pub(super) fn agreeing(
    evaluation: &Evaluation<'_>,
    edge: &Edge,
    causes: &[AlertIx],
    symptoms: &[AlertIx],
) -> Vec<Agreeing> {
    let location_labels = |at: AlertIx| -> Vec<(&str, &str)> {
        let identity = evaluation.entry(at).identity();
        let mut labels: Vec<(&str, &str)> = identity
            .labels()
            .filter(|(name, _)| {
                !IGNORED_LABELS.contains(name) && !edge.ignore.iter().any(|ignored| ignored == name)
            })
            // One alert names the workload of a pod, another the deployment.
            .map(|(name, value)| match WORKLOAD_LABELS.contains(&name) {
                true => ("workload", value),
                false => (name, value),
            })
            .collect();
        // A label of the workload counts more than what a pod's name says.
        let is_named = identity.labels().any(|(name, _)| WORKLOAD_LABELS.contains(&name));
        let of_pod = identity.label("workload").filter(|_| is_named);
        labels.sort_by_key(|(name, value)| (*name, *name == "workload" && Some(*value) == of_pod, *value));
        labels.dedup_by_key(|(name, _)| *name);
        let has_workload = labels.iter().any(|(name, _)| *name == "workload");
        let named = edge.workload.iter().find_map(|name| identity.label(name));
        if let Some(workload) = named.filter(|_| !has_workload) {
            labels.insert(labels.partition_point(|(name, _)| *name < "workload"), ("workload", workload));
        }
        labels
    };
    let by_label_names = |alerts: &[AlertIx]| {
        let mut found: BTreeMap<Vec<String>, Vec<AlertIx>> = BTreeMap::new();
        for &at in alerts {
            let names: Vec<String> =
                location_labels(at).into_iter().map(|(name, _)| name.to_owned()).collect();
            // An edge between alerts of one workload holds for no alert without one.
            if !edge.workload.is_empty() && !names.iter().any(|name| name == "workload") {
                continue;
            }
            found.entry(names).or_default().push(at);
        }
        found
    };
    let (causes, symptoms) = (by_label_names(causes), by_label_names(symptoms));
    let mut all = Vec::new();
    for (cause_names, causes) in &causes {
        for (symptom_names, symptoms) in &symptoms {
            let common: HashSet<&String> =
                cause_names.iter().filter(|name| symptom_names.contains(name)).collect();
            let key = |at: AlertIx| -> Vec<String> {
                let labels = location_labels(at)
                    .into_iter()
                    .filter(|(name, _)| common.iter().any(|known| known == name));
                labels.map(|(_, value)| value.to_owned()).collect()
            };
            let mut joined: BTreeMap<Vec<String>, Agreeing> = BTreeMap::new();
            for &at in causes {
                joined.entry(key(at)).or_default().0.push(at);
            }
            for &at in symptoms {
                if let Some(agreeing) = joined.get_mut(&key(at)) {
                    agreeing.1.push(at);
                }
            }
            all.extend(joined.into_values().filter(|(_, symptoms)| !symptoms.is_empty()));
        }
    }
    all
}
