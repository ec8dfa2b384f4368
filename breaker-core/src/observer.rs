//! The receiver of the events and snapshots of a supervisor.

use jiff::Timestamp;

use crate::event::BreakerEvent;
use crate::snapshot::Snapshot;

/// Receives the events of one breaker, in order, and its snapshots.
///
/// A closure `FnMut(Timestamp, &BreakerEvent)` is an observer of the events alone.
pub trait Observer: Send {
    /// Called with each event.
    fn event(&mut self, at: Timestamp, event: &BreakerEvent);

    /// Called after the events of a step, if the snapshot differs from the one before; first once
    /// the pods have been listed. Does nothing by default.
    fn snapshot(&mut self, at: Timestamp, snapshot: &Snapshot) {
        let _ = (at, snapshot);
    }
}

impl<F: FnMut(Timestamp, &BreakerEvent) + Send> Observer for F {
    fn event(&mut self, at: Timestamp, event: &BreakerEvent) {
        self(at, event);
    }
}
