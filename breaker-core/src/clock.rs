//! The clock that a supervisor uses.

use async_trait::async_trait;
use jiff::Timestamp;

/// The clock of a [`Supervisor`](crate::Supervisor): the current time, and waits.
///
/// The binaries pass the system clock; the tests and the demo pass a scripted one.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;

    /// Returns at `until`, or at once if `until` has passed.
    async fn sleep_until(&self, until: Timestamp);
}
