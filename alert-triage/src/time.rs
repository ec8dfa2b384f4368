//! Times as sources write them.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Reads times, also those that leave out the year or the zone.
#[derive(Debug)]
pub(crate) struct TimeReader {
    /// Gives times without a year their year.
    pub(crate) reference: Option<Timestamp>,
    /// The zone of times without one.
    pub(crate) zone: TimeZone,
    /// Whether any time had no zone. Atomic, since it is set by reading.
    pub(crate) has_assumed_zone: AtomicBool,
}

impl Default for TimeReader {
    fn default() -> Self {
        Self { reference: None, zone: TimeZone::UTC, has_assumed_zone: AtomicBool::new(false) }
    }
}

impl TimeReader {
    /// One for another part of the same input.
    pub(crate) fn sibling(&self) -> Self {
        Self { reference: self.reference, zone: self.zone.clone(), ..Self::default() }
    }

    pub(crate) fn merge(&self, other: &Self) {
        if other.has_assumed_zone() {
            self.has_assumed_zone.store(true, Ordering::Relaxed);
        }
    }

    /// Whether any time was without a zone.
    pub(crate) fn has_assumed_zone(&self) -> bool {
        self.has_assumed_zone.load(Ordering::Relaxed)
    }

    /// The name of the zone of times without one, or its offset.
    pub(crate) fn zone_name(&self) -> String {
        match (self.zone.iana_name(), self.zone.to_fixed_offset()) {
            (Some(name), _) => name.to_owned(),
            (None, Ok(offset)) => offset.to_string(),
            (None, Err(_)) => "the given zone".to_owned(),
        }
    }

    /// The instant of a date and time without a zone. One that a change of the clocks skips or
    /// repeats has the offset from before the change.
    pub(crate) fn in_zone(&self, civil: DateTime) -> Option<Timestamp> {
        let at = self.zone.to_ambiguous_timestamp(civil).compatible().ok()?;
        self.has_assumed_zone.store(true, Ordering::Relaxed);
        Some(at)
    }

    /// RFC 3339, with a blank for the T and without an offset as well, or seconds, milliseconds,
    /// microseconds or nanoseconds since 1970.
    pub(crate) fn parse(&self, text: &str) -> Option<Timestamp> {
        match parsed(text)? {
            Parsed::Instant(at) => Some(at),
            Parsed::Civil(civil) => self.in_zone(civil),
        }
    }

    /// A leading time and the rest of the line; in brackets as well.
    pub(crate) fn leading<'l>(&self, line: &'l str) -> Leading<'l> {
        let bytes = line.as_bytes();
        let Some(first) = bytes.first() else { return Leading::None };
        if *first == b'[' {
            let Some((inside, rest)) = line[1..].split_once(']') else { return Leading::None };
            return match (self.leading(inside), rest.trim_start()) {
                (Leading::At(at, ""), rest) => Leading::At(at, rest),
                (Leading::Yearless(""), rest) => Leading::Yearless(rest),
                _ => Leading::None,
            };
        }
        if first.is_ascii_digit() {
            let token = line.split(char::is_whitespace).next().unwrap_or_default();
            let rest = line[token.len()..].trim_start();
            let bare = token.trim_end_matches([':', ',']);
            if bare.len() == 10 && bare.as_bytes()[4] == b'-' {
                // A date, a blank, a time.
                let time = rest.split(char::is_whitespace).next().unwrap_or_default();
                if let Some(at) = self.parse(&format!("{bare}T{}", time.replace(',', "."))) {
                    return Leading::At(at, rest[time.len()..].trim_start());
                }
                return Leading::None;
            }
            let is_epoch = bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            if is_epoch && bare.split('.').next().is_some_and(|whole| whole.len() < 9) {
                return Leading::None;
            }
            return self.parse(bare).map_or(Leading::None, |at| Leading::At(at, rest));
        }
        self.syslog(line)
    }

    /// `Nov  3 06:51:59`.
    fn syslog<'l>(&self, line: &'l str) -> Leading<'l> {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let Some(month) = line.get(..3).and_then(|name| MONTHS.iter().position(|known| *known == name))
        else {
            return Leading::None;
        };
        let Some(stamp) = line.get(..15).filter(|stamp| stamp.is_ascii()) else { return Leading::None };
        let rest = &line[15..];
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            return Leading::None;
        }
        let number = |from: usize, to: usize| stamp[from..to].trim_start().parse::<i8>().ok();
        let parts = (number(4, 6), number(7, 9), number(10, 12), number(13, 15));
        let (Some(day), Some(hour), Some(minute), Some(second)) = parts else { return Leading::None };
        if !(stamp.as_bytes()[9] == b':' && stamp.as_bytes()[12] == b':') {
            return Leading::None;
        }
        let Some(reference) = self.reference else { return Leading::Yearless(rest.trim_start()) };
        match self.in_year(month as i8 + 1, day, (hour, minute, second), reference) {
            Some(at) => Leading::At(at, rest.trim_start()),
            None => Leading::None,
        }
    }

    /// The year of a month, day, hour, minute and second: that of the latest such time at most one
    /// day after the reference.
    #[cfg(feature = "syslog")]
    pub(crate) fn year(&self, date: (u32, u32, u32, u32, u32), reference: Timestamp) -> Option<i16> {
        let (month, day, hour, minute, second) = date;
        let small = |number: u32| i8::try_from(number).ok();
        let time = (small(hour)?, small(minute)?, small(second)?);
        let at = self.in_year(small(month)?, small(day)?, time, reference)?;
        Some(self.zone.to_datetime(at).year())
    }

    /// The latest such time at most one day after the reference.
    fn in_year(
        &self,
        month: i8,
        day: i8,
        (hour, minute, second): (i8, i8, i8),
        reference: Timestamp,
    ) -> Option<Timestamp> {
        let latest = reference.saturating_add(SignedDuration::from_hours(24)).ok()?;
        let year = self.zone.to_datetime(latest).year();
        [year, year - 1, year - 2, year - 3, year - 4].into_iter().find_map(|year| {
            let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
            self.in_zone(civil).filter(|at| *at <= latest)
        })
    }
}

/// A time as it is written.
enum Parsed {
    Instant(Timestamp),
    /// Without a zone.
    Civil(DateTime),
}

fn parsed(text: &str) -> Option<Parsed> {
    let text = text.trim();
    let first = *text.as_bytes().first()?;
    if !first.is_ascii_digit() && first != b'-' {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return epoch(text).map(Parsed::Instant);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(Parsed::Instant(at));
    }
    let civil = text.parse::<DateTime>().ok()?;
    // A date alone is not an instant.
    text.contains(':').then_some(Parsed::Civil(civil))
}

/// Whether a text is a time.
pub(crate) fn is_time(text: &str) -> bool {
    parsed(text).is_some()
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, by magnitude: seconds up to the
/// year 5138.
pub(crate) fn epoch(digits: &str) -> Option<Timestamp> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || fraction.contains('.') || whole.len() > 19 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    match whole {
        0..100_000_000_000 => {
            let nanos: i64 = format!("{fraction:0<9.9}").parse().ok()?;
            Timestamp::new(whole, i32::try_from(nanos).ok()?).ok()
        }
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(whole).ok(),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(whole).ok(),
        _ => Timestamp::from_nanosecond(i128::from(whole)).ok(),
    }
}

/// `None` for the year 1, which is Go's zero time.
pub(crate) fn unless_zero(at: Timestamp) -> Option<Timestamp> {
    const YEAR_2: i64 = -62_104_060_800;
    (at.as_second() > YEAR_2).then_some(at)
}

/// The time that a line begins with, and the rest of the line.
#[derive(Debug, PartialEq)]
pub(crate) enum Leading<'l> {
    None,
    At(Timestamp, &'l str),
    /// A time without a year, such as `Nov 23 06:51:59`.
    Yearless(&'l str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_read() {
        let want = Some(at("2026-11-23T06:51:59Z"));
        for text in [
            "2026-11-23T06:51:59Z",
            "2026-11-23T07:51:59+01:00",
            "2026-11-23T06:51:59.000+0000",
            "2026-11-23 06:51:59",
            "1795416719",
            "1795416719000",
            "1795416719000000",
            "1795416719.000",
        ] {
            assert_eq!(TimeReader::default().parse(text), want, "{text}");
        }
        for text in ["", "soon", "2026-11-23", "2026-13-23T06:51:59Z", "1.2.3", "99999999999999999999"] {
            assert_eq!(TimeReader::default().parse(text), None, "{text}");
        }
        assert_eq!(unless_zero(at("0001-01-01T00:00:00Z")), None);
        assert_eq!(unless_zero(at("1970-01-01T00:00:00Z")), Some(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn leading_times_are_taken_off() {
        let when = at("2026-11-23T06:51:59Z");
        let times = TimeReader { reference: Some(when), ..TimeReader::default() };
        for line in [
            "2026-11-23T06:51:59Z Zone AB: X",
            "2026-11-23 06:51:59 Zone AB: X",
            "2026-11-23 06:51:59,000 Zone AB: X",
            "[2026-11-23T06:51:59Z] Zone AB: X",
            "1795416719 Zone AB: X",
            "1795416719.000 Zone AB: X",
            "Nov 23 06:51:59 Zone AB: X",
            "[Nov 23 06:51:59] Zone AB: X",
        ] {
            assert_eq!(times.leading(line), Leading::At(when, "Zone AB: X"), "{line}");
        }
        assert_eq!(
            TimeReader::default().leading("Nov  3 06:51:59 Zone AB: X"),
            Leading::Yearless("Zone AB: X")
        );
        for line in [
            "Zone AB: X",
            "5xx rate",
            "42 Zone AB: X",
            "November rain",
            "Nov 23 6:51:59 X",
            "[AB] X",
            "",
            "2026-11-23 X",
        ] {
            assert_eq!(times.leading(line), Leading::None, "{line}");
        }
    }

    #[test]
    fn the_year_is_the_one_before_the_reference() {
        let times = TimeReader::default();
        assert_eq!(
            times.in_year(12, 31, (23, 59, 59), at("2026-01-01T00:10:00Z")),
            Some(at("2025-12-31T23:59:59Z"))
        );
        assert_eq!(
            times.in_year(1, 1, (0, 0, 5), at("2025-12-31T23:59:59Z")),
            Some(at("2026-01-01T00:00:05Z"))
        );
        assert_eq!(
            times.in_year(2, 29, (0, 0, 0), at("2026-11-23T00:00:00Z")),
            Some(at("2024-02-29T00:00:00Z"))
        );
    }

    #[test]
    fn a_time_without_a_zone_is_in_that_of_the_reader() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let reference = Some(at("2026-11-23T12:00:00Z"));
        for (text, want, is_assumed) in [
            ("2026-11-23T06:51:59Z", "2026-11-23T06:51:59Z", false),
            ("2026-11-23T06:51:59+05:00", "2026-11-23T01:51:59Z", false),
            ("1795416719", "2026-11-23T06:51:59Z", false),
            ("2026-11-23 06:51:59", "2026-11-23T05:51:59Z", true),
            ("2026-07-23T06:51:59.000", "2026-07-23T04:51:59Z", true),
            ("Nov 23 06:51:59", "2026-11-23T05:51:59Z", true),
            // Skipped by the clocks, and repeated by them.
            ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z", true),
            ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z", true),
        ] {
            let times = TimeReader { reference, zone: zone.clone(), ..TimeReader::default() };
            assert_eq!(times.leading(text), Leading::At(at(want), ""), "{text}");
            assert_eq!(times.has_assumed_zone(), is_assumed, "{text}");
        }
    }
}
