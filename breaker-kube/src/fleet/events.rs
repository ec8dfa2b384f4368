//! What a fleet says by itself: to its audience, and as Events on the breaker or its target.

use std::sync::Arc;

use breaker_core::WorkloadRef;
use breaker_core::cluster::KubernetesEvent;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;

use super::Shared;
use super::status_writer::{StatusWriter, stamp};
use crate::crd::BreakerName;

impl Shared {
    /// To the audience alone.
    pub(crate) fn say(&self, breaker: Option<&BreakerName>, message: &str) {
        self.audience.remark(breaker, self.kube.clock.now(), message);
    }

    /// To the audience, and as an Event on the breaker.
    pub(crate) fn remark(
        self: &Arc<Self>,
        page: Option<&Arc<StatusWriter>>,
        warning: bool,
        reason: &'static str,
        message: &str,
    ) {
        self.say(page.map(|page| &page.name), message);
        if let Some(page) = page {
            self.publish(page, warning, reason, message);
        }
    }

    /// As an Event on the breaker. One that cannot be published is lost: the condition says the same.
    pub(crate) fn publish(
        self: &Arc<Self>,
        page: &Arc<StatusWriter>,
        warning: bool,
        reason: &'static str,
        message: &str,
    ) {
        let shared = Arc::clone(self);
        let about = ObjectReference {
            api_version: Some("bigredbutton.dev/v1alpha1".into()),
            kind: Some("CircuitBreaker".into()),
            namespace: Some(page.name.namespace.clone()),
            name: Some(page.name.name.clone()),
            uid: Some(page.uid.clone()),
            ..ObjectReference::default()
        };
        let event = KubernetesEvent {
            key: format!("{}.{}.{}", page.uid, stamp(self.kube.clock.now()), reason.to_ascii_lowercase()),
            uid: page.uid.clone(),
            warning,
            reason: reason.into(),
            action: "None".into(),
            note: message.into(),
        };
        tokio::spawn(async move {
            if let Err(error) = crate::events::publish_regarding(&shared.kube, about, &event).await {
                tracing::warn!("{}", error.chain());
            }
        });
    }

    /// The breaker goes and what it had scaled down stays down: said on the target, which stays.
    pub(crate) fn left_behind(
        self: &Arc<Self>,
        page: &StatusWriter,
        target: &WorkloadRef,
        target_uid: &str,
        replicas: u32,
        why: &str,
    ) {
        let paused = page.read(|sheet| sheet.paused.clone());
        let paused = paused
            .map(|pause| {
                format!(
                    "; KEDA stays paused until: {}",
                    crate::autoscalers::resume_command(&target.namespace, &pause)
                )
            })
            .unwrap_or_default();
        let message = format!(
            "{why}; {target} is left as it is, at the replicas it has now. To give back: kubectl scale -n {} {} \
             --replicas={replicas}{paused}",
            target.namespace,
            target.slash()
        );
        self.say(Some(&page.name), &message);
        let event = KubernetesEvent {
            key: format!("{target_uid}.{}.leftasitis", page.uid),
            uid: target_uid.into(),
            warning: true,
            reason: "WorkloadLeftScaledDown".into(),
            action: "None".into(),
            note: message.clone(),
        };
        let (shared, target) = (Arc::clone(self), target.clone());
        tokio::spawn(async move {
            if let Err(error) = crate::events::publish(&shared.kube, &target, &event).await {
                tracing::warn!("{}", error.chain());
            }
        });
    }

    /// Whether the annotation that asks for a reset is a time.
    pub(crate) fn is_time(self: &Arc<Self>, page: &Arc<StatusWriter>, asked: &str) -> bool {
        let good = asked.parse::<Timestamp>().is_ok();
        if !good {
            let message = format!(
                "annotation {}: `{asked}` is no time; write one as RFC 3339, such as 2026-01-02T03:04:05Z",
                crate::crd::RESET_ANNOTATION
            );
            self.remark(Some(page), true, "ResetIgnored", &message);
        }
        good
    }
}
