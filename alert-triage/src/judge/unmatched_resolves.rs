//! Resolves that name their alert by its key, and the alerts with these keys.

use std::collections::BTreeMap;

use super::index::{AlertIx, ListIndex as _};
use crate::hashing::{HashMap, hash};
use crate::identity::{Key, visible_key};
use crate::ledger::AlertEntry;
use crate::ledger::Engine;
use crate::ledger::LabelSetHistory;
use crate::severity::Severity;
use crate::source_position::SourcePosition;

/// The alert that owns each key. Of several alerts with one key, the one with the last firing
/// record; of several without one, the one with the largest identity, whatever the order of
/// arrival.
pub(crate) fn key_owners(engine: &Engine) -> BTreeMap<&str, AlertIx> {
    let mut owners: BTreeMap<&str, (Option<SourcePosition>, &[u8], AlertIx)> = BTreeMap::new();
    for (at, entry) in engine.entries.iter().enumerate() {
        for (key, set) in entry.keyed_label_sets() {
            let candidate = (set.last_fire(), &*entry.key, AlertIx::new(at));
            let owner = owners.entry(key).or_insert(candidate);
            *owner = (*owner).max(candidate);
        }
    }
    owners.into_iter().map(|(key, (.., owner))| (key, owner)).collect()
}

/// Counts each resolve by key with the owner of the key, else with the alert of the resolve's own
/// identity. Returns these resolves by alert, and an entry for each one without an alert.
///
/// A resolve ends more than its owner: [`AlertState`](super::alert_state::AlertState) applies it to
/// every label set of the key.
pub(super) fn match_resolves_by_key(engine: &Engine) -> (HashMap<AlertIx, LabelSetHistory>, Vec<AlertEntry>) {
    let mut matched: HashMap<AlertIx, LabelSetHistory> = HashMap::default();
    let mut unmatched: BTreeMap<Box<[u8]>, AlertEntry> = BTreeMap::new();
    if engine.keyed_ends.is_empty() {
        return (matched, Vec::new());
    }
    let owners = key_owners(engine);
    let gap = engine.rules().limits().gap;
    for (key, end) in &engine.keyed_ends {
        let set = &end.history;
        let named = || Some(AlertIx::new(engine.find(end.identity.as_ref()?)? as usize));
        match owners.get(key.as_ref()).copied().or_else(named) {
            Some(owner) => matched.entry(owner).or_default().merge(set.clone(), gap),
            None => {
                let identity = end.identity.clone().unwrap_or_else(|| named_by_key(key));
                let entry = unmatched.entry(identity).or_insert_with_key(|identity| {
                    AlertEntry::new(identity, hash(identity), Severity::Warning.class())
                });
                let sets = &mut entry.timed.get_or_insert_default().label_sets;
                sets.or_default(Box::default()).merge(set.clone(), gap);
            }
        }
    }
    (matched, unmatched.into_values().collect())
}

/// The identity of a resolve of which only the key is known.
fn named_by_key(key: &str) -> Box<[u8]> {
    let mut name = Key::default();
    name.part(visible_key(key));
    name.part("");
    name.0.into()
}
