//! A log that never ends, read as it is written, in memory that does not grow with the months. The clock is an argument,
//! so this one runs through two days at once: `cargo run --example live`.

use std::error::Error;

use alert_triage::{Engine, Format, IncidentTracker, Rules};
use jiff::{SignedDuration, Timestamp};

/// Hours after noon, and what is in the log by then.
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
        // These lines carry no time. That they arrive now is what lets them become obsolete.
        engine.set_arrival(now);
        engine.read_on(log, Format::Lines, lines.as_bytes());
        for malformed in engine.take_malformed() {
            println!("{hour:>3} h  line {} {}", malformed.line, malformed.error);
        }
        let report = engine.report(Some(now));
        for notice in tracker.notifications(&report) {
            let why = notice.because.last().map_or("", String::as_str);
            println!("{hour:>3} h  {} {}: {why}", notice.change, notice.headline);
        }
        // Behind the notice that something closed, so that nothing vanishes without one.
        let forgotten = engine.retire(now, SignedDuration::from_hours(48));
        if forgotten > 0 {
            println!("{hour:>3} h  {forgotten} alerts are long over, and forgotten");
        }
    }
    let totals = engine.report(None).totals();
    println!(
        "{} records, {} of forgotten alerts, {} alerts in memory",
        totals.records, totals.retired, totals.distinct
    );
    Ok(())
}

// Prints:
//
//   0 h  opened EndpointRegistrationTransientFailure: P4, notify ticket: EndpointRegistrationTransientFailure is transient
//   1 h  opened LLMModelStale: P3, notify ticket: LLMModelStale is warning by the rule upcommerce/model-stale
//   2 h  line 4 has no `:` followed by a blank: write `Zone {zone}: {alert}`
//   3 h  escalated LLMModelVeryStale: set aside: LLMModelStale superseded by LLMModelVeryStale
//  30 h  closed LLMModelVeryStale: not seen since 2026-11-23T15:00:00Z, for longer than 24h; no record reports its end
//  30 h  closed EndpointRegistrationTransientFailure: not seen since 2026-11-23T12:00:00Z, for longer than 24h; no record reports its end
// 100 h  3 alerts are long over, and forgotten
// 5 records, 5 of forgotten alerts, 0 alerts in memory
