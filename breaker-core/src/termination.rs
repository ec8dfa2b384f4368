//! A termination: everything known of one ended container instance.

use crate::pod::{ContainerKind, PodEvent, PodUid, Terminated};

/// One ended container instance, with the evidence gathered about it.
///
/// Evidence that could not be had is simply empty; *why* it could not is
/// the rule of the verdict, [`Verdict::rule`](crate::Verdict::rule).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Termination {
    /// `metadata.uid` of the pod.
    pub pod_uid: PodUid,
    /// Name of the pod.
    pub pod: String,
    /// Node it ran on.
    pub node: String,
    /// Name of the container.
    pub container: String,
    /// App, init or sidecar.
    pub kind: ContainerKind,
    /// The terminated state: exit code, signal, reason, times, message, containerID.
    pub terminated: Terminated,
    /// `state.waiting.reason` beside the termination, empty when the container was not waiting.
    pub waiting: String,
    /// The log's end, without the kubelet's time stamps; at most 2,048 bytes, may start in mid-line.
    pub log_tail: String,
    /// Core events of this pod that concern this container's end.
    pub events: Vec<PodEvent>,
}
