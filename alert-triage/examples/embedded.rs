//! Triage inside a program that has alerts of its own: records, parts of the work on several
//! threads, and notices that wake somebody once. `cargo run --example embedded`.

use std::error::Error;
use std::thread;

use alert_triage::record::{Ends, Status};
use alert_triage::{Engine, IncidentTracker, Record, Rules, SourcePosition};
use jiff::{SignedDuration, Timestamp};

/// Ours is a probe that knows which link is down, since when, and how bad that is.
fn down(link: &str, since: Timestamp) -> Record<'_> {
    Record::firing("LinkDown").label("zone", "AB").label("link", link).label("severity", "error").since(since)
}

fn main() -> Result<(), Box<dyn Error>> {
    // What we know goes before what triage knows; the empty file would be its rules alone.
    let rules = Rules::parse(
        "edges: [{id: ours/router, cause: RouterLost, symptoms: [LinkDown]}]\n\
         severities: [{id: ours/router-severity, alert: RouterLost, severity: critical}]",
    )?;
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse()?;

    // Two parts of one input, each with an engine of its own; a place says where a record stands in
    // the input.
    let mut engine = Engine::new(rules);
    let probes = engine.add_source("probes");
    let siblings = [engine.sibling(), engine.sibling()];
    let parts = siblings.into_iter().enumerate().map(|(part, mut engine)| {
        thread::spawn(move || {
            let link = format!("uplink-{part}");
            // Told twice, counted once: the start makes it the same record.
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
    let mut tell = |engine: &mut Engine, now: Timestamp| {
        for notice in tracker.notifications(&engine.report(Some(now))) {
            println!("{now} {} {} {} {}", notice.notify, notice.priority, notice.change, notice.headline);
        }
    };
    tell(&mut engine, noon);

    // A cause that is worse joins them: one incident, which is more urgent now, and one notice.
    let minute = |minutes| noon + SignedDuration::from_mins(minutes);
    let lost = || Record::firing("RouterLost").label("zone", "AB").since(minute(1));
    engine.ingest(SourcePosition::new(probes, 2, 1), &lost());
    tell(&mut engine, minute(1));
    tell(&mut engine, minute(2));

    // All of it is over.
    for (line, record) in [(2, down("uplink-0", noon)), (3, down("uplink-1", noon)), (4, lost())] {
        let over = record.status(Status::Resolved).ends(Ends::At(minute(9)));
        engine.ingest(SourcePosition::new(probes, 2, line), &over);
    }
    tell(&mut engine, minute(10));

    let totals = engine.report(Some(minute(10))).totals();
    println!("{} records, {} of them told before", totals.records, totals.duplicates);
    Ok(())
}

// Prints:
//
// 2026-11-23T12:00:00Z page P2 opened LinkDown
// 2026-11-23T12:00:00Z page P2 opened LinkDown
// 2026-11-23T12:01:00Z page P1 escalated RouterLost
// 2026-11-23T12:10:00Z none P5 closed LinkDown
// 8 records, 2 of them told before
