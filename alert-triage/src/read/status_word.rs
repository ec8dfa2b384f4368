//! States by the words of sources.

use crate::fault::Fault;
use crate::printable::printable;
use crate::record::Status;

/// The status for a word in a field of a state. Tickets and services for people on call have more
/// words than alerts. In front of a title such a word may be a topic: `[Monitoring] Disk full`.
pub(crate) fn field_status(word: &str) -> Result<Status, Fault> {
    status(word).or_else(|fault| ticket_status(word).ok_or(fault))
}

/// The status for a word of tickets and services.
#[cold]
fn ticket_status(word: &str) -> Option<Status> {
    const OPEN: [&str; 26] = [
        "acked",
        "activated",
        "assigned",
        "awaiting",
        "bad",
        "created",
        "crit",
        "degraded",
        "escalated",
        "identified",
        "inprogress",
        "investigating",
        "monitoring",
        "onhold",
        "ongoing",
        "outage",
        "raised",
        "reopened",
        "seen",
        "started",
        "todo",
        "unacked",
        "unacknowledged",
        "unhealthy",
        "unresolved",
        "unseen",
    ];
    const CLOSED: [&str; 13] = [
        "canceled",
        "cancelled",
        "clear",
        "complete",
        "completed",
        "ended",
        "finished",
        "good",
        "healthy",
        "operational",
        "restored",
        "solved",
        "succeeded",
    ];
    let plain: String = word.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect();
    let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(&plain));
    match () {
        () if is(&OPEN) => Some(Status::Firing),
        () if is(&CLOSED) => Some(Status::Resolved),
        () => status(&plain).ok(),
    }
}

/// The status for a word that a source uses.
pub(crate) fn status(word: &str) -> Result<Status, Fault> {
    const KNOWN: &str = "firing, pending, resolved and words like open, alarm, closed, ok";
    let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is(&[
        "firing",
        "active",
        "alarm",
        "alerting",
        "open",
        "opened",
        "trigger",
        "triggered",
        "re-triggered",
        "fired",
        "down",
        "critical",
        "warning",
        "warn",
        "failing",
        "failed",
        "problem",
        "unprocessed",
        "suppressed",
        "acknowledged",
        "acknowledge",
        "nodata",
        "error",
        "new",
    ]) {
        Ok(Status::Firing)
    } else if is(&[
        "resolved",
        "resolve",
        "ok",
        "closed",
        "normal",
        "recovered",
        "recovery",
        "inactive",
        "expired",
        "cleared",
        "up",
        "success",
        "done",
        "fixed",
    ]) {
        Ok(Status::Resolved)
    } else if word.eq_ignore_ascii_case("pending") {
        Ok(Status::Pending)
    } else {
        Err(Fault::BadState { value: printable(word), known: KNOWN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_more_words_than_a_title() {
        for (word, want) in [
            ("In Progress", Status::Firing),
            ("to-do", Status::Firing),
            ("Investigating", Status::Firing),
            (" firing ", Status::Firing),
            ("CLEAR", Status::Resolved),
            ("Cancelled", Status::Resolved),
            ("pending", Status::Pending),
        ] {
            assert_eq!(field_status(word).unwrap(), want, "{word}");
        }
        assert!(field_status("mauve").is_err());
        assert!(status("monitoring").is_err());
    }
}
