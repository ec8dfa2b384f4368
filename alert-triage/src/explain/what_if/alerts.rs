//! Changes to alerts: another one fires, a pending one fires, or the severity differs.

use std::collections::BTreeSet;

use super::counterfactual::{Counterfactual, WhatIf};
use super::simulation::Simulation;
use crate::explain::naming::{identity_key, with_labels};
use crate::identity::{Identity, IdentityParts};
use crate::judge::AlertIx;
use crate::judge::alert_phase::AlertPhase;
use crate::record::Record;
use crate::report::Labels;
use crate::rules::{Edge, Rules};
use crate::severity::Severity;
use crate::verdict::Priority;

/// Maximum number of alerts that raise the priority; the most urgent are kept.
const MAX_ADDED_ALERTS: usize = 5;

/// Adds related alerts that would raise the priority, or page on their own.
pub(super) fn add_related_alerts(simulation: &mut Simulation<'_>, members: &[AlertIx]) {
    let rules = simulation.report.evaluation.engine.rules().clone();
    let mut tried: BTreeSet<String> = members
        .iter()
        .filter(|at| simulation.report.alert(**at).sets_priority())
        .map(|at| simulation.alert(*at).to_owned())
        .collect();
    type Raised = (Priority, String, Vec<Counterfactual>);
    let (mut raising, mut apart): (Vec<Raised>, Vec<Raised>) = (Vec::new(), Vec::new());
    for &at in members {
        for name in related(&rules, simulation.alert(at)) {
            if !tried.insert(name.clone()) {
                continue;
            }
            // Labels that both alerts carry must agree, so the new alert gets the labels of the
            // member.
            let identity = Identity::from_key(identity_key(simulation.report, at));
            let mut record = Record::firing(name.clone());
            record.labels = (identity.labels())
                .filter(|(label, _)| *label != "severity")
                .map(|(label, value)| (label.to_owned().into(), value.to_owned().into()))
                .collect();
            let labels: Labels = record.labels.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
            let record = simulation.now_firing(record);
            let part = simulation.with_record(&record);
            let then = simulation.counterfactuals(&part, simulation.now);
            let change = format!("a firing {}", with_labels(&name, &labels));
            let (Some(best), Some(before)) = (then.first(), simulation.before.first()) else { continue };
            if best.priority < before.priority {
                raising.push((best.priority, change, then));
                continue;
            }
            // An alert that forms an incident of its own may also call for a notification.
            let mut parts = IdentityParts::default();
            parts.fill(&record, &rules);
            let own =
                simulation.counterfactuals_of(&BTreeSet::from([parts.key.0.into()]), &part, simulation.now);
            if let Some(one) =
                own.first().filter(|one| one.priority < before.priority && then == simulation.before)
            {
                apart.push((one.priority, change, own));
            }
        }
    }
    for list in [&mut raising, &mut apart] {
        list.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        list.truncate(MAX_ADDED_ALERTS);
    }
    for (_, change, then) in raising {
        simulation.add_if_changed(change, then);
    }
    for (_, change, then) in apart {
        let shown = then.iter().map(Counterfactual::to_string).collect::<Vec<_>>().join("; ");
        let sentence = format!("{change}: it would be a separate incident, {shown}");
        simulation.found.push(WhatIf { change, then, sentence });
    }
}

/// Lets pending members fire.
pub(super) fn fire_pending(simulation: &mut Simulation<'_>, members: &[AlertIx]) {
    for &at in members {
        if simulation.report.alert(at).phase != AlertPhase::Pending {
            continue;
        }
        if let Some(record) = simulation.record(at) {
            let then = simulation
                .counterfactuals(&simulation.with_record(&simulation.now_firing(record)), simulation.now);
            simulation.add_if_changed(format!("{}, once it fires", simulation.label(at)), then);
        }
    }
}

/// Gives the headline another severity label.
pub(super) fn change_severity(simulation: &mut Simulation<'_>, headline: AlertIx) {
    if !simulation.report.alert(headline).sets_priority() {
        return;
    }
    let old = identity_key(simulation.report, headline).to_vec();
    let Some(entry) = simulation.part.entries.iter().find(|entry| *entry.key == *old).cloned() else {
        return;
    };
    let mut outcomes: Vec<(Vec<Counterfactual>, Vec<&str>)> = Vec::new();
    for severity in [Severity::Critical, Severity::Error, Severity::Warning, Severity::Info] {
        if severity == simulation.report.alert(headline).severity {
            continue;
        }
        let mut keys = simulation.keys.clone();
        let mut part = simulation.part.subset(|entry| *entry.key != *old);
        let entry = entry.with_label("severity", severity.word());
        keys.insert(entry.key.clone());
        part.add(entry);
        let then = simulation.counterfactuals_of(&keys, &part, simulation.now);
        match outcomes.iter_mut().find(|(known, _)| *known == then) {
            Some((_, words)) => words.push(severity.word()),
            None => outcomes.push((then, vec![severity.word()])),
        }
    }
    for (then, words) in outcomes {
        let words = match words.as_slice() {
            [words @ .., last] if !words.is_empty() => format!("{} or {last}", words.join(", ")),
            words => words.concat(),
        };
        let change = format!("a severity label {words} on {}", simulation.label(headline));
        simulation.add_if_changed(change, then);
    }
}

/// Names that an edge, a ladder or the lasting form relates to this name.
fn related(rules: &Rules, alert: &str) -> Vec<String> {
    let lasting = rules.lasting_form(alert).map(|(lasting, _)| lasting);
    let mut names: Vec<String> = lasting.iter().cloned().collect();
    for name in lasting.iter().map(String::as_str).chain([alert]) {
        let mut of_edge = |edge: &Edge| {
            if edge.cause == name {
                names.extend(edge.symptoms.iter().cloned());
            }
            if edge.symptoms.iter().any(|symptom| symptom == name) {
                names.push(edge.cause.clone());
            }
        };
        rules.edges().iter().for_each(&mut of_edge);
        if let Some((ladder, rung)) = rules.ladder(name) {
            names.extend(rules.rungs(ladder).iter().skip(usize::from(rung) + 1).cloned());
        }
    }
    names
}
