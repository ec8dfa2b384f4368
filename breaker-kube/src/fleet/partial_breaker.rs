//! [`PartialBreaker`]: a CircuitBreaker of the watch, with its spec not yet parsed.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::crd::{BreakerName, CircuitBreaker, RESET_ANNOTATION};

/// A CircuitBreaker, decoded to the fields that are used.
///
/// A spec of any shape is decoded, so that one bad object does not stop the watch. What is wrong
/// with it is reported in its status.
#[derive(Debug, Clone, Default, Deserialize, Resource)]
#[resource(inherit = CircuitBreaker)]
#[serde(default)]
pub(crate) struct PartialBreaker {
    #[serde(deserialize_with = "partial_metadata")]
    pub(crate) metadata: ObjectMeta,
    pub(crate) spec: Value,
    pub(crate) status: Value,
}

impl PartialBreaker {
    pub(crate) fn name(&self) -> BreakerName {
        let ObjectMeta { namespace, name, .. } = &self.metadata;
        BreakerName {
            namespace: namespace.clone().unwrap_or_default(),
            name: name.clone().unwrap_or_default(),
        }
    }

    pub(crate) fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    pub(crate) fn reset_requested(&self) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(RESET_ANNOTATION).map(String::as_str)
    }
}

/// Skips managed fields, labels, and annotations of others.
fn partial_metadata<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let mut metadata = ObjectMeta::deserialize(from)?;
    metadata.managed_fields = None;
    metadata.labels = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|key, _| key == RESET_ANNOTATION);
    }
    Ok(metadata)
}
