//! Cause edges: which alerts explain which.

use super::Union;
use super::agreeing_labels::agreeing;
use super::alerts_by_name::AlertsByName;
use crate::judge::alert_phase::AlertPhase;
use crate::judge::alert_verdict::{AlertVerdict, CauseLink};
use crate::judge::evaluation::Evaluation;
use crate::judge::flags::Flags;
use crate::judge::index::{AlertIx, IndexedList, ScopeIx};
use crate::rules::Edge;

/// The depth of an alert that has a cause, until the depth is known.
const UNSET: u8 = u8::MAX;

/// Maximum number of passes over the links. Chains are short; the limit ends a cycle of edges.
const MAX_PASSES: usize = 32;

/// Causes and symptoms that agree on an edge. The causes are in the order in which they began; at
/// least one of them explains each symptom.
struct Link {
    /// The number of the edge in the rules.
    edge: u32,
    causes: Vec<AlertIx>,
    symptoms: Vec<AlertIx>,
}

/// Joins causes with their symptoms, and sets the cause of each symptom.
pub(in crate::judge) fn edges(evaluation: &mut Evaluation<'_>, union: &mut Union) {
    let links = links(evaluation);
    let mut has_cause: IndexedList<AlertIx, bool> = vec![false; evaluation.alerts.len()].into();
    for symptom in links.iter().flat_map(|link| &link.symptoms) {
        has_cause[*symptom] = true;
    }
    // Only an alert without a cause starts at the top.
    for (alert, has_cause) in evaluation.alerts.iter_mut().zip(has_cause.iter()) {
        alert.depth = if *has_cause { UNSET } else { 0 };
    }
    for _ in 0..links.len().min(MAX_PASSES) {
        if !name_causes(evaluation, &links) {
            break;
        }
    }
    for link in &links {
        join(evaluation, union, link);
    }
    for alert in evaluation.alerts.iter_mut() {
        if alert.depth == UNSET {
            alert.depth = 0;
        }
    }
}

/// The alerts with one of these names, or with a sustained transient form of one. The number of a
/// name is its position in `names`.
fn alerts_by_name(evaluation: &Evaluation<'_>, names: &[&str]) -> AlertsByName {
    let rules = evaluation.engine.rules();
    let number = |name: &str| names.binary_search(&name).ok().map(|number| number as u32);
    let mut found = Vec::new();
    for (at, alert) in evaluation.alerts.enumerate() {
        let name = evaluation.name(at);
        found.extend(number(name).map(|name| (alert.scope, name, at)));
        if counts_as_lasting(alert) {
            let lasting = rules.lasting_form(name).and_then(|(lasting, _)| number(&lasting));
            found.extend(lasting.map(|name| (alert.scope, name, at)));
        }
    }
    AlertsByName::new(found)
}

fn links(evaluation: &Evaluation<'_>) -> Vec<Link> {
    let edges = evaluation.engine.rules().edges();
    let mut names: Vec<&str> =
        edges.iter().flat_map(|edge| edge.symptoms.iter().chain([&edge.cause])).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let alerts = alerts_by_name(evaluation, &names);
    let named = |scope: ScopeIx, name: &str| match names.binary_search(&name) {
        Ok(name) => alerts.get(scope, name as u32),
        Err(_) => &[],
    };
    let mut links = Vec::new();
    for scope in alerts.scopes() {
        for (number, edge) in edges.iter().enumerate() {
            let causes = named(scope, &edge.cause);
            let causes: Vec<AlertIx> =
                causes.iter().copied().filter(|at| can_explain(&evaluation.alerts[*at])).collect();
            if causes.is_empty() {
                continue;
            }
            let symptoms = edge.symptoms.iter().map(|symptom| named(scope, symptom));
            for (mut causes, mut symptoms) in
                symptoms.flat_map(|symptoms| agreeing(evaluation, edge, &causes, symptoms))
            {
                sort_by_start(evaluation, &mut causes);
                symptoms
                    .retain(|&symptom| causes.iter().any(|&cause| is_in_time(evaluation, cause, symptom)));
                links.push(Link { edge: number as u32, causes, symptoms });
            }
        }
    }
    links
}

/// Sets the cause of each symptom to the one nearest to the top. Returns whether a cause or a depth
/// changed, so that another pass may change more.
fn name_causes(evaluation: &mut Evaluation<'_>, links: &[Link]) -> bool {
    let mut has_changed = false;
    for Link { edge, causes, symptoms } in links {
        for &symptom in symptoms {
            // Of all causes that explain the symptom, the nearest to the top; of equals, the first.
            let mut nearest: Option<(u8, AlertIx)> = None;
            for &cause in causes.iter().filter(|cause| is_in_time(evaluation, **cause, symptom)) {
                let depth = evaluation.alerts[cause].depth;
                if nearest.is_none_or(|(known, _)| depth < known) {
                    nearest = Some((depth, cause));
                }
                if depth == 0 {
                    break;
                }
            }
            let Some((depth, cause)) = nearest else { continue };
            let depth = depth.saturating_add(1);
            let alert = &mut evaluation.alerts[symptom];
            if alert.cause.is_none() || depth < alert.depth {
                has_changed |= depth != alert.depth || alert.cause.is_none();
                alert.depth = depth;
                alert.cause = Some(CauseLink { alert: cause, edge: *edge });
            }
        }
    }
    has_changed
}

/// Joins every symptom with all its causes, in a number of steps linear in the number of alerts.
fn join(evaluation: &mut Evaluation<'_>, union: &mut Union, link: &Link) {
    let Link { causes, symptoms, .. } = link;
    for &symptom in symptoms {
        if let Some(&first) = causes.iter().find(|cause| is_in_time(evaluation, **cause, symptom)) {
            union.join(first, symptom);
            evaluation.alerts[first].explains = true;
        }
    }
    // Every cause of a symptom also explains the youngest symptom.
    let youngest = symptoms.iter().copied().max_by_key(|symptom| {
        evaluation.alerts[*symptom].latest.map_or((1, None), |latest| (0, Some(latest)))
    });
    let Some(youngest) = youngest else { return };
    for &cause in causes {
        if is_in_time(evaluation, cause, youngest) {
            union.join(cause, youngest);
            evaluation.alerts[cause].explains = true;
        }
    }
}

/// Does the alert stand for its lasting form? A sustained transient does, unless that form is
/// firing itself.
fn counts_as_lasting(alert: &AlertVerdict) -> bool {
    alert.flags.contains(Flags::SUSTAINED) && alert.sets_priority()
}

/// Resolved, transient and pending alerts explain nothing; a silenced one does.
fn can_explain(alert: &AlertVerdict) -> bool {
    alert.phase == AlertPhase::Open && !alert.is_transient()
}

/// Sorts causes by their start, then by key. Causes without a time come first: they may explain
/// anything.
fn sort_by_start(evaluation: &Evaluation<'_>, causes: &mut [AlertIx]) {
    causes.sort_unstable_by(|a, b| {
        let rank = |at: AlertIx| (evaluation.alerts[at].since, &evaluation.entry(at).key);
        rank(*a).cmp(&rank(*b))
    });
}

/// Does this edge explain `symptom` by `cause`?
pub(crate) fn is_linked(evaluation: &Evaluation<'_>, edge: &Edge, cause: AlertIx, symptom: AlertIx) -> bool {
    let rules = evaluation.engine.rules();
    let has_name = |at: AlertIx, is_wanted: &dyn Fn(&str) -> bool| {
        let name = evaluation.name(at);
        let lasting = || rules.lasting_form(name).is_some_and(|(lasting, _)| is_wanted(&lasting));
        is_wanted(name) || counts_as_lasting(&evaluation.alerts[at]) && lasting()
    };
    has_name(cause, &|name| edge.cause == name)
        && has_name(symptom, &|name| edge.symptoms.iter().any(|known| known == name))
        && evaluation.alerts[cause].scope == evaluation.alerts[symptom].scope
        && can_explain(&evaluation.alerts[cause])
        && is_in_time(evaluation, cause, symptom)
        && !agreeing(evaluation, edge, &[cause], &[symptom]).is_empty()
}

/// May the cause explain the symptom by their times? The cause must not begin long after the
/// symptom. If either began several times, the cause must be open when the symptom last began. An
/// unknown time is accepted.
fn is_in_time(evaluation: &Evaluation<'_>, cause: AlertIx, symptom: AlertIx) -> bool {
    let began = evaluation.began(cause, symptom);
    let precedes = evaluation.engine.rules().limits().precedes;
    cause != symptom && began.is_none_or(|(cause, symptom)| cause.duration_since(symptom) <= precedes)
}
