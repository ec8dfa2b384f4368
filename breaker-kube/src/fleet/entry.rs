//! [`Entry`]: one CircuitBreaker in the reconciler, its role and its task.

use std::sync::Arc;

use breaker_core::WorkloadRef;
use breaker_core::guard::{CommonPeerMode, GuardVerdict};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::claims::Claim;
use super::desired::Desired;
use super::partial_breaker::PartialBreaker;
use super::shared::Shared;
use super::status_writer::StatusWriter;
use crate::crd::{BreakerName, InvalidSpec, ParsedSpec};

/// What a CircuitBreaker does in the fleet.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Role {
    /// Nothing yet.
    Undecided,
    /// It runs a breaker for this target.
    Active(WorkloadRef),
    /// This older CircuitBreaker has the same target.
    Conflicting(BreakerName),
    /// Its spec cannot be used. Why, in one word and for people.
    Refused(&'static str, String),
}

pub(super) struct Entry {
    pub(super) status: Arc<StatusWriter>,
    pub(super) created: Timestamp,
    pub(super) spec: Result<ParsedSpec, InvalidSpec>,
    /// Value of the annotation that requests a reset.
    pub(super) reset_annotation: Option<String>,
    /// The same value, if it is a time.
    pub(super) reset: Option<String>,
    pub(super) desired: Option<watch::Sender<Desired>>,
    pub(super) role: Role,
    pub(super) task: Option<AbortHandle>,
}

impl Entry {
    pub(super) fn new(shared: &Shared, breaker: &PartialBreaker) -> Self {
        Self {
            status: Arc::new(
                StatusWriter::new(&shared.kube, &shared.newer, breaker)
                    .with_lease(shared.options.lease.clone()),
            ),
            created: breaker.metadata.creation_timestamp.as_ref().map(|at| at.0).unwrap_or_default(),
            spec: Err(InvalidSpec { field: "spec", problem: String::new() }),
            reset_annotation: None,
            reset: None,
            desired: None,
            role: Role::Undecided,
            task: None,
        }
    }

    pub(super) fn target(&self) -> Option<&WorkloadRef> {
        self.spec.as_ref().ok().map(|spec| &spec.target)
    }

    pub(super) fn claim(&self) -> Claim {
        (self.created, self.status.name.clone())
    }

    /// What the spec asks for, with the verdict of the outage guard. `common_peer` is the setting
    /// of a spec without its own.
    pub(super) fn desired(
        &self,
        guard: Option<&GuardVerdict>,
        common_peer: CommonPeerMode,
    ) -> Option<Desired> {
        self.spec.as_ref().ok().map(|spec| Desired {
            policy: spec.policy.clone(),
            override_: spec.override_,
            guard: guard.and_then(|verdict| verdict.hold(spec.common_peer.unwrap_or(common_peer))),
            reset: self.reset.clone(),
        })
    }

    /// Whether its trip passes the outage guard when one peer is at fault.
    pub(super) fn trips_on_common_peer(&self, common_peer: CommonPeerMode) -> bool {
        let spec = self.spec.as_ref().ok();
        let is_active = self.desired.is_some();
        is_active && spec.is_some_and(|spec| spec.common_peer.unwrap_or(common_peer) == CommonPeerMode::Trip)
    }

    /// Stops the task at once. A workload that the breaker scaled down stays so, which is reported.
    pub(super) fn stop(&mut self, shared: &Shared, why: &str) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        let Role::Active(target) = &self.role else { return };
        shared.stopped(&self.status.name);
        if let Some(trip) = self.status.record().unwrap_or_default().state.trip() {
            shared.recorder.record_left_scaled_down(&self.status, target, trip.replicas, why);
        }
    }
}
