//! A fleet: every CircuitBreaker of a scope, each with a supervisor of its own, over one pod watch.
//!
//! ```text
//! CircuitBreakers ─watch─▶ Fleet ──┬─ starts, orders, stops ─▶ life ─▶ Supervisor ─▶ FleetClient ─┬▶ SharedPodWatch (pods)
//!                                  │                                                            ├▶ StatusWriter (Record, status)
//!                                  └─ SharedGuard: the outage guard ◀── counted restarts, trips        └▶ KubeClient (all else)
//! ```
//!
//! A breaker's state is its status alone: what is here can be dropped at any instant, and whoever comes next resumes
//! from there. So nothing is handed over, and two fleets over one scope are as safe as two watchers of one target:
//! every write carries a precondition.

mod client;
mod desired;
mod events;
mod guard;
mod resource;
mod status;
mod status_writer;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use breaker_core::state::Phase;
use breaker_core::webhook::WebhookClient;
use breaker_core::{BreakerEvent, Classifier, ClusterError, Policy, WorkloadRef};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::ListParams;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use tokio::sync::{Semaphore, mpsc, watch as watch_channel};
use tokio::task::{AbortHandle, JoinSet};

use crate::crd::BreakerName;

use self::client::{KedaPresence, RequestLimits, Token};
use self::desired::Desired;
use self::guard::SharedGuard;
use self::resource::PartialBreaker;
use self::status::ConditionState;
use self::status_writer::StatusWriter;
use crate::client::KubeClient;
use crate::crd::{CRD_NAME, CircuitBreakerSpec, InvalidSpec, ParsedSpec, condition};
use crate::request::ApiRequest;
use crate::shared_watch::SharedPodWatch;
use crate::watch;

/// The first round of breakers gets so long, after the listing of all pods, to take evidence; only then may one trip.
const EVIDENCE_TIME: Duration = Duration::from_secs(2);

/// So many breakers read the scale of their target at their start, or write what only changes their status, at the
/// same time: each takes a connection. What a trip needs does not wait for these.
const MAX_CONCURRENT_STARTS: usize = 8;

/// A breaker that cannot even ask for its pods does not keep the others from theirs for longer.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(20);

/// How a fleet behaves.
#[derive(Clone)]
pub struct FleetOptions {
    /// Breakers of this namespace; `None` for all.
    pub namespace: Option<String>,
    /// The outage guard comes on when more targets than this, and more than half of all, fail at once.
    pub guard_targets: u32,
    /// Who reads the evidence.
    pub classifier: Arc<Classifier>,
    /// How often each breaker compares its status with where things stand. Nothing is sent when nothing changed.
    pub heartbeat: SignedDuration,
    /// The way out of the cluster, for the hooks.
    pub messenger: Option<Arc<dyn WebhookClient>>,
}

/// Who is told what happens in a fleet.
pub trait FleetObserver: Send + Sync {
    /// A breaker told something.
    fn told(&self, breaker: &BreakerName, at: Timestamp, notice: &BreakerEvent);

    /// The fleet itself has something to say, perhaps of one breaker.
    fn remark(&self, breaker: Option<&BreakerName>, at: Timestamp, message: &str);

    /// A breaker is in this phase now.
    fn phase(&self, breaker: &BreakerName, phase: Phase);

    /// A breaker is gone, or is not watched any more.
    fn gone(&self, breaker: &BreakerName);
}

/// What all breakers of a fleet share.
pub(crate) struct Shared {
    kube: KubeClient,
    hub: SharedPodWatch,
    desk: SharedGuard,
    options: FleetOptions,
    audience: Arc<dyn FleetObserver>,
    looked: watch_channel::Sender<bool>,
    /// A thousand breakers that start do not ask all at once.
    few: Semaphore,
    keda: Arc<KedaPresence>,
    lanes: Arc<RequestLimits>,
}

impl Shared {
    fn told(
        self: &Arc<Self>,
        page: &Arc<StatusWriter>,
        target: &WorkloadRef,
        at: Timestamp,
        notice: &BreakerEvent,
    ) {
        if matches!(notice, BreakerEvent::Scaled { .. } | BreakerEvent::AlreadyOpen { .. }) {
            self.look_for_hpa(page, target);
        }
        match notice {
            BreakerEvent::Restart(restart) if restart.counts => {
                self.desk.seen(&page.name, restart.finished_at)
            }
            BreakerEvent::Scaled { already: false, .. } => self.desk.tripped(&page.name, at),
            _ => {}
        }
        page.told(notice);
        self.audience.told(&page.name, at, notice);
        if let Some(phase) = phase_after(notice) {
            self.audience.phase(&page.name, phase);
        }
    }
}

impl Shared {
    /// An HPA leaves a workload at zero alone, unless its own minimum is zero.
    fn look_for_hpa(self: &Arc<Self>, page: &Arc<StatusWriter>, target: &WorkloadRef) {
        let (shared, page, target) = (Arc::clone(self), Arc::clone(page), target.clone());
        tokio::spawn(async move {
            let may_wake = match crate::autoscalers::hpa_scaling_from_zero(&shared.kube, &target).await {
                Ok(hpa) => hpa.map(|hpa| {
                    format!("HorizontalPodAutoscaler {hpa} has minReplicas 0 and may scale {target} up")
                }),
                Err(error) => return tracing::debug!("{}", error.chain()),
            };
            if page.read(|sheet| sheet.may_wake == may_wake) {
                return;
            }
            if let Some(why) = &may_wake {
                shared.remark(Some(&page), true, condition::HPA_MAY_SCALE_UP, why);
            }
            page.change(|sheet| sheet.may_wake = may_wake);
        });
    }
}

fn phase_after(notice: &BreakerEvent) -> Option<Phase> {
    match notice {
        BreakerEvent::Tripping { .. } => Some(Phase::Tripping),
        BreakerEvent::Scaled { .. } | BreakerEvent::AlreadyOpen { .. } => Some(Phase::Open),
        BreakerEvent::Probing { .. } => Some(Phase::HalfOpen),
        BreakerEvent::Watching { .. }
        | BreakerEvent::Restored { .. }
        | BreakerEvent::Reset
        | BreakerEvent::Contested { .. } => Some(Phase::Closed),
        BreakerEvent::Heartbeat { phase, .. } => Some(*phase),
        _ => None,
    }
}

/// Runs every CircuitBreaker of a scope.
pub struct Fleet {
    kube: KubeClient,
    hub: SharedPodWatch,
    options: FleetOptions,
    audience: Arc<dyn FleetObserver>,
}

/// A fleet cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A breaker's task ended by a fault of the program.
    #[error("a breaker's task ended by a fault")]
    Fault(#[source] tokio::task::JoinError),
    /// A watch ended for good.
    #[error("the watch of {0} ended")]
    WatchEnded(&'static str),
}

impl Fleet {
    /// A fleet that does nothing before [`Fleet::run`].
    pub fn new(kube: KubeClient, options: FleetOptions, audience: Arc<dyn FleetObserver>) -> Self {
        let hub = SharedPodWatch::new(kube.clone(), options.namespace.clone());
        Self { kube, hub, options, audience }
    }

    /// Whether CircuitBreakers are served and may be listed.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] when the definition is not installed, [`ClusterError::Forbidden`] when they may not be
    /// listed, [`ClusterError::Unreachable`] without an answer.
    pub async fn check(&self) -> Result<(), ClusterError> {
        let Self { kube, options, .. } = self;
        let step = ApiRequest {
            action: "listing CircuitBreakers".into(),
            verb: "list",
            resource: "circuitbreakers.bigredbutton.dev".into(),
            namespace: options.namespace.clone().unwrap_or_else(|| "(all)".into()),
            object: CRD_NAME.into(),
        };
        let params = ListParams::default().limit(1);
        match &options.namespace {
            Some(namespace) => {
                let api: Api<PartialBreaker> = Api::namespaced(kube.client.clone(), namespace);
                step.send(api.list(&params)).await?;
            }
            None => {
                step.send(Api::<PartialBreaker>::all(kube.client.clone()).list(&params)).await?;
            }
        }
        Ok(())
    }

    /// When the pod watch last showed a sign of life.
    pub fn alive_at(&self) -> Option<Timestamp> {
        self.hub.alive_at()
    }

    /// Watches and acts. May be run again, as after a lease was lost and won; not twice at the same time. Dropped, it stops where it is; a trip that had begun is resumed by whoever comes next.
    ///
    /// # Errors
    /// [`FleetError`]; nothing that a later try would heal.
    pub async fn run(&self) -> Result<(), FleetError> {
        self.hub.reset();
        let shared = Shared {
            kube: self.kube.clone(),
            hub: self.hub.clone(),
            desk: SharedGuard::new(self.options.guard_targets),
            options: self.options.clone(),
            audience: Arc::clone(&self.audience),
            looked: watch_channel::channel(false).0,
            few: Semaphore::new(MAX_CONCURRENT_STARTS),
            keda: Arc::default(),
            lanes: Arc::default(),
        };
        Reconciler::new(Arc::new(shared)).run().await
    }
}

/// One run of a fleet.
struct Reconciler {
    shared: Arc<Shared>,
    entries: BTreeMap<BreakerName, Entry>,
    /// Who wants which target: the oldest breaker acts.
    claims: HashMap<WorkloadRef, BTreeSet<(Timestamp, BreakerName)>>,
    tasks: JoinSet<()>,
    guard: Option<String>,
    /// Applied to the breakers of the first round.
    token: Option<Token>,
}

struct Entry {
    page: Arc<StatusWriter>,
    created: Timestamp,
    wanted: Result<ParsedSpec, InvalidSpec>,
    /// The annotation that asks for a reset, as it is.
    asked: Option<String>,
    /// The same, if it is a time.
    reset: Option<String>,
    orders: Option<watch_channel::Sender<Desired>>,
    role: Role,
    task: Option<AbortHandle>,
}

#[derive(Debug, Clone, PartialEq)]
enum Role {
    Undecided,
    Active(WorkloadRef),
    /// An older breaker has the same target.
    Conflicting(BreakerName),
    Invalid(String),
}

impl Reconciler {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            entries: BTreeMap::new(),
            claims: HashMap::new(),
            tasks: JoinSet::new(),
            guard: None,
            token: None,
        }
    }

    async fn run(mut self) -> Result<(), FleetError> {
        let shared = Arc::clone(&self.shared);
        let client = shared.kube.client.clone();
        let api: Api<PartialBreaker> = match &shared.options.namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        };
        let config = watch::config();
        let mut events = watcher(api, config).backoff(watch::backoff()).boxed();
        let mut listed: HashSet<BreakerName> = HashSet::new();
        let (token, mut asking) = mpsc::channel::<()>(1);
        self.token = Some(token);
        let mut guard_changes_at: Option<Timestamp> = None;
        let mut told_down = false;
        loop {
            let clock = Arc::clone(&shared.kube.clock);
            let guard_changes = async move {
                match guard_changes_at {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.next() => match event {
                    None => return Err(FleetError::WatchEnded("CircuitBreakers")),
                    Some(Err(error)) => if !std::mem::replace(&mut told_down, true) {
                        let why = watch::describe(&error);
                        shared.say(None, &format!("the watch of CircuitBreakers is down: {why}"));
                    },
                    Some(Ok(event)) => {
                        told_down = false;
                        match event {
                            Event::Init => listed.clear(),
                            Event::InitApply(breaker) => {
                                listed.insert(breaker.name());
                                self.apply(&breaker);
                            }
                            Event::InitDone => {
                                let gone: Vec<_> =
                                    self.entries.keys().filter(|name| !listed.contains(name)).cloned().collect();
                                gone.iter().for_each(|name| self.remove(name));
                                if self.token.take().is_some() {
                                    let (_, none) = mpsc::channel(1);
                                    let asking = std::mem::replace(&mut asking, none);
                                    self.tasks.spawn(first_round(Arc::clone(&shared), asking));
                                }
                            }
                            Event::Apply(breaker) => self.apply(&breaker),
                            Event::Delete(breaker) => self.remove(&breaker.name()),
                        }
                    }
                },
                () = shared.desk.changed() => guard_changes_at = self.guard_round(),
                () = guard_changes => guard_changes_at = self.guard_round(),
                Some(ended) = self.tasks.join_next() => match ended {
                    Err(error) if error.is_panic() => return Err(FleetError::Fault(error)),
                    _ => {}
                },
            }
        }
    }

    /// A breaker as it is now.
    fn apply(&mut self, breaker: &PartialBreaker) {
        let name = breaker.name();
        if breaker.metadata.deletion_timestamp.is_some() {
            return self.remove(&name);
        }
        if self.entries.get(&name).is_some_and(|entry| entry.page.uid != breaker.uid()) {
            self.remove(&name);
        }
        let wanted = CircuitBreakerSpec::read(&breaker.spec).and_then(|spec| spec.parse(&name.namespace));
        let asked = breaker.reset_requested().map(str::to_owned);
        let shared = Arc::clone(&self.shared);
        let entry = self.entries.entry(name.clone()).or_insert_with(|| Entry {
            page: Arc::new(StatusWriter::new(&shared.kube.client, &shared.kube.clock, breaker)),
            created: breaker.metadata.creation_timestamp.as_ref().map(|at| at.0).unwrap_or_default(),
            wanted: Err(InvalidSpec { field: "spec", problem: String::new() }),
            asked: None,
            reset: None,
            orders: None,
            role: Role::Undecided,
            task: None,
        });
        entry.page.seen(breaker);
        if entry.role != Role::Undecided && entry.wanted == wanted && entry.asked == asked {
            return;
        }
        let before = entry.wanted.as_ref().ok().map(|wanted| wanted.target.clone());
        let now = wanted.as_ref().ok().map(|wanted| wanted.target.clone());
        let claim = (entry.created, name.clone());
        if entry.asked != asked {
            entry.reset = asked.clone().filter(|asked| shared.is_time(&entry.page, asked));
            entry.asked = asked;
        }
        let overlook = wanted.as_ref().ok().and_then(|wanted| overlook(&wanted.policy));
        if overlook.is_some() && entry.page.read(|sheet| sheet.overlook != overlook) {
            let why = overlook.clone().unwrap_or_default();
            shared.remark(Some(&entry.page), true, "WindowTooShort", &why);
        }
        entry.page.change(|sheet| sheet.overlook = overlook);
        entry.wanted = wanted;
        if before != now
            && let Some(before) = before
        {
            self.unclaim(&before, &claim);
        }
        match now {
            Some(target) => {
                self.claims.entry(target.clone()).or_default().insert(claim);
                self.settle(&target);
            }
            None => {
                let problem = match &self.entries[&name].wanted {
                    Err(error) => error.to_string(),
                    Ok(_) => String::new(),
                };
                self.set_role(&name, Role::Invalid(problem));
            }
        }
    }

    /// A breaker is deleted. Its workload stays as it is.
    fn remove(&mut self, name: &BreakerName) {
        let Some(mut entry) = self.entries.remove(name) else { return };
        entry.stop(&self.shared, "the CircuitBreaker was deleted");
        if let Ok(wanted) = &entry.wanted {
            self.unclaim(&wanted.target, &(entry.created, name.clone()));
        }
    }

    fn unclaim(&mut self, target: &WorkloadRef, claim: &(Timestamp, BreakerName)) {
        if let Some(claims) = self.claims.get_mut(target) {
            claims.remove(claim);
            if claims.is_empty() {
                self.claims.remove(target);
            }
        }
        self.settle(target);
    }

    /// The oldest breaker of a target acts.
    fn settle(&mut self, target: &WorkloadRef) {
        let names: Vec<_> =
            self.claims.get(target).into_iter().flatten().map(|(_, name)| name.clone()).collect();
        let Some(oldest) = names.first().cloned() else { return };
        for name in names {
            let role =
                if name == oldest { Role::Active(target.clone()) } else { Role::Conflicting(oldest.clone()) };
            self.set_role(&name, role);
        }
    }

    fn set_role(&mut self, name: &BreakerName, role: Role) {
        let guard = self.guard.clone();
        let Some(entry) = self.entries.get_mut(name) else { return };
        let orders = entry.wanted.as_ref().ok().map(|wanted| Desired {
            policy: wanted.policy.clone(),
            override_: wanted.override_,
            guard,
            reset: entry.reset.clone(),
        });
        if entry.role == role {
            if let (Some(sender), Some(orders)) = (&entry.orders, orders) {
                sender.send_if_modified(|given| {
                    let changed = *given != orders;
                    *given = orders;
                    changed
                });
            }
            return;
        }
        entry.stop(&self.shared, "spec.targetRef was changed");
        entry.role = role.clone();
        let shared = Arc::clone(&self.shared);
        entry.orders = None;
        let page = Arc::clone(&entry.page);
        page.change(|sheet| sheet.conflict = None);
        let (ready, remark) = match (&role, orders) {
            (Role::Active(target), Some(orders)) => {
                let (sender, receiver) = watch_channel::channel(orders);
                entry.orders = Some(sender);
                shared.desk.watch(name);
                let life = worker::run_forever(
                    Arc::clone(&shared),
                    page,
                    target.clone(),
                    receiver,
                    self.token.clone(),
                );
                entry.task = Some(self.tasks.spawn(life));
                return;
            }
            (Role::Conflicting(to), _) => {
                let why =
                    format!("CircuitBreaker {to} is older and has the same target; delete one of the two");
                page.change(|sheet| sheet.conflict = Some(why.clone()));
                (ConditionState::new(false, "Conflict", why.clone()), ("Conflict", why))
            }
            (Role::Invalid(problem), _) => {
                (ConditionState::new(false, "InvalidSpec", problem.clone()), ("InvalidSpec", problem.clone()))
            }
            _ => return,
        };
        page.change(|sheet| sheet.ready = ready);
        shared.remark(Some(&page), true, remark.0, &remark.1);
        entry.task =
            Some(self.tasks.spawn(async move { worker::write_status_on_change(&shared, &page).await }));
    }

    /// Lets the guard look at the fleet; answers when time alone may change its mind.
    fn guard_round(&mut self) -> Option<Timestamp> {
        let now = self.shared.kube.clock.now();
        let (verdict, changes_at) = self.shared.desk.verdict(now);
        if verdict.is_some() == self.guard.is_some() {
            return changes_at;
        }
        self.guard = verdict.clone();
        for entry in self.entries.values() {
            if let Some(orders) = &entry.orders {
                orders.send_modify(|orders| orders.guard = verdict.clone());
            }
        }
        match verdict {
            Some(why) => {
                let message = format!("outage guard on, every trip holds: {why}");
                let failing = self.entries.values().filter(|entry| entry.orders.is_some());
                let newest = failing.max_by_key(|entry| entry.page.read(|sheet| sheet.count.counted));
                self.shared.say(None, &message);
                if let Some(entry) = newest {
                    self.shared.publish(&entry.page, true, "OutageGuard", &message);
                }
            }
            None => self.shared.say(None, "outage guard off: held trips are decided again"),
        }
        changes_at
    }
}

impl Entry {
    /// Stops it where it is. What it had scaled down stays down, and that is said.
    fn stop(&mut self, shared: &Arc<Shared>, why: &str) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        let Role::Active(target) = &self.role else { return };
        let name = &self.page.name;
        shared.desk.forget(name);
        shared.audience.gone(name);
        let record = self.page.record().unwrap_or_default();
        if let Some(replicas) = record.state.trip().map(|trip| trip.replicas) {
            shared.left_behind(&self.page, target, &record.target_uid, replicas, why);
        }
    }
}

/// Once every breaker there is has asked for its pods, they are listed, once for all; then each has a look.
async fn first_round(shared: Arc<Shared>, mut asking: mpsc::Receiver<()>) {
    let all_asked = async { while asking.recv().await.is_some() {} };
    let _ = tokio::time::timeout(STARTUP_TIMEOUT, all_asked).await;
    let looked = async {
        while shared.hub.alive_at().is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(EVIDENCE_TIME).await;
        shared.looked.send_replace(true);
        std::future::pending::<()>().await
    };
    tokio::select! {
        () = shared.hub.run() => {}
        () = looked => {}
    }
}

fn overlook(policy: &Policy) -> Option<String> {
    let warnings = policy.warnings();
    (!warnings.is_empty()).then(|| warnings.join("; ").replace("--window ", "spec.trip.window: "))
}
