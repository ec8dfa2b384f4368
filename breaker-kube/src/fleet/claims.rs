//! [`TargetClaims`]: which CircuitBreakers have the same target, and which of them is the oldest.

use std::collections::{BTreeSet, HashMap};

use breaker_core::WorkloadRef;
use jiff::Timestamp;

use crate::crd::BreakerName;

/// A CircuitBreaker by the time of its creation: the oldest comes first.
pub(super) type Claim = (Timestamp, BreakerName);

/// The claims on each target.
#[derive(Default)]
pub(super) struct TargetClaims(HashMap<WorkloadRef, BTreeSet<Claim>>);

impl TargetClaims {
    pub(super) fn insert(&mut self, target: &WorkloadRef, claim: Claim) {
        self.0.entry(target.clone()).or_default().insert(claim);
    }

    pub(super) fn remove(&mut self, target: &WorkloadRef, claim: &Claim) {
        if let Some(claims) = self.0.get_mut(target) {
            claims.remove(claim);
            if claims.is_empty() {
                self.0.remove(target);
            }
        }
    }

    /// The CircuitBreakers of a target, the oldest first.
    pub(super) fn claimants(&self, target: &WorkloadRef) -> Vec<BreakerName> {
        self.0.get(target).into_iter().flatten().map(|(_, name)| name.clone()).collect()
    }
}
