//! KEDA's ScaledObjects, of a cluster in which KEDA itself does not run.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::json;

use crate::{TestNamespace, eventually};

/// The annotation that pauses KEDA at a number of replicas.
pub const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

impl TestNamespace {
    /// Applies the CRD ScaledObject as in KEDA 2, reduced to the names, the scope and the fields
    /// that a breaker uses, and waits until it is served.
    pub async fn install_keda(&self) {
        let all: Api<CustomResourceDefinition> = Api::all(self.cluster.client.clone());
        let trigger = json!({"type": "object", "required": ["metadata", "type"], "properties": {
            "type": {"type": "string"}, "name": {"type": "string"},
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        }});
        let spec = json!({
            "type": "object",
            "required": ["scaleTargetRef", "triggers"],
            "properties": {
                "scaleTargetRef": {"type": "object", "required": ["name"], "properties": {
                    "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "name": {"type": "string"},
                    "envSourceContainerName": {"type": "string"},
                }},
                "minReplicaCount": {"type": "integer", "format": "int32"},
                "maxReplicaCount": {"type": "integer", "format": "int32"},
                "idleReplicaCount": {"type": "integer", "format": "int32"},
                "cooldownPeriod": {"type": "integer", "format": "int32"},
                "pollingInterval": {"type": "integer", "format": "int32"},
                "triggers": {"type": "array", "items": trigger},
            },
        });
        let schema = json!({"type": "object", "required": ["spec"], "properties": {"spec": spec}});
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "scaledobjects.keda.sh"},
            "spec": {
                "group": "keda.sh",
                "names": {
                    "kind": "ScaledObject", "listKind": "ScaledObjectList", "plural": "scaledobjects",
                    "singular": "scaledobject", "shortNames": ["so"],
                },
                "scope": "Namespaced",
                "versions": [{
                    "name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }],
            },
        });
        let apply = PatchParams::apply("tests").force();
        all.patch("scaledobjects.keda.sh", &apply, &Patch::Apply(&crd)).await.expect("applied");
        eventually("ScaledObjects are served", || async {
            self.scaled_objects().list(&ListParams::default()).await.ok()
        })
        .await;
    }

    /// The ScaledObjects of this namespace as untyped objects.
    pub fn scaled_objects(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject");
        Api::namespaced_with(self.cluster.client.clone(), &self.name, &ApiResource::from_gvk(&kind))
    }

    /// Creates the ScaledObject `TARGET-queue` of a Deployment, which its owner has paused at
    /// `paused` replicas.
    pub async fn scaled_object(&self, target: &str, paused: Option<&str>) {
        let mut object = json!({
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": {"name": format!("{target}-queue"), "annotations": {"owner": "sre"}},
            "spec": {
                "scaleTargetRef": {"name": target},
                "minReplicaCount": 0,
                "triggers": [{"type": "rabbitmq", "metadata": {"queueName": "payments"}}],
            },
        });
        if let Some(paused) = paused {
            object["metadata"]["annotations"][PAUSED_REPLICAS] = json!(paused);
        }
        let object = serde_json::from_value(object).expect("a ScaledObject");
        self.scaled_objects().create(&PostParams::default(), &object).await.expect("created");
    }

    /// The number of replicas at which `TARGET-queue` is paused.
    ///
    /// # Panics
    /// When it is gone, or has lost the annotation of its owner.
    pub async fn paused_replicas(&self, target: &str) -> Option<String> {
        let object = self.scaled_objects().get(&format!("{target}-queue")).await.expect("it exists");
        let mut annotations = object.metadata.annotations.unwrap_or_default();
        assert_eq!(annotations.get("owner").map(String::as_str), Some("sre"));
        annotations.remove(PAUSED_REPLICAS)
    }
}
