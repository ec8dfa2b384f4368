//! The custom resource `circuitbreakers.bigredbutton.dev`: a breaker as its owner writes it, and as
//! the controller reports on it.
//!
//! ```text
//! spec --parse()--> ParsedSpec: WorkloadRef, Policy, Override     status <-- phase, counts, conditions, Record
//! ```
//!
//! The doc comments of the spec and status types are the descriptions in the
//! CustomResourceDefinition, which `kubectl explain` shows. Their rules are the ones by which the
//! API server refuses an object. Both are written for the person who writes the YAML.

pub mod condition;
mod definition;
mod name;
mod parse;
mod spec;
mod status;
#[cfg(test)]
mod tests;

pub use self::condition::Condition;
pub use self::definition::{CRD_NAME, RESET_ANNOTATION, crd_yaml};
pub use self::name::BreakerName;
pub use self::parse::{InvalidSpec, ParsedSpec};
pub use self::spec::{
    BeforeTrip, CauseName, CircuitBreaker, CircuitBreakerSpec, HooksSpec, IntOrPercent, ModeName, Notify,
    OnFailure, OverrideName, RecoveryMode, RecoverySpec, SecretKey, TargetRef, TripSpec, UnobservedName,
};
pub use self::status::{CircuitBreakerStatus, KedaPause, LastTrip, WouldTrip};
