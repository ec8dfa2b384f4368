//! What alerts have to do with each other: ladders and cause edges, inside one scope.

use std::collections::BTreeMap;

use super::state::Stand;
use super::{Judged, Judgement, Ladder, NONE, flag};
use crate::identity::Identity;
use crate::ledger::{Engine, hash};
use crate::map::{HashMap, HashSet};
use crate::name;
use crate::rules::{Edge, Rules};

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

/// Which alerts are joined.
pub(crate) struct Union(Vec<u32>);

impl Union {
    pub(crate) fn new(len: usize) -> Self {
        Self((0..len as u32).collect())
    }

    pub(crate) fn find(&mut self, at: u32) -> u32 {
        let mut root = at;
        while self.0[root as usize] != root {
            root = self.0[root as usize];
        }
        let mut at = at;
        while self.0[at as usize] != root {
            at = std::mem::replace(&mut self.0[at as usize], root);
        }
        root
    }

    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

/// Where a name stands on its ladder.
fn rung<'n>(rules: &Rules, alert: &'n str) -> (std::borrow::Cow<'n, str>, u8, Ladder) {
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
pub(super) fn ladders(judgement: &mut Judgement, engine: &Engine, union: &mut Union) {
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

/// The labels that make alerts rungs of one ladder.
fn family(identity: Identity<'_>, scope: u32, base: &str, key: &mut Vec<u8>) {
    key.clear();
    key.extend_from_slice(&scope.to_le_bytes());
    key.extend_from_slice(base.as_bytes());
    for (name, value) in identity.labels().filter(|(name, _)| *name != "severity") {
        for part in [name, value] {
            key.push(0xff);
            key.extend_from_slice(part.as_bytes());
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
            (std::cmp::Reverse(judged.rung), judged.severity.class(), &judgement.entry(engine, at).key)
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

/// A standing XFailure supersedes XTransientFailure in its scope; one of the same labels, if there is one.
fn transients(judgement: &mut Judgement, engine: &Engine, union: &mut Union) {
    let rules = engine.rules();
    let mut wanted: HashMap<(u32, String), Vec<u32>> = HashMap::default();
    for at in 0..judgement.alerts.len() as u32 {
        let judged = &judgement.alerts[at as usize];
        if judged.flags & flag::TRANSIENT == 0 || judgement.scopes.is_nowhere(judged.scope) {
            continue;
        }
        if let Some((lasting, _)) = rules.lasting_form(judgement.entry(engine, at).identity().alert) {
            wanted.entry((judged.scope, lasting)).or_default().push(at);
        }
    }
    if wanted.is_empty() {
        return;
    }
    let mut lasting: HashMap<&(u32, String), Vec<u32>> = HashMap::default();
    for at in (0..judgement.alerts.len() as u32).filter(|at| judgement.alerts[*at as usize].stands()) {
        let name = judgement.entry(engine, at).identity().alert.to_owned();
        if let Some((kind, _)) = wanted.get_key_value(&(judgement.alerts[at as usize].scope, name)) {
            lasting.entry(kind).or_default().push(at);
        }
    }
    for (kind, mut lasting) in lasting {
        lasting.sort_unstable_by(|a, b| {
            let rank = |at: u32| (judgement.alerts[at as usize].priority, &judgement.entry(engine, at).key);
            rank(*a).cmp(&rank(*b))
        });
        let place = |judgement: &Judgement, at: u32| {
            let mut key = Vec::new();
            family(judgement.entry(engine, at).identity(), kind.0, &kind.1, &mut key);
            key
        };
        let mut of_place: HashMap<Vec<u8>, u32> = HashMap::default();
        for &at in &lasting {
            of_place.entry(place(judgement, at)).or_insert(at);
        }
        for &at in &wanted[kind] {
            let is_milder =
                |top: u32| judgement.alerts[top as usize].priority > judgement.alerts[at as usize].priority;
            let same = of_place.get(&place(judgement, at)).copied().filter(|same| !is_milder(*same));
            let top = same.unwrap_or(lasting[0]);
            let is_milder = is_milder(top);
            let judged = &mut judgement.alerts[at as usize];
            if judged.stand == Stand::Open && is_milder {
                judged.flags |= flag::LOWER_THAN_ITS_RUNG;
                continue;
            }
            if judged.by == NONE {
                (judged.by, judged.ladder) = (top, Some(Ladder::Transient));
            }
            if judged.stand == Stand::Open {
                judged.flags |= flag::SUPERSEDED;
            }
            // It was judged as the lasting form before that one came: one fault, that began with the transient.
            if judged.flags & flag::SUSTAINED != 0 && judged.stands() && same.is_some() {
                let since = judged.since;
                let lasting = &mut judgement.alerts[top as usize];
                lasting.since = lasting.since.min(since);
            }
            union.join(at, top);
        }
    }
}

/// Joins causes with their symptoms, and says who explains whom.
pub(super) fn edges(judgement: &mut Judgement, engine: &Engine, union: &mut Union) {
    let rules = engine.rules();
    let names: HashSet<&str> = rules
        .edges()
        .iter()
        .flat_map(|edge| edge.symptoms.iter().chain([&edge.cause]))
        .map(String::as_str)
        .collect();
    let mut of: HashMap<(u32, String), Vec<u32>> = HashMap::default();
    for at in 0..judgement.alerts.len() as u32 {
        let judged = &judgement.alerts[at as usize];
        if judgement.scopes.is_nowhere(judged.scope) {
            continue;
        }
        let alert = judgement.entry(engine, at).identity().alert;
        if names.contains(alert) {
            of.entry((judged.scope, alert.to_owned())).or_default().push(at);
        }
        // A transient that became sustained is taken for its lasting form here as well, unless that one stands itself.
        if judged.flags & flag::SUSTAINED != 0
            && judged.counts()
            && let Some((lasting, _)) =
                rules.lasting_form(alert).filter(|(lasting, _)| names.contains(lasting.as_str()))
        {
            of.entry((judged.scope, lasting)).or_default().push(at);
        }
    }
    let mut scopes: Vec<u32> = of.keys().map(|(scope, _)| *scope).collect();
    scopes.sort_unstable();
    scopes.dedup();
    // Buckets of causes and symptoms that agree.
    let mut links: Vec<(u32, Vec<u32>, Vec<u32>)> = Vec::new();
    for scope in scopes {
        for (number, edge) in rules.edges().iter().enumerate() {
            let Some(causes) = of.get(&(scope, edge.cause.clone())) else { continue };
            let causes: Vec<u32> =
                causes.iter().copied().filter(|at| can_explain(&judgement.alerts[*at as usize])).collect();
            if causes.is_empty() {
                continue;
            }
            for symptom in &edge.symptoms {
                if let Some(symptoms) = of.get(&(scope, symptom.clone())) {
                    for (causes, symptoms) in agreeing(judgement, engine, edge, &causes, symptoms) {
                        links.push((number as u32, causes, symptoms));
                    }
                }
            }
        }
    }
    for (_, causes, symptoms) in &mut links {
        order_by_begin(judgement, engine, causes);
        symptoms.retain(|symptom| causes.iter().any(|cause| cause != symptom));
    }
    let explains =
        |judgement: &Judgement, cause: u32, symptom: u32| is_in_time(judgement, engine, cause, symptom);
    // Who has a cause is no top.
    const UNSET: u8 = u8::MAX;
    let mut has_cause = vec![false; judgement.alerts.len()];
    for (_, causes, symptoms) in &mut links {
        symptoms.retain(|&symptom| causes.iter().any(|&cause| explains(judgement, cause, symptom)));
        for &symptom in symptoms.iter() {
            has_cause[symptom as usize] = true;
        }
    }
    for (at, judged) in judgement.alerts.iter_mut().enumerate() {
        judged.depth = if has_cause[at] { UNSET } else { 0 };
    }
    // Chains are short; a cycle of edges would go on for ever and ends here.
    for _ in 0..links.len().min(32) {
        let mut changed = false;
        for (edge, causes, symptoms) in &links {
            for &symptom in symptoms {
                // All causes that explain it belong to it; the nearest to the top, then the first, is named.
                let mut named = NONE;
                for &cause in causes {
                    if !explains(judgement, cause, symptom) {
                        continue;
                    }
                    let depth = judgement.alerts[cause as usize].depth;
                    if named == NONE || depth < judgement.alerts[named as usize].depth {
                        named = cause;
                    }
                    // The first cause and the causes before it are joined below; one comparison suffices here.
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
        if !changed {
            break;
        }
    }
    for (_, causes, symptoms) in &links {
        // Whom the youngest symptom has for a cause, all have that begin before it.
        for &symptom in symptoms {
            if let Some(&first) = causes.iter().find(|cause| explains(judgement, **cause, symptom)) {
                union.join(first, symptom);
                judgement.alerts[first as usize].explains = true;
            }
        }
        let youngest = symptoms.iter().copied().max_by_key(|symptom| {
            judgement.alerts[*symptom as usize].latest.map_or((1, None), |latest| (0, Some(latest)))
        });
        if let Some(youngest) = youngest {
            for &cause in causes {
                if explains(judgement, cause, youngest) {
                    union.join(cause, youngest);
                    judgement.alerts[cause as usize].explains = true;
                }
            }
        }
    }
    for judged in &mut judgement.alerts {
        if judged.depth == UNSET {
            judged.depth = 0;
        }
    }
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

type Bucket = (Vec<u32>, Vec<u32>);

/// Causes and symptoms whose common labels agree, in an order that does not depend on arrival: joined by the values of
/// the labels that both kinds carry, so that ten thousand of each cost no more than twenty thousand.
fn agreeing(
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
        wanted(alert) || judged.flags & flag::SUSTAINED != 0 && judged.counts() && lasting()
    };
    names(cause, &|name| edge.cause == name)
        && names(symptom, &|name| edge.symptoms.iter().any(|known| known == name))
        && judgement.alerts[cause as usize].scope == judgement.alerts[symptom as usize].scope
        && can_explain(&judgement.alerts[cause as usize])
        && is_in_time(judgement, engine, cause, symptom)
        && !agreeing(judgement, engine, edge, &[cause], &[symptom]).is_empty()
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

/// A cause does not begin long after its symptom. Where either began several times, what matters is whether the cause
/// stood when the symptom began last; without a time it may have.
fn is_in_time(judgement: &Judgement, engine: &Engine, cause: u32, symptom: u32) -> bool {
    let began = judgement.began(cause, symptom);
    let precedes = engine.rules().limits().precedes;
    cause != symptom && began.is_none_or(|(cause, symptom)| cause.duration_since(symptom) <= precedes)
}
