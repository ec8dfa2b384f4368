//! Records without a time.

use jiff::Timestamp;

use super::alert_phase::AlertPhase;
use crate::ledger::AlertEntry;
use crate::ledger::LabelSetHistory;
use crate::source_position::SourcePosition;

/// The last records without a time, by their positions.
pub(super) struct Untimed {
    pub(super) fire: Option<SourcePosition>,
    pub(super) pending: Option<SourcePosition>,
    end: Option<SourcePosition>,
    /// The position of the last end with a time, if that time has passed.
    timed_end: Option<SourcePosition>,
}

impl Untimed {
    pub(super) fn new(set: &LabelSetHistory, lines: Option<&AlertEntry>, now: Option<Timestamp>) -> Self {
        let lines = lines.filter(|entry| entry.lines.count > 0).map(|entry| entry.lines.last);
        let undated = set.undated_ends.last();
        let has_passed = |(end, _): &(Timestamp, SourcePosition)| now.is_some_and(|now| *end <= now);
        let position = |(_, position): (Timestamp, SourcePosition)| position;
        Self {
            fire: set.undated.fire.max(lines).max(undated.filter(|end| !has_passed(end)).map(position)),
            pending: set.undated.pending,
            end: set.undated.end,
            timed_end: set.last_timed_end().max(undated.filter(has_passed).map(position)),
        }
    }

    /// The phase, and whether a record without a time decides it. A record without a time takes the
    /// order of its line among those with a time.
    pub(super) fn combine(&self, set: &LabelSetHistory, timed: Option<AlertPhase>) -> (AlertPhase, bool) {
        let last = [
            (self.fire, AlertPhase::Open),
            (self.pending, AlertPhase::Pending),
            (self.end, AlertPhase::Resolved),
        ];
        let newest = last.into_iter().filter_map(|(position, phase)| Some((position?, phase))).max();
        let Some((position, untimed)) = newest else { return (timed.unwrap_or(AlertPhase::Open), false) };
        let position = Some(position);
        match (timed, untimed) {
            (None, phase) => (phase, phase != AlertPhase::Resolved),
            (Some(AlertPhase::Resolved), phase)
                if phase == AlertPhase::Resolved || position <= self.timed_end =>
            {
                (AlertPhase::Resolved, false)
            }
            // On one line, the end comes after the firing record.
            (Some(phase), AlertPhase::Resolved) if position < set.last_timed_fire() => (phase, false),
            (Some(_), AlertPhase::Resolved) => (AlertPhase::Resolved, false),
            (Some(timed), phase) => (timed.max(phase), true),
        }
    }
}
