//! [`StartupBarrier`]: no breaker trips before all breakers of the start have looked at their pods.
//!
//! ```text
//! breakers of the first list subscribe to their pods ──▶ one listing of pods ──▶ EVIDENCE_TIME ──▶ lifted
//! ```
//!
//! When everything fails at once, the outage guard must know all failing targets before the first
//! breaker trips.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::shared_watch::SharedPodWatch;

/// How long breakers may gather evidence after the listing of all pods before one may trip.
const EVIDENCE_TIME: Duration = Duration::from_secs(2);

/// How long the listing waits for breakers that do not subscribe: a target may not answer.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(20);

/// How often the first listing is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Held by a breaker of the start until it has subscribed to its pods. Dropping it is the signal.
pub(crate) struct StartupTicket(#[expect(dead_code, reason = "dropped, not used")] mpsc::Sender<()>);

pub(crate) struct StartupBarrier {
    /// The sender that tickets are cloned from; `None` once the first list is complete.
    tickets: Mutex<Option<mpsc::Sender<()>>>,
    /// Closed once every ticket was dropped.
    subscribed: Mutex<Option<mpsc::Receiver<()>>>,
    lifted: watch::Sender<bool>,
}

impl StartupBarrier {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        Self {
            tickets: Mutex::new(Some(sender)),
            subscribed: Mutex::new(Some(receiver)),
            lifted: watch::channel(false).0,
        }
    }

    /// A ticket for a breaker of the first list; `None` for a later breaker.
    pub(crate) fn ticket(&self) -> Option<StartupTicket> {
        self.tickets.lock().clone().map(StartupTicket)
    }

    /// Ends the first list: no more tickets. Returns whether it was open.
    pub(crate) fn close(&self) -> bool {
        self.tickets.lock().take().is_some()
    }

    /// Returns once the barrier is lifted.
    pub(crate) async fn lifted(&self) {
        let _ = self.lifted.subscribe().wait_for(|lifted| *lifted).await;
    }

    /// Waits for the tickets, then runs the pod watch and lifts the barrier. `report` receives a
    /// sentence when the watch fails, and when it works again. Returns when the watch ends.
    pub(crate) async fn run_watch(&self, pods: &SharedPodWatch, report: &(dyn Fn(&str) + Sync)) {
        let subscribed = self.subscribed.lock().take();
        if let Some(mut subscribed) = subscribed {
            let all_subscribed = async { while subscribed.recv().await.is_some() {} };
            let _ = tokio::time::timeout(STARTUP_TIMEOUT, all_subscribed).await;
        }
        let lift = async {
            while pods.health().silent_for.is_none() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            tokio::time::sleep(EVIDENCE_TIME).await;
            self.lifted.send_replace(true);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = pods.run(report) => {}
            () = lift => {}
        }
    }
}
