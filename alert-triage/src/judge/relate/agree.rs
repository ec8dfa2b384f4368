//! Which causes and symptoms are of one place: those whose common labels agree.

use std::collections::BTreeMap;

use crate::hashing::HashSet;
use crate::judge::Judgement;
use crate::ledger::Engine;
use crate::rules::Edge;

/// Labels that name the observer or the owner and not the place; they may differ between cause and symptom.
const OBSERVERS: [&str; 16] = [
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

/// Causes, and symptoms that agree with each of them.
pub(super) type Bucket = (Vec<u32>, Vec<u32>);

/// Causes and symptoms whose common labels agree, in an order that does not depend on arrival: joined by the values of
/// the labels that both kinds carry, so that ten thousand of each cost no more than twenty thousand.
pub(super) fn agreeing(
    judgement: &Judgement,
    engine: &Engine,
    edge: &Edge,
    causes: &[u32],
    symptoms: &[u32],
) -> Vec<Bucket> {
    let places = |at: u32| -> Vec<(&str, &str)> {
        let identity = judgement.entry(engine, at).identity();
        let mut labels: Vec<(&str, &str)> = identity
            .labels()
            .filter(|(name, _)| {
                !OBSERVERS.contains(name) && !edge.ignore.iter().any(|ignored| ignored == name)
            })
            // The workload of a pod is the deployment of another alert.
            .map(|(name, value)| match name {
                "deployment" | "statefulset" | "daemonset" | "job_name" => ("workload", value),
                name => (name, value),
            })
            .collect();
        labels.sort_unstable();
        labels.dedup_by_key(|(name, _)| *name);
        labels
    };
    let kinds_of = |alerts: &[u32]| {
        let mut kinds: BTreeMap<Vec<String>, Vec<u32>> = BTreeMap::new();
        for &at in alerts {
            let names = places(at).into_iter().map(|(name, _)| name.to_owned()).collect();
            kinds.entry(names).or_default().push(at);
        }
        kinds
    };
    let (causes, symptoms) = (kinds_of(causes), kinds_of(symptoms));
    let mut buckets = Vec::new();
    for (cause_names, causes) in &causes {
        for (symptom_names, symptoms) in &symptoms {
            let common: HashSet<&String> =
                cause_names.iter().filter(|name| symptom_names.contains(name)).collect();
            let key = |at: u32| -> Vec<String> {
                let labels =
                    places(at).into_iter().filter(|(name, _)| common.iter().any(|known| known == name));
                labels.map(|(_, value)| value.to_owned()).collect()
            };
            let mut joined: BTreeMap<Vec<String>, Bucket> = BTreeMap::new();
            for &at in causes {
                joined.entry(key(at)).or_default().0.push(at);
            }
            for &at in symptoms {
                if let Some(bucket) = joined.get_mut(&key(at)) {
                    bucket.1.push(at);
                }
            }
            buckets.extend(joined.into_values().filter(|(_, symptoms)| !symptoms.is_empty()));
        }
    }
    buckets
}
