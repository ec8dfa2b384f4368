//! What is seen of a pod: the few facts a breaker needs, as the API server last reported them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A pod's `metadata.uid`: unlike its name, never used twice.
pub type PodUid = String;

/// One observation of one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodReport {
    /// `metadata.uid`.
    pub uid: PodUid,
    /// `metadata.name`.
    pub name: String,
    /// `spec.nodeName`, empty until scheduled.
    pub node: String,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// The owner reference with `controller: true`.
    pub controller: Option<Owner>,
    /// Value of `pod-template-hash`, else `rollouts-pod-template-hash`, else
    /// `controller-revision-hash`; empty when the pod carries none of them.
    pub revision: String,
    /// `metadata.deletionTimestamp` is set: its terminations are wanted and never count.
    pub deleting: bool,
    /// Phase `Succeeded` or `Failed`: the pod will not start a container again.
    pub finished: bool,
    /// Condition `Ready` is true.
    pub ready: bool,
    /// Condition `AllContainersRestarting` is true: one container's exit made the kubelet stop its siblings.
    pub restarting_all: bool,
    /// Init containers (sidecars among them), then app containers.
    pub containers: Vec<ContainerReport>,
}

impl PodReport {
    /// Neither on its way out nor finished.
    pub fn is_live(&self) -> bool {
        !self.deleting && !self.finished
    }

    /// Some container of the pod has started at least once.
    pub fn has_started(&self) -> bool {
        self.containers.iter().any(|c| {
            c.restart_count > 0 || c.last.is_some() || !matches!(c.state, ContainerState::Waiting { .. })
        })
    }
}

/// The controller of a pod, from its owner references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Kind as written in the reference, for example `ReplicaSet`.
    pub kind: String,
    /// Name of the controller.
    pub name: String,
    /// UID of the controller.
    pub uid: String,
}

/// One entry of `containerStatuses` or `initContainerStatuses`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerReport {
    /// Name inside the pod.
    pub name: String,
    /// App, init, or sidecar (an init container with `restartPolicy: Always`).
    pub kind: ContainerKind,
    /// `restartCount`.
    pub restart_count: u32,
    /// The status's own `containerID`, empty when absent.
    pub container_id: String,
    /// `state`.
    pub state: ContainerState,
    /// `lastState.terminated`. Boxed, since most containers of a large fleet have none.
    pub last: Option<Box<Terminated>>,
}

/// `state` of a container status; one of three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// Not running; `reason` is for example `CrashLoopBackOff` or `ContainerCreating`.
    Waiting {
        /// `state.waiting.reason`, empty when absent.
        reason: String,
    },
    /// Running.
    Running {
        /// `state.running.startedAt`.
        started_at: Option<Timestamp>,
    },
    /// Ended; a successor may follow.
    Terminated(Box<Terminated>),
}

/// A `terminated` state as the API shows it: one ended container instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    /// `containerID` of the ended instance, empty when the runtime lost it.
    pub container_id: String,
    /// `exitCode`.
    pub exit_code: i32,
    /// `signal`, when the runtime reports one.
    pub signal: Option<i32>,
    /// `reason`, for example `Error`, `OOMKilled`, `Completed`.
    pub reason: String,
    /// `message`: the termination message, at most 4,096 bytes; empty under the default policy.
    pub message: String,
    /// `startedAt`.
    pub started_at: Option<Timestamp>,
    /// `finishedAt`; absent when the runtime lost the container.
    pub finished_at: Option<Timestamp>,
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
