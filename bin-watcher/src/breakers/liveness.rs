//! Whether the controller of a breaker runs, by the Lease that its status names.

use std::collections::{BTreeMap, BTreeSet};

use breaker_kube::KubeClient;
use breaker_kube::lease::LeaseHealth;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::object::BreakerObject;

/// What is known of the controller of a breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Liveness {
    /// A controller renews its Lease.
    Runs,
    /// No controller does, as a sentence.
    Stopped(String),
    /// The Lease cannot be read, and why; or the controller takes part in no election.
    Unknown(Option<String>),
}

impl Liveness {
    /// Of the controller that wrote the status of `breaker`.
    pub(super) async fn of(kube: &KubeClient, breaker: &BreakerObject) -> Self {
        match &breaker.status.lease {
            Some(lease) => Self::of_lease(kube, lease).await,
            None => Self::Unknown(None),
        }
    }

    /// Of each Lease that the breakers name, read at the same time.
    pub(super) async fn of_all(kube: &KubeClient, leases: BTreeSet<String>) -> BTreeMap<String, Self> {
        let reads = leases.into_iter().map(|lease| async move {
            let liveness = Self::of_lease(kube, &lease).await;
            (lease, liveness)
        });
        join_all(reads).await.into_iter().collect()
    }

    async fn of_lease(kube: &KubeClient, lease: &str) -> Self {
        let Some((namespace, name)) = lease.split_once('/') else { return Self::Unknown(None) };
        match kube.lease_health(namespace, name).await {
            Ok(LeaseHealth::NotRenewed { since }) => Self::Stopped(stopped(lease, since, Timestamp::now())),
            Ok(_) => Self::Runs,
            Err(error) => {
                Self::Unknown(Some(format!("whether a controller runs is not known: {}", error.with_fix())))
            }
        }
    }

    /// What to say about it; `None` while a controller runs or takes part in no election.
    pub(super) fn message(&self) -> Option<&str> {
        match self {
            Self::Runs => None,
            Self::Stopped(message) => Some(message),
            Self::Unknown(why) => why.as_deref(),
        }
    }
}

fn stopped(lease: &str, since: Option<Timestamp>, now: Timestamp) -> String {
    match since {
        Some(at) => format!(
            "no controller has renewed its lease {lease} since {at:.0} ({})",
            span(now.duration_since(at))
        ),
        None => format!("no controller has its lease {lease}: it does not exist"),
    }
}

fn span(span: SignedDuration) -> String {
    match span.as_secs().max(0) {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_since_when_nobody_renews() {
        let now = "2026-01-02T08:36:10Z".parse().unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        for (since, want) in [
            (
                at("2026-01-02T08:24:00.123456Z"),
                "no controller has renewed its lease sre/l since 2026-01-02T08:24:00Z (12 min)",
            ),
            (
                at("2026-01-02T08:35:30Z"),
                "no controller has renewed its lease sre/l since 2026-01-02T08:35:30Z (40 s)",
            ),
            (
                at("2026-01-01T08:35:30Z"),
                "no controller has renewed its lease sre/l since 2026-01-01T08:35:30Z (24 h)",
            ),
            (None, "no controller has its lease sre/l: it does not exist"),
        ] {
            assert_eq!(stopped("sre/l", since, now), want);
        }
    }
}
