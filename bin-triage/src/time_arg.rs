//! A time on the command line: an instant, a date, or how long ago it was.

use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// What to write instead of a text that is not a time.
const EXAMPLES: &str = "write 2026-11-23T06:51:59Z, 2026-11-23, 1795157519 (seconds since 1970), now, \
                        yesterday, or how long ago it was, such as -2h or \"3 days ago\"";

/// A time whose zone another flag may give.
#[derive(Debug, Clone)]
pub(crate) struct TimeArg {
    text: String,
    /// When it was given.
    clock: Timestamp,
}

impl TimeArg {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        time(text)?;
        Ok(Self { text: text.trim().to_owned(), clock: Timestamp::now() })
    }

    /// The time; in this zone if its text has none, and without a zone in UTC.
    pub(crate) fn in_zone(&self, zone: Option<&TimeZone>) -> Option<Timestamp> {
        at(&self.text, self.clock, zone.unwrap_or(&TimeZone::UTC))
    }
}

/// The time that the text says. A time without a zone is in UTC, as in the input.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    at(text.trim(), Timestamp::now(), &TimeZone::UTC).ok_or_else(|| format!("not a valid time: {EXAMPLES}"))
}

/// A time zone by its name or its offset.
pub(crate) fn zone(text: &str) -> Result<TimeZone, String> {
    let zone = DateTimeParser::new().parse_time_zone(text.trim());
    zone.map_err(|_| {
        "not a known time zone: write Europe/Berlin, UTC, or an offset such as +02:00".to_owned()
    })
}

/// The time that the text says at `clock`.
fn at(text: &str, clock: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let instant = |civil: DateTime| zone.to_ambiguous_timestamp(civil).compatible().ok();
    let midnight = |date: Date| instant(date.to_datetime(jiff::civil::Time::midnight()));
    let today = zone.to_datetime(clock).date();
    match text.to_ascii_lowercase().as_str() {
        "now" => return Some(clock),
        "today" => return midnight(today),
        "yesterday" => return midnight(today.yesterday().ok()?),
        _ => {}
    }
    // A number alone is an instant and not a span.
    let unsigned = text.trim_start_matches(['-', '+']);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let is_whole = !unsigned.contains('.');
        return is_whole.then(|| text.parse().ok().and_then(|at| Timestamp::from_second(at).ok())).flatten();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // A date parses as a date and time as well, but means its midnight either way.
    if let Ok(at) = text.parse::<DateTime>() {
        return instant(at);
    }
    let span: Span = text.parse().ok()?;
    // `2h` may be meant either way; `-2h` and `2h ago` may not.
    let is_past = span.is_negative();
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    is_past.then(|| clock.checked_add(length).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_instants_dates_words_or_spans() {
        let clock: Timestamp = "2026-11-23T06:51:59Z".parse().unwrap();
        for (text, want) in [
            ("2026-11-22T00:00:00Z", Some("2026-11-22T00:00:00Z")),
            ("2026-11-22T01:00:00+01:00", Some("2026-11-22T00:00:00Z")),
            ("2026-11-22 10:30", Some("2026-11-22T10:30:00Z")),
            ("2026-11-22", Some("2026-11-22T00:00:00Z")),
            ("1795157519", Some("2026-11-20T06:51:59Z")),
            ("-1", Some("1969-12-31T23:59:59Z")),
            ("now", Some("2026-11-23T06:51:59Z")),
            ("Today", Some("2026-11-23T00:00:00Z")),
            ("yesterday", Some("2026-11-22T00:00:00Z")),
            ("-2h", Some("2026-11-23T04:51:59Z")),
            ("-1d 2h 30m", Some("2026-11-22T04:21:59Z")),
            ("2h ago", Some("2026-11-23T04:51:59Z")),
            ("3 days ago", Some("2026-11-20T06:51:59Z")),
            ("1 week ago", Some("2026-11-16T06:51:59Z")),
            ("-P1DT1H", Some("2026-11-22T05:51:59Z")),
            // Neither certainly past nor of a known length.
            ("2h", None),
            ("-1 month", None),
            ("soon", None),
            ("12.5", None),
            ("", None),
            ("-", None),
        ] {
            let found = at(text, clock, &TimeZone::UTC).map(|at| at.to_string());
            assert_eq!(found.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_in_the_given_one() {
        let clock: Timestamp = "2026-11-23T23:30:00Z".parse().unwrap();
        for (zone_text, text, want) in [
            ("Europe/Berlin", "2026-11-22 10:30", Some("2026-11-22T09:30:00Z")),
            ("Europe/Berlin", "2026-07-22 10:30", Some("2026-07-22T08:30:00Z")),
            ("Europe/Berlin", "2026-11-22T10:30:00Z", Some("2026-11-22T10:30:00Z")),
            ("Europe/Berlin", "today", Some("2026-11-23T23:00:00Z")),
            ("-05:00", "yesterday", Some("2026-11-22T05:00:00Z")),
            ("+02:00", "-2h", Some("2026-11-23T21:30:00Z")),
            ("utc", "2026-11-22", Some("2026-11-22T00:00:00Z")),
        ] {
            let found = at(text, clock, &zone(zone_text).unwrap()).map(|at| at.to_string());
            assert_eq!(found.as_deref(), want, "{text} {zone_text}");
        }
        for text in ["", "Mars/Olympus", "+25:61", "CEST"] {
            assert!(zone(text).is_err(), "{text}");
        }
    }
}
