//! Where records are in the input, and when they were, as text.

use alert_triage::report::Seen;
use jiff::Timestamp;

/// The first and the last time, or else line: `06:06–06:41`, `13–30`.
pub(super) fn span(first: &Seen, last: &Seen, now: Option<Timestamp>) -> String {
    match (first.at.or(last.at), last.at) {
        (Some(from), Some(to)) => times(from, to, now),
        _ => match (&first.source, first.source == last.source) {
            (None, _) if first.line == last.line => first.line.to_string(),
            (None, _) => format!("{}–{}", first.line, last.line),
            (Some(_), true) if first.line == last.line => line(first),
            (Some(_), true) => format!("{}–{}", line(first), last.line),
            (Some(_), false) => format!("{}–{}", line(first), line(last)),
        },
    }
}

/// The same, with `line` or `lines` in front of line numbers.
pub(super) fn span_with_unit(first: &Seen, last: &Seen, now: Option<Timestamp>) -> String {
    let span = span(first, last, now);
    match (first.at.or(last.at), &first.source, first.line == last.line) {
        (None, None, true) => format!("line {span}"),
        (None, None, false) => format!("lines {span}"),
        _ => span,
    }
}

fn times(from: Timestamp, to: Timestamp, now: Option<Timestamp>) -> String {
    let (first, last) = (time(from, now), time(to, now));
    match () {
        () if first == last => first,
        () if day(from) == day(to) => format!("{first}–{}", to.strftime("%H:%M")),
        () => format!("{first}–{last}"),
    }
}

/// A time to the minute, in UTC; with the day and the year if they are not those of `now`.
pub(super) fn time(at: Timestamp, now: Option<Timestamp>) -> String {
    let year = |at: Timestamp| at.strftime("%Y").to_string();
    let format = match now {
        Some(now) if day(now) == day(at) => "%H:%M",
        Some(now) if year(now) == year(at) => "%m-%d %H:%M",
        _ => "%F %H:%M",
    };
    at.strftime(format).to_string()
}

fn day(at: Timestamp) -> String {
    at.strftime("%F").to_string()
}

/// `12`, or `night.log:12` if there are several files.
fn line(seen: &Seen) -> String {
    match &seen.source {
        Some(source) => format!("{source}:{}", seen.line),
        None => seen.line.to_string(),
    }
}
