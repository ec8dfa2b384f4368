//! Arbitrary bytes as log, message and exit code: no panic, no slow input, and never a network
//! cause for exit codes 0, 137 and 143.
#![no_main]

use std::sync::LazyLock;

use breaker_core::pod::Terminated;
use breaker_core::{Cause, Classifier, Termination};
use libfuzzer_sys::fuzz_target;

static CLASSIFIER: LazyLock<Classifier> = LazyLock::new(Classifier::default);

fuzz_target!(|data: &[u8]| {
    let Some((code, text)) = data.split_first() else { return };
    let (message, log) = text.split_at(text.iter().position(|b| *b == 0).unwrap_or(0));
    let terminated = Terminated {
        exit_code: i32::from(*code),
        reason: "Error".into(),
        message: String::from_utf8_lossy(message).into_owned(),
        ..Terminated::default()
    };
    let termination = Termination::new(terminated, String::from_utf8_lossy(log));
    let explained = CLASSIFIER.explain(&termination);
    let verdict = &explained.verdict;
    assert!(verdict.quote.chars().count() <= 200);
    assert!(!verdict.quote.chars().any(char::is_control));
    assert_eq!(verdict.kind.is_some(), verdict.cause == Cause::Network);
    if matches!(code, 0 | 137 | 143) {
        assert_ne!(verdict.cause, Cause::Network);
    }
});
