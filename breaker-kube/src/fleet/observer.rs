//! [`FleetObserver`]: the receiver of what a fleet reports.

use breaker_core::{BreakerEvent, Snapshot, WorkloadRef};
use jiff::Timestamp;

use crate::crd::BreakerName;

/// Receives the events and snapshots of a fleet's breakers. Called from many tasks.
pub trait FleetObserver: Send + Sync {
    /// A breaker emitted an event about its target.
    fn event(&self, breaker: &BreakerName, target: &WorkloadRef, at: Timestamp, event: &BreakerEvent);

    /// A breaker changed. First called once its pods are listed.
    fn snapshot(&self, breaker: &BreakerName, snapshot: &Snapshot);

    /// A breaker was deleted, or is no longer watched here.
    fn gone(&self, breaker: &BreakerName);

    /// The fleet itself reports something, perhaps about one breaker.
    fn fleet_event(&self, breaker: Option<&BreakerName>, at: Timestamp, message: &str);
}
