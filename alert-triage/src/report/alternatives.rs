//! What is uncertain about an incident.

use std::collections::BTreeMap;

use super::view::Report;
use super::wording::{counted, list};
use crate::judge::{AlertIx, AlertVerdict, Flags, IncidentIx, relate};
use crate::printable::printable;
use crate::rules::{Edge, SeveritySource};
use crate::verdict::Verdict;

/// An incident with more members is not split to find its uncertain edges.
const MAX_SPLIT_MEMBERS: usize = 32;

/// What is uncertain about an incident, one sentence each.
pub(super) fn alternatives(report: &Report<'_>, incident: IncidentIx) -> Vec<String> {
    let evaluation = &report.evaluation;
    let core = &evaluation.incidents[incident];
    let members = evaluation.members(incident);
    let firing = || members.iter().copied().filter(|at| report.alert(*at).sets_priority());
    let mut alternatives = Vec::new();
    if members.len() > 1 && members.len() <= MAX_SPLIT_MEMBERS && !core.is_pattern {
        edges(report, core.headline, members, &mut alternatives);
    }
    let state = |at: AlertIx| evaluation.state(at);
    if firing().next().is_some() {
        let timed = firing().any(|at| state(at).has_times);
        match (timed, evaluation.engine.has_ends()) {
            (false, _) => alternatives
                .push("it may be over: none of its records carries a time or reports an end".to_owned()),
            (true, false) => {
                alternatives.push("it may be over: no record of the input reports an end".to_owned())
            }
            (true, true) => {}
        }
    }
    let again: Vec<String> = (members.iter())
        .filter(|at| report.alert(**at).flags.contains(Flags::FIRED_AGAIN))
        .map(|at| report.name(*at))
        .collect();
    if !again.is_empty() {
        alternatives.push(format!(
            "{} may be firing: a record after its end says so without a time of its own. It may be a late \
             repeat, or the source could not be reached for a while; look at the source",
            list(&again)
        ));
    }
    let head = report.alert(core.headline);
    let rules = evaluation.engine.rules();
    if head.verdict == Verdict::Transient
        && let Some((lasting, _)) = rules.lasting_form(evaluation.name(core.headline))
    {
        let sustained = rules.limits().sustained;
        let (lasting, unless) = (
            printable(lasting),
            if state(core.headline).has_times { "" } else { "; this needs records with times" },
        );
        alternatives.push(format!("open for {sustained:#} it would be treated as {lasting}{unless}"));
    }
    // The severity of a transient has no effect.
    let is_guessed = |alert: &AlertVerdict| {
        alert.severity_by == SeveritySource::Default
            && !matches!(alert.verdict, Verdict::Transient | Verdict::Informational)
    };
    let mut guessed: Vec<String> =
        firing().filter(|at| is_guessed(report.alert(*at))).map(|at| report.name(at)).collect();
    guessed.dedup();
    if !guessed.is_empty() {
        alternatives.push(format!(
            "a severity for {} might change the priority: set it in a label or a rule",
            list(&guessed)
        ));
    }
    let milder: Vec<String> = (members.iter())
        .filter(|at| report.alert(**at).flags.contains(Flags::MILDER_RUNG_ABOVE))
        .map(|at| report.name(*at))
        .collect();
    if !milder.is_empty() {
        alternatives.push(format!("{}: the higher rung is milder and supersedes nothing", list(&milder)));
    }
    alternatives
}

/// Adds a sentence for each edge that no time proves and without which the incident would split.
fn edges(report: &Report<'_>, headline: AlertIx, members: &[AlertIx], alternatives: &mut Vec<String>) {
    let evaluation = &report.evaluation;
    let edges = evaluation.engine.rules().edges();
    let mut laddered = Vec::new();
    let mut linked: Vec<(&Edge, usize, usize, bool)> = Vec::new();
    for (a, &one) in members.iter().enumerate() {
        for (b, &other) in members.iter().enumerate() {
            let is_joined =
                relate::is_laddered(evaluation, one, other) || relate::is_instance(evaluation, one, other);
            if a < b && is_joined {
                laddered.push((a, b));
            }
            for edge in edges {
                if a != b && relate::is_linked(evaluation, edge, one, other) {
                    let began = evaluation.began(one, other);
                    linked.push((edge, a, b, began.is_some_and(|(cause, symptom)| cause <= symptom)));
                }
            }
        }
    }
    let mut ids: Vec<&str> =
        linked.iter().filter(|(.., proven)| !proven).map(|(edge, ..)| edge.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let has_begun = |at: &AlertIx| report.alert(*at).latest.is_some();
    let mut found: Vec<(std::cmp::Reverse<usize>, String)> = Vec::new();
    for id in ids {
        let joins = laddered
            .iter()
            .copied()
            .chain(linked.iter().filter(|(edge, ..)| edge.id != id).map(|link| (link.1, link.2)));
        let mut part: Vec<usize> = (0..members.len()).collect();
        for (a, b) in joins {
            let (from, to) = (part[a].max(part[b]), part[a].min(part[b]));
            part.iter_mut().for_each(|at| {
                if *at == from {
                    *at = to
                }
            });
        }
        // Each part is named by its most urgent member.
        let mut heads: BTreeMap<usize, AlertIx> = BTreeMap::new();
        for (at, &member) in members.iter().enumerate() {
            if report.alert(member).sets_priority() {
                let head = heads.entry(part[at]).or_insert(member);
                let rank = |at: AlertIx| {
                    (report.alert(at).priority, report.alert(at).severity.class(), at != headline)
                };
                if rank(member) < rank(*head) {
                    *head = member;
                }
            }
        }
        if heads.len() < 2 {
            continue;
        }
        let names: Vec<String> = heads.values().map(|at| report.name(*at)).collect();
        let doubt = match members.iter().all(has_begun) {
            true => "the symptom began before the cause",
            false => "assumed from the names, not proven by the order of the input",
        };
        let incidents = counted(heads.len() as u64, "incident");
        let head = members.iter().position(|at| *at == headline).map(|at| part[at]);
        let lost = part.iter().filter(|part| Some(**part) != head).count();
        let text = format!("without the edge {id} ({doubt}) it would be {incidents}: {}", list(&names));
        // The more even the parts, the more important the edge.
        found.push((std::cmp::Reverse(lost.min(members.len() - lost)), text));
    }
    found.sort();
    alternatives.extend(found.into_iter().map(|(_, text)| text));
}
