//! A Pod decoded to the fields that a [`PodReport`] needs. A whole Pod takes ten times the memory.
//!
//! Every field is decoded leniently: what cannot be read is named in [`PodReport::odd`] and left
//! out, and no pod can fail a list.

use std::collections::BTreeMap;

use breaker_core::pod::{ContainerKind, ContainerReport, ContainerState, Owner, PodReport, Terminated};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::Resource;
use serde::{Deserialize, Deserializer};

use crate::lenient::{Field, Fields};

/// Labels that name the revision of a pod. The first one that is present counts.
const REVISION_LABELS: [&str; 3] =
    ["pod-template-hash", "rollouts-pod-template-hash", "controller-revision-hash"];

/// An exit code that cannot be read. It is neither success nor a signal, so that it decides no
/// cause.
const UNREADABLE_EXIT_CODE: i32 = -1;

/// A Pod as the API server sends it, without the fields that are not used.
#[derive(Debug, Clone, Default, Resource)]
#[resource(inherit = Pod)]
pub(crate) struct PartialPod {
    metadata: ObjectMeta,
    spec: PodSpec,
    status: PodStatus,
    /// Fields of the metadata, and whole parts, that cannot be read.
    odd: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PodFields {
    metadata: Field<PodMetadata>,
    spec: Field<PodSpec>,
    status: Field<PodStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodMetadata {
    name: Field<String>,
    namespace: Field<String>,
    uid: Field<String>,
    resource_version: Field<String>,
    creation_timestamp: Field<Timestamp>,
    deletion_timestamp: Field<Timestamp>,
    labels: Field<BTreeMap<String, Field<String>>>,
    owner_references: Field<Vec<Field<PodOwner>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PodOwner {
    kind: Field<String>,
    name: Field<String>,
    uid: Field<String>,
    controller: Field<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    node_name: Field<String>,
    init_containers: Field<Vec<Field<InitContainer>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct InitContainer {
    name: Field<String>,
    restart_policy: Field<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus {
    phase: Field<String>,
    conditions: Field<Vec<Field<PodCondition>>>,
    init_container_statuses: Field<Vec<Field<ContainerStatus>>>,
    container_statuses: Field<Vec<Field<ContainerStatus>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PodCondition {
    #[serde(rename = "type")]
    kind: Field<String>,
    status: Field<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    name: Field<String>,
    restart_count: Field<u32>,
    #[serde(rename = "containerID")]
    container_id: Field<String>,
    state: Field<ContainerStatusState>,
    last_state: Field<ContainerStatusState>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ContainerStatusState {
    waiting: Field<WaitingStatus>,
    running: Field<RunningStatus>,
    terminated: Field<TerminatedStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct WaitingStatus {
    reason: Field<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RunningStatus {
    started_at: Field<Timestamp>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TerminatedStatus {
    #[serde(rename = "containerID")]
    container_id: Field<String>,
    exit_code: Field<i32>,
    signal: Field<i32>,
    reason: Field<String>,
    message: Field<String>,
    started_at: Field<Timestamp>,
    finished_at: Field<Timestamp>,
}

impl Fields for PodFields {}
impl Fields for PodMetadata {}
impl Fields for PodOwner {}
impl Fields for PodSpec {}
impl Fields for InitContainer {}
impl Fields for PodStatus {}
impl Fields for PodCondition {}
impl Fields for ContainerStatus {}
impl Fields for ContainerStatusState {}
impl Fields for WaitingStatus {}
impl Fields for RunningStatus {}
impl Fields for TerminatedStatus {}

impl<'de> Deserialize<'de> for PartialPod {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut odd = Vec::new();
        let pod = Field::<PodFields>::deserialize(from)?.take(|| "the pod".into(), &mut odd);
        let PodFields { metadata, spec, status } = pod.unwrap_or_default();
        let metadata = metadata.take(|| "metadata".into(), &mut odd).unwrap_or_default();
        Ok(Self {
            metadata: object_meta(metadata, &mut odd),
            spec: spec.take(|| "spec".into(), &mut odd).unwrap_or_default(),
            status: status.take(|| "status".into(), &mut odd).unwrap_or_default(),
            odd,
        })
    }
}

/// The metadata without managed fields and annotations, and with the controller as the only owner.
fn object_meta(metadata: PodMetadata, odd: &mut Vec<String>) -> ObjectMeta {
    let path = |field: &'static str| move || format!("metadata.{field}");
    let labels = metadata.labels.take(path("labels"), odd).unwrap_or_default();
    let labels = labels.into_iter().filter_map(|(key, value)| {
        let value = value.take(|| format!("metadata.labels[{key}]"), odd)?;
        Some((key, value))
    });
    let labels = labels.collect();
    // A pod whose deletion time cannot be read is being deleted all the same.
    let unreadable = metadata.deletion_timestamp.is_odd().then_some(Timestamp::UNIX_EPOCH);
    let deleted = metadata.deletion_timestamp.take(path("deletionTimestamp"), odd).or(unreadable);
    ObjectMeta {
        name: metadata.name.take(path("name"), odd),
        namespace: metadata.namespace.take(path("namespace"), odd),
        uid: metadata.uid.take(path("uid"), odd),
        resource_version: metadata.resource_version.take(path("resourceVersion"), odd),
        creation_timestamp: metadata.creation_timestamp.take(path("creationTimestamp"), odd).map(Time),
        deletion_timestamp: deleted.map(Time),
        labels: Some(labels),
        owner_references: Some(controller(metadata.owner_references, odd).into_iter().collect()),
        ..ObjectMeta::default()
    }
}

fn controller(owners: Field<Vec<Field<PodOwner>>>, odd: &mut Vec<String>) -> Option<OwnerReference> {
    let list = "metadata.ownerReferences";
    for (index, owner) in elements(owners, list, odd) {
        let path = |field: &'static str| move || format!("{list}[{index}].{field}");
        if owner.controller.take(path("controller"), odd) != Some(true) {
            continue;
        }
        return Some(OwnerReference {
            kind: owner.kind.take(path("kind"), odd).unwrap_or_default(),
            name: owner.name.take(path("name"), odd).unwrap_or_default(),
            uid: owner.uid.take(path("uid"), odd).unwrap_or_default(),
            controller: Some(true),
            ..OwnerReference::default()
        });
    }
    None
}

/// The elements of a list that can be read, with their indices.
fn elements<T>(list: Field<Vec<Field<T>>>, path: &str, odd: &mut Vec<String>) -> Vec<(usize, T)> {
    let elements = list.take(|| path.into(), odd).unwrap_or_default().into_iter().enumerate();
    let known = elements.filter_map(|(index, element)| {
        let element = element.take(|| format!("{path}[{index}]"), odd)?;
        Some((index, element))
    });
    known.collect()
}

impl From<PartialPod> for PodReport {
    fn from(pod: PartialPod) -> Self {
        let PartialPod { metadata, spec, status, mut odd } = pod;
        let odd = &mut odd;
        let conditions: Vec<_> = elements(status.conditions, "status.conditions", odd)
            .into_iter()
            .filter_map(|(index, condition)| {
                let path = |field: &'static str| move || format!("status.conditions[{index}].{field}");
                let is_true = condition.status.take(path("status"), odd)? == "True";
                condition.kind.take(path("type"), odd).filter(|_| is_true)
            })
            .collect();
        let is_true = |kind: &str| conditions.iter().any(|condition| condition == kind);
        let sidecars = sidecars(spec.init_containers, odd);
        let mut containers = Vec::new();
        let list = "status.initContainerStatuses";
        for (index, container) in elements(status.init_container_statuses, list, odd) {
            let path = format!("{list}[{index}]");
            let Some(mut report) = container_report(container, &path, odd) else { continue };
            let is_sidecar = sidecars.contains(&report.name);
            report.kind = if is_sidecar { ContainerKind::Sidecar } else { ContainerKind::Init };
            containers.push(report);
        }
        let list = "status.containerStatuses";
        for (index, container) in elements(status.container_statuses, list, odd) {
            containers.extend(container_report(container, &format!("{list}[{index}]"), odd));
        }
        let labels = metadata.labels.unwrap_or_default();
        let owner = metadata.owner_references.unwrap_or_default().into_iter().next();
        let phase = status.phase.take(|| "status.phase".into(), odd).unwrap_or_default();
        Self {
            uid: metadata.uid.unwrap_or_default(),
            name: metadata.name.unwrap_or_default(),
            node: spec.node_name.take(|| "spec.nodeName".into(), odd).unwrap_or_default(),
            created: metadata.creation_timestamp.map(|time| time.0).unwrap_or_default(),
            controller: owner.map(|owner| Owner { kind: owner.kind, name: owner.name, uid: owner.uid }),
            revision: REVISION_LABELS
                .iter()
                .find_map(|label| labels.get(*label))
                .cloned()
                .unwrap_or_default(),
            deleting: metadata.deletion_timestamp.is_some(),
            finished: matches!(phase.as_str(), "Succeeded" | "Failed"),
            ready: is_true("Ready"),
            restarting_all: is_true("AllContainersRestarting"),
            containers,
            odd: std::mem::take(odd),
        }
    }
}

/// The names of the init containers that keep running.
fn sidecars(inits: Field<Vec<Field<InitContainer>>>, odd: &mut Vec<String>) -> Vec<String> {
    let list = "spec.initContainers";
    let inits = elements(inits, list, odd).into_iter();
    let sidecars = inits.filter_map(|(index, init)| {
        let path = |field: &'static str| move || format!("{list}[{index}].{field}");
        let always = init.restart_policy.take(path("restartPolicy"), odd)? == "Always";
        init.name.take(path("name"), odd).filter(|_| always)
    });
    sidecars.collect()
}

/// The report of an app container; `None` if it would be misleading, because its name, its restart
/// count or its state cannot be read.
fn container_report(status: ContainerStatus, path: &str, odd: &mut Vec<String>) -> Option<ContainerReport> {
    let field = |field: &'static str| move || format!("{path}.{field}");
    let is_odd = status.name.is_odd() || status.restart_count.is_odd() || status.state.is_odd();
    let name = status.name.take(field("name"), odd).unwrap_or_default();
    let restart_count = status.restart_count.take(field("restartCount"), odd).unwrap_or_default();
    let container_id = status.container_id.take(field("containerID"), odd).unwrap_or_default();
    let state = status.state.take(field("state"), odd).unwrap_or_default();
    let state = container_state(state, &format!("{path}.state"), odd);
    let last = status.last_state.take(field("lastState"), odd).unwrap_or_default();
    let last_path = format!("{path}.lastState.terminated");
    let last = last.terminated.take(|| last_path.clone(), odd);
    let last = last.map(|last| Box::new(terminated(last, &last_path, odd)));
    let (state, false) = (state?, is_odd) else { return None };
    Some(ContainerReport { name, kind: ContainerKind::App, restart_count, container_id, state, last })
}

/// `None` if it cannot be read which state it is.
fn container_state(state: ContainerStatusState, path: &str, odd: &mut Vec<String>) -> Option<ContainerState> {
    let field = |field: &'static str| move || format!("{path}.{field}");
    let ContainerStatusState { waiting, running, terminated: ended } = state;
    let is_odd = waiting.is_odd() || running.is_odd() || ended.is_odd();
    if let Some(ended) = ended.take(field("terminated"), odd) {
        let ended = terminated(ended, &format!("{path}.terminated"), odd);
        return Some(ContainerState::Terminated(Box::new(ended)));
    }
    if let Some(running) = running.take(field("running"), odd) {
        let started_at = running.started_at.take(field("running.startedAt"), odd);
        return Some(ContainerState::Running { started_at });
    }
    let waiting = waiting.take(field("waiting"), odd).unwrap_or_default();
    let reason = waiting.reason.take(field("waiting.reason"), odd).unwrap_or_default();
    (!is_odd).then_some(ContainerState::Waiting { reason })
}

fn terminated(status: TerminatedStatus, path: &str, odd: &mut Vec<String>) -> Terminated {
    let field = |field: &'static str| move || format!("{path}.{field}");
    let unreadable = status.exit_code.is_odd().then_some(UNREADABLE_EXIT_CODE);
    // A container that the runtime lost has the zero time.
    let known = |at: Option<Timestamp>| at.filter(|at| at.as_second() > 0);
    Terminated {
        container_id: status.container_id.take(field("containerID"), odd).unwrap_or_default(),
        exit_code: status.exit_code.take(field("exitCode"), odd).or(unreadable).unwrap_or_default(),
        signal: status.signal.take(field("signal"), odd),
        reason: status.reason.take(field("reason"), odd).unwrap_or_default(),
        message: status.message.take(field("message"), odd).unwrap_or_default(),
        started_at: known(status.started_at.take(field("startedAt"), odd)),
        finished_at: known(status.finished_at.take(field("finishedAt"), odd)),
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

    /// Every JSON that has another type than a field of a Pod.
    const ODD_VALUES: [&str; 8] =
        ["-1", "1e300", "18446744073709551615", "true", "\"x\"", "[7]", "{\"a\": 1}", "null"];

    /// The paths of all values in `value`, those of objects and lists included.
    fn paths(value: &serde_json::Value, path: &str, all: &mut Vec<String>) {
        use serde_json::Value;
        all.push(path.to_owned());
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, field)| paths(field, &format!("{path}/{key}"), all));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| paths(item, &format!("{path}/{n}"), all));
            }
            _ => {}
        }
    }

    #[test]
    fn no_odd_value_of_any_field_fails_a_list_or_hides_another_pod() {
        let pod: serde_json::Value = serde_json::from_str(POD).unwrap();
        let mut all = Vec::new();
        paths(&pod, "", &mut all);
        assert!(all.len() > 60, "{all:?}");
        for path in &all {
            for odd in ODD_VALUES {
                let mut odd_pod = pod.clone();
                *odd_pod.pointer_mut(path).unwrap() = serde_json::from_str(odd).unwrap();
                let list = serde_json::json!({
                    "kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"},
                    "items": [odd_pod, pod],
                });
                let list: kube::core::ObjectList<PartialPod> = serde_json::from_str(&list.to_string())
                    .unwrap_or_else(|error| panic!("{path} is {odd}: {error}"));
                let reports: Vec<PodReport> = list.items.into_iter().map(PodReport::from).collect();
                assert_eq!(reports.len(), 2, "{path} is {odd}");
                assert_eq!((reports[1].containers.len(), reports[1].odd.len()), (3, 0), "{path} is {odd}");
                let event = serde_json::json!({"type": "MODIFIED", "object": odd_pod});
                let event: Result<kube::core::WatchEvent<PartialPod>, _> =
                    serde_json::from_str(&event.to_string());
                event.unwrap_or_else(|error| panic!("{path} is {odd}, in an event: {error}"));
            }
        }
    }

    #[test]
    fn a_field_that_cannot_be_read_is_named_and_its_container_is_left_out() {
        let mut pod: serde_json::Value = serde_json::from_str(POD).unwrap();
        pod["status"]["containerStatuses"][0]["restartCount"] = (-1).into();
        pod["status"]["initContainerStatuses"][1]["state"]["terminated"]["exitCode"] = "x".into();
        let report = PodReport::from(serde_json::from_value::<PartialPod>(pod).unwrap());
        assert_eq!(
            report.odd,
            [
                "status.initContainerStatuses[1].state.terminated.exitCode is \"x\"",
                "status.containerStatuses[0].restartCount is -1"
            ]
        );
        let names: Vec<_> = report.containers.iter().map(|container| container.name.as_str()).collect();
        assert_eq!(names, ["proxy", "migrate"]);
        let ContainerState::Terminated(ended) = &report.containers[1].state else { panic!("{report:?}") };
        assert_eq!(ended.exit_code, UNREADABLE_EXIT_CODE);
    }
}
