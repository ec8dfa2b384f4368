//! What the words of an alert's name mean: `LLMModelVeryStale` is `LLM`, `Model`, `Very`, `Stale`.

use crate::severity::Severity;

/// The words of a name. A word starts at a change to upper case, at the end of a run of capitals,
/// and after `_`, `-`, `.` and blanks.
pub(crate) fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_separator);
        let mut chars = rest.char_indices().peekable();
        let (_, mut last) = chars.next()?;
        let end = loop {
            let Some((at, c)) = chars.next() else { break rest.len() };
            let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
            let new = is_separator(c)
                || c.is_uppercase() && !last.is_uppercase()
                || c.is_uppercase() && last.is_uppercase() && next_is_lower;
            if new {
                break at;
            }
            last = c;
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | '-' | '.' | ' ' | ':' | '/')
}

/// The name without its first word `taken`; `None` if it has no such word, or no other.
fn without(name: &str, taken: &str) -> Option<String> {
    let start = name.as_ptr() as usize;
    let word = words(name).find(|word| word.eq_ignore_ascii_case(taken))?;
    let at = word.as_ptr() as usize - start;
    let (before, after) = (&name[..at], &name[at + word.len()..]);
    // Of two separators one is removed with the word.
    let after = match after.chars().next().filter(|c| is_separator(*c)) {
        Some(c) if before.is_empty() || before.ends_with(is_separator) => &after[c.len_utf8()..],
        _ => after,
    };
    let rest = format!("{before}{after}");
    rest.chars().any(char::is_alphanumeric).then_some(rest)
}

/// `XFailure` for `XTransientFailure`.
pub(crate) fn lasting_form(name: &str) -> Option<String> {
    if !contains(name, b"transient") {
        return None;
    }
    without(name, "Transient")
}

/// The name that `X`, `VeryX` and `CriticallyX` share, and the rung: 0, 1 or 2.
pub(crate) fn rung(name: &str) -> Option<(String, u8)> {
    if contains(name, b"critically")
        && let Some(base) = without(name, "Critically")
    {
        return Some((base, 2));
    }
    if contains(name, b"very")
        && let Some(base) = without(name, "Very")
    {
        return Some((base, 1));
    }
    None
}

/// A cheap check before the name is split into words.
fn contains(name: &str, lower: &[u8]) -> bool {
    name.as_bytes().windows(lower.len()).any(|window| window.eq_ignore_ascii_case(lower))
}

/// Words that negate or change the word after them: `NoOutage`, `PaymentsNotDown`,
/// `ScaleDownBlocked`. A part of another word negates nothing: `NoSQLDown`.
const DENIALS: [&str; 8] = ["No", "Not", "Never", "Without", "Scale", "Scaled", "Cool", "Count"];

/// Last words that say that the fault is over: `DataLossRecovered`.
const ENDS: [&str; 4] = ["Recovered", "Resolved", "Restored", "Cleared"];

/// The severity by the name alone; usually `None`.
pub(crate) fn severity(name: &str) -> Option<Severity> {
    let among = |known: &[&str], word: &str| known.iter().any(|known| word.eq_ignore_ascii_case(known));
    let (mut before, mut last) = ("", "");
    for word in words(name) {
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        let of_data = is("Loss") && last.eq_ignore_ascii_case("Data");
        let critical = of_data
            || is("Down")
            || is("Outage")
            || is("Unavailable")
            || is("DataLoss")
            || ["Corrupt", "Corrupted", "Corruption"].into_iter().any(is)
            || ["Violated", "Violation"].into_iter().any(is);
        if critical && !among(&DENIALS, if of_data { before } else { last }) {
            let is_over = words(name).last().is_some_and(|end| among(&ENDS, end));
            return (!is_over).then_some(Severity::Critical);
        }
        (before, last) = (last, word);
    }
    None
}

/// Whether the last word of the name is a watchdog or a heartbeat, which is not a fault.
/// `HeartbeatMissing` is the opposite.
pub(crate) fn is_heartbeat(name: &str) -> bool {
    let last = words(name).last().unwrap_or_default();
    let is_beat =
        ["Watchdog", "Heartbeat", "DeadMansSwitch"].into_iter().any(|known| last.eq_ignore_ascii_case(known));
    let is_denied = || {
        let denials = ["No", "Not", "Missing", "Missed", "Lost", "Late", "Stale", "Absent", "Failed"];
        words(name).any(|word| denials.into_iter().any(|denial| word.eq_ignore_ascii_case(denial)))
    };
    is_beat && !is_denied() || name.eq_ignore_ascii_case("DeadMansSwitch")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        for (name, want) in [
            ("LLMModelVeryStale", "LLM Model Very Stale"),
            ("EndpointRegistrationTransientFailure", "Endpoint Registration Transient Failure"),
            ("disk_very-full.now", "disk very full now"),
            ("HTTP5xxRate", "HTTP5xx Rate"),
            ("X", "X"),
            ("__", ""),
            ("ÜberLast", "Über Last"),
        ] {
            assert_eq!(words(name).collect::<Vec<_>>().join(" "), want, "{name}");
        }
    }

    #[test]
    fn forms_of_a_name_are_found() {
        assert_eq!(
            lasting_form("EndpointRegistrationTransientFailure").as_deref(),
            Some("EndpointRegistrationFailure")
        );
        assert_eq!(lasting_form("link_transient_failure").as_deref(), Some("link_failure"));
        assert_eq!(lasting_form("Transient"), None);
        assert_eq!(lasting_form("TransientlyOdd"), None);
        assert_eq!(rung("LLMModelVeryStale"), Some(("LLMModelStale".into(), 1)));
        assert_eq!(rung("disk-critically-full"), Some(("disk-full".into(), 2)));
        assert_eq!(rung("VeryFull"), Some(("Full".into(), 1)));
        assert_eq!(rung("DeliveryLate"), None);
    }

    #[test]
    fn only_whole_words_make_a_name_critical() {
        for name in [
            "SwypePaymentGatewayDown",
            "data_loss",
            "DataLossSeen",
            "IndexCorrupted",
            "SLOViolated",
            "dns-outage",
            "NoSQLDown",
            "CountServiceDown",
            "ScaleDownServiceUnavailable",
        ] {
            assert_eq!(severity(name), Some(Severity::Critical), "{name}");
        }
        for name in [
            "CountdownLate",
            "Downscaled",
            "LossOfPatience",
            "PacketLoss",
            "LLMModelStale",
            "NoOutage",
            "payments_not_down",
            "DataLossRecovered",
            "no-data-loss",
            "ScaleDownBlocked",
        ] {
            assert_eq!(severity(name), None, "{name}");
        }
    }

    #[test]
    fn a_heartbeat_is_no_fault_and_a_missing_one_is() {
        for name in ["Watchdog", "PaymentHeartbeat", "dead-mans heartbeat", "DeadMansSwitch"] {
            assert!(is_heartbeat(name), "{name}");
        }
        for name in [
            "PaymentWorkerHeartbeatMissing",
            "PaymentHeartbeatLost",
            "heartbeat_missing_payments",
            "PaymentWatchdogTimeout",
            "WatchdogRestartedPayments",
            "No heartbeat from payment-worker for 10 minutes",
            "MissingHeartbeat",
            "no-heartbeat",
        ] {
            assert!(!is_heartbeat(name), "{name}");
        }
    }
}
