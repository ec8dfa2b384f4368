//! Reads the 31 tickets of one night and prints the incidents: `cargo run --example sample [FILE]`.

use std::error::Error;

use alert_triage::{Engine, Format, Rules, printable};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/upcommerce.log");

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| SAMPLE.to_owned());
    let input = std::fs::read(&path)?;

    let mut engine = Engine::new(Rules::builtin());
    engine.read(&path, Format::detect(&input), &input);

    // Without a time, the newest time of the input counts. These lines carry none.
    let report = engine.report(None);
    for incident in report.incidents() {
        println!("{} {} {}", incident.priority, incident.notify, printable(&incident.headline));
        for member in &incident.members {
            let alert = printable(&member.alert);
            println!("  {:>2} x {alert}: {}", member.count, member.why);
        }
        // An assumption of the report that the input does not prove.
        if let Some(doubt) = incident.alternatives.first() {
            println!("  or: {doubt}");
        }
    }

    // Every line is accounted for.
    let totals = report.totals();
    println!("{} lines, {} malformed, {} records", totals.lines, totals.malformed, totals.records);
    for malformed in report.malformed() {
        println!("line {} {}", malformed.line, malformed.error);
    }
    Ok(())
}

// Prints:
//
// P1 page TooFewEndpointsRegistered
//    2 x EndpointRegistrationFailure: error by the rule upcommerce/registration-failure
//    1 x TooFewEndpointsRegistered: critical by the rule upcommerce/too-few-endpoints; explained by EndpointRegistrationFailure (upcommerce/registration)
//    3 x LLMBatchProcessingJobFailures: warning by the rule upcommerce/batch-jobs; explained by EndpointRegistrationFailure (upcommerce/registration-batch)
//    1 x LLMModelVeryStale: error by the rule upcommerce/model-very-stale; explained by LLMBatchProcessingJobFailures (upcommerce/batch-freshness)
//    3 x EndpointRegistrationTransientFailure: its lasting form EndpointRegistrationFailure is firing
//    1 x LLMModelStale: LLMModelVeryStale, a higher rung, is firing; explained by LLMBatchProcessingJobFailures (upcommerce/batch-freshness)
//   or: without the edge upcommerce/registration-batch (assumed from the names, not proven by the order of the input) it would be 2 incidents: TooFewEndpointsRegistered, LLMModelVeryStale
// P4 ticket EndpointRegistrationTransientFailure
//    8 x EndpointRegistrationTransientFailure: the transient form of EndpointRegistrationFailure, which is not firing here; recurring, 8 times
//   12 x EndpointRegistrationTransientFailure: the transient form of EndpointRegistrationFailure, which is not firing here; recurring, 12 times
//   or: it may be over: none of its records carries a time or reports an end
// 31 lines, 0 malformed, 31 records
