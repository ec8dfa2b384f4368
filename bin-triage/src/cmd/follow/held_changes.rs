//! Holds changes of one incident back, so that a storm is one line and not a line for each
//! instance.

use std::collections::BTreeMap;

use alert_triage::incident_tracker::{Change, Notification};
use jiff::{SignedDuration, Timestamp};

/// The shortest time between two changes of one incident that notify nobody.
const MIN_INTERVAL: SignedDuration = SignedDuration::from_secs(1);

/// The changes that are held back, by the id of their incident.
#[derive(Debug, Default)]
pub(super) struct HeldChanges {
    /// When the last change of an incident was passed on.
    last: BTreeMap<String, Timestamp>,
    held: BTreeMap<String, Notification>,
}

impl HeldChanges {
    /// The notices to print at `now`: of the changes of one incident at most one a second, and then
    /// the newest. Any other notice passes at once, and replaces what is held of its incident.
    pub(super) fn pass(&mut self, notices: Vec<Notification>, now: Timestamp) -> Vec<Notification> {
        self.last.retain(|_, last| now.duration_since(*last).abs() < MIN_INTERVAL);
        let mut passed = Vec::new();
        for notice in notices {
            self.held.remove(&notice.id);
            match notice.change {
                Change::Changed => {
                    self.held.insert(notice.id.clone(), notice);
                }
                _ => {
                    self.last.insert(notice.id.clone(), now);
                    passed.push(notice);
                }
            }
        }
        let due: Vec<String> = self.held.keys().filter(|id| !self.last.contains_key(*id)).cloned().collect();
        for id in due {
            passed.extend(self.held.remove(&id));
            self.last.insert(id, now);
        }
        passed
    }

    /// All that is held.
    pub(super) fn flush(&mut self) -> Vec<Notification> {
        std::mem::take(&mut self.held).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use alert_triage::{Engine, IncidentTracker, Record, Rules, SourcePosition};

    use super::*;

    #[test]
    fn a_storm_is_one_line_a_second() {
        let at = |millis: i64| Timestamp::from_millisecond(1_795_158_000_000 + millis).unwrap();
        let (mut engine, mut tracker) = (Engine::new(Rules::builtin()), IncidentTracker::default());
        let mut held = HeldChanges::default();
        let mut printed: Vec<(i64, Change, u64)> = Vec::new();
        let mut judged = 0;
        for number in 0..40u64 {
            let millis = 250 * number as i64;
            let record = Record::firing("HostDown").label("node", format!("n{number}")).since(at(millis));
            engine.ingest(SourcePosition::new(0, 0, number + 1), &record);
            let notices = tracker.notifications(&engine.report(Some(at(millis))));
            judged += notices.len();
            let passed = held.pass(notices, at(millis));
            printed.extend(passed.iter().map(|notice| (millis, notice.change, notice.instances)));
        }
        assert_eq!(judged, 40, "each instance is a change of its own");
        printed.extend(held.flush().iter().map(|notice| (10_000, notice.change, notice.instances)));
        let want = [(0, Change::Opened, 1)];
        let later = (1..10).map(|second| (1_000 * second, Change::Changed, 4 * second as u64 + 1));
        let want: Vec<_> = want.into_iter().chain(later).chain([(10_000, Change::Changed, 40)]).collect();
        assert_eq!(printed, want);
        assert!(held.flush().is_empty());
    }
}
