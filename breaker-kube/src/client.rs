//! [`KubeClient`]: each method of the door, in its own file.

use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, Stored};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::{Clock, ClusterClient, ClusterError, Record, WorkloadRef};
use futures::stream::BoxStream;
use kube::Client;

use crate::discovery::KindCache;
use crate::request_metrics::{RequestCounter, RequestMetrics};
use crate::watch_liveness::WatchLiveness;

/// A cluster behind an API server.
///
/// Cheap to clone; clones share connections. Safe to use from many supervisors at once.
#[derive(Clone)]
pub struct KubeClient {
    pub(crate) client: Client,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pulses: WatchLiveness,
    pub(crate) kinds: Arc<KindCache>,
    pub(crate) tally: RequestCounter,
    namespace: String,
}

impl KubeClient {
    pub(crate) fn new(
        client: Client,
        namespace: String,
        clock: Arc<dyn Clock>,
        pulses: WatchLiveness,
        tally: RequestCounter,
    ) -> Self {
        Self { client, clock, pulses, kinds: Arc::default(), tally, namespace }
    }

    /// The namespace of the context, `default` when it names none.
    pub fn default_namespace(&self) -> &str {
        &self.namespace
    }

    /// What passed between this client, its clones included, and the API server so far.
    pub fn request_metrics(&self) -> RequestMetrics {
        self.tally.so_far()
    }
}

#[async_trait]
impl ClusterClient for KubeClient {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        self.pods_watched(namespace, selector)
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        self.pods_listed(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        self.scale_read(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        self.scale_written(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        self.scaler(target).await
    }

    async fn last_words(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        self.last_words_of(of).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        self.events_of_pod(namespace, pod_uid).await
    }

    async fn load_record(&self, target: &WorkloadRef) -> Result<Option<Stored>, ClusterError> {
        self.record_loaded(target).await
    }

    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        self.record_saved(target, record, over.as_deref()).await
    }

    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        self.published(target, event).await
    }
}
