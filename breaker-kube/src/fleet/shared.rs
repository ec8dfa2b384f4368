//! [`Shared`]: what all breakers of a fleet share.

use std::collections::BTreeSet;
use std::sync::Arc;

use breaker_core::guard::CountedRestart;
use breaker_core::{BreakerEvent, Snapshot, WorkloadRef};
use jiff::Timestamp;
use parking_lot::Mutex;

use super::events::EventRecorder;
use super::guard::SharedGuard;
use super::newer_breakers::NewerBreakers;
use super::observer::FleetObserver;
use super::options::FleetOptions;
use super::request_limits::RequestLimits;
use super::startup_barrier::StartupBarrier;
use super::status_writer::StatusWriter;
use crate::autoscalers::hpa_scaling_from_zero;
use crate::client::KubeClient;
use crate::crd::{BreakerName, condition};
use crate::shared_watch::SharedPodWatch;

pub(crate) struct Shared {
    pub(crate) kube: KubeClient,
    pub(crate) pods: SharedPodWatch,
    pub(crate) options: FleetOptions,
    pub(crate) observer: Arc<dyn FleetObserver>,
    pub(crate) recorder: EventRecorder,
    pub(crate) guard: SharedGuard,
    pub(crate) barrier: Arc<StartupBarrier>,
    pub(crate) limits: Arc<RequestLimits>,
    pub(crate) newer: Arc<NewerBreakers>,
    /// The breakers that watch their targets. Held while one of them reports.
    active: Mutex<BTreeSet<BreakerName>>,
}

impl Shared {
    pub(crate) fn new(
        kube: KubeClient,
        pods: SharedPodWatch,
        options: FleetOptions,
        observer: Arc<dyn FleetObserver>,
    ) -> Self {
        Self {
            recorder: EventRecorder::new(kube.clone(), Arc::clone(&observer)),
            guard: SharedGuard::new(options.outage_guard_targets),
            barrier: Arc::new(StartupBarrier::new()),
            limits: Arc::default(),
            newer: Arc::default(),
            active: Mutex::default(),
            kube,
            pods,
            options,
            observer,
        }
    }

    /// Whether the fleet has the CircuitBreakers of this namespace.
    pub(crate) fn is_in_scope(&self, namespace: &str) -> bool {
        self.options.namespace.as_ref().is_none_or(|scope| scope == namespace)
    }

    /// A breaker emitted an event.
    pub(crate) fn event(
        self: &Arc<Self>,
        status: &Arc<StatusWriter>,
        target: &WorkloadRef,
        at: Timestamp,
        event: &BreakerEvent,
    ) {
        let active = self.active.lock();
        if !active.contains(&status.name) {
            return;
        }
        match event {
            BreakerEvent::Restart(restart) if restart.counts => {
                let (at, peer) = (restart.finished_at, restart.peer.as_deref());
                self.guard.restarted(&status.name, CountedRestart { at, peer, kind: restart.kind });
            }
            BreakerEvent::Scaled { already: false, .. } => self.guard.tripped(&status.name, at),
            BreakerEvent::WouldTrip(because) => {
                let mut is_new = false;
                status.change(|model| is_new = model.would_trip(at, because));
                if is_new {
                    self.recorder.record_would_trip(status, because);
                }
            }
            _ => {}
        }
        if matches!(event, BreakerEvent::Scaled { .. } | BreakerEvent::AlreadyOpen { .. }) {
            self.check_hpa(status, target);
        }
        self.observer.event(&status.name, target, at, event);
    }

    /// A breaker changed.
    pub(crate) fn snapshot(&self, status: &StatusWriter, snapshot: &Snapshot) {
        let now = self.kube.clock.now();
        status.change(|model| model.observe(snapshot, now));
        let active = self.active.lock();
        if active.contains(&status.name) {
            self.observer.snapshot(&status.name, snapshot);
        }
    }

    /// The number of breakers and subscribers that are remembered anywhere.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.active.lock().len() + self.guard.len() + self.pods.len()
    }

    /// A breaker starts to watch its target.
    pub(crate) fn started(&self, name: &BreakerName) {
        self.active.lock().insert(name.clone());
        self.guard.watch(name);
    }

    /// A breaker does not watch its target any more. Its task may still be running for a moment;
    /// what it reports then is dropped.
    pub(crate) fn stopped(&self, name: &BreakerName) {
        let mut active = self.active.lock();
        active.remove(name);
        self.guard.forget(name);
        self.observer.gone(name);
    }

    /// Checks whether a HorizontalPodAutoscaler may scale the open target up.
    fn check_hpa(self: &Arc<Self>, status: &Arc<StatusWriter>, target: &WorkloadRef) {
        let (shared, status, target) = (Arc::clone(self), Arc::clone(status), target.clone());
        tokio::spawn(async move {
            let message = match hpa_scaling_from_zero(&shared.kube, &target).await {
                Ok(hpa) => hpa.map(|hpa| {
                    format!("HorizontalPodAutoscaler {hpa} has minReplicas 0 and may scale {target} up")
                }),
                Err(error) => return tracing::debug!("{}", error.chain()),
            };
            if status.read(|model| model.hpa_may_scale_up == message) {
                return;
            }
            if let Some(message) = &message {
                shared.recorder.record_event(&status, condition::HPA_MAY_SCALE_UP, message);
            }
            status.change(|model| model.hpa_may_scale_up = message);
        });
    }
}
