//! [`ClusterClient`] for [`KubeClient`]: each method calls the module that implements it.

use async_trait::async_trait;
use breaker_core::cluster::{
    KubernetesEvent, LogTail, LogTailRequest, PeerService, PodWatchEvent, Scale, ServiceAddress, StoredRecord,
};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::{ClusterClient, ClusterError, Record, WorkloadRef};
use futures::stream::BoxStream;

use crate::client::KubeClient;
use crate::{events, logs, pods, record, scale};

#[async_trait]
impl ClusterClient for KubeClient {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        pods::watch(self, namespace, selector)
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        pods::list(self, namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        scale::read(self, target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        scale::write(self, target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        scale::manager(self, target).await
    }

    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        logs::tail(self, of).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        events::list_for_pod(self, namespace, pod_uid).await
    }

    async fn peer_service(&self, namespace: &str, address: &ServiceAddress) -> Option<PeerService> {
        self.peers.find(&self.client, &*self.clock, namespace, address).await
    }

    async fn load_record(&self, target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        record::load(self, target).await
    }

    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        record::save(self, target, record, over.as_deref()).await
    }

    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        events::publish(self, target, event).await
    }
}
