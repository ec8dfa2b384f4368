//! The health of a controller, as its HTTP endpoints show it.

use std::sync::Arc;

use breaker_kube::lease::Leadership;
use breaker_kube::{KubeClient, fleet::Fleet};
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

    fn watch_age(&self) -> Option<f64> {
        let fleet = self.fleet.lock();
        Some(fleet.as_ref()?.pod_watch().silent_for?.as_secs_f64())
    }
}

impl Endpoints for Health {
    fn metrics(&self) -> String {
        let leads = self.standing.borrow().leads();
        self.metrics.page(ProcessState {
            leads,
            watch_age: self.watch_age(),
            traffic: self.kube.request_metrics(),
        })
    }

    fn readiness(&self) -> Readiness {
        readiness(&self.standing.borrow(), self.watch_age())
    }
}

fn readiness(standing: &Leadership, watch_age: Option<f64>) -> Readiness {
    let (ready, reason) = match (standing, watch_age) {
        (Leadership::Leading, None) => (false, "leader; the pods are not listed yet".to_owned()),
        (Leadership::Leading, Some(age)) if age >= MAX_WATCH_AGE_SECONDS => (
            false,
            format!(
                "leader; no sign of life from the pod watch for {age:.0} s; check that the API server is reachable"
            ),
        ),
        (Leadership::Leading, Some(age)) => {
            (true, format!("leader; last sign of life from the pod watch {age:.0} s ago"))
        }
        (Leadership::Following(Some(leader)), _) => (true, format!("on standby; {leader} leads")),
        (Leadership::Following(None), _) => (false, "no leader is known yet".to_owned()),
        (Leadership::Unknown(why), _) => (false, format!("the leader is unknown: {why}")),
    };
    Readiness { ready, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_is_ready_while_its_watch_lives_and_a_follower_while_another_leads() {
        for (standing, age, is_ready, reason) in [
            (Leadership::Leading, None, false, "not listed yet"),
            (Leadership::Leading, Some(0.2), true, "pod watch 0 s ago"),
            (Leadership::Leading, Some(149.9), true, "pod watch 150 s ago"),
            (Leadership::Leading, Some(150.0), false, "no sign of life from the pod watch for 150 s"),
            (Leadership::Following(Some("brb-1".into())), None, true, "brb-1 leads"),
            (Leadership::Following(None), None, false, "no leader is known"),
            (Leadership::Unknown("forbidden".into()), None, false, "the leader is unknown: forbidden"),
        ] {
            let readiness = readiness(&standing, age);
            assert_eq!(readiness.ready, is_ready, "{standing:?} {age:?}");
            assert!(readiness.reason.contains(reason), "{readiness:?}");
        }
    }
}
