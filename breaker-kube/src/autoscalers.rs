//! Autoscalers of a target: KEDA is paused during a trip; a HorizontalPodAutoscaler is only
//! checked.
//!
//! KEDA's annotation `paused-replicas` keeps a workload at the number of replicas that the breaker
//! set. The value that the owner had written there is remembered and comes back, unless somebody
//! has written another value since. A HorizontalPodAutoscaler does not scale a workload that is at
//! zero (`ScalingDisabled`), unless its own `minReplicas` is 0.

use breaker_core::{ClusterError, WorkloadRef};
use kube::Api;
use kube::api::{ListParams, Patch};
use kube::core::{ApiResource, GroupVersionKind, NotUsed, Object};
use serde::Deserialize;
use serde_json::json;

use crate::client::KubeClient;
use crate::crd::KedaPause;
use crate::request::{ApiRequest, patch_params};

/// KEDA's annotation: stay at this number of replicas.
const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

/// Group, version and kind of KEDA's autoscaler.
const SCALED_OBJECT: [&str; 3] = ["keda.sh", "v1alpha1", "ScaledObject"];
const SCALED_OBJECTS: &str = "scaledobjects.keda.sh";

/// Group, version and kind of Kubernetes' autoscaler.
const HPA: [&str; 3] = ["autoscaling", "v2", "HorizontalPodAutoscaler"];
const HPAS: &str = "horizontalpodautoscalers.autoscaling";

/// Attempts to annotate a ScaledObject that others change at the same time.
const MAX_ATTEMPTS: u32 = 5;

/// An autoscaler, decoded to the fields that are used. KEDA's and Kubernetes' own have the same
/// ones.
type Autoscaler = Object<AutoscalerSpec, NotUsed>;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AutoscalerSpec {
    scale_target_ref: ScaleTargetRef,
    min_replicas: Option<i32>,
}

/// KEDA's defaults are `apps/v1` and `Deployment`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScaleTargetRef {
    api_version: String,
    kind: String,
    name: String,
}

impl ScaleTargetRef {
    fn is(&self, target: &WorkloadRef) -> bool {
        let kind = if self.kind.is_empty() { "Deployment" } else { &self.kind };
        let group = self.api_version.split_once('/').map_or("", |(group, _)| group);
        let target_group = target.kind.split_once('.').map(|(_, group)| group);
        self.name == target.name
            && kind.eq_ignore_ascii_case(target.bare_kind())
            && target_group.is_none_or(|target_group| group.is_empty() || target_group == group)
    }
}

/// Looks for the ScaledObject of the target: with its present `paused-replicas`, as it would be
/// paused at zero. `None`: it has none, or the cluster has no KEDA.
pub(crate) async fn find_scaled_object(
    kube: &KubeClient,
    target: &WorkloadRef,
) -> Result<Option<KedaPause>, ClusterError> {
    let request = request("listing", "list", SCALED_OBJECTS, &target.namespace, "the kind ScaledObject");
    // Without the right to list them the API server would not say that it knows no ScaledObjects.
    if !serves_keda(kube).await? {
        return Ok(None);
    }
    let list = request.send_if_served(api(kube, SCALED_OBJECT, &target.namespace).list(&all())).await?;
    let all = list.into_iter().flat_map(|list| list.items);
    let found = all.into_iter().find(|autoscaler| autoscaler.spec.scale_target_ref.is(target));
    Ok(found.map(|autoscaler| KedaPause {
        before: paused_replicas(&autoscaler).map(str::to_owned),
        scaled_object: autoscaler.metadata.name.unwrap_or_default(),
        ours: "0".into(),
        former: None,
        set: false,
    }))
}

/// Whether the API server serves KEDA's group. Everybody may ask this.
async fn serves_keda(kube: &KubeClient) -> Result<bool, ClusterError> {
    let [group, version, _] = SCALED_OBJECT;
    let version = format!("{group}/{version}");
    let request = request("reading", "get", group, "", "the API group of KEDA");
    let served = request.send_if_served(kube.client.list_api_group_resources(&version)).await?;
    Ok(served.is_some())
}

/// The result of an attempt to pause KEDA.
pub(crate) enum PauseOutcome {
    /// It is paused, or the ScaledObject is gone.
    Done,
    /// Nothing was changed: the owner has set this value since `before` was read.
    ChangedByOwner(Option<String>),
}

/// Pauses KEDA at `pause.ours`. `ours_before` is the value that the breaker had set before.
pub(crate) async fn pause_keda(
    kube: &KubeClient,
    namespace: &str,
    pause: &KedaPause,
    ours_before: &str,
) -> Result<PauseOutcome, ClusterError> {
    let mut changed = None;
    let desired = |now: Option<&str>| {
        let is_known = now == pause.before.as_deref() || now == Some(ours_before) || pause.is_ours(now);
        changed = (!is_known).then(|| now.map(str::to_owned));
        is_known.then(|| Some(pause.ours.clone()))
    };
    annotate(kube, namespace, pause, desired).await?;
    Ok(changed.map_or(PauseOutcome::Done, PauseOutcome::ChangedByOwner))
}

/// Restores the owner's value, unless somebody has written another value since.
pub(crate) async fn resume_keda(
    kube: &KubeClient,
    namespace: &str,
    pause: &KedaPause,
) -> Result<(), ClusterError> {
    annotate(kube, namespace, pause, |now| pause.is_ours(now).then(|| pause.before.clone())).await
}

/// The command by which a person restores the owner's value.
pub(crate) fn resume_command(namespace: &str, pause: &KedaPause) -> String {
    let before = match &pause.before {
        Some(before) => format!("={before} --overwrite"),
        None => "-".into(),
    };
    format!("kubectl annotate -n {namespace} scaledobject {} {PAUSED_REPLICAS}{before}", pause.scaled_object)
}

/// Sets the annotation to what `desired` makes of its present value; `None` leaves it, `Some(None)`
/// removes it. It is not an error if the ScaledObject is gone.
async fn annotate(
    kube: &KubeClient,
    namespace: &str,
    pause: &KedaPause,
    mut desired: impl FnMut(Option<&str>) -> Option<Option<String>>,
) -> Result<(), ClusterError> {
    let api = api(kube, SCALED_OBJECT, namespace);
    let name = &pause.scaled_object;
    let object = format!("ScaledObject {namespace}/{name}");
    for _ in 0..MAX_ATTEMPTS {
        let reading = request("reading", "get", SCALED_OBJECTS, namespace, &object);
        let found = match reading.send(api.get(name)).await {
            Ok(found) => found,
            Err(ClusterError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let Some(desired) = desired(paused_replicas(&found)) else { return Ok(()) };
        if desired.as_deref() == paused_replicas(&found) {
            return Ok(());
        }
        let patch = Patch::Merge(json!({
            "metadata": {
                "resourceVersion": found.metadata.resource_version,
                "annotations": {PAUSED_REPLICAS: desired},
            },
        }));
        let writing = request("pausing", "patch", SCALED_OBJECTS, namespace, &object);
        match writing.send(api.patch(name, &patch_params(), &patch)).await {
            Ok(_) => return Ok(()),
            Err(ClusterError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(ClusterError::Conflict(object))
}

/// The name of a HorizontalPodAutoscaler that may scale the target up from zero.
pub(crate) async fn hpa_scaling_from_zero(
    kube: &KubeClient,
    target: &WorkloadRef,
) -> Result<Option<String>, ClusterError> {
    let kind = "the kind HorizontalPodAutoscaler";
    let request = request("listing", "list", HPAS, &target.namespace, kind);
    let list = request.send(api(kube, HPA, &target.namespace).list(&all())).await?;
    let found = list.items.into_iter().find(|hpa| scales_from_zero(hpa, target));
    Ok(found.and_then(|hpa| hpa.metadata.name))
}

fn scales_from_zero(hpa: &Autoscaler, target: &WorkloadRef) -> bool {
    hpa.spec.min_replicas == Some(0) && hpa.spec.scale_target_ref.is(target)
}

fn paused_replicas(autoscaler: &Autoscaler) -> Option<&str> {
    autoscaler.metadata.annotations.as_ref()?.get(PAUSED_REPLICAS).map(String::as_str)
}

fn api(kube: &KubeClient, [group, version, kind]: [&str; 3], namespace: &str) -> Api<Autoscaler> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    Api::namespaced_with(kube.client.clone(), namespace, &resource)
}

fn all() -> ListParams {
    ListParams::default()
}

fn request(doing: &str, verb: &'static str, resource: &str, namespace: &str, object: &str) -> ApiRequest {
    ApiRequest {
        action: format!("{doing} {object}"),
        verb,
        resource: resource.into(),
        namespace: namespace.into(),
        object: object.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_autoscaler_is_the_targets_by_kind_group_and_name() {
        let rollout =
            WorkloadRef { kind: "rollout.argoproj.io".into(), namespace: "sre".into(), name: "x".into() };
        let deployment = WorkloadRef::deployment("sre", "x");
        for (api_version, kind, name, target, want) in [
            ("apps/v1", "Deployment", "x", &deployment, true),
            ("", "", "x", &deployment, true),
            ("apps/v1", "Deployment", "y", &deployment, false),
            ("apps/v1", "StatefulSet", "x", &deployment, false),
            ("argoproj.io/v1alpha1", "Rollout", "x", &rollout, true),
            ("other.io/v1", "Rollout", "x", &rollout, false),
        ] {
            let (api_version, kind, name) = (api_version.into(), kind.into(), name.into());
            let reference = ScaleTargetRef { api_version, kind, name };
            assert_eq!(reference.is(target), want, "{reference:?}");
        }
    }

    #[test]
    fn an_hpa_scales_from_zero_only_with_a_minimum_of_zero() {
        for (minimum, want) in [(json!(0), true), (json!(1), false), (json!(null), false)] {
            let hpa: Autoscaler = serde_json::from_value(json!({
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "swype"},
                "spec": {
                    "minReplicas": minimum,
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
                },
            }))
            .unwrap();
            assert_eq!(scales_from_zero(&hpa, &WorkloadRef::deployment("sre", "x")), want, "{minimum}");
        }
    }
}
