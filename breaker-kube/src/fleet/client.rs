//! [`FleetClient`]: the client of one breaker in a fleet. Its pods come from the shared watch, its
//! Record is in its status, its requests are limited, and KEDA is paused while it is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use breaker_core::cluster::{
    KubernetesEvent, LogTail, LogTailRequest, PeerService, PodWatchEvent, Scale, ServiceAddress, StoredRecord,
};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::state::State;
use breaker_core::{ClusterClient, ClusterError, Record, WorkloadRef};
use futures::stream::BoxStream;
use parking_lot::Mutex;

use super::evidence_lanes::BreakerLane;
use super::keda::KedaSwitch;
use super::request_limits::RequestLimits;
use super::shared::Shared;
use super::startup_barrier::{StartupBarrier, StartupTicket};
use super::status_writer::StatusWriter;
use crate::client::KubeClient;
use crate::events;
use crate::shared_watch::SharedPodWatch;

pub(crate) struct FleetClient {
    kube: KubeClient,
    limits: Arc<RequestLimits>,
    lane: BreakerLane,
    keda: Arc<KedaSwitch>,
    pods: SharedPodWatch,
    status: Arc<StatusWriter>,
    barrier: Arc<StartupBarrier>,
    ticket: Mutex<Option<StartupTicket>>,
    /// Whether the Record that came with the watch was loaded. Later loads ask the API server.
    loaded: AtomicBool,
    /// Until when this client may be used: [`StatusWriter::outdated`].
    epoch: u64,
}

impl FleetClient {
    pub(crate) fn new(
        shared: &Shared,
        status: &Arc<StatusWriter>,
        keda: &Arc<KedaSwitch>,
        ticket: Option<StartupTicket>,
        epoch: u64,
    ) -> Self {
        Self {
            kube: shared.kube.clone(),
            limits: Arc::clone(&shared.limits),
            lane: BreakerLane::default(),
            keda: Arc::clone(keda),
            pods: shared.pods.clone(),
            status: Arc::clone(status),
            barrier: Arc::clone(&shared.barrier),
            ticket: Mutex::new(ticket),
            loaded: AtomicBool::new(false),
            epoch,
        }
    }

    /// Does not return once the CircuitBreaker asks for something else than its worker follows. The
    /// worker is about to be dropped, and must neither decide nor write anything more.
    async fn check_epoch(&self) {
        if self.status.is_outdated(self.epoch) {
            std::future::pending::<()>().await;
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
        let _permit = self.limits.write().await;
        self.kube.list_pods(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        let _permit = self.limits.write().await;
        self.kube.read_scale(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        let _permit = self.limits.write().await;
        self.check_epoch().await;
        self.keda.follow(replicas).await;
        self.kube.write_scale(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        let _permit = self.limits.write().await;
        self.kube.scaled_by(target).await
    }

    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        self.limits.evidence.log(&self.lane, &of.node, self.kube.log_tail(of)).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        let _permit = self.limits.evidence.permit().await;
        self.kube.pod_events(namespace, pod_uid).await
    }

    /// Without a permit: breakers with one peer share one answer, and most calls make no request.
    async fn peer_service(&self, namespace: &str, address: &ServiceAddress) -> Option<PeerService> {
        self.kube.peer_service(namespace, address).await
    }

    async fn load_record(&self, _: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        if !self.loaded.swap(true, Ordering::Relaxed)
            && let Ok(known) = self.status.known_record()
        {
            return Ok(known);
        }
        let loaded = {
            let _permit = self.limits.write().await;
            self.status.load().await
        };
        self.check_epoch().await;
        if let Ok(Some(found)) = &loaded {
            // It may be the Record of a save whose answer was lost.
            self.keda.stored(&found.record.state);
        }
        loaded
    }

    /// Stores the Record in the status. The first write of a trip waits for the start of the fleet,
    /// unless a person asked for the trip.
    async fn save_record(
        &self,
        _: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        if let State::Tripping { trip, .. } = &record.state
            && !trip.because.pressed
        {
            self.barrier.lifted().await;
        }
        self.check_epoch().await;
        let saved = {
            let _permit = self.limits.write().await;
            if matches!(record.state, State::Tripping { .. }) {
                self.keda.find().await;
            }
            self.status.save(record, over.as_deref()).await
        };
        self.check_epoch().await;
        let version = saved?;
        self.keda.stored(&record.state);
        Ok(version)
    }

    /// On the target and on the CircuitBreaker, where `kubectl describe` shows it. Each has a name
    /// of its own, so an Event that is published again changes nothing.
    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        let _permit = self.limits.evidence.permit().await;
        self.kube.publish(target, event).await?;
        let of_breaker = KubernetesEvent {
            key: format!("{}.{}", self.status.uid, event.key),
            uid: self.status.uid.clone(),
            ..event.clone()
        };
        events::publish_regarding(&self.kube, self.status.reference(), &of_breaker).await
    }
}
