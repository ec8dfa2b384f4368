//! [`ClusterClient`] and [`Clock`] on the world, with faults.

use std::task::Poll;

use async_trait::async_trait;
use futures::channel::mpsc;
use futures::future::poll_fn;
use futures::stream::{BoxStream, StreamExt};
use jiff::{SignedDuration, Timestamp};

use super::faults::{Call, Fault};
use super::{Sim, World};
use crate::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
use crate::pod::{PodEvent, PodReport};
use crate::webhook::{CloudEvent, Endpoint, HookDecision, WebhookClient, WebhookError};
use crate::{Clock, ClusterClient, ClusterError, Record, WorkloadRef};

impl Sim {
    /// One call: the process may crash before it, a fault may apply to it, and the world answers.
    async fn call<T>(
        &self,
        call: Call,
        answer: impl FnOnce(&mut World) -> Result<T, ClusterError>,
    ) -> Result<T, ClusterError> {
        if self.world().dies_before_call() {
            return futures::future::pending().await;
        }
        let fault = self.world().strikes(call);
        let nobody =
            || ClusterError::Unreachable { step: format!("{call:?}"), source: "connection refused".into() };
        match fault {
            None | Some(Fault::DropNews | Fault::DuplicateNews | Fault::Crash { .. }) => {
                answer(&mut self.world())
            }
            Some(Fault::Refuse(_)) => Err(nobody()),
            Some(Fault::LoseAnswer(_)) => answer(&mut self.world()).and_then(|_| Err(nobody())),
            Some(Fault::Conflict(_)) => {
                self.world().version += 1;
                Err(ClusterError::Conflict(self.target.to_string()))
            }
            Some(Fault::Forbid(_)) => Err(ClusterError::Forbidden {
                verb: "patch",
                resource: format!("{call:?}"),
                namespace: self.target.namespace.clone(),
                message: String::new(),
            }),
            Some(Fault::Lag(_, by)) => {
                let until = self.now() + by;
                self.sleep_until(until).await;
                answer(&mut self.world())
            }
        }
    }
}

fn scale(world: &World) -> Result<Scale, ClusterError> {
    if !world.exists() {
        return Err(ClusterError::NotFound(world.target().to_string()));
    }
    Ok(Scale {
        uid: world.uid.clone(),
        resource_version: world.version.to_string(),
        replicas: world.replicas,
        selector: "app=app".into(),
    })
}

#[async_trait]
impl ClusterClient for Sim {
    fn watch_pods(&self, _namespace: &str, _selector: &str) -> BoxStream<'static, PodWatchEvent> {
        let (news, stream) = mpsc::unbounded();
        let mut world = self.world();
        let listed = news.unbounded_send(world.listed()).is_ok();
        if listed {
            world.watchers.push(news);
        }
        stream.boxed()
    }

    async fn list_pods(&self, _namespace: &str, _selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        self.call(Call::ListPods, |world| Ok(world.reports())).await
    }

    async fn read_scale(&self, _target: &WorkloadRef) -> Result<Scale, ClusterError> {
        self.call(Call::ReadScale, |world| scale(world)).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        self.call(Call::WriteScale, |world| {
            if scale(world)?.resource_version != seen.resource_version {
                return Err(ClusterError::Conflict(target.to_string()));
            }
            world.scales_written.push(replicas);
            world.manager = "bigredbutton".into();
            world.scaled(replicas);
            scale(world)
        })
        .await
    }

    async fn scaled_by(&self, _target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        self.call(Call::ScaledBy, |world| Ok(Some(world.manager.clone()))).await
    }

    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        self.call(Call::LogTail, |world| {
            Ok(world.log_of(&of.pod, &of.terminated).map_or(LogTail::Gone, LogTail::Text))
        })
        .await
    }

    async fn pod_events(&self, _namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        self.call(Call::PodEvents, |world| Ok(world.events_of(pod_uid))).await
    }

    async fn load_record(&self, _target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        self.call(Call::LoadRecord, |world| {
            Ok(world
                .record
                .clone()
                .map(|(record, version)| StoredRecord { record, version: version.to_string() }))
        })
        .await
    }

    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        self.call(Call::SaveRecord, |world| {
            let stored = world.record.as_ref().map(|(_, version)| *version);
            if stored.map(|version| version.to_string()) != over {
                return Err(ClusterError::Conflict(format!("the record of {target}")));
            }
            let version = stored.unwrap_or(0) + 1;
            world.record = Some((record.clone(), version));
            Ok(version.to_string())
        })
        .await
    }

    async fn publish(&self, _target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        self.call(Call::Publish, |world| {
            world.published.entry(event.key.clone()).or_insert_with(|| event.clone());
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl WebhookClient for Sim {
    async fn post(&self, _to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError> {
        let posted = self.call(Call::Post, |world| {
            let before = world.scales_written.len();
            world.posted.push((event.clone(), before));
            Ok(world.hook_says.clone())
        });
        posted.await.map_err(|error| WebhookError { why: error.chain(), retryable: error.is_retryable() })
    }
}

#[async_trait]
impl Clock for Sim {
    fn now(&self) -> Timestamp {
        self.world().now()
    }

    fn elapsed(&self) -> SignedDuration {
        self.world().now().duration_since(Timestamp::UNIX_EPOCH)
    }

    async fn sleep_until(&self, until: Timestamp) {
        poll_fn(|context| {
            let mut world = self.world();
            if world.now() >= until {
                return Poll::Ready(());
            }
            world.sleep(until, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
