//! The breaker: a pure state machine over a ledger and a view.
//!
//! Every input may change the ledger, the view or the state; what follows from that leaves as actions.
//! An act that changes the cluster waits until the Record that announces it is stored:
//!
//! ```text
//! exceeded -> SaveRecord(Tripping) -> RecordSaved -> WriteScale(0) -> ScaleWritten -> SaveRecord(Open)
//! with a hook:                        RecordSaved -> ReadScale -> CallHook -> HookAnswered -> ReadScale -> WriteScale(0)
//! ```

mod commands;
mod decide;
mod events;
mod holding;
mod hook;
mod outbox;
mod recover;
mod saving;
mod scaling;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

pub use self::decide::MAX_CONTESTED_TRIPS;
use self::hook::Hook;
use self::outbox::Outbox;
use self::saving::Saving;
use crate::action::{Action, Input, Outcome};
use crate::action::{Attempt, Failure};
use crate::cluster::{KubernetesEvent, Scale};
use crate::event::{Counts, RestartEvent};
use crate::ledger::Ledger;
use crate::pod::PodReport;
use crate::pod_cache::PodCache;
use crate::record::Contested;
use crate::revision_counts::{RevisionCounts, count_revisions};
use crate::state::{Override, State};
use crate::{BreakerEvent, Policy, Record, WorkloadRef};

/// A trip interrupted by a crash goes on only while younger than this.
pub const TRIP_STAYS_FRESH: SignedDuration = SignedDuration::from_secs(60);

/// A pod's change has reached the target's own status by then.
const REFRESH_AFTER: SignedDuration = SignedDuration::from_millis(100);

/// One target's breaker.
#[derive(Debug, Clone, PartialEq)]
pub struct Breaker {
    policy: Policy,
    target: WorkloadRef,
    /// Name of the CircuitBreaker that this is, if it is one.
    known_as: Option<String>,
    view: PodCache,
    ledger: Ledger,

    // What the Record keeps.
    target_uid: String,
    episode: u64,
    counts_from: Option<Timestamp>,
    state: State,
    override_: Override,
    contested: Option<Contested>,
    trips: Vec<Timestamp>,
    cooldown_secs: Option<i64>,
    undelivered: Vec<KubernetesEvent>,

    // What a restart may forget.
    scale: Option<Scale>,
    /// The scale was read since the counted restarts reached the threshold.
    read_ahead: bool,
    /// A read is under way that was sent before the last write was acknowledged: what it brings may be from
    /// before the write, and would look like somebody else's doing.
    read_is_old: bool,
    /// When the scale that was read ahead is to be read again: pods change the target's status, and with it
    /// the version that the precondition names.
    refresh_at: Option<Timestamp>,
    listed: bool,
    /// A trip that could not be carried out at once looks at the pods again before it goes on.
    trip_waits_for_list: bool,
    pressing: bool,
    /// Why every trip holds that no person asked for.
    guarded: Option<String>,
    hook: Hook,
    outbox: Outbox,
    /// A trip that was held for others' sake is decided on a list of now.
    decide_on_fresh: bool,
    /// What holds a trip now, for the heartbeat.
    held_now: Option<(&'static str, String)>,
    /// Reasons told since the last episode that was not merely an attempt.
    told_held: BTreeSet<&'static str>,
    told_would_trip: Option<u64>,
    /// Why scaling is refused for good, once it was.
    barred: Option<String>,
    saving: Saving,
    in_flight: BTreeSet<Attempt>,
    retries: BTreeMap<Attempt, Retry>,
    out: Vec<Action>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Retry {
    tries: u32,
    due: Option<Timestamp>,
}

impl Breaker {
    /// A breaker for the target as it is now. `record` is what an earlier watcher left, if anything; one
    /// of another UID belongs to a namesake and is not used.
    ///
    /// The first [`Input::PodsListed`] starts it.
    pub fn new(policy: Policy, target: WorkloadRef, scale: Scale, record: Option<Record>) -> Self {
        let record = record.filter(|record| record.target_uid == scale.uid).unwrap_or_default();
        let mut ledger = Ledger::default();
        ledger.adopt(&record.containers);
        let mut saving = Saving::default();
        saving.stored(record.episode, &record.state);
        Self {
            view: PodCache::new(target.clone(), scale.uid.clone()),
            policy,
            target,
            known_as: None,
            ledger,
            target_uid: scale.uid.clone(),
            episode: record.episode.max(1),
            counts_from: record.counts_from,
            state: record.state,
            override_: record.override_,
            contested: record.contested,
            trips: record.trips,
            cooldown_secs: record.cooldown_secs,
            undelivered: record.undelivered,
            scale: Some(scale),
            read_ahead: false,
            read_is_old: false,
            refresh_at: None,
            listed: false,
            trip_waits_for_list: false,
            pressing: false,
            guarded: None,
            hook: Hook::default(),
            outbox: Outbox::holding(record.notices),
            decide_on_fresh: false,
            held_now: None,
            told_held: BTreeSet::new(),
            told_would_trip: None,
            barred: None,
            saving,
            in_flight: BTreeSet::new(),
            retries: BTreeMap::new(),
            out: Vec::new(),
        }
    }

    /// It is the CircuitBreaker of this name: what it tells people to do, they do to that and not to its target.
    #[must_use]
    pub fn known_as(mut self, name: impl Into<String>) -> Self {
        self.known_as = Some(name.into());
        self
    }

    /// Keeps the Record in memory: it is lost with the process.
    #[must_use]
    pub fn keeping_record_in_memory(mut self) -> Self {
        self.saving.in_memory = true;
        self
    }

    /// Publishes no Events on the target and sends no notices.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.saving.silent = true;
        self.undelivered.clear();
        self.outbox.mute = true;
        self
    }

    /// Takes in one input and answers with what is to be done, in order.
    ///
    /// Pure: an equal breaker, input and `now` give equal actions.
    #[must_use]
    pub fn step(&mut self, input: Input, now: Timestamp) -> Vec<Action> {
        match input {
            Input::Pod(pod) => self.pod(pod, now),
            Input::PodGone(uid) => {
                self.view.delete(&uid, now);
                self.last_pod_went();
            }
            Input::PodsListed(pods) => self.listed(pods, now),
            Input::ViewAlive => self.view.alive(now),
            Input::Verdict(id, verdict) => self.ledger.decide(&id, verdict),
            Input::Done(outcome) => self.done(outcome, now),
            Input::Failed(failure) => self.failed(failure, now),
            Input::Command(command) => self.command(command, now),
            Input::Heartbeat => self.heartbeat(now),
            Input::Tick => {}
        }
        self.retry_what_is_due(now);
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            if self.read_ahead && self.state == State::Closed {
                self.read_scale();
            }
        }
        self.recover(now);
        self.reconsider(now);
        self.send_letters(now);
        self.save_if_needed(now);
        std::mem::take(&mut self.out)
    }

    /// Where it is.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whom it watches.
    pub fn target(&self) -> &WorkloadRef {
        &self.target
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The target's scale as last read or written.
    pub fn scale(&self) -> Option<&Scale> {
        self.scale.as_ref()
    }

    /// Number of the current episode.
    pub fn episode(&self) -> u64 {
        self.episode
    }

    /// The first list of pods has arrived.
    pub fn is_started(&self) -> bool {
        self.listed
    }

    /// Nothing is being read, written or waiting to be tried again.
    pub fn is_settled(&self) -> bool {
        let asking = self.hook.is_asked() && matches!(self.state, State::Tripping { .. });
        self.in_flight.is_empty()
            && !asking
            && !self.pressing
            && !self.saving.wanted()
            && self.undelivered.is_empty()
            && self.retries.values().all(|retry| retry.due.is_none())
    }

    /// Names of the target's pods that are still there, those on their way out included.
    pub fn pods_left(&self) -> Vec<String> {
        self.view.pods().filter(|pod| !pod.finished).map(|pod| pod.name.clone()).collect()
    }

    /// One tally for each revision, the newest first.
    pub fn count_revisions(&self, now: Timestamp) -> Vec<RevisionCounts> {
        let replicas = self.scale.as_ref().map(|scale| scale.replicas);
        count_revisions(&self.ledger, &self.view, &self.policy, replicas, self.oldest(now), now)
    }

    /// Where things stand: the tally closest to a trip, newest revision first among equals.
    pub fn count(&self, now: Timestamp) -> Counts {
        let count_revisions = self.count_revisions(now);
        let closest = count_revisions.iter().rev().max_by_key(|tally| (!tally.superseded, tally.counted));
        closest.map(Counts::from).unwrap_or_default()
    }

    /// When the newest restart that counts ended, if one lies in the window: what a fleet's
    /// [`Guard`](crate::guard::Guard) is told.
    pub fn newest_counted(&self, now: Timestamp) -> Option<Timestamp> {
        let restarts = self.ledger.restarts_since(self.oldest(now));
        restarts.filter(|restart| restart.counts(self.policy.causes)).map(|restart| restart.at()).max()
    }

    /// What is to survive a restart of the watcher.
    pub fn record(&self, now: Timestamp) -> Record {
        Record {
            target_uid: self.target_uid.clone(),
            episode: self.episode,
            counts_from: self.counts_from,
            state: self.state.clone(),
            override_: self.override_,
            contested: self.contested.clone(),
            trips: self.trips.clone(),
            cooldown_secs: self.cooldown_secs,
            containers: self.ledger.marks(self.oldest(now)),
            undelivered: self.undelivered.clone(),
            notices: self.outbox.waiting.clone(),
        }
        .fit()
    }

    /// The oldest instant at which a restart counts.
    fn oldest(&self, now: Timestamp) -> Timestamp {
        // Kubernetes tells times in whole seconds, cut off.
        let episode = self.counts_from.and_then(|at| Timestamp::from_second(at.as_second()).ok());
        self.policy.window.oldest(now).max(episode).unwrap_or(Timestamp::MIN)
    }

    fn pod(&mut self, pod: PodReport, now: Timestamp) {
        self.view.alive(now);
        if !self.view.owns(&pod) {
            return;
        }
        let live = pod.is_live();
        self.observe(&pod, now);
        self.refresh_later(now);
        let new = self.view.apply(pod, now);
        if new && live {
            self.live_pod_appeared();
        }
        if !live {
            self.last_pod_went();
        }
    }

    fn listed(&mut self, pods: Vec<PodReport>, now: Timestamp) {
        let pods: Vec<_> = pods.into_iter().filter(|pod| self.view.owns(pod)).collect();
        self.view.keep_only(&pods.iter().map(|pod| pod.uid.clone()).collect());
        let mut appeared = false;
        for pod in pods {
            appeared |= pod.is_live() && !self.view.contains(&pod.uid);
            self.observe(&pod, now);
            self.view.apply(pod, now);
        }
        self.view.alive(now);
        self.in_flight.remove(&Attempt::ListPods);
        self.retries.remove(&Attempt::ListPods);
        self.decide_on_fresh = false;
        if !self.listed {
            self.listed = true;
            self.start(now);
        } else if std::mem::take(&mut self.trip_waits_for_list) {
            self.scale_known(now);
        } else if appeared {
            self.live_pod_appeared();
        }
        self.last_pod_went();
    }

    /// One restart away from a trip, the version read ahead is kept fresh.
    pub(super) fn refresh_later(&mut self, now: Timestamp) {
        if self.read_ahead && self.state == State::Closed && self.refresh_at.is_none() {
            let at = now + REFRESH_AFTER;
            self.refresh_at = Some(at);
            self.out.push(Action::Wake(at));
        }
    }

    fn observe(&mut self, pod: &PodReport, now: Timestamp) {
        let oldest = self.oldest(now);
        for wanted in self.ledger.observe(pod, oldest, now) {
            self.out.push(Action::GatherEvidence(Box::new(wanted)));
        }
    }

    /// Says what was found, then takes up where an earlier watcher stopped.
    fn start(&mut self, now: Timestamp) {
        for event in self.undelivered.clone() {
            self.publish(event);
        }
        match &self.state {
            State::Closed => {
                self.tell(BreakerEvent::Watching {
                    target: self.target.to_string(),
                    replicas: self.scale.as_ref().map_or(0, |scale| scale.replicas),
                    pods: u32::try_from(self.view.live().count()).unwrap_or(u32::MAX),
                    count: self.count(now),
                });
            }
            State::Tripping { .. } => self.resume_trip(now),
            State::Open { replicas, because, restoring: false, .. }
                if self.scale.as_ref().is_some_and(|scale| scale.replicas == 0) =>
            {
                let (replicas, because) = (*replicas, because.clone());
                self.tell(BreakerEvent::AlreadyOpen { replicas, because });
                self.wake_for_recovery();
            }
            State::Open { .. } | State::HalfOpen { .. } => self.scale_known(now),
        }
    }

    fn done(&mut self, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::ScaleRead(None) => {
                self.finished(Attempt::ReadScale);
                self.scale = None;
                self.tell(BreakerEvent::Lost { target: self.target.to_string() });
            }
            Outcome::ScaleRead(Some(scale)) => {
                self.finished(Attempt::ReadScale);
                if std::mem::take(&mut self.read_is_old) {
                    self.read_scale();
                } else {
                    self.scale_read(scale, now);
                }
            }
            Outcome::ScaleWritten(scale) => {
                self.finished(Attempt::WriteScale);
                self.read_is_old = self.in_flight.contains(&Attempt::ReadScale);
                self.scale_written(scale, now);
            }
            Outcome::RecordSaved => self.record_saved(),
            Outcome::RecordFound(record) => self.record_found(record.map(|record| *record)),
            Outcome::Scaler(by) => {
                self.finished(Attempt::FindScaler);
                self.contested_by(by, now);
            }
            Outcome::Published(key) => {
                self.finished(Attempt::Publish);
                self.delivered(&key);
            }
            Outcome::HookAnswered { id, answer } => self.hook_answered(&id, answer, now),
            Outcome::Notified { to, id, failure } => self.notified(&to, &id, failure, now),
        }
    }

    fn failed(&mut self, failure: Failure, now: Timestamp) {
        self.in_flight.remove(&failure.of);
        match failure.of {
            Attempt::SaveRecord | Attempt::LoadRecord => self.save_failed(&failure, now),
            Attempt::WriteScale => self.write_failed(&failure, now),
            Attempt::FindScaler => self.contested_by(None, now),
            Attempt::Publish => self.publish_failed(&failure, now),
            Attempt::ListPods => {
                self.hold("stale_view", format!("the pods cannot be listed: {}", failure.why), now);
                self.retry_later(failure.of, now);
            }
            Attempt::ReadScale => {
                self.read_is_old = false;
                self.retry_later(failure.of, now);
            }
        }
    }

    fn finished(&mut self, attempt: Attempt) {
        self.in_flight.remove(&attempt);
        self.retries.remove(&attempt);
    }

    /// Doubling from 200 ms, at most 5 s.
    fn retry_later(&mut self, attempt: Attempt, now: Timestamp) {
        let tries = self.retries.get(&attempt).map_or(0, |retry| retry.tries);
        let wait = SignedDuration::from_millis(200i64 << tries.min(5)).min(SignedDuration::from_secs(5));
        let due = now + wait;
        self.retries.insert(attempt, Retry { tries: tries + 1, due: Some(due) });
        self.out.push(Action::Wake(due));
    }

    fn retry_what_is_due(&mut self, now: Timestamp) {
        let due: Vec<_> = self
            .retries
            .iter_mut()
            .filter(|(_, retry)| retry.due.is_some_and(|due| due <= now))
            .map(|(attempt, retry)| {
                retry.due = None;
                *attempt
            })
            .collect();
        for attempt in due {
            match attempt {
                // A write that failed may have happened all the same: look first.
                Attempt::ReadScale | Attempt::WriteScale => self.read_scale(),
                Attempt::ListPods => self.list_pods(),
                Attempt::SaveRecord | Attempt::LoadRecord => self.saving.again(),
                Attempt::FindScaler => {}
                Attempt::Publish => {
                    for event in self.undelivered.clone() {
                        self.publish(event);
                    }
                }
            }
        }
    }

    fn read_scale(&mut self) {
        if self.may_attempt(Attempt::ReadScale) {
            self.out.push(Action::ReadScale);
        }
    }

    fn list_pods(&mut self) {
        if self.may_attempt(Attempt::ListPods) {
            self.out.push(Action::ListPods);
        }
    }

    /// Not under way already, and not waiting for its turn after a failure.
    fn may_attempt(&mut self, attempt: Attempt) -> bool {
        let waiting = self.retries.get(&attempt).is_some_and(|retry| retry.due.is_some());
        !waiting && self.in_flight.insert(attempt)
    }

    fn tell(&mut self, notice: BreakerEvent) {
        self.out.push(Action::Emit(notice));
    }

    fn heartbeat(&mut self, now: Timestamp) {
        let held = self.held(now);
        self.tell(BreakerEvent::Heartbeat {
            phase: self.state.phase(),
            pods: u32::try_from(self.view.live().count()).unwrap_or(u32::MAX),
            count: self.count(now),
            held,
        });
    }

    /// Settles what can be settled, tells the new restarts, and decides.
    fn reconsider(&mut self, now: Timestamp) {
        if !self.listed {
            return;
        }
        let oldest = self.oldest(now);
        if self.ledger.has_gaps() {
            let failing = self.view.failing(now);
            self.ledger.settle(self.policy.unobserved, &failing, oldest);
        }
        let counted = self.tell_restarts(oldest, now);
        if counted {
            self.saving.again();
        }
        self.press_again_if_due(now);
        match &self.state {
            State::Closed => self.consider(now),
            State::HalfOpen { probing: true, restoring: false, .. } => self.judge_probe(counted, now),
            _ => {}
        }
        let view = &self.view;
        self.ledger.forget(oldest, |uid| view.contains(uid));
    }

    /// Tells the restarts that are new; answers whether one of them counts.
    fn tell_restarts(&mut self, oldest: Timestamp, now: Timestamp) -> bool {
        let restarts = self.ledger.tell(oldest);
        if restarts.is_empty() {
            return false;
        }
        let count_revisions = self.count_revisions(now);
        let counts = |restart: &crate::ledger::Restart| self.policy.causes.contains(restart.verdict.cause);
        let mut any = false;
        let mut lines: Vec<RestartEvent> = Vec::new();
        for (at, restart) in restarts.iter().enumerate() {
            let Some(tally) = count_revisions.iter().find(|tally| tally.revision == restart.revision) else {
                continue;
            };
            any |= counts(restart);
            let later = restarts[at + 1..].iter().filter(|r| r.revision == restart.revision && counts(r));
            let later = u32::try_from(later.count()).unwrap_or(u32::MAX);
            let so_far = RevisionCounts { counted: tally.counted.saturating_sub(later), ..tally.clone() };
            // What nobody saw of one container is one line.
            if restart.exit_code.is_none()
                && let Some(last) = lines.last_mut()
                && last.exit_code.is_none()
                && (&last.pod, &last.container) == (&restart.pod_name, &restart.key.container)
            {
                last.times += 1;
                last.counted = so_far.counted;
                continue;
            }
            lines.push(RestartEvent::new(restart, &so_far, counts(restart), 1));
        }
        for line in lines {
            self.tell(BreakerEvent::Restart(line));
        }
        any
    }
}
