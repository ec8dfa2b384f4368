//! [`OwnWorkload`]: the workload that runs this controller. A breaker may not scale it: at zero
//! nobody is left who restores it.

use std::time::Duration;

use breaker_core::WorkloadRef;
use breaker_core::pod::PodReport;

use super::options::OwnPod;
use crate::client::KubeClient;
use crate::crd::condition::reason;
use crate::pods;

/// Time between two attempts to read the own pod.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What is known of the workload that runs this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum OwnWorkload {
    /// There is none among the targets of this fleet.
    #[default]
    None,
    /// The own pod could not be read, for this reason. No target of its namespace may be scaled.
    Unknown(OwnPod, String),
    /// This workload.
    Known(OwnController),
}

/// The owner of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnController {
    namespace: String,
    kind: String,
    name: String,
    /// The template hash of the pod.
    revision: String,
}

impl OwnWorkload {
    /// Reads the own pod.
    pub(super) async fn look_up(kube: &KubeClient, pod: Option<&OwnPod>) -> Self {
        let Some(pod) = pod else { return Self::None };
        match pods::find(kube, &pod.namespace, &pod.name).await {
            Ok(Some(report)) => OwnController::new(&pod.namespace, report).map_or(Self::None, Self::Known),
            Ok(None) => {
                tracing::warn!(
                    "the controller's own pod {}/{} does not exist, so a breaker of its own workload cannot \
                     be refused; set POD_NAME and POD_NAMESPACE",
                    pod.namespace,
                    pod.name
                );
                Self::None
            }
            Err(error) => Self::Unknown(pod.clone(), error.with_fix()),
        }
    }

    /// Reads the own pod again, if it could not be read. Else it does not return.
    pub(super) async fn look_up_again(self, kube: KubeClient) -> Self {
        let Self::Unknown(pod, _) = &self else { return std::future::pending().await };
        loop {
            tokio::time::sleep(RETRY_AFTER).await;
            let found = Self::look_up(&kube, Some(pod)).await;
            if found != self {
                return found;
            }
        }
    }

    /// Why no breaker may have this target: the reason of the condition, and its message.
    pub(super) fn refusal(&self, target: &WorkloadRef) -> Option<(&'static str, String)> {
        match self {
            Self::None => None,
            Self::Unknown(pod, why) => (pod.namespace == target.namespace).then(|| {
                let message = format!(
                    "the controller's own pod {}/{} cannot be read, so {target} may be its own workload: {why}",
                    pod.namespace, pod.name
                );
                (reason::STARTING, message)
            }),
            Self::Known(owner) => owner.is(target).then(|| {
                let message = format!(
                    "{target} runs this controller; at 0 replicas nobody is left who restores it. Delete this \
                     CircuitBreaker"
                );
                (reason::OWN_WORKLOAD, message)
            }),
        }
    }
}

impl OwnController {
    /// `None`: nothing controls the pod.
    fn new(namespace: &str, pod: PodReport) -> Option<Self> {
        let owner = pod.controller?;
        Some(Self { namespace: namespace.into(), kind: owner.kind, name: owner.name, revision: pod.revision })
    }

    /// Whether scaling `target` to zero would end the pod. A Deployment controls its pods through a
    /// ReplicaSet, whose name ends in the template hash of the pod.
    fn is(&self, target: &WorkloadRef) -> bool {
        let is_owner = self.name == target.name && self.kind.eq_ignore_ascii_case(target.bare_kind());
        let owns_replica_set = || {
            let hash = self.name.strip_prefix(&target.name).and_then(|rest| rest.strip_prefix('-'));
            self.kind == "ReplicaSet" && !self.revision.is_empty() && hash == Some(&self.revision)
        };
        self.namespace == target.namespace && (is_owner || owns_replica_set())
    }
}

#[cfg(test)]
mod tests {
    use breaker_core::pod::Owner;
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::fleet::test_cluster::{Cut, TestCluster};

    fn own(kind: &str, name: &str, revision: &str) -> OwnController {
        let owner = Owner { kind: kind.into(), name: name.into(), uid: "u".into() };
        let pod = PodReport {
            uid: "p".into(),
            name: "brb-controller-5d9f-x2x".into(),
            node: String::new(),
            created: Timestamp::UNIX_EPOCH,
            controller: Some(owner),
            revision: revision.into(),
            deleting: false,
            finished: false,
            ready: true,
            restarting_all: false,
            odd: Vec::new(),
            containers: Vec::new(),
        };
        OwnController::new("ops", pod).expect("a controlled pod")
    }

    #[test]
    fn a_pod_names_the_workloads_that_would_end_it() {
        let deployed = own("ReplicaSet", "brb-controller-5d9f", "5d9f");
        let target = |kind: &str, namespace: &str, name: &str| WorkloadRef {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        for (own, target, want) in [
            (&deployed, target("deployment", "ops", "brb-controller"), true),
            (&deployed, target("rollout.argoproj.io", "ops", "brb-controller"), true),
            (&deployed, target("replicaset", "ops", "brb-controller-5d9f"), true),
            (&deployed, target("deployment", "sre", "brb-controller"), false),
            (&deployed, target("deployment", "ops", "brb"), false),
            (&deployed, target("deployment", "ops", "brb-controller-5d9f"), false),
            (&own("StatefulSet", "brb", "brb-77"), target("statefulset", "ops", "brb"), true),
            (&own("StatefulSet", "brb", "brb-77"), target("deployment", "ops", "brb"), false),
            (&own("ReplicaSet", "brb-5d9f", ""), target("deployment", "ops", "brb"), false),
        ] {
            assert_eq!(own.is(&target), want, "{own:?} {target:?}");
        }
    }

    fn own_pod() -> Value {
        json!({
            "metadata": {
                "name": "own", "namespace": "sre", "uid": "p", "labels": {"pod-template-hash": "5d9f"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "brb-5d9f",
                                     "uid": "r", "controller": true}],
            },
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_breaker_of_the_own_workload_is_refused_and_does_not_trip_when_it_is_pressed() {
        for first in [Ok(own_pod()), Err(403), Err(503)] {
            let cluster = TestCluster::new(|_, _| {});
            let pressed = |breaker: &mut Value| breaker["spec"]["override"] = "ForcedOpen".into();
            for name in ["brb", "other"] {
                cluster.add_deployment(name, 2);
                cluster.add_breaker(name, name, pressed);
            }
            let refused = first.is_err();
            cluster.set_own_pod(first);
            cluster.run(Cut::Never, Duration::from_secs(60)).await;
            let ready = |name: &str| {
                let status = cluster.breaker(name)["status"].clone();
                let conditions = status["conditions"].as_array().expect("conditions").clone();
                conditions.into_iter().find(|condition| condition["type"] == "Ready").expect("Ready")
            };
            assert_eq!(cluster.replicas("brb"), 2);
            // Any target of the namespace may be the own workload while that is not known.
            assert_eq!(cluster.replicas("other"), if refused { 2 } else { 0 });
            cluster.set_own_pod(Ok(own_pod()));
            cluster.run(Cut::Never, Duration::from_secs(60)).await;
            assert_eq!((cluster.replicas("brb"), cluster.replicas("other")), (2, 0));
            assert_eq!(ready("brb")["reason"], "OwnWorkload");
            assert_eq!(
                ready("brb")["message"],
                "sre/deployment/brb runs this controller; at 0 replicas nobody is left who restores it. Delete \
                 this CircuitBreaker"
            );
            assert_eq!(ready("other")["status"], "True");
            assert_eq!(cluster.breaker("brb")["status"]["overrideHandled"], Value::Null);
        }
    }
}
