//! The Record in a ConfigMap that the target owns, so that it goes when the target goes.
//!
//! Not in an annotation: those are copied to ReplicaSets and come back on a roll-back.

use breaker_core::cluster::Stored;
use breaker_core::{ClusterError, Record, WorkloadRef};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use crate::request::ApiRequest;
use crate::{FIELD_MANAGER, KubeClient};

const KEY: &str = "record.json";

impl KubeClient {
    pub(crate) async fn record_loaded(&self, target: &WorkloadRef) -> Result<Option<Stored>, ClusterError> {
        let step = step("reading", "get", target);
        let map = match step.attempt(self.records(target).get(&name(target))).await {
            Ok(map) => map,
            Err(ClusterError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let place = || format!("{} of ConfigMap {}/{}", KEY, target.namespace, name(target));
        let json = map.data.as_ref().and_then(|data| data.get(KEY));
        let json = json.ok_or_else(|| ClusterError::BadRecord {
            place: place(),
            source: "there is none; delete the ConfigMap to start from scratch".into(),
        })?;
        let record: Record = serde_json::from_str(json).map_err(|error| ClusterError::BadRecord {
            place: place(),
            source: format!("{error}; delete the ConfigMap to start from scratch").into(),
        })?;
        Ok(Some(Stored { record, version: map.metadata.resource_version.unwrap_or_default() }))
    }

    pub(crate) async fn record_saved(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<&str>,
    ) -> Result<String, ClusterError> {
        let owner = self.kinds.resolve(&self.client, target).await?;
        let json = serde_json::to_string(record)
            .map_err(|error| ClusterError::BadRecord { place: name(target), source: error.into() })?;
        let body = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name(target),
                "labels": {"app.kubernetes.io/managed-by": FIELD_MANAGER},
                "resourceVersion": over,
                "ownerReferences": [{
                    "apiVersion": owner.api_version,
                    "kind": owner.kind,
                    "name": target.name,
                    "uid": record.target_uid,
                }],
            },
            "data": {KEY: json},
        });
        let api = self.records(target);
        let map = match over {
            None => {
                let map: ConfigMap = serde_json::from_value(body)
                    .map_err(|error| ClusterError::BadRecord { place: name(target), source: error.into() })?;
                let params =
                    PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
                step("creating", "create", target).attempt(api.create(&params, &map)).await?
            }
            Some(_) => {
                let params =
                    PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
                let (name, patch) = (name(target), Patch::Merge(&body));
                let call = api.patch(&name, &params, &patch);
                match step("writing", "patch", target).attempt(call).await {
                    // Deleted meanwhile: like any other change by somebody else, read again and write again.
                    Err(ClusterError::NotFound(object)) => return Err(ClusterError::Conflict(object)),
                    answer => answer?,
                }
            }
        };
        Ok(map.metadata.resource_version.unwrap_or_default())
    }

    fn records(&self, target: &WorkloadRef) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &target.namespace)
    }
}

fn name(target: &WorkloadRef) -> String {
    format!("bigredbutton-{}-{}", target.kind, target.name)
}

fn step(doing: &str, verb: &'static str, target: &WorkloadRef) -> ApiRequest {
    ApiRequest {
        doing: format!("{doing} the record of {target}"),
        verb,
        resource: "configmaps".into(),
        namespace: target.namespace.clone(),
        object: format!("ConfigMap {}/{}", target.namespace, name(target)),
    }
}
