//! When to judge: soon after something came, not for each line, and now and then for what time alone changes.

use std::time::Duration;

/// Between two judgements at least.
const BETWEEN: Duration = Duration::from_millis(250);

/// Input that rests for so long is looked at without waiting for more.
const REST: Duration = Duration::from_millis(50);

/// Without input: silences end, what lasts becomes sustained, what nobody hears of becomes obsolete.
const TICK: Duration = Duration::from_secs(5);

/// Judging takes a tenth of the time at most while lines come, and a fiftieth when none do.
const BUSY: u32 = 10;
const IDLE: u32 = 50;

/// All times are spans since the start, by a clock that nobody sets.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// What came since the last judgement: the first, and the last of it.
    came: Option<(Duration, Duration)>,
    judged: Duration,
    /// Of the last judgement.
    cost: Duration,
}

impl Pace {
    pub(super) fn read(&mut self, at: Duration) {
        self.came = Some((self.came.map_or(at, |(first, _)| first), at));
    }

    pub(super) fn judged(&mut self, from: Duration, to: Duration) {
        self.came = None;
        self.judged = to;
        self.cost = to.saturating_sub(from);
    }

    /// When to judge next.
    pub(super) fn next(&self) -> Duration {
        match self.came {
            Some((first, last)) => {
                let soon = (last + REST).min(first + BETWEEN);
                soon.max(self.judged + BETWEEN.max(self.cost * BUSY))
            }
            None => self.judged + TICK.max(self.cost * IDLE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn judging_waits_for_a_rest_and_not_for_ever() {
        for (case, cost, came, want) in [
            ("nothing came: the tick", 1, vec![], 15_000),
            ("one line: its rest", 1, vec![12_000], 12_050),
            ("lines without rest", 1, vec![12_000, 12_040, 12_080, 12_120, 12_160, 12_200, 12_240], 12_250),
            ("lines right behind a judgement", 1, vec![10_001, 10_010], 10_250),
            ("a judgement that takes long: the next one waits", 900, vec![10_100], 19_000),
            ("and the tick does", 900, vec![], 55_000),
        ] {
            let mut pace = Pace::default();
            pace.judged(ms(10_000 - cost), ms(10_000));
            came.into_iter().for_each(|at| pace.read(ms(at)));
            assert_eq!(pace.next(), ms(want), "{case}");
        }
    }
}
