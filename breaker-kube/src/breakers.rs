//! CircuitBreaker objects as a person reads and edits them.

use breaker_core::ClusterError;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Api, Resource};
use serde_json::Value;

use crate::client::KubeClient;
use crate::crd::{BreakerName, CRD_NAME, CircuitBreaker};
use crate::request::ApiRequest;
use crate::watch::PAGE_SIZE;

/// Field manager of a person's edits, so that they are not taken for the controller's.
const PERSON: &str = "watcher";

impl KubeClient {
    /// Reads one CircuitBreaker as it is stored.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] with the object when it does not exist, and with [`CRD_NAME`]
    /// when the API server does not serve the kind; else as for every call.
    pub async fn breaker(&self, name: &BreakerName) -> Result<DynamicObject, ClusterError> {
        let object = format!("CircuitBreaker {name}");
        let request = request("reading", "get", Some(&name.namespace), &object);
        let api = api(self, Some(&name.namespace));
        let found = request.send_if_served(api.get(&name.name)).await?;
        found.ok_or_else(|| ClusterError::NotFound(CRD_NAME.into()))
    }

    /// Lists the CircuitBreakers of a namespace, or of all namespaces with `None`.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] with [`CRD_NAME`] when the API server does not serve the kind;
    /// else as for every call.
    pub async fn breakers(&self, namespace: Option<&str>) -> Result<Vec<DynamicObject>, ClusterError> {
        let request = request("listing", "list", namespace, CRD_NAME);
        let api = api(self, namespace);
        let mut params = ListParams::default().limit(PAGE_SIZE);
        let mut breakers = Vec::new();
        loop {
            let page = request.send_if_served(api.list(&params)).await?;
            let page = page.ok_or_else(|| ClusterError::NotFound(CRD_NAME.into()))?;
            breakers.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(breakers),
            }
        }
    }

    /// Merges `patch` into a CircuitBreaker on behalf of a person. With a
    /// `metadata.resourceVersion` in the patch, only over that version.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`] when another version is stored; else as for every call.
    pub async fn edit_breaker(
        &self,
        name: &BreakerName,
        patch: Value,
    ) -> Result<DynamicObject, ClusterError> {
        let object = format!("CircuitBreaker {name}");
        let request = request("editing", "patch", Some(&name.namespace), &object);
        let params = PatchParams { field_manager: Some(PERSON.into()), ..PatchParams::default() };
        let api = api(self, Some(&name.namespace));
        request.send(api.patch(&name.name, &params, &Patch::Merge(patch))).await
    }
}

fn api(kube: &KubeClient, namespace: Option<&str>) -> Api<DynamicObject> {
    let resource = ApiResource::erase::<CircuitBreaker>(&());
    match namespace {
        Some(namespace) => Api::namespaced_with(kube.client.clone(), namespace, &resource),
        None => Api::all_with(kube.client.clone(), &resource),
    }
}

fn request(doing: &str, verb: &'static str, namespace: Option<&str>, object: &str) -> ApiRequest {
    ApiRequest {
        action: format!("{doing} {object}"),
        verb,
        resource: format!("{}.{}", CircuitBreaker::plural(&()), CircuitBreaker::group(&())),
        namespace: namespace.unwrap_or("(all)").into(),
        object: object.into(),
    }
}
