//! Reports of pods and containers: the fields of the Kubernetes API that a breaker reads.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A pod's `metadata.uid`. Unlike a name, it is never used again.
pub type PodUid = String;

/// One report of a pod: its metadata and status at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodReport {
    /// `metadata.uid`.
    pub uid: PodUid,
    /// `metadata.name`.
    pub name: String,
    /// `spec.nodeName`; empty until the pod is scheduled.
    pub node: String,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// The owner reference with `controller: true`, if there is one.
    pub controller: Option<Owner>,
    /// Value of `pod-template-hash`, else `rollouts-pod-template-hash`, else
    /// `controller-revision-hash`; empty when the pod has none of these labels.
    pub revision: String,
    /// `metadata.deletionTimestamp` is set. Terminations of such a pod never count.
    pub deleting: bool,
    /// Phase `Succeeded` or `Failed`: the pod will not start a container again.
    pub finished: bool,
    /// Condition `Ready` is true.
    pub ready: bool,
    /// Condition `AllContainersRestarting` is true: one container ended, and the kubelet restarts
    /// all containers of the pod.
    pub restarting_all: bool,
    /// Fields that could not be read, each as a sentence without a full stop:
    /// `status.containerStatuses[0].restartCount is -1`. Nearly always empty.
    pub odd: Vec<String>,
    /// Init containers, including sidecars, then app containers.
    pub containers: Vec<ContainerReport>,
}

impl PodReport {
    /// Whether the pod is neither being deleted nor finished.
    pub fn is_live(&self) -> bool {
        !self.deleting && !self.finished
    }

    /// Whether any container of the pod has started at least once.
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
    /// Name of the container.
    pub name: String,
    /// Kind of the container: app, init or sidecar.
    pub kind: ContainerKind,
    /// `restartCount`.
    pub restart_count: u32,
    /// `containerID` of the status itself; empty when absent.
    pub container_id: String,
    /// `state`.
    pub state: ContainerState,
    /// `lastState.terminated`. It is boxed, because most containers of a large fleet have none.
    pub last: Option<Box<Terminated>>,
}

impl ContainerReport {
    /// How long a container must run before the kubelet resets its restart back-off: 10 minutes.
    pub(crate) const BACKOFF_RESET: SignedDuration = SignedDuration::from_mins(10);

    /// Whether the container does not run, or has run for less than
    /// [`BACKOFF_RESET`](Self::BACKOFF_RESET).
    pub(crate) fn is_failing(&self, now: Timestamp) -> bool {
        match self.state {
            ContainerState::Running { started_at } => {
                started_at.is_some_and(|at| now.duration_since(at) < Self::BACKOFF_RESET)
            }
            _ => true,
        }
    }
}

/// `state` of a container status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// Not running; `reason` is for example `CrashLoopBackOff` or `ContainerCreating`.
    Waiting {
        /// `state.waiting.reason`; empty when absent.
        reason: String,
    },
    /// Running.
    Running {
        /// `state.running.startedAt`.
        started_at: Option<Timestamp>,
    },
    /// Ended. The kubelet may start the next instance.
    Terminated(Box<Terminated>),
}

/// A `terminated` state of the API: how one container instance ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    /// `containerID` of the ended instance; empty when the runtime lost it.
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

/// The kind of a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerKind {
    /// An entry of `spec.containers`.
    #[default]
    App,
    /// An init container that ends before the app containers start.
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
}

/// A `core/v1` Event about a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodEvent {
    /// `reason`, for example `Killing`, `Evicted`, `FailedCreatePodSandBox`.
    pub reason: String,
    /// `message` as the kubelet wrote it.
    pub message: String,
    /// `involvedObject.fieldPath`, for example `spec.containers{app}`; empty when the Event is
    /// about the whole pod.
    pub field_path: String,
    /// The newest of `lastTimestamp`, `series.lastObservedTime`, `eventTime`.
    pub at: Option<Timestamp>,
}
