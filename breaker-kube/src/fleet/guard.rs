//! The desk at which a fleet's outage guard sits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use breaker_core::guard::Guard;
use jiff::Timestamp;
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

    fn guard(&self) -> MutexGuard<'_, Guard<BreakerName>> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watch(&self, name: &BreakerName) {
        self.guard().watch(name.clone());
        self.changed.notify_one();
    }

    pub(crate) fn forget(&self, name: &BreakerName) {
        self.guard().forget(name);
        self.changed.notify_one();
    }

    pub(crate) fn seen(&self, name: &BreakerName, restart_at: Timestamp) {
        self.guard().seen(name.clone(), restart_at);
        self.changed.notify_one();
    }

    pub(crate) fn tripped(&self, name: &BreakerName, at: Timestamp) {
        self.guard().tripped(name.clone(), at);
        self.changed.notify_one();
    }

    /// The verdict, and when time alone may change it.
    pub(crate) fn verdict(&self, now: Timestamp) -> (Option<String>, Option<Timestamp>) {
        let mut guard = self.guard();
        (guard.verdict(now), guard.changes_at(now))
    }

    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}
