//! The table as a whole: its examples decide, it starts fast, and laws that no rule may break.

use proptest::prelude::*;

use super::*;
use crate::{Death, PodEvent};

fn died(exit_code: i32, log_tail: &str) -> Termination {
    let death = Death { exit_code, reason: "Error".into(), ..Death::default() };
    Termination { death, log_tail: log_tail.into(), ..Termination::default() }
}

#[test]
fn every_example_is_decided_by_its_own_row() {
    let classifier = Classifier::default();
    let mut wrong = Vec::new();
    for rule in rule::parse(BUILT_IN).expect("rules.yaml parses") {
        assert!(!rule.examples.is_empty(), "rule `{}` has no example", rule.id);
        let check = Check::of(&rule);
        for example in &check.examples {
            let one = Check { id: rule.id.clone(), examples: vec![example.clone()], not: Vec::new() };
            wrong.extend(one.run(&classifier).err().map(|e| format!("{e}: {}", example.value)));
        }
        let nots = Check { examples: Vec::new(), ..check };
        wrong.extend(nots.run(&classifier).err().map(|e| e.to_string()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest! {
    #[test]
    fn anything_may_be_said(text in ".{0,3000}", message in any::<String>(), code in any::<i32>()) {
        let mut t = died(code, &text);
        t.death.message = message;
        let verdict = Classifier::default().classify(&t);
        prop_assert!(verdict.quote.chars().count() <= 200);
        prop_assert!(!verdict.quote.chars().any(char::is_control));
        prop_assert_eq!(verdict.kind.is_some(), verdict.cause == Cause::Network);
    }

    #[test]
    fn bytes_of_any_kind_may_be_said(bytes in proptest::collection::vec(any::<u8>(), 0..6000)) {
        Classifier::default().classify(&died(1, &String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn a_kill_is_never_network(
        lines in proptest::collection::vec("(ERROR |FATAL |panic: |Caused by: )?(dial tcp: )?(connection refused|i/o timeout|no such host|fine)", 0..9),
        code in prop_oneof![Just(137), Just(143)],
        sandbox in any::<bool>(),
    ) {
        let mut t = died(code, &lines.join("\n"));
        if sandbox {
            t.events.push(PodEvent { reason: "FailedCreatePodSandBox".into(), message: "cni network".into(), ..PodEvent::default() });
        }
        prop_assert_ne!(Classifier::default().classify(&t).cause, Cause::Network);
    }

    #[test]
    fn no_evidence_is_never_network(code in any::<i32>(), reason in "(Error|Unknown|Completed|)") {
        let mut t = died(code, "");
        t.death.reason = reason;
        prop_assert_ne!(Classifier::default().classify(&t).cause, Cause::Network);
    }
}
