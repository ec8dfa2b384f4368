//! Alerts that the newest snapshot of their source no longer contains.

use std::collections::BTreeMap;

use crate::ledger::{AlertEntry, Engine};
use crate::source_position::SourcePosition;

/// Where the newest snapshot of each source begins, if the source sent several.
///
/// One input may hold the answers of several servers, or the pages of one answer. So a later list
/// counts as a newer snapshot only if it contains an alert of an earlier one.
#[derive(Debug, Default)]
pub(super) struct NewestSnapshots(BTreeMap<usize, SourcePosition>);

impl NewestSnapshots {
    pub(super) fn new(engine: &Engine) -> Self {
        let mut newest = BTreeMap::new();
        if engine.snapshots.is_empty() {
            return Self(newest);
        }
        for entry in &engine.entries {
            let spans = entry.label_sets().filter_map(|(_, set)| set.snapshots);
            let repeated: Vec<_> = spans
                .filter_map(|(first, last)| {
                    let start = *engine.snapshots.get(&last.source())?;
                    let is_in_both = first.source() == last.source() && first < start && start <= last;
                    is_in_both.then_some((last.source(), start))
                })
                .collect();
            let identity = entry.identity();
            // A watchdog is the same in all clusters.
            if !repeated.is_empty()
                && engine.rules().informational(identity.alert, |name| identity.label(name)).is_none()
            {
                newest.extend(repeated);
            }
        }
        Self(newest)
    }

    /// Whether all that is known of an alert is older than the newest snapshot of its source.
    pub(super) fn lack(&self, entry: &AlertEntry) -> bool {
        if self.0.is_empty() || entry.lines.count > 0 || entry.has_folded_label_sets() {
            return false;
        }
        let mut sources = entry.sources.iter();
        let (Some(source), None) = (sources.next(), sources.next()) else { return false };
        let Some(start) = self.0.get(&source) else { return false };
        let mut sets = entry.label_sets().peekable();
        sets.peek().is_some()
            && sets.all(|(_, set)| {
                let last = set.span().map(|(_, last)| last.position);
                set.snapshots.is_some_and(|(_, last)| last < *start) && last.is_some_and(|last| last < *start)
            })
    }
}
