//! Resolves that carry only a key, and the alerts with these keys.

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
/// record.
pub(crate) fn key_owners(engine: &Engine) -> BTreeMap<&str, (SourcePosition, AlertIx)> {
    let mut owners: BTreeMap<&str, (SourcePosition, AlertIx)> = BTreeMap::new();
    for (position, entry) in engine.entries.iter().enumerate() {
        for (key, set) in entry.keyed_label_sets() {
            let last = (set.last_fire().unwrap_or(SourcePosition::new(0, 0, 0)), AlertIx::new(position));
            let owner = owners.entry(key).or_insert(last);
            *owner = (*owner).max(last);
        }
    }
    owners
}

/// Counts each resolve that carries only a key with the owner of the key. Returns these resolves by
/// alert, and an entry for each key without an owner.
///
/// A resolve ends more than its owner: [`AlertState`](super::alert_state::AlertState) applies it to
/// every label set of the key.
pub(super) fn match_resolves_by_key(engine: &Engine) -> (HashMap<AlertIx, LabelSetHistory>, Vec<AlertEntry>) {
    let mut matched: HashMap<AlertIx, LabelSetHistory> = HashMap::default();
    let mut unmatched: BTreeMap<&str, AlertEntry> = BTreeMap::new();
    if engine.keyed_ends.is_empty() {
        return (matched, Vec::new());
    }
    let owners = key_owners(engine);
    let gap = engine.rules().limits().gap;
    for (key, set) in &engine.keyed_ends {
        match owners.get(key.as_ref()) {
            Some((_, owner)) => matched.entry(*owner).or_default().merge(set.clone(), gap),
            None => {
                let shown = visible_key(key);
                let entry = unmatched.entry(shown).or_insert_with(|| {
                    let mut name = Key::default();
                    name.part(shown);
                    name.part("");
                    AlertEntry::new(&name.0, hash(&name.0), Severity::Warning.class())
                });
                let sets = &mut entry.timed.get_or_insert_default().label_sets;
                sets.or_default(Box::default()).merge(set.clone(), gap);
            }
        }
    }
    (matched, unmatched.into_values().collect())
}
