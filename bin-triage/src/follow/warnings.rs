//! What goes to standard error: enough to see that something is wrong, not so much that nothing else is seen.

use jiff::{SignedDuration, Timestamp};

use crate::output::words::counted;

/// Malformed lines told of one by one in a while; the others are summed up when it is over.
const SHOWN: u64 = 5;
const WHILE: SignedDuration = SignedDuration::from_secs(10);

#[derive(Debug)]
pub(super) struct Warnings {
    name: String,
    since: Option<Timestamp>,
    shown: u64,
    held: u64,
    /// Line of the last one held.
    last: u64,
}

impl Warnings {
    /// `name` is printable.
    pub(super) fn new(name: String) -> Self {
        Self { name, since: None, shown: 0, held: 0, last: 0 }
    }

    /// Takes the malformed lines that came, each with what is wrong; `count` may be more than are listed.
    pub(super) fn malformed(&mut self, lines: &[(u64, String)], count: u64, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::from_iter(self.tick(now));
        if count > 0 {
            self.since.get_or_insert(now);
        }
        let mut told = 0;
        for (line, error) in lines {
            if self.shown < SHOWN {
                self.shown += 1;
                told += 1;
                warnings.push(format!("{}:{line} {error}", self.name));
            } else {
                self.last = *line;
            }
        }
        self.held += count.saturating_sub(told);
        warnings
    }

    /// Sums up what was held back, once the while is over.
    pub(super) fn tick(&mut self, now: Timestamp) -> Option<String> {
        let is_over = self.since.is_some_and(|since| now.duration_since(since).abs() >= WHILE);
        if is_over { self.sum() } else { None }
    }

    /// Sums up what was held back.
    pub(super) fn sum(&mut self) -> Option<String> {
        let held = std::mem::take(&mut self.held);
        (self.since, self.shown) = (None, 0);
        let what = counted(held, "more malformed line");
        (held > 0).then(|| format!("{}: {what}, up to line {}", self.name, self.last))
    }

    /// What was there before anybody looked is told of in one line.
    pub(super) fn of_before(&self, lines: &[(u64, String)], count: u64) -> Option<String> {
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
    fn a_few_are_told_and_the_rest_is_summed_up() {
        let mut warnings = Warnings::new("a.log".to_owned());
        let at = |seconds: i64| Timestamp::from_second(1_795_521_600 + seconds).unwrap();
        let one = |line| format!("a.log:{line} is wrong");
        assert_eq!(warnings.malformed(&lines(1, 3), 3, at(0)), [one(1), one(2), one(3)]);
        assert_eq!(warnings.malformed(&lines(4, 9), 6, at(1)), [one(4), one(5)]);
        assert_eq!(warnings.malformed(&lines(10, 12), 5_000, at(2)), [""; 0]);
        assert_eq!(warnings.tick(at(9)), None);
        assert_eq!(warnings.tick(at(10)).unwrap(), "a.log: 5004 more malformed lines, up to line 12");
        assert_eq!(warnings.tick(at(20)), None, "once");
        assert_eq!(warnings.malformed(&lines(13, 13), 1, at(30)), [one(13)], "a new while");
        assert_eq!(warnings.malformed(&lines(14, 14), 1, at(50)), [one(14)], "and another");
        assert_eq!(warnings.sum(), None);
    }

    #[test]
    fn what_was_there_is_told_in_one_line() {
        let warnings = Warnings::new("a.log".to_owned());
        assert_eq!(warnings.of_before(&[], 0), None);
        assert_eq!(warnings.of_before(&lines(7, 7), 1).unwrap(), "a.log:7 is wrong");
        assert_eq!(warnings.of_before(&lines(7, 9), 3).unwrap(), "a.log:7 is wrong; 2 more before the end");
    }
}
