//! Cause edges: who explains whom.

use super::Union;
use super::agree::agreeing;
use super::kinds::Kinds;
use crate::judge::stand::Stand;
use crate::judge::{Judged, Judgement, NONE, flag};
use crate::ledger::Engine;
use crate::rules::Edge;

/// Has a cause, and nothing said yet how far from the top it is.
const UNSET: u8 = u8::MAX;

/// Causes and symptoms that agree, by the number of an edge between them. The causes are in the order in which they
/// began; each of the symptoms has one among them that explains it.
struct Link {
    edge: u32,
    causes: Vec<u32>,
    symptoms: Vec<u32>,
}

/// Joins causes with their symptoms, and says who explains whom.
pub(in crate::judge) fn edges(judgement: &mut Judgement, engine: &Engine, union: &mut Union) {
    let links = links(judgement, engine);
    let mut has_cause = vec![false; judgement.alerts.len()];
    for symptom in links.iter().flat_map(|link| &link.symptoms) {
        has_cause[*symptom as usize] = true;
    }
    // Who has a cause is no top.
    for (at, judged) in judgement.alerts.iter_mut().enumerate() {
        judged.depth = if has_cause[at] { UNSET } else { 0 };
    }
    // Chains are short; a cycle of edges would go on for ever and ends here.
    for _ in 0..links.len().min(32) {
        if !name_causes(judgement, engine, &links) {
            break;
        }
    }
    for link in &links {
        join(judgement, engine, union, link);
    }
    for judged in &mut judgement.alerts {
        if judged.depth == UNSET {
            judged.depth = 0;
        }
    }
}

/// The alerts of the names that edges know, and those that are taken for one; a name by its place in `names`.
fn by_name(judgement: &Judgement, engine: &Engine, names: &[&str]) -> Kinds {
    let rules = engine.rules();
    let number = |name: &str| names.binary_search(&name).ok().map(|number| number as u32);
    let mut of = Vec::new();
    for at in 0..judgement.alerts.len() as u32 {
        let judged = &judgement.alerts[at as usize];
        if judgement.scopes.is_nowhere(judged.scope) {
            continue;
        }
        let alert = judgement.entry(engine, at).identity().alert;
        of.extend(number(alert).map(|name| (judged.scope, name, at)));
        if is_taken_for_lasting(judged) {
            let lasting = rules.lasting_form(alert).and_then(|(lasting, _)| number(&lasting));
            of.extend(lasting.map(|name| (judged.scope, name, at)));
        }
    }
    Kinds::of(of)
}

fn links(judgement: &Judgement, engine: &Engine) -> Vec<Link> {
    let edges = engine.rules().edges();
    let mut names: Vec<&str> =
        edges.iter().flat_map(|edge| edge.symptoms.iter().chain([&edge.cause])).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let of = by_name(judgement, engine, &names);
    let named = |scope: u32, name: &str| match names.binary_search(&name) {
        Ok(name) => of.get(scope, name as u32),
        Err(_) => &[],
    };
    let mut links = Vec::new();
    for scope in of.scopes() {
        for (number, edge) in edges.iter().enumerate() {
            let causes = named(scope, &edge.cause);
            let causes: Vec<u32> =
                causes.iter().copied().filter(|at| can_explain(&judgement.alerts[*at as usize])).collect();
            if causes.is_empty() {
                continue;
            }
            let symptoms = edge.symptoms.iter().map(|symptom| named(scope, symptom));
            for (mut causes, mut symptoms) in
                symptoms.flat_map(|symptoms| agreeing(judgement, engine, edge, &causes, symptoms))
            {
                order_by_begin(judgement, engine, &mut causes);
                symptoms.retain(|&symptom| {
                    causes.iter().any(|&cause| is_in_time(judgement, engine, cause, symptom))
                });
                links.push(Link { edge: number as u32, causes, symptoms });
            }
        }
    }
    links
}

/// Names for each symptom the cause nearest to the top; answers whether anything changed, and so more may.
fn name_causes(judgement: &mut Judgement, engine: &Engine, links: &[Link]) -> bool {
    let mut changed = false;
    for Link { edge, causes, symptoms } in links {
        for &symptom in symptoms {
            // All causes that explain it belong to it; the nearest to the top, then the first, is named.
            let mut named = NONE;
            for &cause in causes.iter().filter(|cause| is_in_time(judgement, engine, **cause, symptom)) {
                let depth = judgement.alerts[cause as usize].depth;
                if named == NONE || depth < judgement.alerts[named as usize].depth {
                    named = cause;
                }
                // The first cause and the causes before it are joined later; one comparison suffices here.
                if depth == 0 {
                    break;
                }
            }
            if named == NONE {
                continue;
            }
            let depth = judgement.alerts[named as usize].depth.saturating_add(1);
            let judged = &mut judgement.alerts[symptom as usize];
            if judged.cause == NONE || depth < judged.depth {
                changed |= depth != judged.depth || judged.cause == NONE;
                (judged.depth, judged.cause, judged.edge) = (depth, named, *edge);
            }
        }
    }
    changed
}

/// Joins every symptom with all its causes, in as many steps as there are alerts.
fn join(judgement: &mut Judgement, engine: &Engine, union: &mut Union, link: &Link) {
    let Link { causes, symptoms, .. } = link;
    for &symptom in symptoms {
        if let Some(&first) = causes.iter().find(|cause| is_in_time(judgement, engine, **cause, symptom)) {
            union.join(first, symptom);
            judgement.alerts[first as usize].explains = true;
        }
    }
    // Whom the youngest symptom has for a cause, all have that begin before it.
    let youngest = symptoms.iter().copied().max_by_key(|symptom| {
        judgement.alerts[*symptom as usize].latest.map_or((1, None), |latest| (0, Some(latest)))
    });
    let Some(youngest) = youngest else { return };
    for &cause in causes {
        if is_in_time(judgement, engine, cause, youngest) {
            union.join(cause, youngest);
            judgement.alerts[cause as usize].explains = true;
        }
    }
}

/// A transient that became sustained is taken for its lasting form here as well, unless that one stands itself.
fn is_taken_for_lasting(judged: &Judged) -> bool {
    judged.flags & flag::SUSTAINED != 0 && judged.counts()
}

/// Resolved, transient and pending ones explain nothing; a silenced one does.
fn can_explain(judged: &Judged) -> bool {
    let is_transient = judged.flags & flag::TRANSIENT != 0 && judged.flags & flag::SUSTAINED == 0;
    judged.stand == Stand::Open && !is_transient
}

/// Those without a time first, for they explain anything; then by time and key.
fn order_by_begin(judgement: &Judgement, engine: &Engine, causes: &mut [u32]) {
    causes.sort_unstable_by(|a, b| {
        let rank = |at: u32| (judgement.alerts[at as usize].since, &judgement.entry(engine, at).key);
        rank(*a).cmp(&rank(*b))
    });
}

/// Does this edge make the one explain the other?
pub(crate) fn is_linked(
    judgement: &Judgement,
    engine: &Engine,
    edge: &Edge,
    cause: u32,
    symptom: u32,
) -> bool {
    let rules = engine.rules();
    let names = |at: u32, wanted: &dyn Fn(&str) -> bool| {
        let judged = &judgement.alerts[at as usize];
        let alert = judgement.entry(engine, at).identity().alert;
        let lasting = || rules.lasting_form(alert).is_some_and(|(lasting, _)| wanted(&lasting));
        wanted(alert) || is_taken_for_lasting(judged) && lasting()
    };
    names(cause, &|name| edge.cause == name)
        && names(symptom, &|name| edge.symptoms.iter().any(|known| known == name))
        && judgement.alerts[cause as usize].scope == judgement.alerts[symptom as usize].scope
        && can_explain(&judgement.alerts[cause as usize])
        && is_in_time(judgement, engine, cause, symptom)
        && !agreeing(judgement, engine, edge, &[cause], &[symptom]).is_empty()
}

/// A cause does not begin long after its symptom. Where either began several times, what matters is whether the cause
/// stood when the symptom began last; without a time it may have.
fn is_in_time(judgement: &Judgement, engine: &Engine, cause: u32, symptom: u32) -> bool {
    let began = judgement.began(cause, symptom);
    let precedes = engine.rules().limits().precedes;
    cause != symptom && began.is_none_or(|(cause, symptom)| cause.duration_since(symptom) <= precedes)
}
