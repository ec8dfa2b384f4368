//! The clock that a supervisor uses.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// The clock of a [`Supervisor`](crate::Supervisor): the current time, and waits.
///
/// The wall clock dates what happens, and it may be set at any time. The monotonic clock measures
/// waits. The binaries pass the system's clocks; the tests and the demo pass scripted ones.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The current instant of the wall clock.
    fn now(&self) -> Timestamp;

    /// The time of the monotonic clock since an arbitrary start. It never falls, and setting the
    /// wall clock does not change it.
    fn elapsed(&self) -> SignedDuration;

    /// Returns after the time from now to `until`, or at once if `until` has passed. Setting the
    /// wall clock meanwhile does not change the wait.
    async fn sleep_until(&self, until: Timestamp);

    /// The present wall time of an instant of the monotonic clock.
    fn wall_time(&self, elapsed: SignedDuration) -> Timestamp {
        let ago = self.elapsed() - elapsed;
        self.now().checked_sub(ago).unwrap_or(Timestamp::MIN)
    }
}

/// An instant of the wall clock, after that was set forward by `by`, or back if it is negative.
pub(crate) fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}
