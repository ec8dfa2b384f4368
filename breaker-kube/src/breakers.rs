//! CircuitBreakers as a person sees and edits them.

use breaker_core::ClusterError;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Api, Resource};
use serde_json::Value;

use crate::crd::{CRD_NAME, CircuitBreaker};
use crate::request::ApiRequest;
use crate::watch::PAGE;
use crate::{BreakerName, KubeClient};

/// Field manager of what people ask for, so that it is not taken for the controller's own.
const PERSON: &str = "watcher";

impl KubeClient {
    /// One breaker as it is stored.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] when there is none, or [`CRD_NAME`] is not served; [`ClusterError::Forbidden`],
    /// [`ClusterError::Unreachable`] as for every call.
    pub async fn breaker(&self, name: &BreakerName) -> Result<DynamicObject, ClusterError> {
        let about = format!("CircuitBreaker {name}");
        let reading = step("reading", "get", Some(&name.namespace), &about);
        let api = self.stored(Some(&name.namespace));
        let found = reading.attempt(async {
            match api.get(&name.name).await {
                // A 404 with a reason is about the object; without one there is no such path.
                Err(kube::Error::Api(status)) if status.reason == "NotFound" => Ok(None),
                found => found.map(Some),
            }
        });
        match found.await {
            Ok(found) => found.ok_or(ClusterError::NotFound(about)),
            Err(ClusterError::NotFound(_)) => Err(ClusterError::NotFound(CRD_NAME.into())),
            Err(error) => Err(error),
        }
    }

    /// All breakers of a namespace, or of all.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] when [`CRD_NAME`] is not served; else as for every call.
    pub async fn breakers(&self, namespace: Option<&str>) -> Result<Vec<DynamicObject>, ClusterError> {
        let step = step("listing", "list", namespace, CRD_NAME);
        let api = self.stored(namespace);
        let mut params = ListParams::default().limit(PAGE);
        let mut all = Vec::new();
        loop {
            let page = step.attempt(api.list(&params)).await?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|more| !more.is_empty()) {
                Some(more) => params = params.continue_token(&more),
                None => return Ok(all),
            }
        }
    }

    /// Merges `patch` into a breaker, as the person that asks. With `metadata.resourceVersion` in it, only over that
    /// version.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`] when another version is stored; else as for every call.
    pub async fn edit_breaker(
        &self,
        name: &BreakerName,
        patch: Value,
    ) -> Result<DynamicObject, ClusterError> {
        let step = step("editing", "patch", Some(&name.namespace), &format!("CircuitBreaker {name}"));
        let params = PatchParams { field_manager: Some(PERSON.into()), ..PatchParams::default() };
        let api = self.stored(Some(&name.namespace));
        step.attempt(api.patch(&name.name, &params, &Patch::Merge(patch))).await
    }

    fn stored(&self, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource = ApiResource::erase::<CircuitBreaker>(&());
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }
}

fn step(doing: &str, verb: &'static str, namespace: Option<&str>, object: &str) -> ApiRequest {
    ApiRequest {
        doing: format!("{doing} {object}"),
        verb,
        resource: format!("{}.{}", CircuitBreaker::plural(&()), CircuitBreaker::group(&())),
        namespace: namespace.unwrap_or("(all)").into(),
        object: object.into(),
    }
}
