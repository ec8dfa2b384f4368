//! [`KedaSwitch`]: pauses KEDA while a breaker keeps its workload at a number of replicas.

use std::sync::Arc;
use std::time::Duration;

use breaker_core::state::State;
use breaker_core::{ClusterError, WorkloadRef};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::status_writer::StatusWriter;
use crate::autoscalers::{self, ScaledObject};
use crate::client::KubeClient;

/// How long the fleet remembers that the cluster has no KEDA.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Attempts to find the ScaledObject before a trip goes on without it.
const MAX_ATTEMPTS: u32 = 3;

/// Time between two of these attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

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
    match status.known_record() {
        Ok(None) => {}
        Ok(Some(stored)) if stored.record.state == State::Closed => {}
        _ => return,
    }
    match autoscalers::resume_keda(kube, &status.name.namespace, &pause).await {
        Ok(()) => status.change(|model| model.paused = None),
        Err(error) => tracing::warn!("{}", error.chain()),
    }
}

/// Pauses the target's ScaledObject before a trip and resumes it before the replicas are restored.
pub(crate) struct KedaSwitch {
    kube: KubeClient,
    presence: Arc<KedaPresence>,
    status: Arc<StatusWriter>,
}

impl KedaSwitch {
    pub(crate) fn new(kube: &KubeClient, presence: &Arc<KedaPresence>, status: &Arc<StatusWriter>) -> Self {
        Self { kube: kube.clone(), presence: Arc::clone(presence), status: Arc::clone(status) }
    }

    /// Finds the ScaledObject before the Record of a trip is stored: the owner's value is stored
    /// with that Record. A trip does not wait for a KEDA that cannot be asked.
    pub(crate) async fn find(&self, target: &WorkloadRef) {
        let now = self.kube.clock.now();
        if self.status.read(|model| model.paused.is_some()) || self.presence.is_absent(now) {
            return;
        }
        match self.find_with_retries(target).await {
            Ok(ScaledObject::NoKeda) => self.presence.set_absent(now),
            Ok(ScaledObject::None) => {}
            Ok(ScaledObject::Found(pause)) => self.status.change(|model| model.paused = Some(pause)),
            Err(error) => {
                tracing::warn!("{}; KEDA is not paused and may scale {target} up", error.with_fix());
            }
        }
    }

    async fn find_with_retries(&self, target: &WorkloadRef) -> Result<ScaledObject, ClusterError> {
        let mut attempts = 1;
        loop {
            match autoscalers::find_scaled_object(&self.kube, target).await {
                Err(error) if error.is_retryable() && attempts < MAX_ATTEMPTS => attempts += 1,
                found => return found,
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }

    /// Pauses KEDA at the replicas of a trip or a trial, and resumes it before all are restored.
    pub(crate) async fn follow(&self, target: &WorkloadRef, replicas: u32) {
        let Some(mut pause) = self.status.read(|model| model.paused.clone()) else { return };
        let state = self.status.record().map(|record| record.state).unwrap_or_default();
        let on_trial = matches!(state, State::HalfOpen { .. });
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

    /// Resumes KEDA when the breaker is closed and had paused it.
    pub(crate) async fn resume_when_closed(&self) {
        resume_when_closed(&self.kube, &self.status).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_server::{TestServer, status};

    fn status_writer(server: &TestServer, name: &str) -> StatusWriter {
        let breaker = json!({"metadata": {"name": name, "namespace": "sre", "uid": "u"}});
        let kube = server.kube();
        StatusWriter::new(&kube.client, &kube.clock, &serde_json::from_value(breaker).expect("a breaker"))
    }

    const TARGETS: [&str; 2] = ["plain", "scaled"];

    fn switch(server: &TestServer, presence: &Arc<KedaPresence>, target: &str) -> KedaSwitch {
        KedaSwitch {
            kube: server.kube(),
            presence: Arc::clone(presence),
            status: Arc::new(status_writer(server, target)),
        }
    }

    /// For each target, in order: whether its ScaledObject was found.
    async fn found(server: &TestServer) -> [bool; 2] {
        let presence = Arc::default();
        let mut found = [false; 2];
        for (target, found) in TARGETS.into_iter().zip(&mut found) {
            let switch = switch(server, &presence, target);
            switch.find(&WorkloadRef::deployment("sre", target)).await;
            *found = switch.status.read(|model| model.paused.is_some());
        }
        found
    }

    fn scaled_objects() -> (u16, String) {
        let item = json!({
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "metadata": {"name": "so", "namespace": "sre"},
            "spec": {"scaleTargetRef": {"name": "scaled"}},
        });
        (
            200,
            json!({"apiVersion": "keda.sh/v1alpha1", "kind": "List", "metadata": {}, "items": [item]})
                .to_string(),
        )
    }

    #[tokio::test]
    async fn a_target_without_a_scaled_object_does_not_switch_the_pause_off_for_others() {
        let server = TestServer::new(|_, _| scaled_objects());
        assert_eq!(found(&server).await, [false, true]);
    }

    #[tokio::test]
    async fn a_refusal_or_a_bad_answer_for_one_target_does_not_switch_the_pause_off_for_others() {
        for (code, body, attempts) in [(403, status(403, "no"), 1), (502, "<html>".to_owned(), 3)] {
            let bad = (code, body);
            let server =
                TestServer::new(move |_, n| if n < attempts { bad.clone() } else { scaled_objects() });
            assert_eq!(found(&server).await, [false, true], "{code}");
        }
    }

    #[tokio::test]
    async fn a_cluster_without_keda_is_asked_once() {
        let server = TestServer::new(|_, _| (404, "404 page not found".to_owned()));
        assert_eq!(found(&server).await, [false, false]);
        assert_eq!(server.requests(), 1);
    }
}
