//! [`LeaseHealth`]: whether a controller renews its Lease, as a client sees it that takes no part
//! in the election.

use std::time::Duration;

use breaker_core::ClusterError;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

use super::api::LeaseApi;
use super::params::LeaseParams;
use crate::client::KubeClient;

/// Deadline of one read.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Time between the two reads that show whether somebody renews: longer than the
/// [`retry_period`](LeaseParams::retry_period) of a leader and than a hand-over.
const RECHECK_AFTER: Duration = Duration::from_secs(3);

/// How far the clock of the holder may be ahead before its times are not believed.
const MAX_CLOCK_AHEAD: SignedDuration = SignedDuration::from_secs(5);

/// Whether a controller renews a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseHealth {
    /// A controller renews it.
    Renewed,
    /// Nobody does.
    NotRenewed {
        /// The last renewal; `None` when the Lease does not exist or was never renewed.
        since: Option<Timestamp>,
    },
}

impl KubeClient {
    /// Whether a controller renews this Lease. Takes 3 s when it seems that none does: the Lease is
    /// then read a second time, so that a difference of two clocks is not taken for a stop.
    ///
    /// # Errors
    /// As for every call.
    pub async fn lease_health(&self, namespace: &str, name: &str) -> Result<LeaseHealth, ClusterError> {
        let leases = LeaseApi::new(self, &LeaseParams::new(namespace, name, ""));
        let read = || leases.read(Instant::now() + READ_TIMEOUT);
        let Some(first) = read().await? else { return Ok(LeaseHealth::NotRenewed { since: None }) };
        if is_fresh(&first, leases.now()) {
            return Ok(LeaseHealth::Renewed);
        }
        tokio::time::sleep(RECHECK_AFTER).await;
        let Some(second) = read().await? else { return Ok(LeaseHealth::NotRenewed { since: None }) };
        let is_renewed =
            is_held(&second) && first.metadata.resource_version != second.metadata.resource_version;
        Ok(match is_renewed {
            true => LeaseHealth::Renewed,
            false => LeaseHealth::NotRenewed { since: renewed_at(&second) },
        })
    }
}

fn is_held(lease: &Lease) -> bool {
    let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
    holder.is_some_and(|holder| !holder.is_empty())
}

fn renewed_at(lease: &Lease) -> Option<Timestamp> {
    Some(lease.spec.as_ref()?.renew_time.as_ref()?.0)
}

/// Whether it is held and was renewed during the last three of its durations, by this clock.
fn is_fresh(lease: &Lease, now: Timestamp) -> bool {
    let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds).unwrap_or_default();
    let longest = SignedDuration::from_secs(3 * i64::from(seconds));
    is_held(lease)
        && renewed_at(lease).is_some_and(|at| {
            let age = now.duration_since(at);
            -MAX_CLOCK_AHEAD <= age && age <= longest
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lease(holder: &str, renewed: &str) -> Lease {
        let spec = json!({"holderIdentity": holder, "leaseDurationSeconds": 10, "renewTime": renewed});
        serde_json::from_value(json!({"metadata": {"resourceVersion": "1"}, "spec": spec})).unwrap()
    }

    #[test]
    fn a_lease_is_fresh_while_its_holder_renews_it() {
        let now = "2026-01-02T03:00:00Z".parse().unwrap();
        for (case, lease, want) in [
            ("just renewed", lease("a", "2026-01-02T02:59:58.000000Z"), true),
            ("renewed late", lease("a", "2026-01-02T02:59:31.000000Z"), true),
            ("a clock ahead", lease("a", "2026-01-02T03:00:04.000000Z"), true),
            ("expired", lease("a", "2026-01-02T02:59:29.000000Z"), false),
            ("released", lease("", "2026-01-02T02:59:58.000000Z"), false),
            ("a clock far ahead", lease("a", "2026-01-02T03:10:00.000000Z"), false),
            ("empty", Lease::default(), false),
        ] {
            assert_eq!(is_fresh(&lease, now), want, "{case}");
        }
    }
}
