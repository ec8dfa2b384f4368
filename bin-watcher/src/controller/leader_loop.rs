//! Runs a fleet while this controller leads.

use std::sync::Arc;

use breaker_kube::lease::Leadership;
use breaker_kube::{
    KubeClient,
    fleet::{Fleet, FleetError, FleetObserver, FleetOptions},
};
use tokio::sync::watch;

use crate::controller::health::Health;
use crate::controller::output::ControllerOutput;

/// Starts a [`Fleet`] each time that this controller becomes the leader, and drops it when it is
/// not any more.
pub(crate) struct LeaderLoop {
    pub(crate) kube: KubeClient,
    pub(crate) options: FleetOptions,
    pub(crate) output: Arc<ControllerOutput>,
    pub(crate) health: Arc<Health>,
}

impl LeaderLoop {
    /// Runs until a fleet fails.
    ///
    /// # Errors
    /// What the fleet failed with.
    pub(crate) async fn run(&self, mut standing: watch::Receiver<Leadership>) -> Result<(), FleetError> {
        loop {
            let now = standing.borrow_and_update().clone();
            match now {
                Leadership::Leading => {
                    self.output.note("became leader; watching every CircuitBreaker of its scope");
                    let audience = Arc::clone(&self.output) as Arc<dyn FleetObserver>;
                    let fleet = Arc::new(Fleet::new(self.kube.clone(), self.options.clone(), audience));
                    self.health.set_fleet(Some(Arc::clone(&fleet)));
                    let ended = tokio::select! {
                        ended = fleet.run() => Some(ended),
                        _ = standing.wait_for(|standing| !standing.leads()) => None,
                    };
                    self.health.set_fleet(None);
                    match ended {
                        Some(ended) => return ended,
                        None => {
                            standing.mark_changed();
                            self.output.note("lost leadership; in-flight trips resume on the new leader");
                        }
                    }
                }
                Leadership::Following(Some(leader)) => {
                    self.output.note(&format!("on standby; {leader} leads"))
                }
                Leadership::Following(None) => {}
                Leadership::Unknown(why) => {
                    self.output.note(&format!("the leader is unknown: {why}"));
                }
            }
            if standing.changed().await.is_err() {
                // The election has ended, and so will the controller.
                std::future::pending::<()>().await;
            }
        }
    }
}
