//! States by the words of sources.

use crate::fault::Fault;
use crate::printable::printable;
use crate::record::Status;

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
