//! [`Restarts`]: how long a breaker that stopped waits before it starts again.

use std::time::Duration;

use breaker_core::backoff::Backoff;
use jiff::SignedDuration;

/// The pauses: 10 s, then each twice as long.
const BACKOFF: Backoff = Backoff::new(SignedDuration::from_secs(10), SignedDuration::from_mins(5));

/// A run that lasts this long has worked. It is longer than every pause, so a breaker that stops
/// again and again does not become faster.
const WORKED_AFTER: Duration = Duration::from_mins(10);

/// Longest pause while the API server does not answer: its return is not announced.
const MAX_OUTAGE_PAUSE: Duration = Duration::from_secs(30);

/// The runs of one breaker that have failed in a row.
#[derive(Debug, Default)]
pub(super) struct Restarts(u32);

impl Restarts {
    /// The pause after a run that has lasted for `ran`. `unreachable`: it ended because the API
    /// server did not answer.
    pub(super) fn pause_after(&mut self, ran: Duration, unreachable: bool) -> Duration {
        if ran >= WORKED_AFTER {
            self.0 = 0;
        }
        let pause = BACKOFF.delay(self.0).unsigned_abs();
        self.0 = self.0.saturating_add(1);
        if unreachable { pause.min(MAX_OUTAGE_PAUSE) } else { pause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_a_run_has_worked() {
        let mut restarts = Restarts::default();
        let mut pauses_after = |runs: &[u64]| -> Vec<u64> {
            runs.iter().map(|ran| restarts.pause_after(Duration::from_secs(*ran), false).as_secs()).collect()
        };
        // A start that succeeds is not a run that works.
        assert_eq!(pauses_after(&[0, 30, 1, 300, 0, 0, 599]), [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(pauses_after(&[600, 0]), [10, 20]);
    }

    #[test]
    fn an_api_server_that_does_not_answer_is_asked_at_least_every_half_minute() {
        let mut restarts = Restarts::default();
        let pauses = [(); 5].map(|()| restarts.pause_after(Duration::ZERO, true).as_secs());
        assert_eq!(pauses, [10, 20, 30, 30, 30]);
    }
}
