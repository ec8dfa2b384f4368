//! From a kind as typed to the API resource that is scaled.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use breaker_core::{ClusterError, WorkloadRef};
use kube::Client;
use kube::core::ApiResource;
use kube::discovery::{Discovery, Scope, verbs};

use crate::request::ApiRequest;

/// KindCache already resolved.
#[derive(Debug, Default)]
pub(crate) struct KindCache(Mutex<HashMap<String, ApiResource>>);

impl KindCache {
    /// # Errors
    /// [`ClusterError::NoScale`] when the API server serves no such kind, or serves it without a scale.
    pub(crate) async fn resolve(
        &self,
        client: &Client,
        target: &WorkloadRef,
    ) -> Result<ApiResource, ClusterError> {
        if let Some(known) = built_in(&target.kind) {
            return Ok(known);
        }
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&target.kind) {
            return Ok(known.clone());
        }
        let found = discover(client, &target.kind).await?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(target.kind.clone(), found.clone());
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
    let step = ApiRequest {
        doing: format!("looking up the kind {typed}"),
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
    let discovery = step.attempt(discovery.run()).await?;
    let mut without_scale = false;
    for found in discovery.groups().filter(|found| group.is_empty() || found.name() == group) {
        for (resource, capabilities) in found.recommended_resources() {
            let named = resource.kind.eq_ignore_ascii_case(name) || resource.plural == name;
            if !named
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
        format!("{typed} has no scale subresource: nothing can be scaled to zero; choose a kind that has one")
    } else {
        format!("the API server knows no kind {typed}; `kubectl api-resources` lists those it knows")
    }))
}

/// `deployments/scale.apps`, as rules name it.
pub(crate) fn rbac_resource(resource: &ApiResource, subresource: &str) -> String {
    let slash = if subresource.is_empty() { "" } else { "/" };
    let dot = if resource.group.is_empty() { "" } else { "." };
    format!("{}{slash}{subresource}{dot}{}", resource.plural, resource.group)
}
