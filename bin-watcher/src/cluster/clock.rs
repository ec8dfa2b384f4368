//! The clock of the machine.

use std::time::Duration;

use async_trait::async_trait;
use breaker_core::Clock;
use jiff::Timestamp;

/// Longest sleep before the wall clock is read again. A clock that was set, or a laptop that slept,
/// is noticed within this time.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Wall-clock time, on tokio's timers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, until: Timestamp) {
        loop {
            let left = until.duration_since(self.now());
            if !left.is_positive() {
                return;
            }
            tokio::time::sleep(left.unsigned_abs().min(MAX_SLEEP)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[tokio::test]
    async fn it_returns_not_before_the_time_and_at_once_when_that_has_passed() {
        let start = SystemClock.now();
        SystemClock.sleep_until(start - SignedDuration::from_hours(1)).await;
        let until = start + SignedDuration::from_millis(20);
        SystemClock.sleep_until(until).await;
        assert!(SystemClock.now() >= until);
    }
}
