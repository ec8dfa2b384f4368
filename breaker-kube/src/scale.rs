//! The scale subresource: read it, write it with a precondition, and find who wrote it last.

use breaker_core::cluster::Scale;
use breaker_core::{ClusterError, WorkloadRef};
use k8s_openapi::api::autoscaling::v1::Scale as ApiScale;
use kube::Api;
use kube::api::Patch;
use kube::core::{ApiResource, DynamicObject};
use serde_json::json;

use crate::client::KubeClient;
use crate::discovery::rbac_resource;
use crate::request::{ApiRequest, patch_params};

pub(crate) async fn read(kube: &KubeClient, target: &WorkloadRef) -> Result<Scale, ClusterError> {
    let (api, resource) = api(kube, target).await?;
    let request = request("reading", "get", target, &resource);
    let scale = request.send(api.get_scale(&target.name)).await?;
    from_api(scale, target, &request)
}

/// Writes `replicas` if the scale is still the one that was seen: the patch carries its
/// `resourceVersion`, and the API server answers 409 when that has changed.
pub(crate) async fn write(
    kube: &KubeClient,
    target: &WorkloadRef,
    seen: &Scale,
    replicas: u32,
) -> Result<Scale, ClusterError> {
    let (api, resource) = api(kube, target).await?;
    let patch = Patch::Merge(json!({
        "metadata": {"resourceVersion": seen.resource_version},
        "spec": {"replicas": replicas},
    }));
    let params = patch_params();
    let call = api.patch_scale(&target.name, &params, &patch);
    let request = request("writing", "patch", target, &resource);
    let scale = request.send(call).await?;
    from_api(scale, target, &request)
}

/// The field manager that wrote `spec.replicas` last, from the managed fields of the workload: the
/// scale subresource has none.
pub(crate) async fn manager(kube: &KubeClient, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
    let (api, resource) = api(kube, target).await?;
    let mut request = request("reading", "get", target, &resource);
    request.resource = rbac_resource(&resource, "");
    let object = request.send(api.get_metadata(&target.name)).await?;
    let owners = object.metadata.managed_fields.unwrap_or_default().into_iter().filter(|entry| {
        let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
        fields.is_some_and(|fields| fields.pointer("/f:spec/f:replicas").is_some())
    });
    Ok(owners.max_by_key(|entry| entry.time.clone().map(|time| time.0)).and_then(|entry| entry.manager))
}

async fn api(
    kube: &KubeClient,
    target: &WorkloadRef,
) -> Result<(Api<DynamicObject>, ApiResource), ClusterError> {
    let resource = kube.kinds.resolve(&kube.client, target).await?;
    let api = Api::namespaced_with(kube.client.clone(), &target.namespace, &resource);
    Ok((api, resource))
}

fn request(doing: &str, verb: &'static str, target: &WorkloadRef, resource: &ApiResource) -> ApiRequest {
    ApiRequest {
        action: format!("{doing} the scale of {target}"),
        verb,
        resource: rbac_resource(resource, "scale"),
        namespace: target.namespace.clone(),
        object: target.to_string(),
    }
}

fn from_api(scale: ApiScale, target: &WorkloadRef, request: &ApiRequest) -> Result<Scale, ClusterError> {
    let (Some(uid), Some(resource_version)) = (scale.metadata.uid, scale.metadata.resource_version) else {
        return Err(request.unclear("the scale has no uid or no resourceVersion"));
    };
    let selector = scale.status.and_then(|status| status.selector).unwrap_or_default();
    if selector.is_empty() {
        return Err(ClusterError::NoSelector(target.clone()));
    }
    Ok(Scale {
        uid,
        resource_version,
        replicas: scale.spec.and_then(|spec| spec.replicas).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        selector,
    })
}
