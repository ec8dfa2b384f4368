//! [`RequestLimits`]: how many requests of a fleet run at the same time, and a client that keeps to
//! it.
//!
//! An outage makes a thousand breakers act at once, and each request takes a connection. Watches
//! and the Lease have no limit.

use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::{ClusterClient, ClusterError, Record, WorkloadRef};
use futures::stream::BoxStream;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Requests of one kind that may run at the same time, for the whole fleet.
const MAX_CONCURRENT_CALLS: usize = 16;

/// Reads at the start of a breaker, and status writes without a new Record, at the same time.
const MAX_CONCURRENT_STATUS_CALLS: usize = 8;

/// The permits of a fleet. Each kind of request is served in the order in which it was wanted.
pub(crate) struct RequestLimits {
    writes: Semaphore,
    evidence: Semaphore,
    status: Semaphore,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            writes: Semaphore::new(MAX_CONCURRENT_CALLS),
            evidence: Semaphore::new(MAX_CONCURRENT_CALLS),
            status: Semaphore::new(MAX_CONCURRENT_STATUS_CALLS),
        }
    }
}

impl RequestLimits {
    /// A permit for what a trip needs: scales, Records and lists of pods. Take it before any lock.
    pub(crate) async fn write(&self) -> Option<SemaphorePermit<'_>> {
        self.writes.acquire().await.ok()
    }

    /// A permit for logs and Events. A kubelet that does not answer holds one for seconds, and no
    /// trip may wait for that.
    pub(crate) async fn evidence(&self) -> Option<SemaphorePermit<'_>> {
        self.evidence.acquire().await.ok()
    }

    /// A permit for the start of a breaker and for a status without a new Record.
    pub(crate) async fn status(&self) -> Option<SemaphorePermit<'_>> {
        self.status.acquire().await.ok()
    }
}

/// A client whose calls each hold a permit of the fleet's limits.
pub(crate) struct LimitedClient<C> {
    inner: C,
    limits: Arc<RequestLimits>,
}

impl<C> LimitedClient<C> {
    pub(crate) fn new(inner: C, limits: Arc<RequestLimits>) -> Self {
        Self { inner, limits }
    }
}

#[async_trait]
impl<C: ClusterClient> ClusterClient for LimitedClient<C> {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        self.inner.watch_pods(namespace, selector)
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        let _permit = self.limits.write().await;
        self.inner.list_pods(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        let _permit = self.limits.write().await;
        self.inner.read_scale(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        let _permit = self.limits.write().await;
        self.inner.write_scale(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        let _permit = self.limits.write().await;
        self.inner.scaled_by(target).await
    }

    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        let _permit = self.limits.evidence().await;
        self.inner.log_tail(of).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        let _permit = self.limits.evidence().await;
        self.inner.pod_events(namespace, pod_uid).await
    }

    async fn load_record(&self, target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        let _permit = self.limits.write().await;
        self.inner.load_record(target).await
    }

    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        let _permit = self.limits.write().await;
        self.inner.save_record(target, record, over).await
    }

    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        let _permit = self.limits.evidence().await;
        self.inner.publish(target, event).await
    }
}
