//! From joined alerts to incidents: headline, priority, order, groups.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::incident_core::{Core, Group};
use super::judgement::{Judged, Judgement, NONE, flag};
use super::relate::Union;
use crate::hashing::hash;
use crate::ledger::Engine;
use crate::verdict::{Notify, Priority, Verdict};

pub(super) fn form(judgement: &mut Judgement, engine: &Engine, union: &mut Union) {
    let all = judgement.alerts.len() as u32;
    // Components first, each beside its own.
    let mut by_root: Vec<(u32, u32)> = (0..all).map(|at| (union.find(at), at)).collect();
    by_root.sort_unstable();
    judgement.members = by_root.iter().map(|(_, at)| *at).collect();
    let mut parts: Vec<Range<u32>> = Vec::new();
    for (at, (root, _)) in by_root.iter().enumerate() {
        let at = at as u32;
        match parts.last_mut() {
            Some(last) if by_root[last.start as usize].0 == *root => last.end = at + 1,
            _ => parts.push(at..at + 1),
        }
    }
    drop(by_root);
    let mut cores = Vec::with_capacity(parts.len());
    for (part, is_pattern) in patterns(judgement, engine, parts) {
        cores.push(core(judgement, engine, part, is_pattern));
    }
    let rank = |core: &Core| {
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
        let key = |core: &Core| &judgement.entry(engine, core.headline).key;
        rank(a).cmp(&rank(b)).then_with(|| key(a).cmp(key(b)))
    });
    judgement.incidents = cores;
    groups(judgement, engine);
}

/// Components of the same transient, that ask for no person, become one.
fn patterns(judgement: &mut Judgement, engine: &Engine, parts: Vec<Range<u32>>) -> Vec<(Range<u32>, bool)> {
    if !engine.rules().is_on("pattern") {
        return parts.into_iter().map(|part| (part, false)).collect();
    }
    let mut whole = Vec::with_capacity(parts.len());
    let mut folded: BTreeMap<&str, Vec<Range<u32>>> = BTreeMap::new();
    for part in parts {
        let members = &judgement.members[part.start as usize..part.end as usize];
        let name = engine_name(judgement, engine, members[0]);
        let is_pattern = members.iter().all(|&at| {
            let judged = &judgement.alerts[at as usize];
            judged.verdict == Verdict::Transient
                && judged.priority == Priority::P4
                && engine_name(judgement, engine, at) == name
        });
        match is_pattern {
            true => folded.entry(name).or_default().push(part),
            false => whole.push((part, false)),
        }
    }
    if folded.is_empty() {
        return whole;
    }
    let mut members = Vec::with_capacity(judgement.members.len());
    let mut moved = Vec::with_capacity(whole.len() + folded.len());
    let mut take = |parts: &[Range<u32>], is_pattern: bool| {
        let from = members.len() as u32;
        for part in parts {
            members.extend_from_slice(&judgement.members[part.start as usize..part.end as usize]);
        }
        moved.push((from..members.len() as u32, is_pattern));
    };
    for (part, _) in whole {
        take(&[part], false);
    }
    for parts in folded.values() {
        take(parts, parts.len() > 1);
    }
    judgement.members = members;
    moved
}

fn engine_name<'e>(judgement: &'e Judgement, engine: &'e Engine, at: u32) -> &'e str {
    judgement.entry(engine, at).identity().alert
}

fn core(judgement: &mut Judgement, engine: &Engine, part: Range<u32>, is_pattern: bool) -> Core {
    let mut members = judgement.members[part.start as usize..part.end as usize].to_vec();
    members.sort_unstable_by(|a, b| {
        let rank = |at: u32| {
            let judged = &judgement.alerts[at as usize];
            (!judged.counts(), judged.depth, judged.severity.class(), &judgement.entry(engine, at).key)
        };
        rank(*a).cmp(&rank(*b))
    });
    let alert = |at: &u32| &judgement.alerts[*at as usize];
    let heads = |at: &u32| {
        let judged = alert(at);
        (
            tier(judged),
            judged.priority,
            judged.severity.class(),
            judged.depth,
            &judgement.entry(engine, *at).key,
        )
    };
    let headline = members.iter().copied().min_by_key(heads).unwrap_or(NONE);
    let scopes: BTreeSet<u32> = members.iter().map(|at| alert(at).scope).collect();
    let standing = || members.iter().map(alert).filter(|judged| judged.counts());
    let core = Core {
        id: id(judgement, engine, &members, headline, is_pattern),
        headline,
        priority: members.iter().map(|at| alert(at).priority).min().unwrap_or(Priority::P5),
        scopes: scopes.len() as u32,
        explained: members.iter().filter(|at| alert(at).cause != NONE || alert(at).by != NONE).count() as u32,
        rung: standing().map(|judged| judged.rung).max().unwrap_or(0),
        pages: standing().filter(|judged| judged.priority.notify() == Notify::Page).count() as u32,
        lasted: standing().map(|judged| judged.lasted).max().unwrap_or(0),
        count: members.iter().map(|at| judgement.count(engine, *at)).sum(),
        is_pattern,
        group: NONE,
        members: part.clone(),
    };
    judgement.members[part.start as usize..part.end as usize].copy_from_slice(&members);
    core
}

/// Of what stands, or stood, first: its scope is part of its identity. A pattern has no scope, and goes by its name.
fn id(judgement: &Judgement, engine: &Engine, members: &[u32], headline: u32, is_pattern: bool) -> u64 {
    if is_pattern {
        return hash(&[&[0xff], engine_name(judgement, engine, headline).as_bytes()].concat());
    }
    let began = |at: &&u32| {
        let judged = &judgement.alerts[**at as usize];
        // An identity without a time did not begin before one that has one.
        (!judged.counts(), judged.since.is_none(), judged.since, &judgement.entry(engine, **at).key)
    };
    members.iter().min_by_key(began).map_or(0, |at| judgement.entry(engine, *at).hash)
}

/// What may head an incident: what stands for itself, then a transient, then what is for information, then the rest.
fn tier(judged: &Judged) -> u8 {
    let lasting = judged.flags & flag::TRANSIENT == 0 || judged.flags & flag::SUSTAINED != 0;
    let mild = judged.flags & flag::INFORMATIONAL != 0;
    match judged.counts() {
        true if lasting && !mild => 0,
        true if !lasting => 1,
        true => 2,
        false => 3,
    }
}

/// Where an alert stands that may head an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Its hash.
    name: u64,
    incident: u32,
    at: u32,
}

/// The same alert standing in several scopes.
fn groups(judgement: &mut Judgement, engine: &Engine) {
    // Nearly all of a million alerts may have names of their own: sorted, they need no map of names.
    let mut places: Vec<Place> = Vec::new();
    for (number, core) in judgement.incidents.iter().enumerate() {
        for &at in core.members.clone().map(|at| &judgement.members[at as usize]) {
            let judged = &judgement.alerts[at as usize];
            if tier(judged) == 0 && !judgement.scopes.is_nowhere(judged.scope) {
                let name = hash(engine_name(judgement, engine, at).as_bytes());
                places.push(Place { name, incident: number as u32, at });
            }
        }
    }
    places.sort_unstable();
    let mut groups = Vec::new();
    for same in places.chunk_by(|one, other| one.name == other.name) {
        // Names of the same hash are rarely different ones.
        let mut left = same.to_vec();
        while let Some(first) = left.first() {
            let name = engine_name(judgement, engine, first.at);
            let (own, others) =
                left.iter().partition(|place| engine_name(judgement, engine, place.at) == name);
            groups.extend(group(judgement, engine, name, own));
            left = others;
        }
    }
    groups.sort_unstable_by(|a, b| (a.incidents.first(), &a.alert).cmp(&(b.incidents.first(), &b.alert)));
    for (number, group) in groups.iter().enumerate() {
        for &incident in &group.folded {
            judgement.incidents[incident as usize].group = number as u32;
        }
    }
    judgement.groups = groups;
}

/// What stands in one scope only is no group.
fn group(judgement: &Judgement, engine: &Engine, alert: &str, places: Vec<Place>) -> Option<Group> {
    if places.len() < 2 {
        return None;
    }
    let distinct = |places: &mut dyn Iterator<Item = &Place>| {
        let mut scopes: Vec<u32> = places.map(|place| judgement.alerts[place.at as usize].scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    };
    let mut scopes = distinct(&mut places.iter());
    if scopes.len() < 2 {
        return None;
    }
    scopes.sort_unstable_by(|one, other| judgement.scopes.compare(*one, *other));
    let heads = |place: &&Place| judgement.incidents[place.incident as usize].headline == place.at;
    let headed = || places.iter().filter(heads);
    let rules = engine.rules();
    let is_folded = rules.is_on("group") && distinct(&mut headed()).len() >= rules.limits().group_scopes;
    let folded = if is_folded { headed().map(|place| place.incident).collect() } else { Vec::new() };
    let mut incidents: Vec<u32> = places.iter().map(|place| place.incident).collect();
    incidents.dedup();
    Some(Group { alert: alert.into(), scopes, incidents, folded })
}
