//! The scale subresource: read, and written with a precondition.

use breaker_core::cluster::Scale;
use breaker_core::{ClusterError, WorkloadRef};
use k8s_openapi::api::autoscaling::v1::Scale as ApiScale;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject};
use serde_json::json;

use crate::discovery::rbac_resource;
use crate::request::ApiRequest;
use crate::{FIELD_MANAGER, KubeClient};

impl KubeClient {
    pub(crate) async fn scale_read(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        let (api, resource) = self.scaled_kind(target).await?;
        let scale = step("reading", "get", target, &resource).attempt(api.get_scale(&target.name)).await?;
        facts(scale, target)
    }

    /// `metadata.resourceVersion` in the patch is the precondition: the API server answers 409 to any other.
    pub(crate) async fn scale_written(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        let (api, resource) = self.scaled_kind(target).await?;
        let patch = Patch::Merge(json!({
            "metadata": {"resourceVersion": seen.resource_version},
            "spec": {"replicas": replicas},
        }));
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
        let call = api.patch_scale(&target.name, &params, &patch);
        let scale = step("writing", "patch", target, &resource).attempt(call).await?;
        facts(scale, target)
    }

    /// The newest manager that owns `spec.replicas`; `/scale` itself has no managed fields.
    pub(crate) async fn scaler(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        let (api, resource) = self.scaled_kind(target).await?;
        let mut step = step("reading", "get", target, &resource);
        step.resource = rbac_resource(&resource, "");
        let object = step.attempt(api.get_metadata(&target.name)).await?;
        let owners = object.metadata.managed_fields.unwrap_or_default().into_iter().filter(|entry| {
            let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
            fields.is_some_and(|fields| fields.pointer("/f:spec/f:replicas").is_some())
        });
        Ok(owners.max_by_key(|entry| entry.time.clone().map(|time| time.0)).and_then(|entry| entry.manager))
    }

    async fn scaled_kind(
        &self,
        target: &WorkloadRef,
    ) -> Result<(Api<DynamicObject>, ApiResource), ClusterError> {
        let resource = self.kinds.resolve(&self.client, target).await?;
        let api = Api::namespaced_with(self.client.clone(), &target.namespace, &resource);
        Ok((api, resource))
    }
}

fn step(doing: &str, verb: &'static str, target: &WorkloadRef, resource: &ApiResource) -> ApiRequest {
    ApiRequest {
        doing: format!("{doing} the scale of {target}"),
        verb,
        resource: rbac_resource(resource, "scale"),
        namespace: target.namespace.clone(),
        object: target.to_string(),
    }
}

fn facts(scale: ApiScale, target: &WorkloadRef) -> Result<Scale, ClusterError> {
    let selector = scale.status.and_then(|status| status.selector).unwrap_or_default();
    if selector.is_empty() {
        return Err(ClusterError::NoSelector(target.clone()));
    }
    Ok(Scale {
        uid: scale.metadata.uid.unwrap_or_default(),
        resource_version: scale.metadata.resource_version.unwrap_or_default(),
        replicas: scale.spec.and_then(|spec| spec.replicas).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        selector,
    })
}
