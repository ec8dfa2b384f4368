//! Alerts that the newest snapshot of their source no longer contains.

use crate::ledger::{AlertEntry, Engine};
use crate::source_position::SourcePosition;

/// Where the newest snapshot of each source begins, if the source sent several.
///
/// One input may hold the answers of several servers, or the pages of one answer. So a later list
/// counts as a newer snapshot only if it contains an alert of an earlier one.
#[derive(Debug, Default)]
pub(super) struct NewestSnapshots {
    starts: Vec<(usize, SourcePosition)>,
}

impl NewestSnapshots {
    pub(super) fn new(engine: &Engine) -> Self {
        let rules = engine.rules();
        let is_repeated = |start: SourcePosition| {
            engine.entries.iter().any(|entry| {
                let spans = entry.label_sets().filter_map(|(_, set)| set.snapshots);
                let is_in_both = spans.into_iter().any(|(first, last)| {
                    (first.source(), last.source()) == (start.source(), start.source())
                        && first < start
                        && start <= last
                });
                let identity = entry.identity();
                // A watchdog is the same in all clusters.
                is_in_both && rules.informational(identity.alert, |name| identity.label(name)).is_none()
            })
        };
        let starts = engine.snapshots.iter().filter(|(_, start)| is_repeated(**start));
        Self { starts: starts.map(|(source, start)| (*source, *start)).collect() }
    }

    /// Whether all that is known of an alert is older than the newest snapshot of its source.
    pub(super) fn lack(&self, entry: &AlertEntry) -> bool {
        if self.starts.is_empty() || entry.lines.count > 0 || entry.has_folded_label_sets() {
            return false;
        }
        let mut sources = entry.sources.iter();
        let (Some(source), None) = (sources.next(), sources.next()) else { return false };
        let Some((_, start)) = self.starts.iter().find(|(of, _)| *of == source) else { return false };
        let mut sets = entry.label_sets().peekable();
        sets.peek().is_some()
            && sets.all(|(_, set)| {
                let last = set.span().map(|(_, last)| last.position);
                set.snapshots.is_some_and(|(_, last)| last < *start) && last.is_some_and(|last| last < *start)
            })
    }
}
