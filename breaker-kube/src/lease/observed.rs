//! [`ObservedLease`]: the Lease as last read, and what a candidate does next.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use tokio::time::Instant;

use super::params::LeaseParams;

/// The Lease as last read or written, and since when it is unchanged, by the clock of this process.
#[derive(Debug, Clone)]
pub(super) struct ObservedLease {
    pub(super) lease: Lease,
    pub(super) unchanged_since: Instant,
}

impl ObservedLease {
    /// The holder; `None` when the Lease was released.
    pub(super) fn holder(&self) -> Option<&str> {
        self.lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
    }

    /// When another candidate may take it. The duration that the holder wrote counts.
    pub(super) fn free_at(&self, params: &LeaseParams) -> Instant {
        let seconds = self.lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let duration = seconds.and_then(|n| u64::try_from(n).ok()).map(Duration::from_secs);
        match self.holder() {
            Some(_) => self.unchanged_since + duration.unwrap_or(params.lease_duration),
            None => self.unchanged_since,
        }
    }
}

/// What a candidate does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    Create,
    Take,
    Follow,
}

pub(super) fn next_step(observed: Option<&ObservedLease>, params: &LeaseParams, now: Instant) -> NextStep {
    match observed {
        None => NextStep::Create,
        // It holds the Lease already: the answer to its write was lost, or it stopped leading
        // because renewals had no answer.
        Some(observed) if observed.holder() == Some(&*params.identity) => NextStep::Take,
        Some(observed) if observed.free_at(params) <= now => NextStep::Take,
        Some(_) => NextStep::Follow,
    }
}

/// The Lease as this candidate holds it at `now`, over the one before.
pub(super) fn claimed(before: Option<&Lease>, params: &LeaseParams, now: Timestamp) -> Lease {
    let mut lease = before.cloned().unwrap_or_else(|| Lease {
        metadata: ObjectMeta {
            name: Some(params.name.clone()),
            namespace: Some(params.namespace.clone()),
            ..ObjectMeta::default()
        },
        spec: None,
    });
    let old = lease.spec.take().unwrap_or_default();
    let is_renewal = old.holder_identity.as_deref() == Some(&params.identity);
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(params.identity.clone()),
        lease_duration_seconds: Some(i32::try_from(params.lease_duration.as_secs()).unwrap_or(i32::MAX)),
        acquire_time: if is_renewal { old.acquire_time } else { Some(MicroTime(now)) },
        renew_time: Some(MicroTime(now)),
        lease_transitions: match before {
            None => Some(0),
            Some(_) if is_renewal => old.lease_transitions,
            Some(_) => Some(old.lease_transitions.unwrap_or_default().saturating_add(1)),
        },
        ..LeaseSpec::default()
    });
    lease
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> LeaseParams {
        LeaseParams::new("brb", "controller", "a")
    }

    fn held_by(holder: &str, unchanged_since: Instant) -> ObservedLease {
        let lease =
            claimed(None, &LeaseParams { identity: holder.into(), ..params() }, Timestamp::UNIX_EPOCH);
        ObservedLease { lease, unchanged_since }
    }

    #[test]
    fn a_lease_is_taken_when_it_is_absent_released_its_own_or_unchanged_for_its_duration() {
        let start = Instant::now();
        let mut short = held_by("b", start);
        short.lease.spec.as_mut().unwrap().lease_duration_seconds = Some(3);
        for (case, observed, after, want) in [
            ("absent", None, 0, NextStep::Create),
            ("released", Some(held_by("", start)), 0, NextStep::Take),
            ("its own", Some(held_by("a", start)), 0, NextStep::Take),
            ("another's, just seen", Some(held_by("b", start)), 0, NextStep::Follow),
            ("another's, nearly expired", Some(held_by("b", start)), 9_999, NextStep::Follow),
            ("another's, expired", Some(held_by("b", start)), 10_000, NextStep::Take),
            ("another's, with a duration of its own", Some(short), 3_000, NextStep::Take),
        ] {
            let now = start + Duration::from_millis(after);
            assert_eq!(next_step(observed.as_ref(), &params(), now), want, "{case}");
        }
    }

    #[test]
    fn transitions_count_changes_of_the_holder_only() {
        let now = Timestamp::UNIX_EPOCH;
        let first = claimed(None, &params(), now);
        let renewed = claimed(Some(&first), &params(), now + Duration::from_secs(2));
        let other = claimed(Some(&renewed), &LeaseParams { identity: "b".into(), ..params() }, now);
        let transitions = [&first, &renewed, &other].map(|l| l.spec.clone().unwrap().lease_transitions);
        assert_eq!(transitions, [Some(0), Some(0), Some(1)]);
        let acquired = |lease: &Lease| lease.spec.clone().unwrap().acquire_time;
        assert_eq!(acquired(&renewed), acquired(&first));
    }
}
