//! The Record in a ConfigMap that the target owns: it is deleted with the target.
//!
//! An annotation would not do: annotations are copied to ReplicaSets and come back with a
//! roll-back.

use breaker_core::cluster::StoredRecord;
use breaker_core::{ClusterError, Record, WorkloadRef};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::Patch;
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::client::KubeClient;
use crate::request::{ApiRequest, FIELD_MANAGER, patch_params, post_params};

const KEY: &str = "record.json";

/// The longest name of a ConfigMap, in bytes.
const MAX_NAME_LEN: usize = 253;

/// Bytes of the hash in a name that was cut.
const HASH_BYTES: usize = 8;

/// Why an answer with status 200 is not understood.
const NO_VERSION: &str = "the ConfigMap has no resourceVersion";

/// The stored Record with the `resourceVersion` of its ConfigMap; `None` when there is no
/// ConfigMap.
pub(crate) async fn load(
    kube: &KubeClient,
    target: &WorkloadRef,
) -> Result<Option<StoredRecord>, ClusterError> {
    let request = request("reading", "get", target);
    let map = match request.send(api(kube, target).get(&name(target))).await {
        Ok(map) => map,
        Err(ClusterError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(version) = map.metadata.resource_version else {
        return Err(request.unclear(NO_VERSION));
    };
    let bad_record = |why: String| ClusterError::BadRecord {
        place: format!("{KEY} of ConfigMap {}/{}", target.namespace, name(target)),
        source: format!("{why}; delete the ConfigMap to start from scratch").into(),
    };
    let json = map.data.as_ref().and_then(|data| data.get(KEY));
    let json = json.ok_or_else(|| bad_record("the key is absent".into()))?;
    let record: Record = serde_json::from_str(json).map_err(|error| bad_record(error.to_string()))?;
    Ok(Some(StoredRecord { record, version }))
}

/// Stores the Record over the version `over`, or as the first one. Returns the new version.
pub(crate) async fn save(
    kube: &KubeClient,
    target: &WorkloadRef,
    record: &Record,
    over: Option<&str>,
) -> Result<String, ClusterError> {
    let owner = kube.kinds.resolve(&kube.client, target).await?;
    let bad_record = |error: serde_json::Error| ClusterError::BadRecord {
        place: format!("ConfigMap {}/{}", target.namespace, name(target)),
        source: error.into(),
    };
    let json = serde_json::to_string(record).map_err(bad_record)?;
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
    let api = api(kube, target);
    let (map, request) = match over {
        None => {
            let map: ConfigMap = serde_json::from_value(body).map_err(bad_record)?;
            let request = request("creating", "create", target);
            (request.send(api.create(&post_params(), &map)).await?, request)
        }
        Some(_) => {
            let (name, params, patch) = (name(target), patch_params(), Patch::Merge(&body));
            let call = api.patch(&name, &params, &patch);
            let request = request("writing", "patch", target);
            match request.send(call).await {
                // It was deleted after it was read. The breaker reads it again and writes it again.
                Err(ClusterError::NotFound(object)) => return Err(ClusterError::Conflict(object)),
                answer => (answer?, request),
            }
        }
    };
    map.metadata.resource_version.ok_or_else(|| request.unclear(NO_VERSION))
}

fn api(kube: &KubeClient, target: &WorkloadRef) -> Api<ConfigMap> {
    Api::namespaced(kube.client.clone(), &target.namespace)
}

/// `bigredbutton-KIND-NAME`. A name that is too long for a ConfigMap is cut, and ends in a hash of
/// the whole name.
fn name(target: &WorkloadRef) -> String {
    let whole = format!("bigredbutton-{}-{}", target.kind, target.name);
    if whole.len() <= MAX_NAME_LEN {
        return whole;
    }
    let hash = digest(&SHA256, whole.as_bytes());
    let hash: String = hash.as_ref()[..HASH_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    let start = &whole[..whole.floor_char_boundary(MAX_NAME_LEN - hash.len() - 1)];
    // Each part between dots ends in a letter or digit.
    format!("{}-{hash}", start.trim_end_matches(['-', '.']))
}

fn request(doing: &str, verb: &'static str, target: &WorkloadRef) -> ApiRequest {
    ApiRequest {
        action: format!("{doing} the record of {target}"),
        verb,
        resource: "configmaps".into(),
        namespace: target.namespace.clone(),
        object: format!("ConfigMap {}/{}", target.namespace, name(target)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_name_that_fits_is_whole_and_a_longer_one_ends_in_a_hash_of_the_whole() {
        let name_of = |of: &str| name(&WorkloadRef::deployment("sre", of));
        assert_eq!(name_of("swype-app"), "bigredbutton-deployment-swype-app");
        let fits = "a".repeat(229);
        assert_eq!(name_of(&fits), format!("bigredbutton-deployment-{fits}"));
        let mut names = HashSet::new();
        for length in 230..=253 {
            for last in ["a", "b"] {
                // Dots and hyphens at each place where the name is cut.
                let long = format!("{}{last}", "a.b-c".repeat(51).split_at(length - 1).0);
                let name = name_of(&long);
                assert!(name.len() <= 253, "{name}");
                assert!(!name.contains(".-"), "{name}");
                assert!(names.insert(name), "two targets have one name: {long}");
            }
        }
        assert_eq!(
            name_of(&"a".repeat(253)),
            format!("bigredbutton-deployment-{}-{}", "a".repeat(212), "97c70c76c4988831")
        );
    }
}
