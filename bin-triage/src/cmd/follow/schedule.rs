//! When to judge: soon after input, but not once per line; and at intervals, for changes that come
//! with time alone.

use std::time::Duration;

/// The shortest time between two judgements.
const MIN_INTERVAL: Duration = Duration::from_millis(250);

/// After this time without more input, the input so far is judged.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// The time between two judgements without input. Silences end, transients become sustained, and
/// alerts become obsolete.
const IDLE_INTERVAL: Duration = Duration::from_secs(5);

/// The interval is at least this many times the duration of the last judgement: judging takes at
/// most a tenth of the time with input, and a fiftieth without.
const BUSY_FACTOR: u32 = 10;
const IDLE_FACTOR: u32 = 50;

/// Computes the time of the next judgement. All times are durations since the start, from a
/// monotonic clock.
#[derive(Debug, Default)]
pub(super) struct JudgeSchedule {
    /// When the first and the last input since the last judgement arrived.
    arrived: Option<(Duration, Duration)>,
    /// The end of the last judgement.
    judged: Duration,
    /// The duration of the last judgement.
    cost: Duration,
}

impl JudgeSchedule {
    /// Input was read.
    pub(super) fn read(&mut self, at: Duration) {
        self.arrived = Some((self.arrived.map_or(at, |(first, _)| first), at));
    }

    /// A judgement took this time.
    pub(super) fn judged(&mut self, from: Duration, to: Duration) {
        self.arrived = None;
        self.judged = to;
        self.cost = to.saturating_sub(from);
    }

    /// When to judge next.
    pub(super) fn next(&self) -> Duration {
        match self.arrived {
            Some((first, last)) => {
                let soon = (last + DEBOUNCE).min(first + MIN_INTERVAL);
                soon.max(self.judged + MIN_INTERVAL.max(self.cost * BUSY_FACTOR))
            }
            None => self.judged + IDLE_INTERVAL.max(self.cost * IDLE_FACTOR),
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
    fn judging_waits_for_a_pause_in_the_input_but_not_for_ever() {
        for (case, cost, came, want) in [
            ("no input: the idle interval", 1, vec![], 15_000),
            ("one line: the pause after it", 1, vec![12_000], 12_050),
            (
                "lines without a pause",
                1,
                vec![12_000, 12_040, 12_080, 12_120, 12_160, 12_200, 12_240],
                12_250,
            ),
            ("lines right after a judgement", 1, vec![10_001, 10_010], 10_250),
            ("a judgement that takes long: the next one waits", 900, vec![10_100], 19_000),
            ("and so does the idle interval", 900, vec![], 55_000),
        ] {
            let mut schedule = JudgeSchedule::default();
            schedule.judged(ms(10_000 - cost), ms(10_000));
            came.into_iter().for_each(|at| schedule.read(ms(at)));
            assert_eq!(schedule.next(), ms(want), "{case}");
        }
    }
}
