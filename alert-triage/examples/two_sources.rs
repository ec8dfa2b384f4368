//! A ticket log and records of one's own, read by two engines and judged as one: `cargo run --example two_sources`.
//!
//! ```text
//! P1 page: TooFewEndpointsRegistered, 3 alerts, opened
//! P3 ticket: LLMModelVeryStale, 2 alerts, opened
//! ```

use alert_triage::{Continuity, Engine, FileError, Format, Place, Record, Rules};

const LOG: &str = "\
Zone AB: EndpointRegistrationTransientFailure
Zone AB: EndpointRegistrationFailure
Zone XQ: LLMModelStale
Zone AB: TooFewEndpointsRegistered
";

/// Rules of one's own, over the built-in ones.
const RULES: &str = "
severities:
- {id: stale-is-no-page, alert: LLMModelVeryStale, severity: warning}
";

fn main() -> Result<(), FileError> {
    let mut engine = Engine::new(Rules::parse(RULES)?);
    let log = engine.source("tickets.log");
    let own = engine.source("own checks");

    // Another thread could have this one; in whatever order they are merged, the report is the same.
    let mut other = engine.sibling();
    other.ingest(Place::new(own, 0, 1), &Record::firing("LLMModelVeryStale").label("zone", "XQ"));

    engine.read_block(log, 0, Format::Lines, LOG.as_bytes());
    engine.merge(other);

    // Tells once what is new; asked again with nothing new, it has nothing to tell.
    let mut continuity = Continuity::default();
    let (incidents, notices) = continuity.update(&engine.report(None));
    for (incident, notice) in incidents.iter().zip(&notices) {
        let alerts = incident.members.len();
        println!(
            "{} {}: {}, {alerts} alerts, {}",
            incident.priority, incident.notify, incident.headline, notice.change
        );
    }
    Ok(())
}
