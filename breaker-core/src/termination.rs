//! A termination: everything known of one ended container instance.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{PodUid, Terminated};

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
    pub death: Terminated,
    /// `state.waiting.reason` beside the death, empty when the container was not waiting.
    pub waiting: String,
    /// The log's end, without the kubelet's time stamps; at most 2,048 bytes, may start in mid-line.
    pub log_tail: String,
    /// Core events of this pod that concern this container's end.
    pub events: Vec<PodEvent>,
}

/// What kind of container it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerKind {
    /// An entry of `spec.containers`.
    #[default]
    App,
    /// An init container that runs to its end before the app starts.
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
}

/// A core/v1 Event about a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodEvent {
    /// `reason`, for example `Killing`, `Evicted`, `FailedCreatePodSandBox`.
    pub reason: String,
    /// `message` as the kubelet wrote it.
    pub message: String,
    /// `involvedObject.fieldPath`, for example `spec.containers{app}`; empty when it concerns the whole pod.
    pub field_path: String,
    /// The newest of `lastTimestamp`, `series.lastObservedTime`, `eventTime`.
    pub at: Option<Timestamp>,
}
