//! [`FleetClient`]: the client of one breaker in a fleet, with shared pods and the Record in its
//! status.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::state::State;
use breaker_core::{ClusterClient, ClusterError, Record, WorkloadRef};
use futures::stream::BoxStream;
use parking_lot::Mutex;

use super::request_limits::{LimitedClient, RequestLimits};
use super::startup_barrier::{StartupBarrier, StartupTicket};
use super::status_writer::StatusWriter;
use crate::client::KubeClient;
use crate::shared_watch::SharedPodWatch;

pub(crate) struct FleetClient {
    cluster: LimitedClient<KubeClient>,
    limits: Arc<RequestLimits>,
    pods: SharedPodWatch,
    status: Arc<StatusWriter>,
    barrier: Arc<StartupBarrier>,
    ticket: Mutex<Option<StartupTicket>>,
    /// Whether the Record that came with the watch was loaded. Later loads ask the API server.
    loaded: AtomicBool,
}

impl FleetClient {
    pub(crate) fn new(
        kube: KubeClient,
        limits: Arc<RequestLimits>,
        pods: SharedPodWatch,
        status: Arc<StatusWriter>,
        barrier: Arc<StartupBarrier>,
        ticket: Option<StartupTicket>,
    ) -> Self {
        Self {
            cluster: LimitedClient::new(kube, Arc::clone(&limits)),
            limits,
            pods,
            status,
            barrier,
            ticket: Mutex::new(ticket),
            loaded: AtomicBool::new(false),
        }
    }
}

#[async_trait]
impl ClusterClient for FleetClient {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        let events = self.pods.subscribe(namespace, selector);
        self.ticket.lock().take();
        events
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        self.cluster.list_pods(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        self.cluster.read_scale(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        self.cluster.write_scale(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        self.cluster.scaled_by(target).await
    }

    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        self.cluster.log_tail(of).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        self.cluster.pod_events(namespace, pod_uid).await
    }

    async fn load_record(&self, _: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        if !self.loaded.swap(true, Ordering::Relaxed) {
            return self.status.known_record();
        }
        let _permit = self.limits.write().await;
        self.status.load().await
    }

    /// Stores the Record in the status. The first write of a trip waits for the start of the fleet,
    /// unless a person asked for the trip.
    async fn save_record(
        &self,
        _: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        if matches!(&record.state, State::Tripping { trip, .. } if !trip.because.pressed) {
            self.barrier.lifted().await;
        }
        let _permit = self.limits.write().await;
        self.status.save(record, over.as_deref()).await
    }

    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        self.cluster.publish(target, event).await
    }
}
