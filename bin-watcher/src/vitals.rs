//! How a controller does: what its pages say.

use std::sync::{Arc, Mutex, PoisonError};

use breaker_kube::lease::Leadership;
use breaker_kube::{Fleet, KubeClient};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::metrics::{Metrics, Now};
use crate::serve::{Ready, Site};

/// A leader whose pod watch has been silent for so long is not ready. The API server ends each watch within a minute,
/// so this is two that did not come back.
const SILENT_TOO_LONG: f64 = 150.0;

/// A controller's own state, for its pages.
pub(crate) struct Vitals {
    metrics: Arc<Metrics>,
    kube: KubeClient,
    standing: watch::Receiver<Leadership>,
    /// The fleet that runs now.
    fleet: Mutex<Option<Arc<Fleet>>>,
}

impl Vitals {
    pub(crate) fn new(
        metrics: Arc<Metrics>,
        kube: KubeClient,
        standing: watch::Receiver<Leadership>,
    ) -> Self {
        Self { metrics, kube, standing, fleet: Mutex::default() }
    }

    /// From now on this fleet runs, or none.
    pub(crate) fn runs(&self, fleet: Option<Arc<Fleet>>) {
        if fleet.is_none() {
            self.metrics.all_gone();
        }
        *self.fleet.lock().unwrap_or_else(PoisonError::into_inner) = fleet;
    }

    fn watch_age(&self) -> Option<f64> {
        let fleet = self.fleet.lock().unwrap_or_else(PoisonError::into_inner);
        let alive_at = fleet.as_ref()?.alive_at()?;
        Some(Timestamp::now().duration_since(alive_at).as_secs_f64().max(0.0))
    }
}

impl Site for Vitals {
    fn metrics(&self) -> String {
        let leads = self.standing.borrow().leads();
        self.metrics.page(Now { leads, watch_age: self.watch_age(), traffic: self.kube.request_metrics() })
    }

    fn ready(&self) -> Ready {
        readiness(&self.standing.borrow(), self.watch_age())
    }
}

fn readiness(standing: &Leadership, watch_age: Option<f64>) -> Ready {
    let (is, why) = match (standing, watch_age) {
        (Leadership::Leading, None) => (false, "it leads, and the pods are not listed yet".to_owned()),
        (Leadership::Leading, Some(age)) if age >= SILENT_TOO_LONG => (
            false,
            format!("no sign of life from the pod watch for {age:.0} s; can it reach the API server?"),
        ),
        (Leadership::Leading, Some(age)) => (true, format!("it leads; the pod watch is {age:.0} s old")),
        (Leadership::Following(Some(leader)), _) => (true, format!("it stands by; {leader} leads")),
        (Leadership::Following(None), _) => (false, "nobody is known to lead yet".to_owned()),
        (Leadership::Unknown(why), _) => (false, format!("it cannot learn who leads: {why}")),
    };
    Ready { is, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_is_ready_while_its_watch_lives_and_a_follower_while_another_leads() {
        for (standing, age, is, why) in [
            (Leadership::Leading, None, false, "not listed yet"),
            (Leadership::Leading, Some(0.2), true, "0 s old"),
            (Leadership::Leading, Some(149.9), true, "150 s old"),
            (Leadership::Leading, Some(150.0), false, "no sign of life from the pod watch for 150 s"),
            (Leadership::Following(Some("brb-1".into())), None, true, "brb-1 leads"),
            (Leadership::Following(None), None, false, "nobody is known to lead"),
            (Leadership::Unknown("forbidden".into()), None, false, "who leads: forbidden"),
        ] {
            let ready = readiness(&standing, age);
            assert_eq!(ready.is, is, "{standing:?} {age:?}");
            assert!(ready.why.contains(why), "{ready:?}");
        }
    }
}
