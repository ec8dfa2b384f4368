//! [`Revision`]: one stored version of an object, reduced to what the laws are about.

use breaker_core::Record;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use serde_json::Value;

/// One stored version of an object.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Its `resourceVersion`: one order for all kinds of object, since one etcd stores them.
    pub version: u64,
    /// When the auditor has read it.
    pub at: Timestamp,
    /// What was stored.
    pub stored: Stored,
}

/// What a revision stores.
#[derive(Debug, Clone)]
pub enum Stored {
    /// `spec.replicas` of the target.
    Replicas(u32),
    /// The Record; `None` when there is none or it cannot be read.
    Record(Option<Box<Record>>),
    /// A pod of the target, by name; `None` when it is deleted.
    Pod(String, Option<PodRevision>),
}

/// What one revision of a pod says about its restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodRevision {
    /// UID of the pod.
    pub uid: String,
    /// `restartCount` of its containers, added.
    pub restarts: u32,
    /// Whether the newest termination left words of a network failure.
    pub is_network: bool,
    /// Since when all its containers run; `None` when one does not.
    pub running_since: Option<Timestamp>,
}

impl PodRevision {
    /// Reads a pod. `network` is what the message of a network failure contains.
    pub fn new(pod: &Pod, network: &str) -> Self {
        let statuses: &[ContainerStatus] =
            pod.status.as_ref().and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
        let starts = statuses.iter().map(|status| {
            let running = status.state.as_ref().and_then(|state| state.running.as_ref())?;
            running.started_at.as_ref().map(|at| at.0)
        });
        let starts: Option<Vec<_>> = starts.collect();
        let last_messages = statuses
            .iter()
            .filter_map(|status| status.last_state.as_ref()?.terminated.as_ref()?.message.as_deref());
        Self {
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            restarts: statuses.iter().map(|status| u32::try_from(status.restart_count).unwrap_or(0)).sum(),
            is_network: last_messages.into_iter().any(|message| message.contains(network)),
            running_since: starts.and_then(|starts| starts.into_iter().max()),
        }
    }
}

/// The Record in a ConfigMap or in the status of a CircuitBreaker; `None` when there is none or it
/// cannot be read.
pub(crate) fn record_of(object: &Value) -> Option<Box<Record>> {
    let record = match object.pointer("/data/record.json") {
        Some(text) => serde_json::from_str(text.as_str()?).ok()?,
        None => serde_json::from_value(object.pointer("/status/record")?.clone()).ok()?,
    };
    Some(Box::new(record))
}

/// One call of the hook before a trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookCall {
    /// The idempotency key.
    pub id: String,
    /// The episode of the trip.
    pub episode: u64,
    /// When it arrived.
    pub at: Timestamp,
}
