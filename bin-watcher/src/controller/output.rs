//! What the controller writes to standard output and counts.

use std::io::Write;
use std::sync::Arc;

use breaker_core::{BreakerEvent, Snapshot, WorkloadRef};
use breaker_kube::crd::BreakerName;
use breaker_kube::fleet::FleetObserver;
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::cli::format::LineFormat;
use crate::controller::metrics::Metrics;
use crate::output::event::{CliEvent, EventWriter};

/// Writes the events of all breakers to standard output and counts them. Heartbeats are not
/// written.
pub(crate) struct ControllerOutput {
    writer: Mutex<EventWriter<Box<dyn Write + Send>>>,
    pub(crate) metrics: Arc<Metrics>,
}

impl ControllerOutput {
    pub(crate) fn new(format: LineFormat) -> Self {
        let writer = EventWriter::new(format, Box::new(std::io::stdout()) as _);
        Self { writer: Mutex::new(writer), metrics: Arc::default() }
    }

    /// Writes a note about the controller itself.
    pub(crate) fn note(&self, message: &str) {
        self.emit_note(None, Timestamp::now(), message);
    }

    fn emit_note(&self, breaker: Option<&BreakerName>, at: Timestamp, message: &str) {
        self.writer.lock().emit_about(breaker, None, at, &CliEvent::Note { message: message.into() });
    }
}

impl FleetObserver for ControllerOutput {
    fn event(&self, breaker: &BreakerName, target: &WorkloadRef, at: Timestamp, event: &BreakerEvent) {
        self.metrics.event(breaker, event);
        if !matches!(event, BreakerEvent::Heartbeat { .. }) {
            self.writer.lock().emit_about(Some(breaker), Some(target), at, event);
        }
    }

    fn snapshot(&self, breaker: &BreakerName, snapshot: &Snapshot) {
        self.metrics.snapshot(breaker, snapshot);
    }

    fn gone(&self, breaker: &BreakerName) {
        self.metrics.gone(breaker);
    }

    fn fleet_event(&self, breaker: Option<&BreakerName>, at: Timestamp, message: &str) {
        self.emit_note(breaker, at, message);
    }
}
