//! A verdict's memory follows the words, never the number of rules.

use allocation_counter::measure;
use breaker_core::pod::Terminated;
use breaker_core::{Classifier, Termination};

fn died(log_tail: &str) -> Termination {
    let terminated = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
    Termination::new(terminated, log_tail)
}

#[test]
fn ten_thousand_more_rules_cost_a_verdict_nothing() {
    let many: String = (0..10_000)
        .map(|n| {
            format!(
                "- {{id: own-{n}, cause: config, phrases: [reason {n} of ours], regex: ['code=x{n}\\b']}}\n"
            )
        })
        .collect();
    let few = Classifier::default();
    let many = Classifier::with_rules(&many).expect("the rows are fine");
    let words = "INFO starting\nWARN cache cold\n".repeat(40)
        + "panic: dial tcp 10.0.0.1:80: connect: connection refused\n\ngoroutine 1 [running]:\n";
    let terminated = died(&words);
    let bytes = |classifier: &Classifier| {
        classifier.classify(&terminated); // a regex keeps a cache from its first use on
        measure(|| drop(classifier.classify(&terminated))).bytes_total
    };
    assert_eq!(bytes(&many), bytes(&few));
}
