//! [`EventRecorder`]: what the fleet itself reports, to its observer and as Kubernetes Events.

use std::collections::BTreeSet;
use std::sync::Arc;

use breaker_core::cluster::KubernetesEvent;
use breaker_core::state::TripReason;
use breaker_core::{Record, WorkloadRef};
use jiff::Timestamp;
use parking_lot::Mutex;
use ring::digest::{SHA256, digest};

use super::observer::FleetObserver;
use super::status_writer::StatusWriter;
use crate::autoscalers::resume_command;
use crate::client::KubeClient;
use crate::crd::RESET_ANNOTATION;
use crate::crd::condition::reason;
use crate::events;

/// The workload of a stopped breaker stays scaled down.
const WORKLOAD_LEFT_SCALED_DOWN: &str = "WorkloadLeftScaledDown";
/// The annotation that requests a reset is not a time.
const RESET_IGNORED: &str = "ResetIgnored";
/// The outage guard holds every trip.
const OUTAGE_GUARD: &str = "OutageGuard";

pub(crate) struct EventRecorder {
    kube: KubeClient,
    observer: Arc<dyn FleetObserver>,
    /// The faults that several breakers share, and that were reported for the first of them.
    shared_faults: Mutex<BTreeSet<SharedFault>>,
}

/// A fault that many breakers have at the same time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SharedFault {
    /// The API server does not answer.
    Unreachable,
    /// This RBAC rule is missing.
    MissingRule(String),
    /// The installed CustomResourceDefinition is older than this program.
    OldDefinition,
}

impl EventRecorder {
    pub(crate) fn new(kube: KubeClient, observer: Arc<dyn FleetObserver>) -> Self {
        Self { kube, observer, shared_faults: Mutex::default() }
    }

    /// Reports something about the whole fleet to the observer.
    pub(crate) fn emit(&self, message: &str) {
        self.observer.fleet_event(None, self.kube.clock.now(), message);
    }

    /// Reports a warning about a breaker to the observer, and as an Event on its CircuitBreaker.
    pub(crate) fn record_event(&self, status: &StatusWriter, reason: &'static str, message: &str) {
        self.observer.fleet_event(Some(&status.name), self.kube.clock.now(), message);
        self.publish(status, reason, message);
    }

    /// As [`EventRecorder::record_event`]. A fault that several breakers share is reported to the
    /// observer for the first of them.
    pub(crate) fn record_fault(
        &self,
        status: &StatusWriter,
        reason: &'static str,
        message: &str,
        fault: Option<SharedFault>,
    ) {
        let Some(fault) = fault else { return self.record_event(status, reason, message) };
        if self.shared_faults.lock().insert(fault.clone()) {
            let line = match fault {
                // The status cannot be stored, and with it no condition.
                SharedFault::OldDefinition => message.to_owned(),
                _ => {
                    format!("{message}; other breakers with this fault show it in their condition Ready only")
                }
            };
            self.observer.fleet_event(Some(&status.name), self.kube.clock.now(), &line);
        }
        self.publish(status, reason, message);
    }

    /// The API server answers: the next time that it does not is reported.
    pub(crate) fn reachable(&self) {
        self.shared_faults.lock().remove(&SharedFault::Unreachable);
    }

    /// A status was stored: the next one that cannot be is reported.
    pub(crate) fn status_stored(&self) {
        self.shared_faults.lock().remove(&SharedFault::OldDefinition);
    }

    /// Reports that the outage guard is on, and publishes an Event on one CircuitBreaker.
    pub(crate) fn record_outage(&self, status: Option<&StatusWriter>, message: &str) {
        self.emit(message);
        if let Some(status) = status {
            self.publish(status, OUTAGE_GUARD, message);
        }
    }

    /// Publishes on the CircuitBreaker that it would have tripped. The observer has the breaker's
    /// own event.
    pub(crate) fn record_would_trip(&self, status: &StatusWriter, because: &TripReason) {
        self.publish(
            status,
            reason::WOULD_TRIP,
            &format!("it only observes; it would have tripped: {because}"),
        );
    }

    /// Reports that a breaker stops and its workload stays scaled down. The Event is on the
    /// workload, because the CircuitBreaker may be deleted.
    pub(crate) fn record_left_scaled_down(
        &self,
        status: &StatusWriter,
        target: &WorkloadRef,
        replicas: u32,
        why: &str,
    ) {
        let Record { target_uid, episode, .. } = status.record().unwrap_or_default();
        let keda = match status.read(|model| model.paused.clone()) {
            Some(pause) => format!("; to resume KEDA: {}", resume_command(&target.namespace, &pause)),
            None => String::new(),
        };
        let message = format!(
            "{why}; {target} stays at its present replicas. To restore it: kubectl scale -n {} {} \
             --replicas={replicas}{keda}",
            target.namespace,
            target.slash()
        );
        self.observer.fleet_event(Some(&status.name), self.kube.clock.now(), &message);
        let event = KubernetesEvent {
            // Each trip may leave the workload scaled down once.
            key: format!(
                "{target_uid}.{}.{episode}.{}",
                status.uid,
                WORKLOAD_LEFT_SCALED_DOWN.to_ascii_lowercase()
            ),
            uid: target_uid,
            warning: true,
            reason: WORKLOAD_LEFT_SCALED_DOWN.into(),
            action: "None".into(),
            note: message,
        };
        let (kube, target) = (self.kube.clone(), target.clone());
        tokio::spawn(async move {
            if let Err(error) = events::publish(&kube, &target, &event).await {
                tracing::warn!("{}", error.chain());
            }
        });
    }

    /// Whether the value of the reset annotation is a time; reports it when it is not.
    pub(crate) fn check_reset(&self, status: &StatusWriter, value: &str) -> bool {
        let is_time = value.parse::<Timestamp>().is_ok();
        if !is_time {
            let message = format!(
                "annotation {RESET_ANNOTATION}: `{value}` is not a valid time; write RFC 3339, for example \
                 2026-01-02T03:04:05Z"
            );
            self.record_event(status, RESET_IGNORED, &message);
        }
        is_time
    }

    /// Publishes a warning on a CircuitBreaker. An Event that cannot be published is lost.
    /// `ResetIgnored` and `OutageGuard` have no condition; the observer still reports them.
    fn publish(&self, status: &StatusWriter, reason: &'static str, message: &str) {
        let regarding = status.reference();
        let event = KubernetesEvent {
            key: event_name(&status.uid, self.kube.clock.now(), reason, message),
            uid: status.uid.clone(),
            warning: true,
            reason: reason.into(),
            action: "None".into(),
            note: message.into(),
        };
        let kube = self.kube.clone();
        tokio::spawn(async move {
            if let Err(error) = events::publish_regarding(&kube, regarding, &event).await {
                tracing::warn!("{}", error.chain());
            }
        });
    }
}

/// The name of an Event. Two controllers that report the same thing within a second choose the same
/// name; another message has another one.
fn event_name(uid: &str, at: Timestamp, reason: &str, message: &str) -> String {
    let hash = digest(&SHA256, message.as_bytes());
    let hash: String = hash.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{uid}.{}.{}.{hash}", at.as_second(), reason.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_name_of_its_own_for_each_breaker_second_reason_and_message() {
        let name = |uid, second, reason, message| {
            event_name(uid, Timestamp::from_second(second).unwrap(), reason, message)
        };
        let names = [
            name("u", 1, "InvalidSpec", "a"),
            name("u", 1, "InvalidSpec", "b"),
            name("u", 2, "InvalidSpec", "a"),
            name("u", 1, "Conflict", "a"),
            name("v", 1, "InvalidSpec", "a"),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert_eq!(names[0], name("u", 1, "InvalidSpec", "a"));
        assert_eq!(names[0], "u.1.invalidspec.ca978112");
    }
}
