//! [`ClusterClient`] and [`WebhookClient`] on the world, with faults.

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use jiff::SignedDuration;

use super::faults::{Call, Fault};
use super::{Sim, World};
use crate::cluster::{
    KubernetesEvent, LogTail, LogTailRequest, PeerService, PodWatchEvent, Scale, ServiceAddress, StoredRecord,
};
use crate::pod::{PodEvent, PodReport};
use crate::webhook::{CloudEvent, Endpoint, HookDecision, WebhookClient, WebhookError};
use crate::{ClusterClient, ClusterError, Record, WorkloadRef};

/// How long a call takes to which a lasting fault applies. All other calls take no time.
const ROUND_TRIP: SignedDuration = SignedDuration::from_millis(10);

/// When a client gives up on a call.
const CLIENT_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

impl Sim {
    /// One call: the process may crash before it, a fault may apply to it, and the world answers.
    async fn call<T: 'static>(
        &self,
        call: Call,
        carry_out: impl FnOnce(&mut World) -> Result<T, ClusterError> + Send + 'static,
    ) -> Result<T, ClusterError> {
        if self.world().dies_before_call() {
            return futures::future::pending().await;
        }
        let now = self.now();
        let struck = self.world().faults.strikes(call, now);
        if let Some((_, true)) = struck {
            // A caller that tries again at once must see time pass.
            self.sleep_for(ROUND_TRIP).await;
        }
        let step = || format!("{call:?}");
        let refused = || self.target.to_string();
        match struck.map(|(fault, _)| fault) {
            None | Some(Fault::DropNews | Fault::DuplicateNews | Fault::Crash { .. }) => {
                carry_out(&mut self.world())
            }
            Some(Fault::Refuse(_)) => Err(unreachable(step())),
            Some(Fault::LoseAnswer(_)) => carry_out(&mut self.world()).and_then(|_| Err(unreachable(step()))),
            Some(Fault::TimeOut(_, after)) => {
                self.world().after(after, |world| drop(carry_out(world)));
                self.sleep_for(CLIENT_TIMEOUT).await;
                Err(unreachable(step()))
            }
            Some(Fault::BadGateway(_)) => Err(unclear(step(), "502 <html>Bad Gateway")),
            Some(Fault::GarbleAnswer(_)) => {
                // What is not carried out is answered by a Status, which is cut off as well.
                drop(carry_out(&mut self.world()));
                Err(unclear(step(), "200 {\"kind\": EOF while parsing a value"))
            }
            Some(Fault::Conflict(_)) => {
                self.world().storage.version += 1;
                Err(ClusterError::Conflict(refused()))
            }
            Some(Fault::NotFound(_)) => Err(ClusterError::NotFound(refused())),
            Some(Fault::Forbid(_)) => Err(self.forbidden(call, "")),
            Some(Fault::Deny(_)) => Err(self.forbidden(
                call,
                "ValidatingAdmissionPolicy 'never-zero' denied request: never scale to zero, ask the platform team",
            )),
            Some(Fault::Reject(_)) => Err(ClusterError::Refused {
                step: step(),
                source: "metadata.name: Invalid value: must be no more than 253 characters".into(),
            }),
            Some(Fault::Lag(_, by)) => {
                self.sleep_for(by).await;
                carry_out(&mut self.world())
            }
            Some(Fault::DelayAnswer(_, by)) => {
                let answer = carry_out(&mut self.world());
                self.sleep_for(by).await;
                answer
            }
        }
    }

    fn forbidden(&self, call: Call, message: &str) -> ClusterError {
        ClusterError::Forbidden {
            verb: "patch",
            resource: format!("{call:?}"),
            namespace: self.target.namespace.clone(),
            message: message.into(),
        }
    }
}

fn unreachable(step: String) -> ClusterError {
    ClusterError::Unreachable { step, source: "connection refused".into() }
}

fn unclear(step: String, answer: &str) -> ClusterError {
    ClusterError::Unclear { step, source: answer.into() }
}

#[async_trait]
impl ClusterClient for Sim {
    fn watch_pods(&self, _namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        self.world().watch(selector).boxed()
    }

    async fn list_pods(&self, _namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        let selector = selector.to_owned();
        self.call(Call::ListPods, move |world| world.list(&selector)).await
    }

    async fn read_scale(&self, _target: &WorkloadRef) -> Result<Scale, ClusterError> {
        self.call(Call::ReadScale, |world| world.scale()).await
    }

    async fn write_scale(
        &self,
        _target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        let (seen, sent) = (seen.clone(), self.world().sent_now());
        self.call(Call::WriteScale, move |world| world.write_scale(&seen, replicas, sent)).await
    }

    async fn scaled_by(&self, _target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        self.call(Call::ScaledBy, |world| Ok(Some(world.storage.manager.clone()))).await
    }

    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        let (pod, terminated) = (of.pod.clone(), of.terminated.clone());
        self.call(Call::LogTail, move |world| {
            Ok(world.log_of(&pod, &terminated).map_or(LogTail::Gone, LogTail::Text))
        })
        .await
    }

    async fn pod_events(&self, _namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        let pod_uid = pod_uid.to_owned();
        self.call(Call::PodEvents, move |world| Ok(world.events_of(&pod_uid))).await
    }

    async fn peer_service(&self, _namespace: &str, address: &ServiceAddress) -> Option<PeerService> {
        let address = address.clone();
        let asked = self.call(Call::PeerService, move |world| Ok(world.services.get(&address).cloned()));
        asked.await.ok().flatten()
    }

    async fn load_record(&self, _target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        self.call(Call::LoadRecord, |world| world.load_record()).await
    }

    async fn save_record(
        &self,
        _target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        let (record, sent) = (record.clone(), self.world().sent_now());
        self.call(Call::SaveRecord, move |world| world.save_record(record, over.as_deref(), sent)).await
    }

    async fn publish(&self, _target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        let event = event.clone();
        self.call(Call::Publish, move |world| {
            world.published.entry(event.key.clone()).or_insert(event);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl WebhookClient for Sim {
    async fn post(&self, _to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError> {
        let event = event.clone();
        let posted = self.call(Call::Post, move |world| {
            let before = world.scales_written().len();
            world.posted.push((event, before));
            Ok(world.hook_says.clone())
        });
        posted.await.map_err(|error| WebhookError { why: error.chain(), retryable: error.is_retryable() })
    }
}
