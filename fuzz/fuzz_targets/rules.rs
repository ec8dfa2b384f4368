//! Arbitrary text as a rules file: an error with a position, or a classifier that works.
#![no_main]

use breaker_core::pod::Terminated;
use breaker_core::{Classifier, Termination};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|yaml: &str| {
    match Classifier::with_rules(yaml) {
        Ok(classifier) => {
            let terminated = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
            let log_tail = "dial tcp 10.0.0.1:80: connect: connection refused";
            classifier.classify(&Termination::new(terminated, log_tail));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
