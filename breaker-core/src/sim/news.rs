//! What the watches show, and when.

use futures::channel::mpsc::{self, UnboundedReceiver};
use jiff::{SignedDuration, Timestamp};

use super::pod::Pod;
use super::world::World;
use crate::ClusterError;
use crate::cluster::PodWatchEvent;
use crate::pod::PodReport;

/// Why the pods cannot be seen while the watch is down.
const DOWN: &str = "the pods cannot be listed: connection refused";

impl World {
    /// Every watch lists again, as after a lost connection.
    pub fn relist(&mut self) {
        self.relist_late(SignedDuration::ZERO);
    }

    /// Every watch lists again, and the answer arrives after this time. Meanwhile the watch goes
    /// on, so that the list is older than the events before it.
    pub fn relist_late(&mut self, delay: SignedDuration) {
        let (asked, pods) = (self.now(), self.pods_by_selector());
        if delay.is_zero() {
            return self.deliver_list(&pods, asked);
        }
        self.after(delay, move |world| world.deliver_list(&pods, asked));
    }

    /// The pods cannot be listed or watched for this time. Then the watches list again.
    ///
    /// ```
    /// use breaker_core::cluster::PodWatchEvent;
    /// use breaker_core::jiff::SignedDuration;
    /// use breaker_core::sim::Sim;
    /// use breaker_core::{ClusterClient, WorkloadRef};
    /// use futures::StreamExt;
    ///
    /// let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
    /// let watch = sim.watch_pods("sre", "app=app");
    /// sim.with(|world| world.break_watch(SignedDuration::from_secs(90)));
    /// let events = sim.run(watch.take(3).collect::<Vec<_>>()).unwrap();
    /// assert!(matches!(
    ///     events[..],
    ///     [PodWatchEvent::Listed { .. }, PodWatchEvent::Down(_), PodWatchEvent::Listed { .. }]
    /// ));
    /// ```
    pub fn break_watch(&mut self, time: SignedDuration) {
        let until = self.now().saturating_add(time).unwrap_or(Timestamp::MAX);
        self.watches.down = self.watches.down.max(Some(until));
        self.watches.forget_backlog();
        self.watches.send_to_all(PodWatchEvent::Down(DOWN.into()));
        self.after(time, |world| {
            if world.watches.down.is_some_and(|until| until <= world.now()) {
                world.watches.down = None;
                world.relist();
            }
        });
    }

    /// The connections of the watches are silent for this time, and calls work. Then the watches
    /// are accepted again, and a second later they show what they missed. Does nothing while the
    /// pods cannot be watched.
    pub fn stall_watch(&mut self, time: SignedDuration) {
        if self.watches.down.is_some() {
            return;
        }
        let until = self.now().saturating_add(time).unwrap_or(Timestamp::MAX);
        self.watches.stalled = self.watches.stalled.max(Some(until));
        self.after(time, |world| {
            if world.watches.stalled.is_some_and(|until| until <= world.now()) {
                world.watches.send_to_all(PodWatchEvent::Down("the watch broke off".into()));
                world.watches.send_to_all(PodWatchEvent::Alive);
                world.after(SignedDuration::from_secs(1), |world| world.watches.send_backlog());
            }
        });
    }

    pub(super) fn list(&self, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        match self.watches.down {
            Some(_) => Err(ClusterError::Unreachable {
                step: "ListPods".into(),
                source: "connection refused".into(),
            }),
            None => Ok(self.reports(selector)),
        }
    }

    /// The pods that a selector matches, as clients decode them.
    fn reports(&self, selector: &str) -> Vec<PodReport> {
        self.pods.values().filter(|pod| pod.selector == selector).map(Pod::shown).collect()
    }

    pub(super) fn watch(&mut self, selector: &str) -> UnboundedReceiver<PodWatchEvent> {
        let (news, stream) = mpsc::unbounded();
        let first = match self.watches.down {
            Some(_) => PodWatchEvent::Down(DOWN.into()),
            None => PodWatchEvent::Listed { pods: self.reports(selector), asked_at: self.watcher_time() },
        };
        if news.unbounded_send(first).is_ok() {
            self.watches.open(selector, news);
        }
        stream
    }

    /// Shows a change of a pod to the watches, unless a fault applies.
    pub(super) fn send(&mut self, selector: &str, news: PodWatchEvent) {
        let now = self.now();
        for _ in 0..self.faults.copies_of_news(now) {
            self.watches.send(selector, news.clone());
        }
    }

    fn pods_by_selector(&self) -> Vec<(String, PodReport)> {
        self.pods.values().map(|pod| (pod.selector.clone(), pod.shown())).collect()
    }

    fn deliver_list(&mut self, pods: &[(String, PodReport)], asked: Timestamp) {
        if self.watches.down.is_none() {
            let ago = self.now().duration_since(asked);
            let asked_at = self.watcher_time().saturating_sub(ago).unwrap_or(asked);
            self.watches.send_list(pods, asked_at);
        }
    }
}
