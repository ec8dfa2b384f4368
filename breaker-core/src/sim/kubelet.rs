//! The pods: a small controller that creates and deletes them, and a small kubelet with the real
//! back-off.

use jiff::SignedDuration;

use super::health::{Dying, Health};
use super::pod::{Oddity, Pod, container_id, instance_of};
use super::world::World;
use crate::cluster::PodWatchEvent;
use crate::pod::{ContainerKind, ContainerReport, ContainerState, Owner, PodEvent, PodReport, Terminated};

/// More instances than one container has between two restores of a backup.
const INSTANCES_BETWEEN_RESTORES: u32 = 10_000;

impl World {
    /// Names of the pods that exist.
    pub fn pods(&self) -> Vec<String> {
        self.pods.values().map(|pod| pod.report.name.clone()).collect()
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
        self.change_pod(index, |pod| pod.report.node = node.into());
    }

    /// Makes a field of one pod unreadable for clients, by its index in [`World::pods`]; `None`
    /// mends it.
    ///
    /// ```
    /// use breaker_core::sim::{Oddity, Sim};
    /// use breaker_core::{ClusterClient, WorkloadRef};
    ///
    /// let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
    /// sim.with(|world| world.set_pod_oddity(0, Some(Oddity::RestartCount)));
    /// let pods = sim.run(sim.list_pods("sre", "app=app")).unwrap().unwrap();
    /// assert_eq!(pods[0].odd, ["status.containerStatuses[0].restartCount is -1"]);
    /// ```
    pub fn set_pod_oddity(&mut self, index: usize, oddity: Option<Oddity>) {
        self.change_pod(index, |pod| pod.oddity = oddity);
    }

    /// Sets how long each new pod waits for a node before its container starts.
    ///
    /// ```
    /// use breaker_core::jiff::SignedDuration;
    /// use breaker_core::sim::Sim;
    /// use breaker_core::{ClusterClient, WorkloadRef};
    ///
    /// let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 0);
    /// let wait = SignedDuration::from_secs(20);
    /// sim.with(|world| world.set_pending(wait));
    /// sim.with(|world| world.scale_by_hand(1, "kubectl"));
    /// let has_started = || sim.run(sim.list_pods("sre", "app=app")).unwrap().unwrap()[0].has_started();
    /// assert!(!has_started());
    /// sim.sleep(wait);
    /// assert!(has_started());
    /// ```
    pub fn set_pending(&mut self, wait: SignedDuration) {
        self.pending = wait;
    }

    /// Sets how long a pod that is deleted takes to terminate.
    pub fn set_grace(&mut self, grace: SignedDuration) {
        self.grace = grace;
    }

    /// Deletes a pod; its controller makes another one.
    pub fn delete_pod(&mut self, index: usize) {
        if let Some(uid) = self.uids().into_iter().nth(index) {
            self.remove(&uid);
            self.reconcile();
        }
    }

    pub(super) fn remove_all(&mut self) {
        for uid in self.uids() {
            self.remove(&uid);
        }
    }

    /// The pods are those of a backup. A container that ran then runs again from now on.
    pub(super) fn restore_pods(&mut self, pods: &[Pod]) {
        self.restores += 1;
        for uid in self.uids() {
            if !pods.iter().any(|pod| pod.report.uid == uid) {
                self.pods.remove(&uid);
                self.history.push((self.now(), PodWatchEvent::Deleted(uid)));
            }
        }
        for pod in pods {
            let uid = pod.report.uid.clone();
            let mut pod = pod.clone();
            // An ID of the time after the backup is not used again.
            pod.instance += self.restores * INSTANCES_BETWEEN_RESTORES;
            let (number, instance) = (pod.number, pod.instance);
            pod.started_at = self.now();
            pod.container().container_id = container_id(number, instance);
            pod.container().state = ContainerState::Running { started_at: Some(pod.started_at) };
            self.pods.insert(uid.clone(), pod);
            self.show(&uid);
            self.plan_death(&uid);
        }
        self.reconcile();
    }

    pub(super) fn log_of(&self, pod_name: &str, terminated: &Terminated) -> Option<String> {
        let pod = self.pods.values().find(|pod| pod.report.name == pod_name)?;
        let instance = instance_of(&terminated.container_id)?;
        pod.log.iter().find(|(of, _)| *of == instance).map(|(_, text)| text.clone())
    }

    pub(super) fn events_of(&self, uid: &str) -> Vec<PodEvent> {
        self.pods.get(uid).map(|pod| pod.events.clone()).unwrap_or_default()
    }

    fn uids(&self) -> Vec<String> {
        self.pods.keys().cloned().collect()
    }

    fn change_pod(&mut self, index: usize, change: impl FnOnce(&mut Pod)) {
        if let Some(uid) = self.uids().into_iter().nth(index)
            && let Some(pod) = self.pods.get_mut(&uid)
        {
            change(pod);
            self.show(&uid);
        }
    }

    /// Creates or deletes pods until their number equals the replicas.
    pub(super) fn reconcile(&mut self) {
        let selector = self.storage.selector.clone();
        let live = |pod: &&Pod| !pod.report.deleting && pod.selector == selector;
        let uids: Vec<String> = self.pods.values().filter(live).map(|pod| pod.report.uid.clone()).collect();
        let replicas = self.storage.replicas as usize;
        for _ in uids.len()..replicas {
            self.create_pod();
        }
        for uid in uids.iter().take(uids.len().saturating_sub(replicas)) {
            self.remove(uid);
        }
    }

    pub(super) fn create_pod(&mut self) {
        self.born += 1;
        let now = self.now();
        let uid = format!("{:08x}-pod", self.born);
        let name = format!("{}-{}-{:05x}", self.target().name, self.revision, self.born * 0x1357);
        let container = ContainerReport {
            name: "app".into(),
            kind: ContainerKind::App,
            restart_count: 0,
            container_id: String::new(),
            state: ContainerState::Waiting { reason: String::new() },
            last: None,
        };
        let report = PodReport {
            uid: uid.clone(),
            name,
            node: String::new(),
            created: now,
            controller: Some(Owner {
                kind: "ReplicaSet".into(),
                name: format!("{}-{}", self.target().name, self.revision),
                uid: "replicaset".into(),
            }),
            revision: self.revision.clone(),
            deleting: false,
            finished: false,
            ready: false,
            restarting_all: false,
            odd: Vec::new(),
            containers: vec![container],
        };
        let pod = Pod {
            report,
            selector: self.storage.selector.clone(),
            health: None,
            number: self.born,
            instance: 0,
            backoff: Pod::BACKOFF,
            started_at: now,
            log: Vec::new(),
            events: Vec::new(),
            oddity: None,
        };
        self.pods.insert(uid.clone(), pod);
        if self.pending.is_zero() {
            self.start(&uid);
        } else {
            self.show(&uid);
            self.after(self.pending, move |world| world.start(&uid));
        }
    }

    /// The pod gets a node, and its container starts for the first time.
    fn start(&mut self, uid: &str) {
        let now = self.now();
        let Some(pod) = self.pods.get_mut(uid).filter(|pod| !pod.report.deleting && !pod.runs()) else {
            return;
        };
        let number = pod.number;
        pod.started_at = now;
        pod.report.node = "node-1".into();
        pod.report.ready = true;
        let container = pod.container();
        container.container_id = container_id(number, 0);
        container.state = ContainerState::Running { started_at: Some(now) };
        self.show(uid);
        self.plan_death(uid);
    }

    fn remove(&mut self, uid: &str) {
        let Some(pod) = self.pods.get_mut(uid).filter(|pod| !pod.report.deleting) else { return };
        pod.report.deleting = true;
        self.show(uid);
        if self.grace.is_zero() {
            self.gone(uid);
        } else {
            let uid = uid.to_owned();
            self.after(self.grace, move |world| world.gone(&uid));
        }
    }

    fn gone(&mut self, uid: &str) {
        if let Some(pod) = self.pods.remove(uid) {
            let deleted = PodWatchEvent::Deleted(uid.to_owned());
            self.history.push((self.now(), deleted.clone()));
            self.send(&pod.selector, deleted);
        }
    }

    fn dying(&self, uid: &str) -> Option<Dying> {
        let pod = self.pods.get(uid)?;
        pod.health.as_ref().unwrap_or(&self.health).dies.clone()
    }

    /// A running container will end as its health says.
    fn plan_death(&mut self, uid: &str) {
        let (Some(dying), Some(pod)) = (self.dying(uid), self.pods.get(uid)) else { return };
        if pod.runs() {
            let (uid, instance) = (uid.to_owned(), pod.instance);
            self.after(dying.after, move |world| world.die(&uid, instance));
        }
    }

    /// The pod, if it still runs this instance of its container and is not being deleted.
    fn instance(&mut self, uid: &str, instance: u32) -> Option<&mut Pod> {
        self.pods.get_mut(uid).filter(|pod| pod.instance == instance && !pod.report.deleting)
    }

    fn die(&mut self, uid: &str, instance: u32) {
        let Some(dying) = self.dying(uid) else { return };
        let now = self.now();
        let Some(pod) = self.instance(uid, instance).filter(|pod| pod.runs()) else { return };
        pod.log.push((instance, dying.log.clone()));
        if let Some(event) = dying.event {
            pod.events.push(PodEvent { at: Some(now), ..event });
        }
        let terminated = Terminated {
            container_id: pod.container().container_id.clone(),
            exit_code: dying.exit_code,
            signal: None,
            reason: dying.reason,
            message: dying.message,
            started_at: Some(pod.started_at),
            finished_at: Some(now),
        };
        pod.container().state = ContainerState::Terminated(Box::new(terminated.clone()));
        pod.report.ready = false;
        if now.duration_since(pod.started_at) >= ContainerReport::BACKOFF_RESET {
            pod.backoff = Pod::BACKOFF;
        }
        let wait = pod.backoff;
        pod.backoff = (pod.backoff * 2).min(SignedDuration::from_secs(300));
        self.show(uid);
        let uid = uid.to_owned();
        self.after(SignedDuration::from_secs(1), {
            let uid = uid.clone();
            move |world| world.wait(&uid, instance, terminated)
        });
        self.after(wait, move |world| world.restart(&uid, instance));
    }

    fn wait(&mut self, uid: &str, instance: u32, terminated: Terminated) {
        let Some(pod) = self.instance(uid, instance) else { return };
        let container = pod.container();
        container.state = ContainerState::Waiting { reason: "CrashLoopBackOff".into() };
        container.last = Some(Box::new(terminated));
        self.show(uid);
    }

    fn restart(&mut self, uid: &str, instance: u32) {
        let now = self.now();
        let Some(pod) = self.instance(uid, instance) else { return };
        pod.instance += 1;
        pod.started_at = now;
        pod.report.ready = true;
        let id = container_id(pod.number, pod.instance);
        let container = pod.container();
        if let ContainerState::Terminated(terminated) = &container.state {
            container.last = Some(terminated.clone());
        }
        container.restart_count += 1;
        container.container_id = id;
        container.state = ContainerState::Running { started_at: Some(now) };
        self.show(uid);
        self.plan_death(uid);
    }

    /// Notes the pod as it is now, and shows it to the watches.
    fn show(&mut self, uid: &str) {
        let Some(pod) = self.pods.get(uid) else { return };
        let (selector, shown) = (pod.selector.clone(), pod.shown());
        let event = (self.now(), PodWatchEvent::Applied(pod.report.clone()));
        self.history.push(event);
        self.send(&selector, PodWatchEvent::Applied(shown));
    }
}
