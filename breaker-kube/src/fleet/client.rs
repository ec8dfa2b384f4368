//! The door of one breaker in a fleet: its pods from the hub, its Record in its own status, all else as ever.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, Stored};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::state::State;
use breaker_core::{ClusterClient, ClusterError, Record, WorkloadRef};
use futures::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};

use super::status_writer::StatusWriter;
use crate::autoscalers;
use crate::client::KubeClient;
use crate::shared_watch::SharedPodWatch;

/// Held by each breaker of the first round until it has asked for its pods; then the one listing begins.
pub(crate) type Token = mpsc::Sender<()>;

/// How long it is remembered that there is no KEDA, or that it may not be asked.
const KEDA_RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// So many calls of a kind are under way at the same time, of all breakers together: an outage has news for a thousand of
/// them at once, and each call takes a connection. Watches, the Lease and what only changes a status have their own.
const MAX_CONCURRENT_CALLS: usize = 16;

/// The calls of a whole fleet, in the order in which they are wanted.
pub(crate) struct RequestLimits {
    /// Reading and writing scales and Records, listing pods.
    acts: Semaphore,
    /// Logs and Events: a kubelet that does not answer keeps one busy for seconds, and no trip is to wait for that.
    evidence: Semaphore,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { acts: Semaphore::new(MAX_CONCURRENT_CALLS), evidence: Semaphore::new(MAX_CONCURRENT_CALLS) }
    }
}

impl RequestLimits {
    /// Held as long as the call takes. It is taken first, so that who waits does not hold what the call needs.
    async fn act(&self) -> Option<SemaphorePermit<'_>> {
        self.acts.acquire().await.ok()
    }

    async fn evidence(&self) -> Option<SemaphorePermit<'_>> {
        self.evidence.acquire().await.ok()
    }
}

/// Whether there is a KEDA, so that not every trip asks.
#[derive(Default)]
pub(crate) struct KedaPresence(Mutex<Option<Timestamp>>);

impl KedaPresence {
    fn away(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    fn is_away(&self, now: Timestamp) -> bool {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| now.duration_since(since) < KEDA_RETRY_AFTER)
    }
}

/// A breaker that is closed pauses nobody.
pub(crate) async fn resume_keda(kube: &KubeClient, page: &StatusWriter) {
    let Some(pause) = page.read(|sheet| sheet.paused.clone()) else { return };
    if page.record().is_some_and(|record| record.state != State::Closed) {
        return;
    }
    match autoscalers::resume_keda(kube, &page.name.namespace, &pause).await {
        Ok(()) => page.change(|sheet| sheet.paused = None),
        Err(error) => tracing::warn!("{}", error.chain()),
    }
}

pub(crate) struct FleetClient {
    kube: KubeClient,
    hub: SharedPodWatch,
    page: Arc<StatusWriter>,
    keda: Arc<KedaPresence>,
    lanes: Arc<RequestLimits>,
    /// True once every breaker of the first round has had a look at its pods.
    looked: watch::Receiver<bool>,
    token: Mutex<Option<Token>>,
    /// The Record that came with the watch has been taken.
    loaded: AtomicBool,
}

impl FleetClient {
    pub(crate) fn new(
        kube: KubeClient,
        hub: SharedPodWatch,
        page: Arc<StatusWriter>,
        keda: Arc<KedaPresence>,
        lanes: Arc<RequestLimits>,
        looked: watch::Receiver<bool>,
        token: Option<Token>,
    ) -> Self {
        Self {
            kube,
            hub,
            page,
            keda,
            lanes,
            looked,
            token: Mutex::new(token),
            loaded: AtomicBool::new(false),
        }
    }

    /// Before the Record of a trip is stored: what KEDA's owner had written is stored with it.
    async fn look_for_keda(&self, target: &WorkloadRef) {
        let now = self.kube.clock.now();
        if self.page.read(|sheet| sheet.paused.is_some()) || self.keda.is_away(now) {
            return;
        }
        let found = {
            let _lane = self.lanes.act().await;
            autoscalers::find_scaled_object(&self.kube, target).await
        };
        match found {
            Ok(None) => self.keda.away(now),
            Ok(Some(pause)) => self.page.change(|sheet| sheet.paused = Some(pause)),
            Err(error) => {
                tracing::debug!("{}", error.chain());
                self.keda.away(now);
            }
        }
    }

    /// KEDA stays where the breaker goes; it is free again before all replicas come back.
    async fn pause_keda(&self, target: &WorkloadRef, replicas: u32) {
        let Some(mut pause) = self.page.read(|sheet| sheet.paused.clone()) else { return };
        let state = self.page.record().map(|record| record.state).unwrap_or_default();
        let on_trial = matches!(state, State::HalfOpen { .. });
        let done = if replicas == 0 || on_trial {
            pause.ours = replicas.to_string();
            self.page.change(|sheet| sheet.paused = Some(pause.clone()));
            autoscalers::pause_keda(&self.kube, &target.namespace, &pause).await
        } else {
            autoscalers::resume_keda(&self.kube, &target.namespace, &pause).await
        };
        if let Err(error) = done {
            // KEDA may wake it now; that would be Contested, and said.
            tracing::warn!("{}", error.chain());
        }
    }
}

#[async_trait]
impl ClusterClient for FleetClient {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        let news = self.hub.subscribe(namespace, selector);
        self.token.lock().unwrap_or_else(PoisonError::into_inner).take();
        news
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        let _lane = self.lanes.act().await;
        self.kube.list_pods(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        let _lane = self.lanes.act().await;
        self.kube.read_scale(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        let _lane = self.lanes.act().await;
        self.pause_keda(target, replicas).await;
        self.kube.write_scale(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        let _lane = self.lanes.act().await;
        self.kube.scaled_by(target).await
    }

    async fn last_words(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        let _lane = self.lanes.evidence().await;
        self.kube.last_words(of).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        let _lane = self.lanes.evidence().await;
        self.kube.pod_events(namespace, pod_uid).await
    }

    async fn load_record(&self, _: &WorkloadRef) -> Result<Option<Stored>, ClusterError> {
        if self.loaded.swap(true, Ordering::Relaxed) {
            let _lane = self.lanes.act().await;
            self.page.load().await
        } else {
            self.page.known_record()
        }
    }

    /// In a fleet that has just started, a trip waits until every breaker has had a look at its pods: what fails
    /// everywhere must be known before the first one acts on it.
    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        if matches!(record.state, State::Tripping { .. }) {
            self.look_for_keda(target).await;
        }
        if matches!(&record.state, State::Tripping { trip, .. } if !trip.because.pressed) {
            let _ = self.looked.clone().wait_for(|looked| *looked).await;
        }
        let saved = {
            let _lane = self.lanes.act().await;
            self.page.save(record, over.as_deref()).await?
        };
        resume_keda(&self.kube, &self.page).await;
        Ok(saved)
    }

    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        let _lane = self.lanes.evidence().await;
        self.kube.publish(target, event).await
    }
}
