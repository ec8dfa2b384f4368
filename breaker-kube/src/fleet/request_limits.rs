//! [`RequestLimits`]: how many requests of a fleet run at the same time.
//!
//! An outage makes a thousand breakers act at once, and each request takes a connection. Watches
//! and the Lease have no limit.

use tokio::sync::{Semaphore, SemaphorePermit};

use super::evidence_lanes::EvidenceLanes;

/// Requests for trips that may run at the same time, for the whole fleet.
const MAX_CONCURRENT_CALLS: usize = 16;

/// Reads at the start of a breaker, and status writes without a new Record, at the same time.
const MAX_CONCURRENT_STATUS_CALLS: usize = 8;

/// The permits of a fleet. Each kind of request is served in the order in which it was wanted.
pub(crate) struct RequestLimits {
    writes: Semaphore,
    status: Semaphore,
    /// Logs and Events. A kubelet that does not answer holds a permit for seconds, and no trip may
    /// wait for that.
    pub(crate) evidence: EvidenceLanes,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            writes: Semaphore::new(MAX_CONCURRENT_CALLS),
            status: Semaphore::new(MAX_CONCURRENT_STATUS_CALLS),
            evidence: EvidenceLanes::default(),
        }
    }
}

impl RequestLimits {
    /// A permit for what a trip needs: scales, Records and lists of pods. Take it before any lock,
    /// and only one at a time.
    pub(crate) async fn write(&self) -> Option<SemaphorePermit<'_>> {
        self.writes.acquire().await.ok()
    }

    /// A permit for the start of a breaker and for a status without a new Record.
    pub(crate) async fn status(&self) -> Option<SemaphorePermit<'_>> {
        self.status.acquire().await.ok()
    }
}
