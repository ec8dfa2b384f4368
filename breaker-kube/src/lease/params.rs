//! [`LeaseParams`]: which Lease, and the times of the election.

use std::time::Duration;

use tokio::time::Instant;

/// Which Lease a candidate wants, and the times by which it is held. The names are client-go's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseParams {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Name of the candidate. Each process needs its own, also one that is restarted in the same
    /// pod.
    pub identity: String,
    /// How long a Lease must be unchanged before another candidate may take it. Whole seconds.
    /// Default 10 s.
    pub lease_duration: Duration,
    /// How long a leader leads without a renewal. Must be shorter than `lease_duration` by the time
    /// that the leader needs to stop. Default 7 s.
    pub renew_deadline: Duration,
    /// Time between two renewals of the leader. Default 2 s.
    pub retry_period: Duration,
    /// Time between two reads of a follower. Default 1 s.
    pub poll_interval: Duration,
}

impl LeaseParams {
    /// The default times: another candidate leads within 12 s after a leader was killed, and within
    /// 1 s after a leader released the Lease.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, identity: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            identity: identity.into(),
            lease_duration: Duration::from_secs(10),
            renew_deadline: Duration::from_secs(7),
            retry_period: Duration::from_secs(2),
            poll_interval: Duration::from_secs(1),
        }
    }

    /// When a request that starts now is given up: early enough for a second one before the
    /// deadline.
    pub(super) fn request_deadline(&self) -> Instant {
        Instant::now() + self.renew_deadline / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_stops_before_another_may_lead() {
        let LeaseParams { lease_duration, renew_deadline, retry_period, poll_interval, .. } =
            LeaseParams::new("brb", "controller", "a");
        assert!(renew_deadline + Duration::from_secs(2) < lease_duration, "a margin to stop in");
        assert!(retry_period * 3 < renew_deadline, "three renewals may fail");
        assert!(lease_duration + poll_interval < Duration::from_secs(15), "the hand-over that is promised");
    }
}
