//! [`Reconciler`]: one run of a fleet. Starts, updates and stops a worker for each CircuitBreaker.

use std::collections::{BTreeMap, HashSet};
use std::future::pending;
use std::sync::Arc;

use breaker_core::WorkloadRef;
use breaker_core::guard::{ClusterPeers, CommonPeerMode, GuardVerdict};
use breaker_core::policy::Policy;
use breaker_core::policy::PolicyWarning;
use futures::StreamExt;
use futures::future::Either;
use jiff::Timestamp;
use kube::runtime::watcher::Event;
use tokio::sync::watch as watch_channel;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::breaker_watch::{BreakerWatch, BreakerWatchEvent};
use super::claims::TargetClaims;
use super::cluster_peers;
use super::entry::{Entry, Role};
use super::error::FleetError;
use super::own_workload::OwnWorkload;
use super::partial_breaker::PartialBreaker;
use super::requested::Observed;
use super::shared::Shared;
use super::status::ConditionState;
use super::worker::{run_forever, write_status_on_change};
use crate::crd::condition::{self, reason};
use crate::crd::{BreakerName, CircuitBreakerSpec};

pub(super) struct Reconciler {
    shared: Arc<Shared>,
    entries: BTreeMap<BreakerName, Entry>,
    claims: TargetClaims,
    /// Targets whose new CircuitBreakers get their roles at the end of the list: an older one may
    /// come later in it. `None` while nothing is listed.
    listing: Option<HashSet<WorkloadRef>>,
    own: OwnWorkload,
    tasks: JoinSet<()>,
    /// The verdict of the outage guard, while it is on.
    guard: Option<GuardVerdict>,
    /// What belongs to the cluster itself, or why that is not known, and when it was asked for.
    /// `None`: nobody needed it so far.
    cluster: Option<(Instant, Result<ClusterPeers, String>)>,
}

impl Reconciler {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            entries: BTreeMap::new(),
            claims: TargetClaims::default(),
            listing: None,
            own: OwnWorkload::default(),
            tasks: JoinSet::new(),
            guard: None,
            cluster: None,
        }
    }

    pub(super) async fn run(mut self, watch: &BreakerWatch) -> Result<(), FleetError> {
        let shared = Arc::clone(&self.shared);
        let own_pod = shared.options.own_pod.clone().filter(|pod| shared.is_in_scope(&pod.namespace));
        self.own = OwnWorkload::look_up(&shared.kube, own_pod.as_ref()).await;
        let look_up_again = |own: &OwnWorkload| Box::pin(own.clone().look_up_again(shared.kube.clone()));
        let mut own_lookup = look_up_again(&self.own);
        let mut events = watch.run();
        let mut listed: HashSet<BreakerName> = HashSet::new();
        let mut guard_changes_at: Option<Timestamp> = None;
        let mut cluster_lookup = None;
        loop {
            if cluster_lookup.is_none() && self.needs_cluster_peers() {
                let failed_before = matches!(self.cluster, Some((_, Err(_))));
                cluster_lookup = Some(Box::pin(self.look_up_cluster(failed_before)));
            }
            let clock = Arc::clone(&shared.kube.clock);
            let guard_changes = async move {
                match guard_changes_at {
                    Some(at) => clock.sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                event = events.next() => match event {
                    None => return Err(FleetError::WatchEnded("CircuitBreakers")),
                    Some(BreakerWatchEvent::Report(message)) => shared.recorder.emit(&message),
                    Some(BreakerWatchEvent::Breakers(event)) => self.handle(*event, &mut listed),
                },
                own = &mut own_lookup => {
                    own_lookup = look_up_again(&own);
                    self.found_own(own);
                }
                read = shared.newer.next() => self.follow_read(&read),
                found = cluster_lookup.as_mut().map_or_else(|| Either::Left(pending()), Either::Right) => {
                    cluster_lookup = None;
                    // What was known before is better than nothing.
                    let known = self.cluster.take().and_then(|(_, before)| before.ok());
                    self.cluster = Some((Instant::now(), found.or_else(|why| known.ok_or(why))));
                    guard_changes_at = self.update_guard();
                }
                () = shared.guard.changed() => guard_changes_at = self.update_guard(),
                () = guard_changes => guard_changes_at = self.update_guard(),
                Some(ended) = self.tasks.join_next() => match ended {
                    Err(error) if error.is_panic() => return Err(FleetError::Panic(error)),
                    _ => {}
                },
            }
        }
    }

    fn handle(&mut self, event: Event<PartialBreaker>, listed: &mut HashSet<BreakerName>) {
        match event {
            Event::Init => {
                listed.clear();
                self.listing.get_or_insert_default();
            }
            Event::InitApply(breaker) => {
                listed.insert(breaker.name());
                self.apply(&breaker);
            }
            Event::InitDone => {
                let gone: Vec<_> =
                    self.entries.keys().filter(|name| !listed.contains(name)).cloned().collect();
                gone.iter().for_each(|name| self.remove(name));
                for target in self.listing.take().unwrap_or_default() {
                    self.assign_roles(&target);
                }
                if self.shared.barrier.close() {
                    let shared = Arc::clone(&self.shared);
                    self.tasks.spawn(async move {
                        let report = |message: &str| shared.recorder.emit(message);
                        shared.barrier.run_watch(&shared.pods, &report).await;
                    });
                }
            }
            Event::Apply(breaker) => self.apply(&breaker),
            Event::Delete(breaker) => self.remove(&breaker.name()),
        }
    }

    /// A read has shown what a CircuitBreaker asks for, and the watch has not yet.
    fn follow_read(&mut self, breaker: &PartialBreaker) {
        if self.entries.get(&breaker.name()).is_some_and(|entry| entry.status.uid == breaker.uid()) {
            self.apply(breaker);
        }
    }

    /// A CircuitBreaker was created or changed.
    fn apply(&mut self, breaker: &PartialBreaker) {
        let name = breaker.name();
        if breaker.metadata.deletion_timestamp.is_some() {
            return self.remove(&name);
        }
        if self.entries.get(&name).is_some_and(|entry| entry.status.uid != breaker.uid()) {
            self.remove(&name);
        }
        let spec = CircuitBreakerSpec::read(&breaker.spec).and_then(|spec| spec.parse(&name.namespace));
        let reset_annotation = breaker.reset_requested().map(str::to_owned);
        let shared = Arc::clone(&self.shared);
        let entry = self.entries.entry(name.clone()).or_insert_with(|| Entry::new(&shared, breaker));
        match entry.status.observe(breaker) {
            Observed::Latest => {}
            Observed::Old => return,
            Observed::Unconfirmed => {
                let (status, limits) = (Arc::clone(&entry.status), Arc::clone(&shared.limits));
                self.tasks.spawn(async move { status.confirm(&limits).await });
                return;
            }
        }
        if entry.role != Role::Undecided && entry.spec == spec && entry.reset_annotation == reset_annotation {
            return;
        }
        if entry.reset_annotation != reset_annotation {
            let value = reset_annotation.as_deref();
            let valid = value.filter(|value| shared.recorder.check_reset(&entry.status, value));
            entry.reset = valid.map(str::to_owned);
            entry.reset_annotation = reset_annotation;
        }
        let warning = spec.as_ref().ok().and_then(|spec| window_warning(&spec.policy));
        if let Some(warning) = &warning
            && entry.status.read(|model| model.window_too_short.as_ref() != Some(warning))
        {
            shared.recorder.record_event(&entry.status, condition::WINDOW_TOO_SHORT, warning);
        }
        entry.status.change(|model| model.window_too_short = warning);
        let before = entry.target().cloned();
        entry.spec = spec;
        let (now, claim) = (entry.target().cloned(), entry.claim());
        if let Some(before) = before.filter(|before| Some(before) != now.as_ref()) {
            self.claims.remove(&before, &claim);
            self.assign_roles(&before);
        }
        match now {
            Some(target) => {
                self.claims.insert(&target, claim);
                let is_new = self.entries[&name].role == Role::Undecided;
                match &mut self.listing {
                    Some(targets) if is_new => drop(targets.insert(target)),
                    _ => self.assign_roles(&target),
                }
            }
            None => {
                let error = self.entries[&name].spec.as_ref().err();
                let problem = error.map(ToString::to_string).unwrap_or_default();
                self.set_role(&name, Role::Refused(reason::INVALID_SPEC, problem));
            }
        }
    }

    /// A CircuitBreaker was deleted. Its workload stays as it is.
    fn remove(&mut self, name: &BreakerName) {
        let Some(mut entry) = self.entries.remove(name) else { return };
        entry.stop(&self.shared, "the CircuitBreaker was deleted");
        if let Some(target) = entry.target() {
            self.claims.remove(target, &entry.claim());
            self.assign_roles(target);
        }
    }

    /// Of all CircuitBreakers with this target, the oldest is active.
    fn assign_roles(&mut self, target: &WorkloadRef) {
        let names = self.claims.claimants(target);
        let Some(oldest) = names.first().cloned() else { return };
        let refusal = self.own.refusal(target);
        for name in names {
            let role = match &refusal {
                Some((reason, problem)) => Role::Refused(reason, problem.clone()),
                None if name == oldest => Role::Active(target.clone()),
                None => Role::Conflicting(oldest.clone()),
            };
            self.set_role(&name, role);
        }
    }

    /// The own workload is known now, or why it is not has changed.
    fn found_own(&mut self, own: OwnWorkload) {
        self.own = own;
        let targets: HashSet<_> = self.entries.values().filter_map(|entry| entry.target().cloned()).collect();
        for target in targets {
            if self.listing.as_ref().is_none_or(|listing| !listing.contains(&target)) {
                self.assign_roles(&target);
            }
        }
    }

    fn set_role(&mut self, name: &BreakerName, role: Role) {
        let shared = Arc::clone(&self.shared);
        let Some(entry) = self.entries.get_mut(name) else { return };
        let desired = entry.desired(self.guard.as_ref(), shared.options.outage_guard_common_peer);
        if entry.role == role {
            if let (Some(sender), Some(desired)) = (&entry.desired, desired) {
                sender.send_if_modified(|current| {
                    let changed = *current != desired;
                    *current = desired;
                    changed
                });
            }
            return;
        }
        let why = match &role {
            Role::Conflicting(older) => format!("CircuitBreaker {older} is older and has the same target"),
            Role::Refused(_, problem) => format!("the CircuitBreaker cannot be used: {problem}"),
            Role::Undecided | Role::Active(_) => "spec.targetRef was changed".to_owned(),
        };
        entry.stop(&shared, &why);
        entry.role = role.clone();
        entry.desired = None;
        let status = Arc::clone(&entry.status);
        status.change(|model| model.conflict = None);
        let (reason, message) = match (role, desired) {
            (Role::Active(target), Some(desired)) => {
                let (sender, receiver) = watch_channel::channel(desired);
                entry.desired = Some(sender);
                shared.started(name);
                let ticket = shared.barrier.ticket();
                entry.task = Some(self.tasks.spawn(run_forever(shared, status, target, receiver, ticket)));
                return;
            }
            (Role::Conflicting(older), _) => {
                let message =
                    format!("CircuitBreaker {older} is older and has the same target; delete one of the two");
                status.change(|model| model.conflict = Some(message.clone()));
                (reason::CONFLICT, message)
            }
            (Role::Refused(reason, problem), _) => (reason, problem),
            _ => return,
        };
        status.change(|model| model.ready = ConditionState::new(false, reason, message.clone()));
        shared.recorder.record_event(&status, reason, &message);
        entry.task = Some(self.tasks.spawn(async move { write_status_on_change(&shared, &status).await }));
    }

    /// Whether a breaker may trip under the guard, most targets may fail soon, and what belongs to
    /// the cluster is not known well enough.
    fn needs_cluster_peers(&self) -> bool {
        let known = matches!(&self.cluster, Some((at, Ok(_))) if at.elapsed() < cluster_peers::MAX_AGE);
        let mode = self.shared.options.outage_guard_common_peer;
        !known
            && self.entries.values().any(|entry| entry.trips_on_common_peer(mode))
            && self.shared.guard.any_fails(self.shared.kube.clock.now())
    }

    fn look_up_cluster(
        &self,
        failed_before: bool,
    ) -> impl Future<Output = Result<ClusterPeers, String>> + use<> {
        let kube = self.shared.kube.clone();
        async move {
            if failed_before {
                tokio::time::sleep(cluster_peers::RETRY_AFTER).await;
            }
            cluster_peers::look_up(&kube).await
        }
    }

    /// Asks the outage guard again. Returns when its verdict may change without a restart or a
    /// trip.
    fn update_guard(&mut self) -> Option<Timestamp> {
        let now = self.shared.kube.clock.now();
        let cluster = match &self.cluster {
            Some((_, found)) => found.as_ref().map_err(String::as_str),
            None => Err("it is being looked up"),
        };
        let (verdict, changes_at) = self.shared.guard.verdict(now, cluster);
        let peer = |verdict: &Option<GuardVerdict>| verdict.as_ref().map(|verdict| verdict.peer.clone());
        if peer(&verdict) == peer(&self.guard) {
            return changes_at;
        }
        let before = std::mem::replace(&mut self.guard, verdict);
        let mode = self.shared.options.outage_guard_common_peer;
        for entry in self.entries.values() {
            let Some((sender, desired)) =
                entry.desired.as_ref().zip(entry.desired(self.guard.as_ref(), mode))
            else {
                continue;
            };
            sender.send_if_modified(|present| {
                let is_new = present.guard != desired.guard;
                present.guard = desired.guard;
                is_new
            });
        }
        self.report_guard(before.as_ref());
        changes_at
    }

    /// Reports that the guard turned on or off, or that a peer is at fault now or no longer.
    fn report_guard(&self, before: Option<&GuardVerdict>) {
        let mode = self.shared.options.outage_guard_common_peer;
        let recorder = &self.shared.recorder;
        let active = || self.entries.values().filter(|entry| entry.desired.is_some());
        let some_trip = active().any(|entry| entry.trips_on_common_peer(mode));
        let passing = |verdict: &GuardVerdict| verdict.peer.as_ref().ok().filter(|_| some_trip).cloned();
        match (before, &self.guard) {
            (None, Some(verdict)) => {
                let most_restarts = active().max_by_key(|entry| entry.status.read(|model| model.counted()));
                let status = most_restarts.map(|entry| &*entry.status);
                let why = verdict.hold(CommonPeerMode::Hold).unwrap_or_default();
                let message = match passing(verdict) {
                    None => format!("outage guard on, every trip is held: {why}"),
                    Some(peer) => format!(
                        "outage guard on, trips are held except those with outageGuard.commonPeer: Trip, because \
                         every failing target names {peer}: {}",
                        verdict.why
                    ),
                };
                recorder.record_outage(status, &message);
            }
            (Some(_), None) => recorder.emit("outage guard off: held trips are decided again"),
            (Some(before), Some(verdict)) => match (passing(before), passing(verdict), &verdict.peer) {
                (None, Some(peer), _) => recorder.emit(&format!(
                    "outage guard: every failing target names {peer}; trips with outageGuard.commonPeer: Trip are \
                     no longer held"
                )),
                (Some(_), None, Err(why)) => {
                    recorder.emit(&format!("outage guard: every trip is held again: {why}"));
                }
                _ => {}
            },
            (None, None) => {}
        }
    }
}

fn window_warning(policy: &Policy) -> Option<String> {
    policy.warnings().into_iter().next().map(|warning| match &warning {
        PolicyWarning::WindowTooShort { shortest, .. } => {
            format!("{warning}; use spec.trip.window: {}m or none", shortest.as_mins())
        }
        _ => warning.to_string(),
    })
}
