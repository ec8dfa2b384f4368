//! [`Wait`]: what a run waits for before it ends, for how long, and when that is reported.

use jiff::{SignedDuration, Timestamp};

use crate::BreakerEvent;
use crate::clock::shifted;
use crate::text::plural;

/// A wait that ends sooner is not reported.
const REPORT_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// Time between two reports of one wait.
const REPORT_INTERVAL: SignedDuration = SignedDuration::from_secs(30);

/// Pods that a report names.
const MAX_NAMES: usize = 5;

/// A wait of a run for its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    /// When it is over; `None` if only its reason ends it.
    until: Option<Timestamp>,
    limit: Option<SignedDuration>,
    report_at: Timestamp,
}

impl Wait {
    /// A wait of at most `limit`.
    pub(super) fn new(now: Timestamp, limit: Option<SignedDuration>) -> Self {
        Self { until: limit.map(|limit| now + limit), limit, report_at: now + REPORT_AFTER }
    }

    /// Whether this is a wait with another limit: one for something else.
    pub(super) fn is_other(&self, limit: Option<SignedDuration>) -> bool {
        self.limit != limit
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// When it is over, and when it is reported next.
    pub(super) fn due(&self) -> [Option<Timestamp>; 2] {
        [self.until, Some(self.report_at)]
    }

    /// The report that is due, about a wait for `what`.
    pub(super) fn report(&mut self, now: Timestamp, what: impl FnOnce() -> String) -> Option<BreakerEvent> {
        if now < self.report_at || self.is_over(now) {
            return None;
        }
        self.report_at = now + REPORT_INTERVAL;
        let seconds_left = self.until.map(|until| until.duration_since(now).as_secs());
        Some(BreakerEvent::Waiting { what: what(), seconds_left })
    }

    /// Follows a wall clock that was set forward by `by`.
    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.until = self.until.map(|until| shifted(until, by));
        self.report_at = shifted(self.report_at, by);
    }
}

/// What a run waits for, as the end of a sentence.
pub(super) fn describe(is_listed: bool, pods: &[String], notifications: usize, requests: usize) -> String {
    if !is_listed {
        return "the list of its pods".into();
    }
    let mut parts = Vec::new();
    if !pods.is_empty() {
        let more = pods.len().saturating_sub(MAX_NAMES);
        let mut names = pods[..pods.len() - more].join(", ");
        if more > 0 {
            names.push_str(&format!(" and {more} more"));
        }
        parts.push(format!("{} to terminate: {names}", plural(count(pods.len()), "pod")));
    }
    if notifications > 0 {
        parts.push(format!("{} to be acknowledged", plural(count(notifications), "notification")));
    } else if parts.is_empty() && requests > 0 {
        parts.push(format!("{} to be answered", plural(count(requests), "request")));
    }
    match parts.is_empty() {
        true => "a request that failed to be tried again".into(),
        false => parts.join("; for "),
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_is_waited_for() {
        let pods: Vec<_> = (1..8).map(|n| format!("app-{n}")).collect();
        for (listed, pods, notifications, requests, want) in [
            (false, &pods[..0], 0, 1, "the list of its pods"),
            (true, &pods[..1], 0, 0, "1 pod to terminate: app-1"),
            (true, &pods[..7], 0, 0, "7 pods to terminate: app-1, app-2, app-3, app-4, app-5 and 2 more"),
            (true, &pods[..1], 2, 1, "1 pod to terminate: app-1; for 2 notifications to be acknowledged"),
            (true, &pods[..0], 1, 1, "1 notification to be acknowledged"),
            (true, &pods[..0], 0, 1, "1 request to be answered"),
            (true, &pods[..0], 0, 0, "a request that failed to be tried again"),
        ] {
            assert_eq!(describe(listed, pods, notifications, requests), want);
        }
    }

    #[test]
    fn a_wait_is_reported_after_two_seconds_and_each_half_minute_until_it_is_over() {
        let at = |secs| Timestamp::from_second(secs).unwrap();
        let mut wait = Wait::new(at(0), Some(SignedDuration::from_secs(40)));
        let reported: Vec<_> = (0..60).filter(|secs| wait.report(at(*secs), String::new).is_some()).collect();
        assert_eq!(reported, [2, 32]);
    }
}
