//! [`SharedGuard`]: the outage guard of a fleet, with a notice when it must be asked again.

use breaker_core::guard::{ClusterPeers, CountedRestart, Guard, GuardVerdict};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::crd::BreakerName;

pub(crate) struct SharedGuard {
    guard: Mutex<Guard<BreakerName>>,
    changed: Notify,
}

impl SharedGuard {
    pub(crate) fn new(limit: u32) -> Self {
        Self { guard: Mutex::new(Guard::new(limit)), changed: Notify::new() }
    }

    pub(crate) fn watch(&self, name: &BreakerName) {
        self.update(|guard| guard.watch(name.clone(), &name.namespace));
    }

    pub(crate) fn forget(&self, name: &BreakerName) {
        self.update(|guard| guard.forget(name));
    }

    pub(crate) fn restarted(&self, name: &BreakerName, restart: CountedRestart<'_>) {
        self.update(|guard| guard.seen(name.clone(), restart));
    }

    pub(crate) fn tripped(&self, name: &BreakerName, at: Timestamp) {
        self.update(|guard| guard.tripped(name.clone(), at));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.guard.lock().len()
    }

    fn update(&self, update: impl FnOnce(&mut Guard<BreakerName>)) {
        update(&mut self.guard.lock());
        self.changed.notify_one();
    }

    /// The verdict, and when it may change without a further restart or trip.
    /// `cluster` is what belongs to the cluster, or why that is not known.
    pub(crate) fn verdict(
        &self,
        now: Timestamp,
        cluster: Result<&ClusterPeers, &str>,
    ) -> (Option<GuardVerdict>, Option<Timestamp>) {
        let mut guard = self.guard.lock();
        (guard.verdict(now, cluster), guard.changes_at(now))
    }

    /// Whether a target fails: the guard may turn on soon.
    pub(crate) fn any_fails(&self, now: Timestamp) -> bool {
        self.guard.lock().any_fails(now)
    }

    /// Returns when the guard was updated since the last call.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}
