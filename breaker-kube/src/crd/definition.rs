//! The CustomResourceDefinition as YAML, and names that belong to it.

use kube::CustomResourceExt;

use super::spec::CircuitBreaker;

/// The annotation that requests a reset. Its value is a time (RFC 3339); each new value is acted on
/// once.
pub const RESET_ANNOTATION: &str = "bigredbutton.dev/reset-requested-at";

/// What [`ClusterError::NotFound`](breaker_core::ClusterError::NotFound) names when the API server
/// does not serve CircuitBreakers.
pub const CRD_NAME: &str = "the kind CircuitBreaker";

/// The CustomResourceDefinition as YAML.
///
/// # Panics
/// Never: the definition is a constant, and a test writes it.
pub fn crd_yaml() -> String {
    serde_saphyr::to_string(&CircuitBreaker::crd()).expect("the definition can be written as YAML")
}
