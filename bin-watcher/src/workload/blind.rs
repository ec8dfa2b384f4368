//! A client that takes no evidence, for pressing and resetting: a person has decided already, and why the
//! pods die need not be asked of a cluster in trouble, nor of a user without the right to read logs.

use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, Stored};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::{ClusterClient, ClusterError, Record, WorkloadRef};
use futures::stream::BoxStream;

pub(crate) struct Blind(pub(crate) Arc<dyn ClusterClient>);

#[async_trait]
impl ClusterClient for Blind {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        self.0.watch_pods(namespace, selector)
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        self.0.list_pods(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        self.0.read_scale(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        self.0.write_scale(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        self.0.scaled_by(target).await
    }

    async fn last_words(&self, _: &LogTailRequest) -> Result<LogTail, ClusterError> {
        Ok(LogTail::Gone)
    }

    async fn pod_events(&self, _: &str, _: &str) -> Result<Vec<PodEvent>, ClusterError> {
        Ok(Vec::new())
    }

    async fn load_record(&self, target: &WorkloadRef) -> Result<Option<Stored>, ClusterError> {
        self.0.load_record(target).await
    }

    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        self.0.save_record(target, record, over).await
    }

    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        self.0.publish(target, event).await
    }
}
