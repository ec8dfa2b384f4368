//! The health of a controller, as its HTTP endpoints show it.

use std::sync::Arc;

use breaker_kube::KubeClient;
use breaker_kube::fleet::{Fleet, WatchHealth};
use breaker_kube::lease::Leadership;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::controller::http::{Endpoints, Readiness};
use crate::controller::metrics::{Metrics, ProcessState};

/// A leader is not ready when its pod watch has shown no sign of life for this many seconds. The
/// API server ends each watch within a minute, so two in a row did not come back.
const MAX_WATCH_AGE_SECONDS: f64 = 150.0;

/// The state of a controller: its leadership, its fleet, and its metrics.
pub(crate) struct Health {
    metrics: Arc<Metrics>,
    kube: KubeClient,
    standing: watch::Receiver<Leadership>,
    /// The running fleet; none while another controller leads.
    fleet: Mutex<Option<Arc<Fleet>>>,
}

impl Health {
    pub(crate) fn new(
        metrics: Arc<Metrics>,
        kube: KubeClient,
        standing: watch::Receiver<Leadership>,
    ) -> Self {
        Self { metrics, kube, standing, fleet: Mutex::default() }
    }

    /// Sets the running fleet. Without one, the metrics of all breakers are removed.
    pub(crate) fn set_fleet(&self, fleet: Option<Arc<Fleet>>) {
        if fleet.is_none() {
            self.metrics.all_gone();
        }
        *self.fleet.lock() = fleet;
    }

    fn watches(&self) -> Option<Watches> {
        let fleet = self.fleet.lock();
        let fleet = fleet.as_ref()?;
        Some(Watches { pods: fleet.pod_watch(), breakers: fleet.breaker_watch() })
    }
}

/// The watches of a fleet.
#[derive(Debug, Default)]
struct Watches {
    pods: WatchHealth,
    breakers: WatchHealth,
}

impl Endpoints for Health {
    fn metrics(&self) -> String {
        let (leads, watches) = (self.standing.borrow().leads(), self.watches().unwrap_or_default());
        let age = |watch: WatchHealth| watch.silent_for.map(|age| age.as_secs_f64());
        self.metrics.page(ProcessState {
            leads,
            watch_age: age(watches.pods),
            breaker_watch_age: age(watches.breakers),
            traffic: self.kube.request_metrics(),
        })
    }

    fn readiness(&self) -> Readiness {
        readiness(&self.standing.borrow(), self.watches())
    }
}

fn readiness(standing: &Leadership, watches: Option<Watches>) -> Readiness {
    let (ready, reason) = match standing {
        Leadership::Leading => match watches.map(|watches| watches.check()) {
            None => (false, "leader; its fleet is starting".to_owned()),
            Some(Err(why)) => (false, format!("leader; {why}")),
            Some(Ok(age)) => (true, format!("leader; last sign of life from the pod watch {age:.0} s ago")),
        },
        Leadership::Following(Some(leader)) => (true, format!("on standby; {leader} leads")),
        Leadership::Following(None) => (false, "no leader is known yet".to_owned()),
        Leadership::Unknown(why) => (false, format!("the leader is unknown: {why}")),
    };
    Readiness { ready, reason }
}

impl Watches {
    /// The age of the pod watch in seconds, or why the fleet does not see its breakers or their
    /// pods.
    fn check(self) -> Result<f64, String> {
        // Without CircuitBreakers no pods are wanted.
        check("the CircuitBreakers", "the watch of CircuitBreakers", self.breakers)?;
        check("the pods", "the pod watch", self.pods)
    }
}

fn check(objects: &str, watch: &str, health: WatchHealth) -> Result<f64, String> {
    let age = health.silent_for.map(|age| age.as_secs_f64());
    match (health.error, age) {
        (Some(why), None) => Err(format!("{objects} are not listed yet: {why}")),
        (Some(why), Some(_)) => Err(format!("{watch} is down: {why}")),
        (None, None) => Err(format!("{objects} are not listed yet")),
        (None, Some(age)) if age >= MAX_WATCH_AGE_SECONDS => Err(format!(
            "no sign of life from {watch} for {age:.0} s; check that the API server is reachable"
        )),
        (None, Some(age)) => Ok(age),
    }
}

#[cfg(test)]
mod tests {
    use breaker_core::jiff::SignedDuration;

    use super::*;

    fn alive(age: f64) -> WatchHealth {
        let mut health = WatchHealth::default();
        health.silent_for = SignedDuration::try_from_secs_f64(age).ok();
        health
    }

    fn down(age: Option<f64>, why: &str) -> WatchHealth {
        let mut health = age.map(alive).unwrap_or_default();
        health.error = Some(why.into());
        health
    }

    #[test]
    fn a_leader_is_ready_while_it_sees_its_breakers_and_pods_and_a_follower_while_another_leads() {
        let (leading, new) = (|| Leadership::Leading, WatchHealth::default);
        let watches = |breakers, pods| Some(Watches { breakers, pods });
        let gone = "the API server does not serve CircuitBreakers (404)";
        for (standing, watches, is_ready, reason) in [
            (leading(), None, false, "its fleet is starting"),
            (leading(), watches(new(), new()), false, "the CircuitBreakers are not listed yet"),
            (leading(), watches(alive(0.0), new()), false, "the pods are not listed yet"),
            (leading(), watches(alive(0.1), alive(0.2)), true, "pod watch 0 s ago"),
            (leading(), watches(alive(149.9), alive(149.9)), true, "pod watch 150 s ago"),
            (leading(), watches(alive(1.0), alive(150.0)), false, "from the pod watch for 150 s"),
            (leading(), watches(alive(150.0), alive(1.0)), false, "the watch of CircuitBreakers for 150 s"),
            (leading(), watches(down(Some(1.0), gone), alive(1.0)), false, &format!("is down: {gone}")),
            (leading(), watches(down(None, "no"), new()), false, "CircuitBreakers are not listed yet: no"),
            (leading(), watches(alive(1.0), down(None, "no")), false, "the pods are not listed yet: no"),
            (leading(), watches(alive(1.0), down(Some(9.0), "no")), false, "the pod watch is down: no"),
            (Leadership::Following(Some("brb-1".into())), None, true, "brb-1 leads"),
            (Leadership::Following(None), None, false, "no leader is known"),
            (Leadership::Unknown("forbidden".into()), None, false, "the leader is unknown: forbidden"),
        ] {
            let shown = format!("{standing:?} {watches:?}");
            let readiness = readiness(&standing, watches);
            assert_eq!(readiness.ready, is_ready, "{shown}");
            assert!(readiness.reason.contains(reason), "{shown}: {readiness:?}");
        }
    }
}
