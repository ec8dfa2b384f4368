//! The calls that a breaker makes on a cluster.

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;

use super::kubernetes_event::KubernetesEvent;
use super::peer_service::{PeerService, ServiceAddress};
use crate::pod::{PodEvent, PodReport, PodUid, Terminated};
use crate::{ClusterError, Record, WorkloadRef};

/// A client for the cluster calls of a breaker. Object-safe; `breaker-kube` implements it on
/// kube-rs and `sim` in memory.
///
/// Each call is one attempt; the caller decides whether and when to retry.
///
/// A cluster without pods; the example `own_cluster` runs a breaker on it:
///
/// ```
/// use async_trait::async_trait;
/// use breaker_core::cluster::{
///     KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord,
/// };
/// use breaker_core::pod::{PodEvent, PodReport};
/// use breaker_core::{ClusterClient, ClusterError, Record, WorkloadRef};
/// use breaker_core::jiff::Timestamp;
/// use futures::stream::{self, BoxStream, StreamExt};
///
/// type Answer<T> = Result<T, ClusterError>;
///
/// struct EmptyCluster(Scale);
///
/// #[async_trait]
/// impl ClusterClient for EmptyCluster {
///     fn watch_pods(&self, _: &str, _: &str) -> BoxStream<'static, PodWatchEvent> {
///         let listed = PodWatchEvent::Listed { pods: vec![], asked_at: Timestamp::UNIX_EPOCH };
///         stream::iter([listed]).chain(stream::pending()).boxed()
///     }
///     async fn list_pods(&self, _: &str, _: &str) -> Answer<Vec<PodReport>> { Ok(vec![]) }
///     async fn read_scale(&self, _: &WorkloadRef) -> Answer<Scale> { Ok(self.0.clone()) }
///     async fn write_scale(&self, _: &WorkloadRef, seen: &Scale, replicas: u32) -> Answer<Scale> {
///         Ok(Scale { replicas, ..seen.clone() })
///     }
///     async fn scaled_by(&self, _: &WorkloadRef) -> Answer<Option<String>> { Ok(None) }
///     async fn log_tail(&self, _: &LogTailRequest) -> Answer<LogTail> { Ok(LogTail::Gone) }
///     async fn pod_events(&self, _: &str, _: &str) -> Answer<Vec<PodEvent>> { Ok(vec![]) }
///     async fn load_record(&self, _: &WorkloadRef) -> Answer<Option<StoredRecord>> { Ok(None) }
///     async fn save_record(
///         &self, _: &WorkloadRef, _: &Record, _over: Option<String>,
///     ) -> Answer<String> {
///         Ok("1".into())
///     }
///     async fn publish(&self, _: &WorkloadRef, _: &KubernetesEvent) -> Answer<()> { Ok(()) }
/// }
/// ```
#[async_trait]
pub trait ClusterClient: Send + Sync {
    /// Watches the pods in `namespace` that `selector` matches. The stream never ends and starts
    /// with [`PodWatchEvent::Listed`]; the implementation reconnects and lists again by itself.
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent>;

    /// Lists the same pods, from the API server and not from a cache.
    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError>;

    /// Reads the target's scale.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] when the target is gone, [`ClusterError::NoSelector`] when its
    /// scale names no pods.
    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError>;

    /// Sets `spec.replicas` if the target is still at `seen.resource_version`; returns the new
    /// scale.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`] when it is not.
    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError>;

    /// Returns the field manager that last set the target's replicas; `None` if no managed field
    /// names one.
    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError>;

    /// Reads the end of the log of a terminated instance: at most its last 500 lines and 256 KiB,
    /// and only lines from its own lifetime.
    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError>;

    /// Lists the core events whose `involvedObject.uid` is the pod's.
    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError>;

    /// Returns the Service at `address` with its endpoints, for a pod of `namespace`; `None` if it
    /// is not known, for whatever reason. It explains a verdict and decides nothing. Knows nothing
    /// by default.
    async fn peer_service(&self, namespace: &str, address: &ServiceAddress) -> Option<PeerService> {
        let _ = (namespace, address);
        None
    }

    /// Reads the stored Record of the target; `None` if there is none.
    ///
    /// # Errors
    /// [`ClusterError::BadRecord`] when the stored Record cannot be parsed.
    async fn load_record(&self, target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError>;

    /// Stores `record` in place of the version `over`, or as the first one if `over` is `None`.
    /// Returns the version that is stored now.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`] when another version is stored.
    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError>;

    /// Publishes an Event on the target. If an Event with the same `key` exists, the call succeeds.
    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError>;
}

/// An event of a pod watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodWatchEvent {
    /// A pod was added or changed.
    Applied(PodReport),
    /// A pod was deleted.
    Deleted(PodUid),
    /// A list of the pods.
    Listed {
        /// All pods that existed at some instant after `asked_at`.
        pods: Vec<PodReport>,
        /// When the list was asked for. It says nothing about a pod that was reported later.
        asked_at: Timestamp,
    },
    /// The watch is connected, or connected again; no pod has changed.
    Alive,
    /// The pods cannot be listed or watched, for this reason. The client tries again by itself.
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
    /// Name of its node, whose kubelet has the log; empty if unknown.
    pub node: String,
    /// Name of the container.
    pub container: String,
    /// The terminated instance.
    pub terminated: Terminated,
    /// Whether it is the container's current instance (`state.terminated`), whose log is not yet
    /// `previous`.
    pub current: bool,
}

/// The answer to [`ClusterClient::log_tail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTail {
    /// The end of the log, without timestamps; may be empty and may start inside a line.
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
