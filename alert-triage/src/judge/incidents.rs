//! Forms incidents from joined alerts: members, headline, priority and order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::evaluation::Evaluation;
use super::flags::Flags;
use super::groups;
use super::incident_core::IncidentCore;
use super::index::{AlertIx, indices};
use super::relate::Union;
use crate::hashing::hash;
use crate::verdict::{Notify, Priority, Verdict};

/// Makes an incident of each set of joined alerts, ranks the incidents and groups them.
pub(super) fn form(evaluation: &mut Evaluation<'_>, union: &mut Union) {
    // Sorted by root, the alerts of one set are adjacent.
    let mut by_root: Vec<(AlertIx, AlertIx)> =
        indices(evaluation.alerts.len()).map(|at| (union.find(at), at)).collect();
    by_root.sort_unstable();
    evaluation.all_members = by_root.iter().map(|(_, at)| *at).collect();
    let mut parts: Vec<Range<u32>> = Vec::new();
    for (position, (root, _)) in by_root.iter().enumerate() {
        let position = position as u32;
        match parts.last_mut() {
            Some(last) if by_root[last.start as usize].0 == *root => last.end = position + 1,
            _ => parts.push(position..position + 1),
        }
    }
    drop(by_root);
    let mut cores = Vec::with_capacity(parts.len());
    for (part, is_pattern) in patterns(evaluation, parts) {
        cores.push(core(evaluation, part, is_pattern));
    }
    let rank = |core: &IncidentCore| {
        (
            core.priority,
            Reverse(core.explained),
            Reverse(core.rung),
            Reverse(core.scopes),
            Reverse(core.lasted),
            Reverse(core.count),
        )
    };
    cores.sort_unstable_by(|a, b| {
        let key = |core: &IncidentCore| &evaluation.entry(core.headline).key;
        rank(a).cmp(&rank(b)).then_with(|| key(a).cmp(key(b)))
    });
    evaluation.incidents = cores.into();
    groups::form(evaluation);
}

/// Merges the sets of one transient that need no person into a pattern.
fn patterns(evaluation: &mut Evaluation<'_>, parts: Vec<Range<u32>>) -> Vec<(Range<u32>, bool)> {
    if !evaluation.engine.rules().is_on("pattern") {
        return parts.into_iter().map(|part| (part, false)).collect();
    }
    let all = &evaluation.all_members;
    let members = |part: &Range<u32>| &all[part.start as usize..part.end as usize];
    let mut whole = Vec::with_capacity(parts.len());
    let mut folded: BTreeMap<&str, Vec<Range<u32>>> = BTreeMap::new();
    for part in parts {
        let name = evaluation.name(members(&part)[0]);
        let is_pattern = members(&part).iter().all(|&at| {
            let alert = &evaluation.alerts[at];
            alert.verdict == Verdict::Transient
                && alert.priority == Priority::P4
                && evaluation.name(at) == name
        });
        match is_pattern {
            true => folded.entry(name).or_default().push(part),
            false => whole.push(part),
        }
    }
    if folded.is_empty() {
        return whole.into_iter().map(|part| (part, false)).collect();
    }
    let mut sorted = Vec::with_capacity(all.len());
    let mut found = Vec::with_capacity(whole.len() + folded.len());
    let mut add = |parts: &[Range<u32>], is_pattern: bool| {
        let from = sorted.len() as u32;
        for part in parts {
            sorted.extend_from_slice(members(part));
        }
        found.push((from..sorted.len() as u32, is_pattern));
    };
    for part in whole {
        add(&[part], false);
    }
    for parts in folded.values() {
        add(parts, parts.len() > 1);
    }
    evaluation.all_members = sorted;
    found
}

fn core(evaluation: &mut Evaluation<'_>, part: Range<u32>, is_pattern: bool) -> IncidentCore {
    let positions = part.start as usize..part.end as usize;
    let mut members = evaluation.all_members[positions.clone()].to_vec();
    members.sort_unstable_by(|a, b| {
        let rank = |at: AlertIx| {
            let alert = &evaluation.alerts[at];
            (!alert.sets_priority(), alert.depth, alert.severity.class(), &evaluation.entry(at).key)
        };
        rank(*a).cmp(&rank(*b))
    });
    let alert = |at: &AlertIx| &evaluation.alerts[*at];
    // The first member that is eligible, of the highest severity, nearest to the cause.
    let headline = members.iter().copied().min_by_key(|at| {
        let alert = alert(at);
        let key = &evaluation.entry(*at).key;
        (alert.headline_tier(), alert.priority, alert.severity.class(), alert.depth, key)
    });
    let headline = headline.unwrap_or(evaluation.all_members[positions.start]);
    let scopes: BTreeSet<_> = members.iter().map(|at| alert(at).scope).collect();
    let counted = || members.iter().map(alert).filter(|alert| alert.sets_priority());
    let is_explained = |at: &&AlertIx| alert(at).cause.is_some() || alert(at).superior.is_some();
    let name = evaluation.name(headline);
    let instances = || {
        let is_instance = |at: &&AlertIx| alert(at).headline_tier() == 0 && evaluation.name(**at) == name;
        members.iter().filter(is_instance)
    };
    let core = IncidentCore {
        id: id(evaluation, &members, headline, is_pattern),
        headline,
        priority: members.iter().map(|at| alert(at).priority).min().unwrap_or(Priority::P5),
        scopes: scopes.len() as u32,
        explained: members.iter().filter(is_explained).count() as u32,
        rung: counted().map(|alert| alert.rung).max().unwrap_or(0),
        pages: counted().filter(|alert| alert.priority.notify() == Notify::Page).count() as u32,
        instances: instances().count() as u32,
        joined: instances()
            .filter(|at| !alert(at).flags.contains(Flags::FLAPPING))
            .filter_map(|at| alert(at).since)
            .max(),
        lasted: counted().map(|alert| alert.lasted).max().unwrap_or(0),
        count: members.iter().map(|at| evaluation.count(*at)).sum(),
        is_pattern,
        group: None,
        members: part,
    };
    evaluation.all_members[positions].copy_from_slice(&members);
    core
}

/// The hash of the member that began first; its scope is part of its identity. A pattern has no
/// scope, so its id is the hash of its name.
fn id(evaluation: &Evaluation<'_>, members: &[AlertIx], headline: AlertIx, is_pattern: bool) -> u64 {
    if is_pattern {
        return hash(&[&[0xff], evaluation.name(headline).as_bytes()].concat());
    }
    let began = |at: &&AlertIx| {
        let alert = &evaluation.alerts[**at];
        // An alert without a time comes after those with one.
        (!alert.sets_priority(), alert.since.is_none(), alert.since, &evaluation.entry(**at).key)
    };
    members.iter().min_by_key(began).map_or(0, |at| evaluation.entry(*at).hash)
}
