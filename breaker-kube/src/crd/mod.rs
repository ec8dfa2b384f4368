//! The custom resource `circuitbreakers.bigredbutton.dev`: one breaker, as its owner writes it and as the
//! controller reports on it.
//!
//! ```text
//! spec --wanted()--> WorkloadRef, Policy, Override      status <--- conditions, counts, the Record
//! ```
//!
//! The doc comments of these types are what `kubectl explain` shows, and their rules are what the API server refuses
//! by: both are written for the person who types the YAML.

mod parse;
mod spec;
mod status;

pub use crate::autoscalers::KedaPause;
pub use parse::{BadSpec, ParsedSpec};
pub use spec::{
    BeforeTrip, CauseName, CircuitBreaker, CircuitBreakerSpec, HooksSpec, IntOrPercent, ModeName, Notify,
    OnFailure, OverrideName, RecoveryMode, RecoverySpec, SecretKey, TargetRef, TripSpec, UnobservedName,
};
pub use status::{CircuitBreakerStatus, Condition, LastTrip, condition};

/// Asks for a reset when it is set to a new time (RFC 3339); acted on once.
pub const RESET_ANNOTATION: &str = "bigredbutton.dev/reset-requested-at";

/// What [`ClusterError::NotFound`](breaker_core::ClusterError::NotFound) names when the definition is not installed.
pub const CRD_NAME: &str = "the kind CircuitBreaker";

/// The CustomResourceDefinition as YAML.
///
/// # Panics
/// Never: the definition is a constant, and a test prints it.
pub fn crd_yaml() -> String {
    use kube::CustomResourceExt;
    serde_saphyr::to_string(&CircuitBreaker::crd()).expect("a definition can be written as YAML")
}

#[cfg(test)]
mod tests;
