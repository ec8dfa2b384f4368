//! Ladders: the highest firing rung supersedes the lower ones.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::Union;
use super::family::family;
use super::transients::transients;
use crate::hashing::hash;
use crate::judge::alert_phase::AlertPhase;
use crate::judge::alert_verdict::{AlertVerdict, SupersededBy};
use crate::judge::evaluation::Evaluation;
use crate::judge::flags::Flags;
use crate::judge::index::{AlertIx, indices};
use crate::name;
use crate::rules::Rules;

/// The base of a name's ladder, its rung, and the kind of the ladder.
fn rung<'n>(rules: &Rules, alert: &'n str) -> (Cow<'n, str>, u8, SupersededBy) {
    if let Some((ladder, rung)) = rules.ladder(alert) {
        return (format!("\u{1}{ladder}").into(), rung, SupersededBy::Row(ladder as u32));
    }
    match name::rung(alert).filter(|_| rules.is_on("ladder/name")) {
        Some((base, rung)) => (base.into(), rung, SupersededBy::Name),
        None => (alert.into(), 0, SupersededBy::Name),
    }
}

/// Lets the highest firing rung of each ladder supersede the lower ones, and joins the rungs.
pub(in crate::judge) fn ladders(evaluation: &mut Evaluation<'_>, union: &mut Union) {
    let rules = evaluation.engine.rules();
    let mut families: Vec<(u64, AlertIx)> = Vec::with_capacity(evaluation.alerts.len());
    let mut key = Vec::new();
    for at in indices(evaluation.alerts.len()) {
        let identity = evaluation.entry(at).identity();
        let scope = evaluation.alerts[at].scope;
        let (base, rung, _) = rung(rules, identity.alert);
        family(identity, scope, &base, evaluation.alerts[at].severity_by.label(), &mut key);
        families.push((hash(&key), at));
        evaluation.alerts[at].rung = rung;
    }
    families.sort_unstable();
    for same in families.chunk_by(|one, other| one.0 == other.0) {
        if same.len() > 1 {
            let members = same.iter().map(|(_, at)| *at).collect();
            split_by_family(evaluation, members, union);
        }
    }
    transients(evaluation, union);
    supersede_by_the_top(evaluation);
}

/// Replaces a superior that is itself superseded by the top one.
fn supersede_by_the_top(evaluation: &mut Evaluation<'_>) {
    for at in indices::<AlertIx>(evaluation.alerts.len()) {
        // Each step leads to a higher rung, so the loop ends.
        while let Some(superior) = evaluation.alerts[at].superior.map(|at| &evaluation.alerts[at]) {
            if !superior.flags.contains(Flags::SUPERSEDED) || superior.superior.is_none() {
                break;
            }
            let (top, superseded_by) = (superior.superior, superior.superseded_by);
            (evaluation.alerts[at].superior, evaluation.alerts[at].superseded_by) = (top, superseded_by);
        }
    }
}

fn family_key(evaluation: &Evaluation<'_>, at: AlertIx) -> Vec<u8> {
    let mut key = Vec::new();
    let identity = evaluation.entry(at).identity();
    let (base, ..) = rung(evaluation.engine.rules(), identity.alert);
    let alert = &evaluation.alerts[at];
    family(identity, alert.scope, &base, alert.severity_by.label(), &mut key);
    key
}

/// Splits alerts with equal hashes into families; nearly always there is one family.
fn split_by_family(evaluation: &mut Evaluation<'_>, mut members: Vec<AlertIx>, union: &mut Union) {
    while let Some(&first) = members.first() {
        let key = family_key(evaluation, first);
        let (mut own, others): (Vec<AlertIx>, Vec<AlertIx>) =
            members.into_iter().partition(|at| family_key(evaluation, *at) == key);
        members = others;
        if own.len() > 1 {
            one_family(evaluation, &mut own, union);
        }
    }
}

fn one_family(evaluation: &mut Evaluation<'_>, own: &mut [AlertIx], union: &mut Union) {
    let rules = evaluation.engine.rules();
    let by_severity = rules.is_on("ladder/severity");
    // From the highest rung to the lowest; within a rung the most severe first, then by key.
    own.sort_unstable_by(|a, b| {
        let rank = |at: AlertIx| {
            let alert = &evaluation.alerts[at];
            (Reverse(alert.rung), alert.severity.class(), &evaluation.entry(at).key)
        };
        rank(*a).cmp(&rank(*b))
    });
    for (position, &low) in own.iter().enumerate() {
        let lower = &evaluation.alerts[low];
        let is_above = |top: &AlertVerdict, at: AlertIx| {
            let is_more_severe = by_severity
                && top.rung == lower.rung
                && top.severity.class() < lower.severity.class()
                && evaluation.name(at) == evaluation.name(low);
            top.rung > lower.rung || is_more_severe
        };
        let mut above = own[..position].iter().copied().filter(|at| {
            let top = &evaluation.alerts[*at];
            top.is_firing() && is_above(top, *at)
        });
        // A milder alert above supersedes nothing.
        let mut is_milder = false;
        let superior = above.find(|at| {
            let supersedes = evaluation.alerts[*at].priority <= lower.priority;
            is_milder |= !supersedes;
            supersedes
        });
        let superseded_by = superior.map(|top| match evaluation.alerts[top].rung == lower.rung {
            true => SupersededBy::Severity,
            false => rung(rules, evaluation.name(low)).2,
        });
        let lower = &mut evaluation.alerts[low];
        if superior.is_none() {
            if is_milder {
                lower.flags |= Flags::MILDER_RUNG_ABOVE;
            }
            continue;
        }
        (lower.superior, lower.superseded_by) = (superior, superseded_by);
        if lower.phase == AlertPhase::Open {
            lower.flags |= Flags::SUPERSEDED;
        }
    }
    // Alerts that differ in their text alone are not rungs of each other.
    let alert = |at: &AlertIx| &evaluation.alerts[*at];
    let first = alert(&own[0]);
    let is_ladder = own.iter().any(|at| {
        alert(at).superior.is_some()
            || alert(at).rung != first.rung
            || by_severity && alert(at).severity.class() != first.severity.class()
    });
    if is_ladder {
        for pair in own.windows(2) {
            union.join(pair[0], pair[1]);
        }
    }
}

/// Are they rungs of one ladder, or a transient and its lasting form?
pub(crate) fn is_laddered(evaluation: &Evaluation<'_>, a: AlertIx, b: AlertIx) -> bool {
    let is_lasting_form = |transient: AlertIx, lasting: AlertIx| {
        let form = evaluation.engine.rules().lasting_form(evaluation.name(transient));
        form.is_some_and(|(form, _)| form == evaluation.name(lasting))
    };
    let is_superior = |low: AlertIx, high: AlertIx| evaluation.alerts[low].superior == Some(high);
    is_superior(a, b)
        || is_superior(b, a)
        || family_key(evaluation, a) == family_key(evaluation, b)
        || is_lasting_form(a, b)
        || is_lasting_form(b, a)
}
