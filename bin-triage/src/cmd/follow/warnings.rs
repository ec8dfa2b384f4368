//! Warnings of malformed lines, limited in number.

use jiff::{SignedDuration, Timestamp};

use crate::output::phrases::counted;

/// At most this many malformed lines are reported one by one within [`INTERVAL`]; the others are
/// counted in one line at its end.
const MAX_SHOWN: u64 = 5;
const INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// Limits the warnings of one input.
#[derive(Debug)]
pub(super) struct Warnings {
    name: String,
    /// The start of the current interval.
    since: Option<Timestamp>,
    shown: u64,
    held_back: u64,
    /// The line of the last warning that was held back.
    last: u64,
}

impl Warnings {
    /// `name` is printable.
    pub(super) fn new(name: String) -> Self {
        Self { name, since: None, shown: 0, held_back: 0, last: 0 }
    }

    /// Takes malformed lines, each with its error, and returns warnings. `count` includes lines
    /// that are not listed.
    pub(super) fn malformed(&mut self, lines: &[(u64, String)], count: u64, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::from_iter(self.tick(now));
        if count > 0 {
            self.since.get_or_insert(now);
        }
        let mut shown = 0;
        for (line, error) in lines {
            if self.shown < MAX_SHOWN {
                self.shown += 1;
                shown += 1;
                warnings.push(format!("{}:{line} {error}", self.name));
            } else {
                self.last = *line;
            }
        }
        self.held_back += count.saturating_sub(shown);
        warnings
    }

    /// Counts the warnings that were held back, at the end of the interval.
    pub(super) fn tick(&mut self, now: Timestamp) -> Option<String> {
        let is_over = self.since.is_some_and(|since| now.duration_since(since).abs() >= INTERVAL);
        if is_over { self.flush() } else { None }
    }

    /// Counts the warnings that were held back, and starts a new interval.
    pub(super) fn flush(&mut self) -> Option<String> {
        let held_back = std::mem::take(&mut self.held_back);
        (self.since, self.shown) = (None, 0);
        let what = counted(held_back, "more malformed line");
        (held_back > 0).then(|| format!("{}: {what}, up to line {}", self.name, self.last))
    }

    /// One warning for all malformed lines that existed at the start.
    pub(super) fn at_start(&self, lines: &[(u64, String)], count: u64) -> Option<String> {
        let (line, error) = lines.first()?;
        let others = if count > 1 { format!("; {} more before the end", count - 1) } else { String::new() };
        Some(format!("{}:{line} {error}{others}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(from: u64, to: u64) -> Vec<(u64, String)> {
        (from..=to).map(|line| (line, "is wrong".to_owned())).collect()
    }

    #[test]
    fn a_few_are_reported_and_the_rest_is_counted() {
        let mut warnings = Warnings::new("a.log".to_owned());
        let at = |seconds: i64| Timestamp::from_second(1_795_521_600 + seconds).unwrap();
        let one = |line| format!("a.log:{line} is wrong");
        assert_eq!(warnings.malformed(&lines(1, 3), 3, at(0)), [one(1), one(2), one(3)]);
        assert_eq!(warnings.malformed(&lines(4, 9), 6, at(1)), [one(4), one(5)]);
        assert_eq!(warnings.malformed(&lines(10, 12), 5_000, at(2)), [""; 0]);
        assert_eq!(warnings.tick(at(9)), None);
        assert_eq!(warnings.tick(at(10)).unwrap(), "a.log: 5004 more malformed lines, up to line 12");
        assert_eq!(warnings.tick(at(20)), None, "once");
        assert_eq!(warnings.malformed(&lines(13, 13), 1, at(30)), [one(13)], "a new interval");
        assert_eq!(warnings.malformed(&lines(14, 14), 1, at(50)), [one(14)], "and another");
        assert_eq!(warnings.flush(), None);
    }

    #[test]
    fn lines_at_the_start_are_one_warning() {
        let warnings = Warnings::new("a.log".to_owned());
        assert_eq!(warnings.at_start(&[], 0), None);
        assert_eq!(warnings.at_start(&lines(7, 7), 1).unwrap(), "a.log:7 is wrong");
        assert_eq!(warnings.at_start(&lines(7, 9), 3).unwrap(), "a.log:7 is wrong; 2 more before the end");
    }
}
