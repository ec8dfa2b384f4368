//! Changes to the rules: an edge or a ladder is removed.

use std::collections::BTreeSet;

use super::simulation::Simulation;
use crate::judge::{AlertIx, SupersededBy, relate};
use crate::verdict::Verdict;

/// Removes the edges that join the members, and the ladders that supersede some of them.
pub(super) fn remove_rules(simulation: &mut Simulation<'_>, members: &[AlertIx]) {
    let report = simulation.report;
    let evaluation = &report.evaluation;
    let rules = evaluation.engine.rules();
    let mut edges: BTreeSet<String> = BTreeSet::new();
    for edge in rules.edges() {
        let links = |cause: AlertIx| {
            members
                .iter()
                .any(|symptom| cause != *symptom && relate::is_linked(evaluation, edge, cause, *symptom))
        };
        if members.iter().any(|cause| links(*cause)) {
            edges.insert(edge.id.clone());
        }
    }
    for id in edges {
        let part = simulation.with_rules(|table| table.without_edge(&id));
        let then = simulation.counterfactuals(&part, simulation.now);
        simulation.add_if_changed(format!("without the edge {id}"), then);
    }
    let mut ladders: BTreeSet<String> = BTreeSet::new();
    for &at in members.iter().filter(|at| report.alert(**at).verdict == Verdict::Superseded) {
        ladders.insert(match report.alert(at).superseded_by {
            Some(SupersededBy::Row(row)) => rules.ladder_id(row as usize).to_owned(),
            Some(SupersededBy::Severity) => "ladder/severity".to_owned(),
            Some(SupersededBy::Transient) => match rules.lasting_form(simulation.alert(at)) {
                Some((_, id)) => id.to_owned(),
                None => continue,
            },
            Some(SupersededBy::Name) => "ladder/name".to_owned(),
            None => continue,
        });
    }
    for id in ladders {
        let part = simulation.with_rules(|table| table.without_ladder(&id));
        let then = simulation.counterfactuals(&part, simulation.now);
        simulation.add_if_changed(format!("without {id}"), then);
    }
}
