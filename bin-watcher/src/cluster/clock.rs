//! The clocks of the machine.

use std::sync::LazyLock;
use std::time::Instant;

use async_trait::async_trait;
use breaker_core::Clock;
use jiff::{SignedDuration, Timestamp};

/// The start of the monotonic clock: when it was first read.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The wall clock of the machine, and waits on its monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> SignedDuration {
        START.elapsed().try_into().unwrap_or(SignedDuration::MAX)
    }

    async fn sleep_until(&self, until: Timestamp) {
        let left = until.duration_since(self.now());
        if left.is_positive() {
            tokio::time::sleep(left.unsigned_abs()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_returns_not_before_the_time_and_at_once_when_that_has_passed() {
        let (start, elapsed) = (SystemClock.now(), SystemClock.elapsed());
        SystemClock.sleep_until(start - SignedDuration::from_hours(1)).await;
        let wait = SignedDuration::from_millis(20);
        SystemClock.sleep_until(start + wait).await;
        assert!(SystemClock.elapsed() - elapsed >= wait - SignedDuration::from_millis(1));
    }
}
