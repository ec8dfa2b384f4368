//! The door of one breaker in a fleet: its pods from the hub, its Record in its own status, all else as ever.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use breaker_core::{
    ClusterClient, ClusterError, LastWords, LastWordsOf, PodEvent, PodNews, PodReport, Record, Scale, State,
    Stored, TargetEvent, WorkloadRef,
};
use futures::stream::BoxStream;
use tokio::sync::{mpsc, watch};

use super::page::Page;
use crate::{KubeClient, PodHub};

/// Held by each breaker of the first round until it has asked for its pods; then the one listing begins.
pub(crate) type Token = mpsc::Sender<()>;

pub(crate) struct FleetDoor {
    kube: KubeClient,
    hub: PodHub,
    page: Arc<Page>,
    /// True once every breaker of the first round has had a look at its pods.
    looked: watch::Receiver<bool>,
    token: Mutex<Option<Token>>,
    /// The Record that came with the watch has been taken.
    loaded: AtomicBool,
}

impl FleetDoor {
    pub(crate) fn new(
        kube: KubeClient,
        hub: PodHub,
        page: Arc<Page>,
        looked: watch::Receiver<bool>,
        token: Option<Token>,
    ) -> Self {
        Self { kube, hub, page, looked, token: Mutex::new(token), loaded: AtomicBool::new(false) }
    }
}

#[async_trait]
impl ClusterClient for FleetDoor {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodNews> {
        let news = self.hub.subscribe(namespace, selector);
        self.token.lock().unwrap_or_else(PoisonError::into_inner).take();
        news
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        self.kube.list_pods(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        self.kube.read_scale(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        self.kube.write_scale(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        self.kube.scaled_by(target).await
    }

    async fn last_words(&self, of: &LastWordsOf) -> Result<LastWords, ClusterError> {
        self.kube.last_words(of).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        self.kube.pod_events(namespace, pod_uid).await
    }

    async fn load_record(&self, _: &WorkloadRef) -> Result<Option<Stored>, ClusterError> {
        if self.loaded.swap(true, Ordering::Relaxed) {
            self.page.load().await
        } else {
            self.page.known_record()
        }
    }

    /// In a fleet that has just started, a trip waits until every breaker has had a look at its pods: what fails
    /// everywhere must be known before the first one acts on it.
    async fn save_record(
        &self,
        _: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        if matches!(&record.state, State::Tripping { because, .. } if !because.pressed) {
            let _ = self.looked.clone().wait_for(|looked| *looked).await;
        }
        self.page.save(record, over.as_deref()).await
    }

    async fn publish(&self, target: &WorkloadRef, event: &TargetEvent) -> Result<(), ClusterError> {
        self.kube.publish(target, event).await
    }
}
