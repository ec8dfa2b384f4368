//! Time as an argument.

use async_trait::async_trait;
use jiff::Timestamp;

/// Where a [`Supervisor`](crate::Supervisor) learns what time it is and waits for a later one.
///
/// The binaries pass the system's clock, the tests and the demo a scripted one.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;

    /// Returns at `until`, at once when that has passed.
    async fn sleep_until(&self, until: Timestamp);
}
