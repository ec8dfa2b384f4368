//! [`EventRecorder`]: what the fleet itself reports, to its observer and as Kubernetes Events.

use std::sync::Arc;

use breaker_core::WorkloadRef;
use breaker_core::cluster::KubernetesEvent;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;

use super::observer::FleetObserver;
use super::status_writer::StatusWriter;
use crate::autoscalers::resume_command;
use crate::client::KubeClient;
use crate::crd::{CircuitBreaker, RESET_ANNOTATION};
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
}

impl EventRecorder {
    pub(crate) fn new(kube: KubeClient, observer: Arc<dyn FleetObserver>) -> Self {
        Self { kube, observer }
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

    /// Reports that the outage guard is on, and publishes an Event on one CircuitBreaker.
    pub(crate) fn record_outage(&self, status: Option<&StatusWriter>, message: &str) {
        self.emit(message);
        if let Some(status) = status {
            self.publish(status, OUTAGE_GUARD, message);
        }
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
        let target_uid = status.record().unwrap_or_default().target_uid;
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
            key: format!("{target_uid}.{}.{}", status.uid, WORKLOAD_LEFT_SCALED_DOWN.to_ascii_lowercase()),
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
        let regarding = ObjectReference {
            api_version: Some(CircuitBreaker::api_version(&()).into_owned()),
            kind: Some(CircuitBreaker::kind(&()).into_owned()),
            namespace: Some(status.name.namespace.clone()),
            name: Some(status.name.name.clone()),
            uid: Some(status.uid.clone()),
            ..ObjectReference::default()
        };
        // Whole seconds: two controllers that report the same thing choose the same name.
        let second = self.kube.clock.now().as_second();
        let event = KubernetesEvent {
            key: format!("{}.{second}.{}", status.uid, reason.to_ascii_lowercase()),
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
