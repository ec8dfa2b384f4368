//! [`KedaClient`]: pauses KEDA while a breaker keeps its workload at a number of replicas.

use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::state::State;
use breaker_core::{ClusterClient, ClusterError, Record, WorkloadRef};
use futures::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::request_limits::RequestLimits;
use super::status_writer::StatusWriter;
use crate::autoscalers;
use crate::client::KubeClient;

/// How long the fleet remembers that there is no KEDA, or that it may not list ScaledObjects.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Whether the cluster has KEDA, so that not every trip asks.
#[derive(Default)]
pub(crate) struct KedaPresence {
    absent_since: Mutex<Option<Timestamp>>,
}

impl KedaPresence {
    fn set_absent(&self, now: Timestamp) {
        *self.absent_since.lock() = Some(now);
    }

    fn is_absent(&self, now: Timestamp) -> bool {
        self.absent_since.lock().is_some_and(|since| now.duration_since(since) < RETRY_AFTER)
    }
}

/// Resumes KEDA when the breaker is closed and had paused it.
pub(crate) async fn resume_when_closed(kube: &KubeClient, status: &StatusWriter) {
    let Some(pause) = status.read(|model| model.paused.clone()) else { return };
    if status.record().is_some_and(|record| record.state != State::Closed) {
        return;
    }
    match autoscalers::resume_keda(kube, &status.name.namespace, &pause).await {
        Ok(()) => status.change(|model| model.paused = None),
        Err(error) => tracing::warn!("{}", error.chain()),
    }
}

/// A client that pauses the target's ScaledObject before a trip and resumes it before the replicas
/// are restored.
pub(crate) struct KedaClient<C> {
    inner: C,
    kube: KubeClient,
    limits: Arc<RequestLimits>,
    presence: Arc<KedaPresence>,
    status: Arc<StatusWriter>,
}

impl<C> KedaClient<C> {
    pub(crate) fn new(
        inner: C,
        kube: KubeClient,
        limits: Arc<RequestLimits>,
        presence: Arc<KedaPresence>,
        status: Arc<StatusWriter>,
    ) -> Self {
        Self { inner, kube, limits, presence, status }
    }

    /// Finds the ScaledObject before the Record of a trip is stored: the owner's value is stored
    /// with that Record.
    async fn find(&self, target: &WorkloadRef) {
        let now = self.kube.clock.now();
        if self.status.read(|model| model.paused.is_some()) || self.presence.is_absent(now) {
            return;
        }
        let found = {
            let _permit = self.limits.write().await;
            autoscalers::find_scaled_object(&self.kube, target).await
        };
        match found {
            Ok(None) => self.presence.set_absent(now),
            Ok(Some(pause)) => self.status.change(|model| model.paused = Some(pause)),
            Err(error) => {
                tracing::debug!("{}", error.chain());
                self.presence.set_absent(now);
            }
        }
    }

    /// Pauses KEDA at the replicas of a trip or a trial, and resumes it before all are restored.
    async fn follow(&self, target: &WorkloadRef, replicas: u32) {
        let Some(mut pause) = self.status.read(|model| model.paused.clone()) else { return };
        let state = self.status.record().map(|record| record.state).unwrap_or_default();
        let on_trial = matches!(state, State::HalfOpen { .. });
        let _permit = self.limits.write().await;
        let done = if replicas == 0 || on_trial {
            pause.ours = replicas.to_string();
            self.status.change(|model| model.paused = Some(pause.clone()));
            autoscalers::pause_keda(&self.kube, &target.namespace, &pause).await
        } else {
            autoscalers::resume_keda(&self.kube, &target.namespace, &pause).await
        };
        if let Err(error) = done {
            // KEDA may scale the workload up now. The breaker would report that as contested.
            tracing::warn!("{}", error.chain());
        }
    }
}

#[async_trait]
impl<C: ClusterClient> ClusterClient for KedaClient<C> {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        self.inner.watch_pods(namespace, selector)
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        self.inner.list_pods(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        self.inner.read_scale(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        self.follow(target, replicas).await;
        self.inner.write_scale(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        self.inner.scaled_by(target).await
    }

    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        self.inner.log_tail(of).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        self.inner.pod_events(namespace, pod_uid).await
    }

    async fn load_record(&self, target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        self.inner.load_record(target).await
    }

    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        if matches!(record.state, State::Tripping { .. }) {
            self.find(target).await;
        }
        let version = self.inner.save_record(target, record, over).await?;
        resume_when_closed(&self.kube, &self.status).await;
        Ok(version)
    }

    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        self.inner.publish(target, event).await
    }
}
