//! The world: one workload, its pods, and a small kubelet with the real back-off.

use std::collections::BTreeMap;
use std::task::Waker;

use futures::channel::mpsc::UnboundedSender;
use jiff::{SignedDuration, Timestamp};

use super::faults::{Call, Fault};
use crate::cluster::{KubernetesEvent, PodWatchEvent};
use crate::pod::{ContainerKind, ContainerReport, ContainerState, Owner, PodEvent, PodReport, Terminated};
use crate::webhook::{CloudEvent, HookDecision};
use crate::{Record, WorkloadRef};

type Happening = Box<dyn FnOnce(&mut World) + Send>;

/// What the pods' containers do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    dies: Option<Dying>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Dying {
    after: SignedDuration,
    exit_code: i32,
    reason: String,
    message: String,
    log: String,
    event: Option<PodEvent>,
}

impl Health {
    /// They run.
    pub fn well() -> Self {
        Self { dies: None }
    }

    /// They exit 1 two seconds after each start, with this termination message.
    pub fn dies(last_words: &str) -> Self {
        let dying = Dying {
            after: SignedDuration::from_secs(2),
            exit_code: 1,
            reason: "Error".into(),
            message: last_words.into(),
            log: String::new(),
            event: None,
        };
        Self { dies: Some(dying) }
    }

    /// The message is in the log only, as under the default termination message policy.
    #[must_use]
    pub fn in_log_only(mut self) -> Self {
        if let Some(dying) = &mut self.dies {
            dying.log = std::mem::take(&mut dying.message);
        }
        self
    }

    /// They end with this exit code and reason.
    #[must_use]
    pub fn with_exit(mut self, exit_code: i32, reason: &str) -> Self {
        if let Some(dying) = &mut self.dies {
            dying.exit_code = exit_code;
            dying.reason = reason.into();
        }
        self
    }

    /// Sets how long they run before they end.
    #[must_use]
    pub fn after(mut self, run: SignedDuration) -> Self {
        if let Some(dying) = &mut self.dies {
            dying.after = run;
        }
        self
    }

    /// The kubelet kills them after failed liveness probes, and says so in an event.
    #[must_use]
    pub fn by_liveness_probe(mut self) -> Self {
        if let Some(dying) = &mut self.dies {
            dying.event = Some(PodEvent {
                reason: "Killing".into(),
                message: "Container app failed liveness probe, will be restarted".into(),
                field_path: "spec.containers{app}".into(),
                at: None,
            });
        }
        self
    }
}

/// One pod of the world, with its one container.
#[derive(Debug, Clone)]
struct Pod {
    report: PodReport,
    /// Its own health, when it differs from the others'.
    health: Option<Health>,
    number: u32,
    instance: u32,
    backoff: SignedDuration,
    started_at: Timestamp,
    log: Vec<(u32, String)>,
    events: Vec<PodEvent>,
}

/// The whole state: one workload, its pods, its Record, and what was published.
pub struct World {
    now: Timestamp,
    target: WorkloadRef,
    pub(super) uid: String,
    pub(super) replicas: u32,
    pub(super) version: u64,
    pub(super) manager: String,
    pub(super) record: Option<(Record, u64)>,
    /// Events on the target, by key.
    pub(super) published: BTreeMap<String, KubernetesEvent>,
    /// Every scale written by the client, in order.
    pub(super) scales_written: Vec<u32>,
    /// Every event posted, with the number of scales written before it.
    pub(super) posted: Vec<(CloudEvent, usize)>,
    pub(super) hook_says: HookDecision,
    revision: String,
    health: Health,
    pods: BTreeMap<String, Pod>,
    born: u32,
    script: BTreeMap<(Timestamp, u64), Happening>,
    scripted: u64,
    sleepers: Vec<(Timestamp, Waker)>,
    pub(super) watchers: Vec<UnboundedSender<PodWatchEvent>>,
    faults: Vec<Fault>,
    crash_after: Option<u32>,
    crashed: bool,
    kubelet_runs: bool,
}

impl World {
    pub(super) fn new(target: WorkloadRef, replicas: u32) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut world = Self {
            now,
            target,
            uid: "7d0f4e52-target".into(),
            replicas,
            version: 1,
            manager: "kubectl-client-side-apply".into(),
            record: None,
            published: BTreeMap::new(),
            scales_written: Vec::new(),
            posted: Vec::new(),
            hook_says: HookDecision::Proceed,
            revision: "7c9f8d6b5".into(),
            health: Health::well(),
            pods: BTreeMap::new(),
            born: 0,
            script: BTreeMap::new(),
            scripted: 0,
            sleepers: Vec::new(),
            watchers: Vec::new(),
            faults: Vec::new(),
            crash_after: None,
            crashed: false,
            kubelet_runs: true,
        };
        world.reconcile();
        world
    }

    /// The scripted clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// `spec.replicas` of the workload.
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// Every scale written by the client, in order.
    pub fn scales_written(&self) -> &[u32] {
        &self.scales_written
    }

    /// Reasons of the Events published on the target.
    pub fn published(&self) -> Vec<String> {
        self.published.values().map(|event| event.reason.clone()).collect()
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

    /// The stored Record.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref().map(|(record, _)| record)
    }

    /// Names of the pods that exist.
    pub fn pods(&self) -> Vec<String> {
        self.pods.values().map(|pod| pod.report.name.clone()).collect()
    }

    /// Adds a fault; it applies once, at the first call that it fits.
    pub fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Crash { after } => self.crash_after = Some(after),
            other => self.faults.push(other),
        }
    }

    /// Sets the health of all pods, also of those that run.
    pub fn set_health(&mut self, health: Health) {
        self.health = health;
        for uid in self.uids() {
            self.plan_death(&uid);
        }
    }

    /// Sets the health of one pod, by its index in [`World::pods`].
    pub fn set_pod_health(&mut self, index: usize, health: Health) {
        if let Some(uid) = self.uids().into_iter().nth(index) {
            if let Some(pod) = self.pods.get_mut(&uid) {
                pod.health = Some(health);
            }
            self.plan_death(&uid);
        }
    }

    /// Puts one pod on another node, by its index in [`World::pods`].
    pub fn set_pod_node(&mut self, index: usize, node: &str) {
        if let Some(pod) = self.uids().get(index).and_then(|uid| self.pods.get_mut(uid)) {
            pod.report.node = node.into();
            let report = pod.report.clone();
            self.send(PodWatchEvent::Applied(report));
        }
    }

    /// Scales the workload, as another client.
    pub fn scale_by_hand(&mut self, replicas: u32, manager: &str) {
        self.manager = manager.into();
        self.scaled(replicas);
    }

    /// Starts a roll-out: new pods have another revision and this health; the old pods stay.
    pub fn roll_out(&mut self, revision: &str, pods: u32, health: Health) {
        for pod in self.pods.values_mut() {
            pod.health.get_or_insert(self.health.clone());
        }
        self.revision = revision.into();
        self.health = health;
        for _ in 0..pods {
            self.create_pod();
        }
    }

    /// Deletes a pod; its controller makes another one.
    pub fn delete_pod(&mut self, index: usize) {
        if let Some(uid) = self.uids().into_iter().nth(index) {
            self.remove(&uid);
            self.reconcile();
        }
    }

    /// Deletes the workload with all its pods; `Some` uid creates a namesake at once.
    pub fn delete_target(&mut self, namesake: Option<&str>) {
        for uid in self.uids() {
            self.remove(&uid);
        }
        self.uid = namesake.unwrap_or_default().into();
        self.version += 1;
        if namesake.is_some() {
            self.reconcile();
        }
    }

    /// Every watch lists again, as after a lost connection.
    pub fn relist(&mut self) {
        let listed = self.listed();
        self.watchers.retain(|watcher| watcher.unbounded_send(listed.clone()).is_ok());
    }

    pub(super) fn at(&mut self, at: Timestamp, happens: impl FnOnce(&mut Self) + Send + 'static) {
        self.scripted += 1;
        self.script.insert((at, self.scripted), Box::new(happens));
    }

    pub(super) fn exists(&self) -> bool {
        !self.uid.is_empty()
    }

    pub(super) fn target(&self) -> &WorkloadRef {
        &self.target
    }

    pub(super) fn reports(&self) -> Vec<PodReport> {
        self.pods.values().map(|pod| pod.report.clone()).collect()
    }

    /// A list of the pods that is asked for and delivered now.
    pub(super) fn listed(&self) -> PodWatchEvent {
        PodWatchEvent::Listed { pods: self.reports(), asked_at: self.now }
    }

    pub(super) fn log_of(&self, pod_name: &str, terminated: &Terminated) -> Option<String> {
        let pod = self.pods.values().find(|pod| pod.report.name == pod_name)?;
        let instance =
            u32::from_str_radix(terminated.container_id.get("containerd://".len() + 6..)?, 16).ok()?;
        pod.log.iter().find(|(of, _)| *of == instance).map(|(_, text)| text.clone())
    }

    pub(super) fn events_of(&self, uid: &str) -> Vec<PodEvent> {
        self.pods.get(uid).map(|pod| pod.events.clone()).unwrap_or_default()
    }

    pub(super) fn scaled(&mut self, replicas: u32) {
        self.replicas = replicas;
        self.version += 1;
        self.reconcile();
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

    /// The fault of this call, if there is one. Counts the call towards a crash.
    pub(super) fn strikes(&mut self, call: Call) -> Option<Fault> {
        let at = self.faults.iter().position(|fault| {
            matches!(
                fault,
                Fault::Refuse(c) | Fault::LoseAnswer(c) | Fault::Forbid(c) | Fault::Conflict(c) | Fault::Lag(c, _)
                    if *c == call
            )
        })?;
        // A missing permission stays missing.
        Some(match self.faults[at] {
            forbid @ Fault::Forbid(_) => forbid,
            _ => self.faults.remove(at),
        })
    }

    /// Whether the process crashes before this call reaches the cluster.
    pub(super) fn dies_before_call(&mut self) -> bool {
        match &mut self.crash_after {
            Some(0) => {
                self.crash_after = None;
                self.crashed = true;
                self.watchers.clear();
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

    fn uids(&self) -> Vec<String> {
        self.pods.keys().cloned().collect()
    }

    /// Creates or deletes pods until their number equals the replicas.
    fn reconcile(&mut self) {
        while self.pods.len() < self.replicas as usize {
            self.create_pod();
        }
        let excess = self.pods.len().saturating_sub(self.replicas as usize);
        for uid in self.uids().into_iter().take(excess) {
            self.remove(&uid);
        }
    }

    fn create_pod(&mut self) {
        self.born += 1;
        let uid = format!("{:08x}-pod", self.born);
        let name = format!("{}-{}-{:05x}", self.target.name, self.revision, self.born * 0x1357);
        let container = ContainerReport {
            name: "app".into(),
            kind: ContainerKind::App,
            restart_count: 0,
            container_id: container_id(self.born, 0),
            state: ContainerState::Running { started_at: Some(self.now) },
            last: None,
        };
        let report = PodReport {
            uid: uid.clone(),
            name,
            node: "node-1".into(),
            created: self.now,
            controller: Some(Owner {
                kind: "ReplicaSet".into(),
                name: format!("{}-{}", self.target.name, self.revision),
                uid: "replicaset".into(),
            }),
            revision: self.revision.clone(),
            deleting: false,
            finished: false,
            ready: true,
            restarting_all: false,
            odd: Vec::new(),
            containers: vec![container],
        };
        let pod = Pod {
            report: report.clone(),
            health: None,
            number: self.born,
            instance: 0,
            backoff: SignedDuration::from_secs(10),
            started_at: self.now,
            log: Vec::new(),
            events: Vec::new(),
        };
        self.pods.insert(uid.clone(), pod);
        self.send(PodWatchEvent::Applied(report));
        self.plan_death(&uid);
    }

    fn remove(&mut self, uid: &str) {
        if let Some(mut pod) = self.pods.remove(uid) {
            pod.report.deleting = true;
            self.send(PodWatchEvent::Applied(pod.report));
            self.send(PodWatchEvent::Deleted(uid.to_owned()));
        }
    }

    fn dying(&self, uid: &str) -> Option<Dying> {
        let pod = self.pods.get(uid)?;
        pod.health.as_ref().unwrap_or(&self.health).dies.clone()
    }

    /// A running container will end as its health says.
    fn plan_death(&mut self, uid: &str) {
        let (Some(dying), Some(pod)) = (self.dying(uid), self.pods.get(uid)) else { return };
        if !self.kubelet_runs || !matches!(pod.report.containers[0].state, ContainerState::Running { .. }) {
            return;
        }
        let (uid, instance) = (uid.to_owned(), pod.instance);
        self.at(self.now + dying.after, move |world| world.die(&uid, instance));
    }

    fn die(&mut self, uid: &str, instance: u32) {
        let Some(dying) = self.dying(uid) else { return };
        let now = self.now;
        let Some(pod) = self.pods.get_mut(uid).filter(|pod| pod.instance == instance) else { return };
        if !matches!(pod.report.containers[0].state, ContainerState::Running { .. }) {
            return;
        }
        pod.log.push((instance, dying.log.clone()));
        if let Some(event) = dying.event {
            pod.events.push(PodEvent { at: Some(now), ..event });
        }
        let container = &mut pod.report.containers[0];
        let terminated = Terminated {
            container_id: container.container_id.clone(),
            exit_code: dying.exit_code,
            signal: None,
            reason: dying.reason,
            message: dying.message,
            started_at: Some(pod.started_at),
            finished_at: Some(now),
        };
        container.state = ContainerState::Terminated(Box::new(terminated.clone()));
        pod.report.ready = false;
        if now.duration_since(pod.started_at) >= crate::pod::ContainerReport::BACKOFF_RESET {
            pod.backoff = SignedDuration::from_secs(10);
        }
        let wait = pod.backoff;
        pod.backoff = (pod.backoff * 2).min(SignedDuration::from_secs(300));
        let report = pod.report.clone();
        self.send(PodWatchEvent::Applied(report));
        let uid = uid.to_owned();
        self.at(now + SignedDuration::from_secs(1), {
            let uid = uid.clone();
            move |world| world.wait(&uid, instance, terminated)
        });
        self.at(now + wait, move |world| world.restart(&uid, instance));
    }

    fn wait(&mut self, uid: &str, instance: u32, terminated: Terminated) {
        let Some(pod) = self.pods.get_mut(uid).filter(|pod| pod.instance == instance) else { return };
        let container = &mut pod.report.containers[0];
        container.state = ContainerState::Waiting { reason: "CrashLoopBackOff".into() };
        container.last = Some(Box::new(terminated));
        let report = pod.report.clone();
        self.send(PodWatchEvent::Applied(report));
    }

    fn restart(&mut self, uid: &str, instance: u32) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(uid).filter(|pod| pod.instance == instance) else { return };
        pod.instance += 1;
        pod.started_at = now;
        let container = &mut pod.report.containers[0];
        if let ContainerState::Terminated(terminated) = &container.state {
            container.last = Some(terminated.clone());
        }
        container.restart_count += 1;
        container.container_id = container_id(pod.number, pod.instance);
        container.state = ContainerState::Running { started_at: Some(now) };
        pod.report.ready = true;
        let report = pod.report.clone();
        self.send(PodWatchEvent::Applied(report));
        self.plan_death(uid);
    }

    fn send(&mut self, news: PodWatchEvent) {
        let copies =
            match self.faults.iter().position(|f| matches!(f, Fault::DropNews | Fault::DuplicateNews)) {
                Some(at) if self.faults.remove(at) == Fault::DropNews => 0,
                Some(_) => 2,
                None => 1,
            };
        for _ in 0..copies {
            self.watchers.retain(|watcher| watcher.unbounded_send(news.clone()).is_ok());
        }
    }
}

/// Twelve hexadecimal digits.
fn container_id(pod: u32, instance: u32) -> String {
    format!("containerd://{pod:06x}{instance:06x}")
}
