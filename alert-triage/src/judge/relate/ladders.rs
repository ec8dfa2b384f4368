//! Ladders: of one thing the highest rung that stands speaks for all of them.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::Union;
use super::family::family;
use super::transients::transients;
use crate::hashing::hash;
use crate::judge::stand::Stand;
use crate::judge::{Judged, Judgement, Ladder, NONE, flag};
use crate::ledger::Engine;
use crate::name;
use crate::rules::Rules;

/// Where a name stands on its ladder.
fn rung<'n>(rules: &Rules, alert: &'n str) -> (Cow<'n, str>, u8, Ladder) {
    if let Some((ladder, rung)) = rules.ladder(alert) {
        return (format!("\u{1}{ladder}").into(), rung, Ladder::Row(ladder as u32));
    }
    match name::rung(alert).filter(|_| rules.is_on("ladder/name")) {
        // The plain name may stand on a ladder of the rules; then so do its forms.
        Some((base, rung)) => (base.into(), rung, Ladder::Name),
        None => (alert.into(), 0, Ladder::Name),
    }
}

/// The highest standing rung supersedes those below it; all rungs belong together.
pub(in crate::judge) fn ladders(judgement: &mut Judgement, engine: &Engine, union: &mut Union) {
    let rules = engine.rules();
    let mut families: Vec<(u64, u32)> = Vec::with_capacity(judgement.alerts.len());
    let mut key = Vec::new();
    for at in 0..judgement.alerts.len() as u32 {
        let identity = judgement.entry(engine, at).identity();
        let scope = judgement.alerts[at as usize].scope;
        let (base, rung, _) = rung(rules, identity.alert);
        // Without a scope nothing is known to be equal.
        if !judgement.scopes.is_nowhere(scope) {
            family(identity, scope, &base, &mut key);
            families.push((hash(&key), at));
        }
        judgement.alerts[at as usize].rung = rung;
    }
    families.sort_unstable();
    let mut from = 0;
    while from < families.len() {
        let end = from + families[from..].partition_point(|(hash, _)| *hash == families[from].0);
        if end - from > 1 {
            let members: Vec<u32> = families[from..end].iter().map(|(_, at)| *at).collect();
            same(judgement, engine, members, union);
        }
        from = end;
    }
    transients(judgement, engine, union);
    to_the_top(judgement);
}

/// Who is superseded by what is itself superseded is so by the top.
fn to_the_top(judgement: &mut Judgement) {
    for at in 0..judgement.alerts.len() {
        // Each step leads to a higher rung, so that this ends.
        while let Some(by) = judgement.alerts.get(judgement.alerts[at].by as usize) {
            if by.flags & flag::SUPERSEDED == 0 || by.by == NONE {
                break;
            }
            let (top, ladder) = (by.by, by.ladder);
            (judgement.alerts[at].by, judgement.alerts[at].ladder) = (top, ladder);
        }
    }
}

/// Of equal hash; nearly always of one family.
fn same(judgement: &mut Judgement, engine: &Engine, mut members: Vec<u32>, union: &mut Union) {
    let rules = engine.rules();
    let full = |judgement: &Judgement, at: u32| {
        let mut key = Vec::new();
        let identity = judgement.entry(engine, at).identity();
        family(identity, judgement.alerts[at as usize].scope, &rung(rules, identity.alert).0, &mut key);
        key
    };
    while let Some(&first) = members.first() {
        let key = full(judgement, first);
        let (mut own, others): (Vec<u32>, Vec<u32>) =
            members.into_iter().partition(|at| full(judgement, *at) == key);
        members = others;
        if own.len() > 1 {
            one_family(judgement, engine, &mut own, union);
        }
    }
}

fn one_family(judgement: &mut Judgement, engine: &Engine, own: &mut [u32], union: &mut Union) {
    let rules = engine.rules();
    let by_severity = rules.is_on("ladder/severity");
    // From the highest rung to the lowest; of one rung the most severe first, then by key, so that a tie has one winner.
    own.sort_unstable_by(|a, b| {
        let rank = |at: u32| {
            let judged = &judgement.alerts[at as usize];
            (Reverse(judged.rung), judged.severity.class(), &judgement.entry(engine, at).key)
        };
        rank(*a).cmp(&rank(*b))
    });
    for (position, &low) in own.iter().enumerate() {
        let lower = &judgement.alerts[low as usize];
        let is_above = |top: &Judged, at: u32| {
            let higher = top.rung > lower.rung;
            let severer = by_severity
                && top.rung == lower.rung
                && top.severity.class() < lower.severity.class()
                && judgement.entry(engine, at).identity().alert
                    == judgement.entry(engine, low).identity().alert;
            higher || severer
        };
        // Whoever stands above and is not milder; a milder one above hides nothing.
        let above = own[..position].iter().copied().filter(|at| {
            let top = &judgement.alerts[*at as usize];
            top.stands() && is_above(top, *at)
        });
        let mut milder = false;
        let mut top = NONE;
        for at in above {
            if judgement.alerts[at as usize].priority <= lower.priority {
                top = at;
                break;
            }
            milder = true;
        }
        let ladder = match top {
            NONE => None,
            top if judgement.alerts[top as usize].rung == lower.rung => Some(Ladder::Severity),
            _ => Some(rung(rules, judgement.entry(engine, low).identity().alert).2),
        };
        let lower = &mut judgement.alerts[low as usize];
        if top == NONE {
            if milder {
                lower.flags |= flag::LOWER_THAN_ITS_RUNG;
            }
            continue;
        }
        (lower.by, lower.ladder) = (top, ladder);
        if lower.stand == Stand::Open {
            lower.flags |= flag::SUPERSEDED;
        }
    }
    // Alerts of one rung and another text are not each other's rungs.
    let is_ladder = own.iter().any(|at| judgement.alerts[*at as usize].by != NONE) || {
        let first = &judgement.alerts[own[0] as usize];
        own.iter().any(|at| judgement.alerts[*at as usize].rung != first.rung)
            || by_severity
                && own
                    .iter()
                    .any(|at| judgement.alerts[*at as usize].severity.class() != first.severity.class())
    };
    if is_ladder {
        for pair in own.windows(2) {
            union.join(pair[0], pair[1]);
        }
    }
}

/// Are they rungs of one ladder, or a transient and its lasting form?
pub(crate) fn is_laddered(judgement: &Judgement, engine: &Engine, a: u32, b: u32) -> bool {
    let rules = engine.rules();
    let alert = |at: u32| judgement.entry(engine, at).identity().alert;
    let key = |at: u32| {
        let mut key = Vec::new();
        let identity = judgement.entry(engine, at).identity();
        family(identity, judgement.alerts[at as usize].scope, &rung(rules, identity.alert).0, &mut key);
        key
    };
    let lasts = |a: u32, b: u32| rules.lasting_form(alert(a)).is_some_and(|(lasting, _)| lasting == alert(b));
    let by = |a: u32, b: u32| judgement.alerts[a as usize].by == b;
    by(a, b) || by(b, a) || key(a) == key(b) || lasts(a, b) || lasts(b, a)
}
