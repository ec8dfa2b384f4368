//! A truce with autoscalers: KEDA is told to pause, a HorizontalPodAutoscaler needs nothing at zero.
//!
//! KEDA's own annotation `paused-replicas` keeps a workload where the breaker put it. What the owner had written
//! there is remembered before it is replaced, and comes back only if what is there now is still ours. An HPA leaves a
//! workload at zero alone (`ScalingDisabled`), unless its `minReplicas` is 0.

use breaker_core::{ClusterError, WorkloadRef};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind, NotUsed, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::request::ApiRequest;
use crate::{FIELD_MANAGER, KubeClient};

/// KEDA's annotation: stay at this number of replicas.
const PAUSED: &str = "autoscaling.keda.sh/paused-replicas";

/// Group, version, kind.
const KEDA: [&str; 3] = ["keda.sh", "v1alpha1", "ScaledObject"];
const HPA: [&str; 3] = ["autoscaling", "v2", "HorizontalPodAutoscaler"];

/// Somebody else may change the object between reading and writing it.
const MAX_RETRIES: u32 = 5;

/// A ScaledObject that the breaker has paused.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KedaPause {
    /// Name of the ScaledObject.
    pub scaled_object: String,
    /// What its owner had written in paused-replicas; absent when nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What the breaker writes there.
    pub ours: String,
}

impl KedaPause {
    /// What gives KEDA back what its owner had written, as a person types it.
    pub(crate) fn undo(&self, namespace: &str) -> String {
        let before = match &self.before {
            Some(before) => format!("={before} --overwrite"),
            None => "-".into(),
        };
        format!("kubectl annotate -n {namespace} scaledobject {} {PAUSED}{before}", self.scaled_object)
    }
}

/// An autoscaler, to the fields used; KEDA's and Kubernetes' own look alike.
type Scaler = Object<ScalerSpec, NotUsed>;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScalerSpec {
    scale_target_ref: TargetName,
    min_replicas: Option<i32>,
}

/// KEDA's defaults are `apps/v1` and `Deployment`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TargetName {
    api_version: String,
    kind: String,
    name: String,
}

impl TargetName {
    fn is(&self, target: &WorkloadRef) -> bool {
        let kind = if self.kind.is_empty() { "Deployment" } else { &self.kind };
        let group = self.api_version.split_once('/').map_or("", |(group, _)| group);
        let asked = target.kind.split_once('.').map(|(_, group)| group);
        self.name == target.name
            && kind.eq_ignore_ascii_case(target.bare_kind())
            && asked.is_none_or(|asked| group.is_empty() || asked == group)
    }
}

impl KubeClient {
    fn scalers(&self, [group, version, kind]: [&str; 3], namespace: &str) -> Api<Scaler> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Api::namespaced_with(self.client.clone(), namespace, &resource)
    }

    /// The ScaledObject of the target with its own `paused-replicas`, as it would be paused at zero; `None` without
    /// one, and where there is no KEDA.
    pub(crate) async fn scaled_object(
        &self,
        target: &WorkloadRef,
    ) -> Result<Option<KedaPause>, ClusterError> {
        let api = self.scalers(KEDA, &target.namespace);
        let step =
            step("listing", "list", "scaledobjects.keda.sh", &target.namespace, "the kind ScaledObject");
        let all = match step.attempt(api.list(&ListParams::default())).await {
            Ok(all) => all,
            Err(ClusterError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = all.items.into_iter().find(|scaler| scaler.spec.scale_target_ref.is(target));
        Ok(found.map(|scaler| KedaPause {
            before: paused(&scaler).map(str::to_owned),
            scaled_object: scaler.metadata.name.unwrap_or_default(),
            ours: "0".into(),
        }))
    }

    /// Pauses at `pause.ours`.
    pub(crate) async fn pause(&self, namespace: &str, pause: &KedaPause) -> Result<(), ClusterError> {
        self.annotate(namespace, pause, |_| Some(Some(pause.ours.clone()))).await
    }

    /// Puts back what the owner had written, unless somebody has written something else since.
    pub(crate) async fn unpause(&self, namespace: &str, pause: &KedaPause) -> Result<(), ClusterError> {
        // Between writing down a new number and setting it, the old one, zero, is still there.
        let is_ours = |now: Option<&str>| now == Some(pause.ours.as_str()) || now == Some("0");
        let back = |now: Option<&str>| is_ours(now).then(|| pause.before.clone());
        self.annotate(namespace, pause, back).await
    }

    async fn annotate(
        &self,
        namespace: &str,
        pause: &KedaPause,
        wish: impl Fn(Option<&str>) -> Option<Option<String>>,
    ) -> Result<(), ClusterError> {
        let api = self.scalers(KEDA, namespace);
        let name = &pause.scaled_object;
        let object = format!("ScaledObject {namespace}/{name}");
        for _ in 0..MAX_RETRIES {
            let reading = step("reading", "get", "scaledobjects.keda.sh", namespace, &object);
            let now = match reading.attempt(api.get(name)).await {
                Ok(now) => now,
                Err(ClusterError::NotFound(_)) => return Ok(()),
                Err(error) => return Err(error),
            };
            let Some(wish) = wish(paused(&now)) else { return Ok(()) };
            if wish.as_deref() == paused(&now) {
                return Ok(());
            }
            let patch = Patch::Merge(json!({
                "metadata": {"resourceVersion": now.metadata.resource_version, "annotations": {PAUSED: wish}},
            }));
            let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
            let writing = step("pausing", "patch", "scaledobjects.keda.sh", namespace, &object);
            match writing.attempt(api.patch(name, &params, &patch)).await {
                Ok(_) => return Ok(()),
                Err(ClusterError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ClusterError::Conflict(object))
    }

    /// Name of a HorizontalPodAutoscaler of the target that may scale it up from zero.
    pub(crate) async fn hpa_scaling_from_zero(
        &self,
        target: &WorkloadRef,
    ) -> Result<Option<String>, ClusterError> {
        let api = self.scalers(HPA, &target.namespace);
        let step = step(
            "listing",
            "list",
            "horizontalpodautoscalers.autoscaling",
            &target.namespace,
            "the kind HorizontalPodAutoscaler",
        );
        let all = step.attempt(api.list(&ListParams::default())).await?;
        let waking = all.items.into_iter().find(|scaler| wakes(scaler, target));
        Ok(waking.and_then(|scaler| scaler.metadata.name))
    }
}

fn paused(scaler: &Scaler) -> Option<&str> {
    scaler.metadata.annotations.as_ref()?.get(PAUSED).map(String::as_str)
}

fn wakes(hpa: &Scaler, target: &WorkloadRef) -> bool {
    hpa.spec.min_replicas == Some(0) && hpa.spec.scale_target_ref.is(target)
}

fn step(doing: &str, verb: &'static str, resource: &str, namespace: &str, object: &str) -> ApiRequest {
    ApiRequest {
        doing: format!("{doing} {object}"),
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
        for (api_version, kind, name, target, ours) in [
            ("apps/v1", "Deployment", "x", &deployment, true),
            ("", "", "x", &deployment, true),
            ("apps/v1", "Deployment", "y", &deployment, false),
            ("apps/v1", "StatefulSet", "x", &deployment, false),
            ("argoproj.io/v1alpha1", "Rollout", "x", &rollout, true),
            ("other.io/v1", "Rollout", "x", &rollout, false),
        ] {
            let (api_version, kind, name) = (api_version.into(), kind.into(), name.into());
            let named = TargetName { api_version, kind, name };
            assert_eq!(named.is(target), ours, "{named:?}");
        }
    }

    #[test]
    fn an_hpa_wakes_only_from_a_minimum_of_zero() {
        for (minimum, wakes) in [(json!(0), true), (json!(1), false), (json!(null), false)] {
            let hpa: Scaler = serde_json::from_value(json!({
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "swype"},
                "spec": {"minReplicas": minimum, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}},
            }))
            .unwrap();
            assert_eq!(super::wakes(&hpa, &WorkloadRef::deployment("sre", "x")), wakes, "{minimum}");
        }
    }
}
