//! Which API resource a kind names, and how RBAC rules write that resource.

use std::collections::HashMap;

use breaker_core::{ClusterError, WorkloadRef};
use kube::Client;
use kube::core::ApiResource;
use kube::discovery::{Discovery, Scope, verbs};
use parking_lot::Mutex;

use crate::request::ApiRequest;

/// The API resources of kinds that were looked up. Kubernetes' own kinds need no look-up.
#[derive(Debug, Default)]
pub(crate) struct KindCache(Mutex<HashMap<String, ApiResource>>);

impl KindCache {
    /// The API resource of the target's kind.
    ///
    /// # Errors
    /// [`ClusterError::NoScale`] when the API server does not serve the kind, or serves it without
    /// a scale subresource.
    pub(crate) async fn resolve(
        &self,
        client: &Client,
        target: &WorkloadRef,
    ) -> Result<ApiResource, ClusterError> {
        if let Some(built_in) = built_in(&target.kind) {
            return Ok(built_in);
        }
        if let Some(cached) = self.0.lock().get(&target.kind) {
            return Ok(cached.clone());
        }
        let found = discover(client, &target.kind).await?;
        self.0.lock().insert(target.kind.clone(), found.clone());
        Ok(found)
    }
}

fn built_in(kind: &str) -> Option<ApiResource> {
    let (group, kind, plural) = match kind {
        "deployment" => ("apps", "Deployment", "deployments"),
        "statefulset" => ("apps", "StatefulSet", "statefulsets"),
        "replicaset" => ("apps", "ReplicaSet", "replicasets"),
        "replicationcontroller" => ("", "ReplicationController", "replicationcontrollers"),
        _ => return None,
    };
    Some(ApiResource {
        group: group.into(),
        version: "v1".into(),
        api_version: if group.is_empty() { "v1".into() } else { format!("{group}/v1") },
        kind: kind.into(),
        plural: plural.into(),
    })
}

async fn discover(client: &Client, typed: &str) -> Result<ApiResource, ClusterError> {
    let request = ApiRequest {
        action: format!("looking up the kind {typed}"),
        verb: "get",
        resource: "apis".into(),
        namespace: String::new(),
        object: typed.into(),
    };
    let (name, group) = typed.split_once('.').unwrap_or((typed, ""));
    let mut discovery = Discovery::new(client.clone());
    if !group.is_empty() {
        discovery = discovery.filter(&[group]);
    }
    let discovery = request.send(discovery.run()).await?;
    let mut without_scale = false;
    for found in discovery.groups().filter(|found| group.is_empty() || found.name() == group) {
        for (resource, capabilities) in found.recommended_resources() {
            let matches = resource.kind.eq_ignore_ascii_case(name) || resource.plural == name;
            if !matches
                || capabilities.scope != Scope::Namespaced
                || !capabilities.supports_operation(verbs::GET)
            {
                continue;
            }
            let scale = format!("{}/scale", resource.plural);
            if capabilities.subresources.iter().any(|(sub, _)| sub.plural == scale || sub.plural == "scale") {
                return Ok(resource);
            }
            without_scale = true;
        }
    }
    Err(ClusterError::NoScale(if without_scale {
        format!("{typed} has no scale subresource and cannot be scaled to zero; choose a kind that has one")
    } else {
        format!(
            "the API server does not serve the kind {typed}; `kubectl api-resources` lists what it serves"
        )
    }))
}

/// The resource as an RBAC rule names it: `deployments/scale.apps`.
pub(crate) fn rbac_resource(resource: &ApiResource, subresource: &str) -> String {
    let slash = if subresource.is_empty() { "" } else { "/" };
    let dot = if resource.group.is_empty() { "" } else { "." };
    format!("{}{slash}{subresource}{dot}{}", resource.plural, resource.group)
}
