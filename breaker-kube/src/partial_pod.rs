//! A Pod decoded to the fields that a [`PodReport`] needs. A whole Pod takes ten times the memory.

use std::collections::BTreeMap;

use breaker_core::pod::{ContainerKind, ContainerReport, ContainerState, Owner, PodReport, Terminated};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::Resource;
use serde::{Deserialize, Deserializer};

/// Labels that name the revision of a pod. The first one that is present counts.
const REVISION_LABELS: [&str; 3] =
    ["pod-template-hash", "rollouts-pod-template-hash", "controller-revision-hash"];

/// A Pod as the API server sends it, without the fields that are not used.
#[derive(Debug, Clone, Default, Deserialize, Resource)]
#[resource(inherit = Pod)]
#[serde(default)]
pub(crate) struct PartialPod {
    #[serde(deserialize_with = "partial_metadata")]
    metadata: ObjectMeta,
    spec: PodSpec,
    status: PodStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    node_name: String,
    init_containers: Vec<InitContainer>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct InitContainer {
    name: String,
    restart_policy: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus {
    phase: String,
    conditions: Vec<PodCondition>,
    init_container_statuses: Vec<ContainerStatus>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PodCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    restart_count: u32,
    #[serde(rename = "containerID")]
    container_id: String,
    state: ContainerStatusState,
    last_state: ContainerStatusState,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ContainerStatusState {
    waiting: Option<WaitingStatus>,
    running: Option<RunningStatus>,
    terminated: Option<TerminatedStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct WaitingStatus {
    reason: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RunningStatus {
    started_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TerminatedStatus {
    #[serde(rename = "containerID")]
    container_id: String,
    exit_code: i32,
    signal: Option<i32>,
    reason: String,
    message: String,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PodMetadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    labels: BTreeMap<String, String>,
    owner_references: Vec<OwnerReference>,
}

/// Skips managed fields and annotations, and keeps only the controller of the owners.
fn partial_metadata<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let mut metadata = PodMetadata::deserialize(from)?;
    metadata.owner_references.retain(|owner| owner.controller == Some(true));
    Ok(ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resource_version: metadata.resource_version,
        creation_timestamp: metadata.creation_timestamp,
        deletion_timestamp: metadata.deletion_timestamp,
        labels: Some(metadata.labels),
        owner_references: Some(metadata.owner_references),
        ..ObjectMeta::default()
    })
}

impl From<PartialPod> for PodReport {
    fn from(pod: PartialPod) -> Self {
        let PartialPod { metadata, spec, status } = pod;
        let is_true = |kind: &str| status.conditions.iter().any(|c| c.kind == kind && c.status == "True");
        let (ready, restarting_all) = (is_true("Ready"), is_true("AllContainersRestarting"));
        let labels = metadata.labels.unwrap_or_default();
        let is_sidecar = |name: &str| {
            spec.init_containers.iter().any(|init| init.name == name && init.restart_policy == "Always")
        };
        let inits = status.init_container_statuses.into_iter().map(|container| {
            let kind = if is_sidecar(&container.name) { ContainerKind::Sidecar } else { ContainerKind::Init };
            container_report(container, kind)
        });
        let apps = status
            .container_statuses
            .into_iter()
            .map(|container| container_report(container, ContainerKind::App));
        let owner = metadata.owner_references.unwrap_or_default().into_iter().next();
        Self {
            uid: metadata.uid.unwrap_or_default(),
            name: metadata.name.unwrap_or_default(),
            node: spec.node_name,
            created: metadata.creation_timestamp.map(|time| time.0).unwrap_or_default(),
            controller: owner.map(|owner| Owner { kind: owner.kind, name: owner.name, uid: owner.uid }),
            revision: REVISION_LABELS
                .iter()
                .find_map(|label| labels.get(*label))
                .cloned()
                .unwrap_or_default(),
            deleting: metadata.deletion_timestamp.is_some(),
            finished: matches!(status.phase.as_str(), "Succeeded" | "Failed"),
            ready,
            restarting_all,
            odd: Vec::new(),
            containers: inits.chain(apps).collect(),
        }
    }
}

fn container_report(status: ContainerStatus, kind: ContainerKind) -> ContainerReport {
    let state = match status.state {
        ContainerStatusState { terminated: Some(terminated), .. } => {
            ContainerState::Terminated(Box::new(terminated.into()))
        }
        ContainerStatusState { running: Some(running), .. } => {
            ContainerState::Running { started_at: running.started_at }
        }
        ContainerStatusState { waiting, .. } => {
            ContainerState::Waiting { reason: waiting.map(|waiting| waiting.reason).unwrap_or_default() }
        }
    };
    ContainerReport {
        name: status.name,
        kind,
        restart_count: status.restart_count,
        container_id: status.container_id,
        state,
        last: status.last_state.terminated.map(|terminated| Box::new(terminated.into())),
    }
}

impl From<TerminatedStatus> for Terminated {
    fn from(terminated: TerminatedStatus) -> Self {
        let TerminatedStatus { container_id, exit_code, signal, reason, message, started_at, finished_at } =
            terminated;
        // A container that the runtime lost has the zero time.
        let known = |at: Option<Timestamp>| at.filter(|at| at.as_second() > 0);
        Self {
            container_id,
            exit_code,
            signal,
            reason,
            message,
            started_at: known(started_at),
            finished_at: known(finished_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Pod as a 1.36 API server shows it, shortened.
    const POD: &str = r#"{
      "metadata": {"name": "ledger-0", "uid": "u1", "resourceVersion": "7", "creationTimestamp": "2026-11-23T17:44:00Z",
        "labels": {"app": "ledger", "controller-revision-hash": "ledger-5d"},
        "managedFields": [{"manager": "kubelet", "operation": "Update", "fieldsV1": {"f:status": {}}}],
        "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u0"},
          {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "ledger", "uid": "u2", "controller": true}]},
      "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "i"}],
        "initContainers": [{"name": "proxy", "restartPolicy": "Always"}, {"name": "migrate"}]},
      "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}],
        "initContainerStatuses": [
          {"name": "proxy", "restartCount": 0, "containerID": "containerd://p", "state": {"running": {"startedAt": "2026-11-23T17:44:01Z"}}},
          {"name": "migrate", "restartCount": 0, "state": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": null, "finishedAt": null}}}],
        "containerStatuses": [{"name": "app", "restartCount": 2, "containerID": "containerd://b",
          "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
          "lastState": {"terminated": {"containerID": "containerd://b", "exitCode": 28, "reason": "Error",
            "startedAt": "2026-11-23T17:45:11Z", "finishedAt": "2026-11-23T17:45:20Z"}}}]}}"#;

    #[test]
    fn a_pod_is_decoded_to_the_fields_that_are_used() {
        let pod: PartialPod = serde_json::from_str(POD).unwrap();
        assert!(pod.metadata.managed_fields.is_none());
        let report = PodReport::from(pod);
        assert_eq!((report.name.as_str(), report.revision.as_str()), ("ledger-0", "ledger-5d"));
        assert_eq!(report.controller.as_ref().map(|owner| owner.name.as_str()), Some("ledger"));
        let kinds: Vec<_> = report.containers.iter().map(|container| container.kind).collect();
        assert_eq!(kinds, [ContainerKind::Sidecar, ContainerKind::Init, ContainerKind::App]);
        let app = &report.containers[2];
        assert_eq!(app.state, ContainerState::Waiting { reason: "CrashLoopBackOff".into() });
        let terminated = app.last.as_ref().unwrap();
        assert_eq!(
            (terminated.exit_code, terminated.container_id.as_str(), terminated.message.as_str()),
            (28, "containerd://b", "")
        );
        assert!(!report.deleting && !report.finished && !report.ready);
    }

    #[test]
    fn a_field_that_is_absent_is_empty_and_not_an_error() {
        let report =
            PodReport::from(serde_json::from_str::<PartialPod>(r#"{"metadata": {}, "status": {}}"#).unwrap());
        assert!(report.containers.is_empty() && report.controller.is_none() && !report.has_started());
    }
}
