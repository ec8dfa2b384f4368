//! `watcher` and `triage` share no crate, and agree on what never reaches a terminal.

use breaker_core::printable::{is_unprintable, one_line};

#[test]
fn both_programs_hold_back_the_same_characters() {
    for c in '\0'..=char::MAX {
        let text = format!("a{c}b");
        let is_shown = alert_triage::printable(&text) == text;
        assert_eq!(is_shown, !is_unprintable(c), "{c:?}");
        assert_eq!(is_shown, one_line(&text) == text || c == ' ', "{c:?}");
        assert!(!one_line(&text).contains(is_unprintable), "{c:?}");
    }
}
