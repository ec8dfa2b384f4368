//! A termination: one ended container instance and the evidence about it.

use crate::pod::{ContainerKind, PodEvent, PodUid, Terminated};

/// One ended container instance, with the evidence gathered about it.
///
/// Evidence that could not be read is empty. [`Verdict::rule`](crate::Verdict::rule) names the
/// reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Termination {
    /// `metadata.uid` of the pod.
    pub pod_uid: PodUid,
    /// Name of the pod.
    pub pod: String,
    /// Name of the node that ran the pod.
    pub node: String,
    /// Name of the container.
    pub container: String,
    /// Kind of the container: app, init or sidecar.
    pub kind: ContainerKind,
    /// The `terminated` state: exit code, signal, reason, times, message, containerID.
    pub terminated: Terminated,
    /// `state.waiting.reason`; empty when the container was not waiting.
    pub waiting: String,
    /// The end of the log without the kubelet's timestamps, at most 256 KiB. It can start in the
    /// middle of a line.
    pub log_tail: String,
    /// Events of the pod that are about this termination.
    pub events: Vec<PodEvent>,
}

impl Termination {
    /// A termination with this `terminated` state and log tail. The other fields are empty.
    pub fn new(terminated: Terminated, log_tail: impl Into<String>) -> Self {
        Self { terminated, log_tail: log_tail.into(), ..Self::default() }
    }
}
