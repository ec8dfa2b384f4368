//! The calls that a breaker makes on a cluster.

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::kubernetes_event::KubernetesEvent;
use crate::pod::{PodEvent, PodReport, PodUid, Terminated};
use crate::{ClusterError, Record, WorkloadRef};

/// The cluster, as far as a breaker needs it. Object-safe; `breaker-kube` implements it on kube-rs and `sim` in
/// memory. The example `own_cluster` implements it without a cluster.
///
/// Each call is one attempt; the caller decides whether and when to try again.
#[async_trait]
pub trait ClusterClient: Send + Sync {
    /// News of the pods that `selector` matches in `namespace`, without end: the first item is
    /// [`PodWatchEvent::Listed`], and the implementation reconnects and lists again by itself.
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent>;

    /// A fresh list of the same pods, read from the API server now.
    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError>;

    /// Reads the target's scale.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] when the target is gone, [`ClusterError::NoSelector`] when its scale
    /// names no pods.
    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError>;

    /// Sets `spec.replicas`, if the target still is at `seen.resource_version`; answers with the new scale.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`] when it is not.
    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError>;

    /// Who last set the target's replicas, by its managed fields; `None` when they do not say.
    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError>;

    /// The end of the log that the ended instance wrote: at most its last 2,048 bytes, only lines from
    /// its own lifetime.
    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError>;

    /// The core events whose `involvedObject.uid` is the pod's.
    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError>;

    /// The Record kept for the target, if there is one.
    ///
    /// # Errors
    /// [`ClusterError::BadRecord`] when something is stored that cannot be read.
    async fn load_record(&self, target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError>;

    /// Stores `record`: over the version `over`, or as the first one when that is `None`.
    /// Answers with the version now stored.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`] when another version is stored.
    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError>;

    /// Publishes an Event on the target. An event with the same `key` already there counts as done.
    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError>;
}

/// An event of a pod watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodWatchEvent {
    /// A pod was added or changed.
    Applied(PodReport),
    /// A pod was deleted.
    Deleted(PodUid),
    /// All pods there are; what is absent is gone.
    Listed(Vec<PodReport>),
    /// The watch is established, or was established again, without other news.
    Alive,
    /// The watch broke and is being established again; says why.
    Down(String),
}

/// A scale subresource, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// `metadata.uid`: the target's own.
    pub uid: String,
    /// `metadata.resourceVersion`: the precondition of the next write.
    pub resource_version: String,
    /// `spec.replicas`; an absent field means 0.
    pub replicas: u32,
    /// `status.selector`, a label selector as a string; never empty.
    pub selector: String,
}

/// Which log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTailRequest {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// The terminated instance.
    pub terminated: Terminated,
    /// It is still the container's current instance (`state.terminated`): its log is not yet `previous`.
    pub current: bool,
}

/// The answer to [`ClusterClient::log_tail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTail {
    /// The log's end, without time stamps; may be empty and may start in mid-line.
    Text(String),
    /// The log no longer exists.
    Gone,
}

/// A Record as stored, with the version a later write must name.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecord {
    /// What was stored.
    pub record: Record,
    /// Its `resourceVersion`.
    pub version: String,
}
