//! Ends that name only a key, and the alerts that carry it.

use std::collections::BTreeMap;

use crate::hashing::{HashMap, hash};
use crate::identity::{Key, shown_key};
use crate::ledger::AlertEntry;
use crate::ledger::Engine;
use crate::ledger::LabelSetHistory;
use crate::severity::Severity;
use crate::source_position::SourcePosition;

/// The alert that carries each key, the one told last if there are several.
pub(crate) fn holders(engine: &Engine) -> BTreeMap<&str, (SourcePosition, u32)> {
    let mut holders: BTreeMap<&str, (SourcePosition, u32)> = BTreeMap::new();
    for (at, entry) in engine.entries.iter().enumerate() {
        for (key, set) in entry.keyed_label_sets() {
            let last = (set.last_fire().unwrap_or(SourcePosition::new(0, 0, 0)), at as u32);
            let holder = holders.entry(key).or_insert(last);
            *holder = (*holder).max(last);
        }
    }
    holders
}

/// Counts ends that name only a key with the alert that carries it, the one told last if there are several. What they
/// end is more: [`State`](super::state::State) joins them to every label set of that key.
pub(super) fn bind(engine: &Engine) -> (HashMap<u32, LabelSetHistory>, Vec<AlertEntry>) {
    let mut ends: HashMap<u32, LabelSetHistory> = HashMap::default();
    let mut orphans: BTreeMap<&str, AlertEntry> = BTreeMap::new();
    if engine.keyed_ends.is_empty() {
        return (ends, Vec::new());
    }
    let holders = holders(engine);
    let gap = engine.rules().limits().gap;
    for (key, set) in &engine.keyed_ends {
        match holders.get(key.as_ref()) {
            Some((_, at)) => ends.entry(*at).or_default().merge(set.clone(), gap),
            None => {
                let shown = shown_key(key);
                let orphan = orphans.entry(shown).or_insert_with(|| {
                    let mut name = Key::default();
                    name.part(shown);
                    name.part("");
                    AlertEntry::new(&name.0, hash(&name.0), Severity::Warning.class())
                });
                let told = orphan.timed.get_or_insert_default().label_sets.or_default(Box::default());
                told.merge(set.clone(), gap);
            }
        }
    }
    (ends, orphans.into_values().collect())
}
