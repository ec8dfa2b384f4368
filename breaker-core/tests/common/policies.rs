//! Policies that several tests use.

use breaker_core::Policy;
use breaker_core::policy::Recovery;
use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, OnFailure};
use jiff::SignedDuration;

use super::seconds;

/// Tries one replica after a minute, for two minutes.
pub(crate) fn half_open(policy: Policy) -> Policy {
    let minute = SignedDuration::from_mins(1);
    let recovery = Recovery::HalfOpen {
        cooldown: minute,
        max_cooldown: minute * 4,
        probe_replicas: 1,
        probe_for: minute * 2,
    };
    Policy { recovery, ..policy }
}

/// Calls a hook before a trip, and notifies the same receiver.
pub(crate) fn with_hooks(policy: Policy) -> Policy {
    let to = Endpoint::new("https://rollback.example.org/x");
    let hook = BeforeTrip { to: to.clone(), timeout: seconds(10), on_failure: OnFailure::Proceed };
    Policy { hooks: Hooks { before_trip: Some(hook), notify: vec![to] }, ..policy }
}
