//! Triage inside a program with alerts of its own: records from several threads, and notifications
//! that are sent once. `cargo run --example embedded`.

use std::error::Error;
use std::thread;

use alert_triage::incident_tracker::Notification;
use alert_triage::jiff::{SignedDuration, Timestamp};
use alert_triage::record::{Ends, Status};
use alert_triage::{Engine, IncidentTracker, Record, Rules, SourcePosition};

/// The record of a probe, which knows the link, its severity and since when it is down.
fn down(link: &str, since: Timestamp) -> Record<'_> {
    Record::firing("LinkDown").label("zone", "AB").label("link", link).label("severity", "error").since(since)
}

fn main() -> Result<(), Box<dyn Error>> {
    // These rules extend the built-in ones; an empty text gives the built-in rules alone.
    let rules = Rules::parse(
        "edges: [{id: ours/router, cause: RouterLost, symptoms: [LinkDown]}]\n\
         severities: [{id: ours/router-severity, alert: RouterLost, severity: critical}]",
    )?;
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse()?;

    // Each thread fills an engine with one part of the input. The position orders the records.
    let mut engine = Engine::new(rules);
    let probes = engine.add_source("probes");
    let siblings = [engine.sibling(), engine.sibling()];
    let parts = siblings.into_iter().enumerate().map(|(part, mut engine)| {
        thread::spawn(move || {
            let link = format!("uplink-{part}");
            // Delivered twice, counted once: an equal start makes it the same record.
            for line in [1, 2] {
                engine.ingest(SourcePosition::new(probes, part, line), &down(&link, noon));
            }
            engine
        })
    });
    for part in parts.collect::<Vec<_>>() {
        engine.merge(part.join().map_err(|_| "a probe failed")?);
    }

    let mut tracker = IncidentTracker::default();
    let mut notify = |engine: &mut Engine, now: Timestamp| {
        for notification in tracker.notifications(&engine.report(Some(now))) {
            let Notification { notify, priority, change, headline, .. } = notification;
            println!("{now} {notify} {priority} {change} {headline}");
        }
    };
    notify(&mut engine, noon);

    // A critical cause joins them: one incident with a higher priority, and one notification.
    let minute = |minutes| noon + SignedDuration::from_mins(minutes);
    let lost = || Record::firing("RouterLost").label("zone", "AB").since(minute(1));
    engine.ingest(SourcePosition::new(probes, 2, 1), &lost());
    notify(&mut engine, minute(1));
    notify(&mut engine, minute(2));

    // All alerts are resolved.
    for (line, record) in [(2, down("uplink-0", noon)), (3, down("uplink-1", noon)), (4, lost())] {
        let over = record.status(Status::Resolved).ends(Ends::At(minute(9)));
        engine.ingest(SourcePosition::new(probes, 2, line), &over);
    }
    notify(&mut engine, minute(10));

    let totals = engine.report(Some(minute(10))).totals();
    println!("{} records, {} of them duplicates", totals.records, totals.duplicates);
    Ok(())
}

// Prints:
//
// 2026-11-23T12:00:00Z page P2 opened LinkDown
// 2026-11-23T12:01:00Z page P1 escalated RouterLost
// 2026-11-23T12:10:00Z none P5 closed LinkDown
// 8 records, 2 of them duplicates
