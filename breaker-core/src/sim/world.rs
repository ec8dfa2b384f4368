//! The world: one workload, its pods, its Record, and the script of what happens to them.

use std::collections::BTreeMap;
use std::task::Waker;

use jiff::{SignedDuration, Timestamp};

use super::faults::{Fault, FaultQueue};
use super::health::Health;
use super::journal::{Change, ChangeKind};
use super::pod::Pod;
use super::storage::Storage;
use super::watches::Watches;
use crate::cluster::{KubernetesEvent, PeerService, PodWatchEvent, ServiceAddress};
use crate::webhook::{CloudEvent, HookDecision};
use crate::{Record, WorkloadRef};

/// Calls at one instant after which a client is busy without end: it repeats a call and does not
/// wait.
const MAX_CALLS_AT_ONCE: u32 = 10_000;

type Happening = Box<dyn FnOnce(&mut World) + Send>;

/// The whole state: one workload, its pods, its Record, and what was published.
pub struct World {
    now: Timestamp,
    /// By how much the wall clock of the watcher differs from the clock of the cluster.
    watcher_ahead: SignedDuration,
    target: WorkloadRef,
    pub(super) storage: Storage,
    /// Events on the target, by key.
    pub(super) published: BTreeMap<String, KubernetesEvent>,
    /// Every event posted, with the number of scales written before it.
    pub(super) posted: Vec<(CloudEvent, usize)>,
    pub(super) hook_says: HookDecision,
    /// The Services beside the workload.
    pub(super) services: BTreeMap<ServiceAddress, PeerService>,
    pub(super) revision: String,
    pub(super) health: Health,
    pub(super) pods: BTreeMap<String, Pod>,
    pub(super) born: u32,
    /// How often a backup was restored.
    pub(super) restores: u32,
    /// How long a pod waits for a node.
    pub(super) pending: SignedDuration,
    /// How long a pod takes to terminate.
    pub(super) grace: SignedDuration,
    pub(super) watches: Watches,
    pub(super) faults: FaultQueue,
    changes: Vec<Change>,
    pub(super) scales_written: Vec<u32>,
    pub(super) history: Vec<(Timestamp, PodWatchEvent)>,
    script: BTreeMap<(Timestamp, u64), Happening>,
    scripted: u64,
    sleepers: Vec<(Timestamp, Waker)>,
    crash_after: Option<u32>,
    crashed: bool,
    /// Calls at this instant.
    calls: u32,
}

impl World {
    pub(super) fn new(target: WorkloadRef, replicas: u32) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
        let storage = Storage {
            uid: "7d0f4e52-target".into(),
            replicas,
            version: 1,
            selector: "app=app".into(),
            manager: "kubectl-client-side-apply".into(),
            record: None,
        };
        let mut world = Self {
            now,
            watcher_ahead: SignedDuration::ZERO,
            target,
            storage,
            published: BTreeMap::new(),
            posted: Vec::new(),
            hook_says: HookDecision::Proceed,
            services: BTreeMap::new(),
            revision: "7c9f8d6b5".into(),
            health: Health::well(),
            pods: BTreeMap::new(),
            born: 0,
            restores: 0,
            pending: SignedDuration::ZERO,
            grace: SignedDuration::ZERO,
            watches: Watches::default(),
            faults: FaultQueue::default(),
            changes: Vec::new(),
            scales_written: Vec::new(),
            history: Vec::new(),
            script: BTreeMap::new(),
            scripted: 0,
            sleepers: Vec::new(),
            crash_after: None,
            crashed: false,
            calls: 0,
        };
        world.reconcile();
        world
    }

    /// The scripted clock, which is the clock of the cluster.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The wall clock of the watcher.
    pub fn watcher_time(&self) -> Timestamp {
        self.now.saturating_add(self.watcher_ahead).unwrap_or(self.now)
    }

    /// Sets the wall clock of the watcher forward by this time, or back if it is negative. Its
    /// monotonic clock and the clock of the cluster go on.
    ///
    /// ```
    /// use breaker_core::jiff::SignedDuration;
    /// use breaker_core::sim::Sim;
    /// use breaker_core::{Clock, WorkloadRef};
    ///
    /// let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
    /// let hour = SignedDuration::from_hours(1);
    /// let (wall, elapsed) = (Clock::now(&sim), sim.elapsed());
    /// sim.with(|world| world.step_clock(-hour));
    /// assert_eq!((Clock::now(&sim), sim.elapsed()), (wall - hour, elapsed));
    /// ```
    pub fn step_clock(&mut self, by: SignedDuration) {
        self.watcher_ahead = self.watcher_ahead.saturating_add(by);
    }

    /// Reasons of the Events published on the target.
    pub fn published(&self) -> Vec<String> {
        self.published.values().map(|event| event.reason.clone()).collect()
    }

    /// A Service of the cluster, found at this address.
    pub fn set_service(&mut self, address: ServiceAddress, service: PeerService) {
        self.services.insert(address, service);
    }

    /// The Events that were published.
    pub fn published_events(&self) -> Vec<KubernetesEvent> {
        self.published.values().cloned().collect()
    }

    /// Every event that was posted and arrived, in order, with the number of scales written before
    /// it.
    pub fn posted(&self) -> &[(CloudEvent, usize)] {
        &self.posted
    }

    /// Sets the answer of the hook.
    pub fn set_hook_says(&mut self, reply: HookDecision) {
        self.hook_says = reply;
    }

    /// Every change of the scale and of the Record, in the order in which they took effect.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Every change of a pod since the start, also those that no watch has shown, with the time.
    pub fn history(&self) -> &[(Timestamp, PodWatchEvent)] {
        &self.history
    }

    /// The faults that have applied, in order.
    pub fn struck(&self) -> &[Fault] {
        &self.faults.struck
    }

    /// Adds a fault; it applies once, at the first call that it fits.
    pub fn fault(&mut self, fault: Fault) {
        self.fault_after(0, fault);
    }

    /// Adds a fault; it applies once, after it has let pass this number of calls that it fits.
    pub fn fault_after(&mut self, calls: u32, fault: Fault) {
        match fault {
            Fault::Crash { after } => self.crash_after = Some(after.saturating_add(calls)),
            other => self.faults.add(other, calls, None),
        }
    }

    /// Adds a fault that lasts: it applies to each call that it fits, from now on for this time.
    ///
    /// ```
    /// use breaker_core::jiff::SignedDuration;
    /// use breaker_core::sim::{Call, Fault, Sim};
    /// use breaker_core::{ClusterClient, WorkloadRef};
    ///
    /// let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
    /// let minute = SignedDuration::from_mins(1);
    /// sim.with(|world| world.fault_for(minute, Fault::Deny(Call::ReadScale)));
    /// let read = || sim.run(sim.read_scale(sim.target())).unwrap();
    /// let error = read().unwrap_err();
    /// assert!(error.to_string().contains("ask the platform team"), "{error}");
    /// sim.sleep(minute);
    /// assert_eq!(read().unwrap().replicas, 1);
    /// ```
    pub fn fault_for(&mut self, time: SignedDuration, fault: Fault) {
        let until = self.now.saturating_add(time).unwrap_or(Timestamp::MAX);
        self.faults.add(fault, 0, Some(until));
    }

    /// Ends all faults of calls and of the watch, and cancels a crash.
    pub fn end_faults(&mut self) {
        self.faults.clear();
        self.crash_after = None;
    }

    /// Calls `happens` with the world at an instant of the clock of the cluster.
    pub fn at(&mut self, at: Timestamp, happens: impl FnOnce(&mut Self) + Send + 'static) {
        self.scripted += 1;
        self.script.insert((at, self.scripted), Box::new(happens));
    }

    pub(super) fn after(&mut self, wait: SignedDuration, happens: impl FnOnce(&mut Self) + Send + 'static) {
        let at = self.now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        self.at(at, happens);
    }

    pub(super) fn target(&self) -> &WorkloadRef {
        &self.target
    }

    /// Notes a change that takes effect now, before it does.
    pub(super) fn note(&mut self, kind: ChangeKind, sent: Sent) {
        let change = Change {
            at: self.now,
            sent_at: sent.at,
            watcher_time: sent.watcher_time,
            sent_over: sent.record,
            replicas: self.storage.replicas,
            record: self.storage.record().cloned(),
            kind,
        };
        self.changes.push(change);
    }

    /// What is known of a call that is sent now.
    pub(super) fn sent_now(&self) -> Sent {
        let record = self.storage.record().cloned();
        Sent { at: self.now, watcher_time: self.watcher_time(), record }
    }

    pub(super) fn sleep(&mut self, until: Timestamp, waker: Waker) {
        self.sleepers.push((until, waker));
    }

    /// Jumps to the next scheduled change and returns the wakers of those that wait for it; `None`
    /// if there is none before `end`.
    pub(super) fn advance(&mut self, end: Timestamp) -> Option<Vec<Waker>> {
        let scripted = self.script.keys().next().map(|(at, _)| *at);
        let sleeper = self.sleepers.iter().map(|(at, _)| *at).min();
        let next = scripted.into_iter().chain(sleeper).min()?;
        if next > end {
            return None;
        }
        self.now = self.now.max(next);
        self.calls = 0;
        while let Some(entry) = self.script.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let happens = entry.remove();
            happens(self);
        }
        let (woken, asleep) =
            std::mem::take(&mut self.sleepers).into_iter().partition(|(at, _)| *at <= self.now);
        self.sleepers = asleep;
        let woken: Vec<(Timestamp, Waker)> = woken;
        Some(woken.into_iter().map(|(_, waker)| waker).collect())
    }

    /// Whether the process crashes before this call reaches the cluster.
    ///
    /// # Panics
    /// If the process calls without end at one instant.
    pub(super) fn dies_before_call(&mut self) -> bool {
        self.calls += 1;
        assert!(self.calls < MAX_CALLS_AT_ONCE, "calls without end at {}", self.now);
        match &mut self.crash_after {
            Some(0) => {
                self.crash_after = None;
                self.crashed = true;
                self.watches.close_all();
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    pub(super) fn take_crash(&mut self) -> bool {
        if self.crashed {
            self.sleepers.clear();
        }
        std::mem::take(&mut self.crashed)
    }
}

/// When a call was sent, by the clock of the cluster and by the one of the watcher, and the Record
/// that was stored then.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    at: Timestamp,
    watcher_time: Timestamp,
    record: Option<Record>,
}
