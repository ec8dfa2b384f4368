//! Transients: a lasting form that stands takes the place of its transient one.

use super::Union;
use super::family::family;
use super::kinds::Kinds;
use crate::hashing::HashMap;
use crate::judge::stand::Stand;
use crate::judge::{Judgement, Ladder, NONE, flag};
use crate::ledger::Engine;

/// A standing XFailure supersedes XTransientFailure in its scope; one of the same labels, if there is one.
pub(super) fn transients(judgement: &mut Judgement, engine: &Engine, union: &mut Union) {
    let rules = engine.rules();
    let mut names: HashMap<String, u32> = HashMap::default();
    let mut wanted = Vec::new();
    for at in 0..judgement.alerts.len() as u32 {
        let judged = &judgement.alerts[at as usize];
        if judged.flags & flag::TRANSIENT == 0 || judgement.scopes.is_nowhere(judged.scope) {
            continue;
        }
        if let Some((lasting, _)) = rules.lasting_form(judgement.entry(engine, at).identity().alert) {
            let new = names.len() as u32;
            wanted.push((judged.scope, *names.entry(lasting).or_insert(new), at));
        }
    }
    let wanted = Kinds::of(wanted);
    if wanted.is_empty() {
        return;
    }
    let mut lasting = Vec::new();
    for at in 0..judgement.alerts.len() as u32 {
        let judged = &judgement.alerts[at as usize];
        if judged.stand != Stand::Open {
            continue;
        }
        let (scope, stands) = (judged.scope, judged.stands());
        let is_silenced = judged.flags & flag::SILENCED != 0;
        let Some(&name) = names.get(judgement.entry(engine, at).identity().alert) else { continue };
        match wanted.get(scope, name) {
            [] => {}
            _ if stands => lasting.push((scope, name, at)),
            held_below => {
                let held = if is_silenced { flag::LASTING_SILENCED } else { flag::LASTING_INHIBITED };
                for &below in held_below {
                    judgement.alerts[below as usize].flags |= held;
                }
            }
        }
    }
    for (scope, name, lasting) in Kinds::of(lasting).iter() {
        let mut lasting = lasting.to_vec();
        lasting.sort_unstable_by(|a, b| {
            let rank = |at: u32| (judgement.alerts[at as usize].priority, &judgement.entry(engine, at).key);
            rank(*a).cmp(&rank(*b))
        });
        // All have the name of the first, as it is or as their lasting form.
        let base = judgement.entry(engine, lasting[0]).identity().alert.to_owned();
        let place = |judgement: &Judgement, at: u32| {
            let mut key = Vec::new();
            family(judgement.entry(engine, at).identity(), scope, &base, &mut key);
            key
        };
        let mut of_place: HashMap<Vec<u8>, u32> = HashMap::default();
        for &at in &lasting {
            of_place.entry(place(judgement, at)).or_insert(at);
        }
        for &at in wanted.get(scope, name) {
            let is_milder =
                |top: u32| judgement.alerts[top as usize].priority > judgement.alerts[at as usize].priority;
            let same = of_place.get(&place(judgement, at)).copied().filter(|same| !is_milder(*same));
            let top = same.unwrap_or(lasting[0]);
            let is_milder = is_milder(top);
            let judged = &mut judgement.alerts[at as usize];
            if judged.stand == Stand::Open && is_milder {
                judged.flags |= flag::LOWER_THAN_ITS_RUNG | flag::LASTING_MILDER;
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
