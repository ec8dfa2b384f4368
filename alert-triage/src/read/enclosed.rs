//! An alert inside another record, such as a line of a container log or a message of a queue.

use crate::record::{Ends, Record, Status, Suppression};

/// The record with all that the record around it says and it does not say itself.
pub(super) fn enclosed<'r>(mut record: Record<'r>, outer: &Record<'static>) -> Record<'r> {
    // The level of a line of a log is that of the program that wrote it. The alert in it may be
    // more severe.
    let is_log_line = outer.status == Status::Event;
    for (name, value) in outer.labels.iter().filter(|(name, _)| !(is_log_line && name == "severity")) {
        if !record.labels.iter().any(|(own, _)| own == name) {
            record.labels.push((name.clone(), value.clone()));
        }
    }
    for (name, text) in &outer.annotations {
        if !record.annotations.iter().any(|(own, _)| own == name) {
            record.annotations.push((name.clone(), text.clone()));
        }
    }
    if record.severity.is_none() && !is_log_line {
        record.severity = outer.severity.clone();
    }
    if record.status == Status::Event {
        record.status = outer.status;
        if record.ends == Ends::Open {
            record.ends = outer.ends;
        }
    }
    if record.starts.is_none() {
        record.time = record.time.or(outer.time);
        record.starts = outer.starts;
    }
    if record.key.is_none() {
        record.key = outer.key.clone();
        record.keyed |= outer.keyed;
        record.ends_by_key |= outer.ends_by_key;
    }
    record.snapshot |= outer.snapshot;
    if record.suppression == Suppression::None {
        record.suppression = outer.suppression.clone();
    }
    record.acknowledged |= outer.acknowledged;
    record
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn outer() -> Record<'static> {
        let mut outer = Record::firing("Relay").label("zone", "K1").label("severity", "critical");
        outer.status = Status::Resolved;
        outer.starts = Some(at(1));
        outer.time = Some(at(2));
        outer.ends = Ends::At(at(3));
        outer.key = Some("k".into());
        outer.keyed = true;
        outer.ends_by_key = true;
        outer.snapshot = true;
        outer.suppression = Suppression::Silenced("s".into());
        outer.acknowledged = true;
        outer.annotations = vec![("url".into(), "https://x.example".into())];
        outer
    }

    #[test]
    fn an_alert_has_what_only_the_record_around_it_says() {
        let bare = Record { status: Status::Event, text: "slow".into(), ..Record::firing("X") };
        let want = Record { alert: "X".into(), text: "slow".into(), ..outer() };
        assert_eq!(enclosed(bare, &outer()), want);
    }

    #[test]
    fn what_an_alert_says_itself_stays() {
        let mut own = Record::firing("X").label("zone", "K2").label("severity", "info");
        own.starts = Some(at(7));
        own.time = Some(at(8));
        own.ends = Ends::At(at(9));
        own.key = Some("own".into());
        own.suppression = Suppression::Inhibited("i".into());
        own.annotations = vec![("url".into(), "https://own.example".into())];
        let mut want = own.clone();
        (want.snapshot, want.acknowledged) = (true, true);
        assert_eq!(enclosed(own, &outer()), want);
    }

    #[test]
    fn the_level_of_a_line_of_a_log_is_not_the_severity_of_an_alert_in_it() {
        let line = Record { status: Status::Event, ..outer() };
        let found = enclosed(Record::firing("X"), &line);
        assert_eq!(found.labels, Record::firing("X").label("zone", "K1").labels);
    }
}
