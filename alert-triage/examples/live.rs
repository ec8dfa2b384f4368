//! A growing log, read as it is written, in bounded memory. The time is an argument, so the example
//! covers 100 hours at once: `cargo run --example live`.

use std::error::Error;

use alert_triage::jiff::{SignedDuration, Timestamp};
use alert_triage::{Engine, Format, IncidentTracker, Rules};

/// Hours after noon, and the lines that are appended to the log at that time.
const LOG: [(i64, &str); 7] = [
    (0, "Zone AB: EndpointRegistrationTransientFailure\n"),
    (1, "Zone AB: LLMModelStale\n"),
    (2, "Zone AB: LLMModelStale\nZone AB LLMModelStale\n"),
    (3, "Zone AB: LLMModelVeryStale\n"),
    (4, "Zone AB: LLMModelStale\n"),
    (30, ""),
    (100, ""),
];

fn main() -> Result<(), Box<dyn Error>> {
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse()?;
    let mut engine = Engine::new(Rules::builtin());
    let mut tracker = IncidentTracker::default();
    let log = engine.add_source("tickets.log");

    for (hour, lines) in LOG {
        let now = noon + SignedDuration::from_hours(hour);
        // These lines carry no time, so their arrival decides when they become obsolete.
        engine.set_arrival(now);
        engine.read_on(log, Format::Lines, lines.as_bytes());
        for malformed in engine.take_malformed() {
            println!("{hour:>4} h  line {} {}", malformed.line, malformed.error);
        }
        let report = engine.report(Some(now));
        for notification in tracker.notifications(&report) {
            let why = notification.because.last().map_or("", String::as_str);
            println!("{hour:>4} h  {} {}: {why}", notification.change, notification.headline);
        }
        // After the notifications, so that every alert is closed before it is dropped.
        let retired = engine.retire(now, SignedDuration::from_hours(48));
        if retired > 0 {
            println!("{hour:>4} h  {retired} alerts retired");
        }
    }
    let totals = engine.report(None).totals();
    println!(
        "{} records, {} of retired alerts, {} alerts in memory",
        totals.records, totals.retired, totals.distinct
    );
    Ok(())
}

// Prints:
//
//    0 h  opened EndpointRegistrationTransientFailure: P4, notify ticket: EndpointRegistrationTransientFailure is transient
//    1 h  opened LLMModelStale: P3, notify ticket: LLMModelStale is warning by the rule upcommerce/model-stale
//    2 h  line 4 has no `:` followed by a blank: write `Zone {zone}: {alert}`
//    3 h  escalated LLMModelVeryStale: set aside: LLMModelStale superseded by LLMModelVeryStale
//   30 h  closed LLMModelVeryStale: not seen since 2026-11-23T15:00:00Z, for longer than 24h; no record reports its end
//   30 h  closed EndpointRegistrationTransientFailure: not seen since 2026-11-23T12:00:00Z, for longer than 24h; no record reports its end
//  100 h  3 alerts retired
// 5 records, 5 of retired alerts, 0 alerts in memory
