//! A CircuitBreaker as it comes off the watch: the fields used, its spec still as written.

use std::borrow::Cow;
use std::fmt;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::crd::RESET_ANNOTATION;

/// Which breaker: namespace and name. Prints as `namespace/name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BreakerName {
    /// Namespace of the breaker and of its target.
    pub namespace: String,
    /// Name of the breaker.
    pub name: String,
}

impl fmt::Display for BreakerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Whatever its spec looks like, the watch goes on: what is wrong with it is said in its status.
#[derive(Debug, Clone, Default, Deserialize)]
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

/// Leaves managed fields and other people's annotations on the wire.
fn partial_metadata<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let mut metadata = ObjectMeta::deserialize(from)?;
    metadata.managed_fields = None;
    metadata.labels = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|key, _| key == RESET_ANNOTATION);
    }
    Ok(metadata)
}

impl kube::Resource for PartialBreaker {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "CircuitBreaker".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "bigredbutton.dev".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1alpha1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "circuitbreakers".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
