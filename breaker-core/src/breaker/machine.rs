//! The data of the breaker, and its step function.

use jiff::Timestamp;

use super::clock_skew::ClockSkew;
use super::episode::{Episode, EpisodeIds};
use super::holds::Holds;
use super::hook_calls::HookCalls;
use super::outbox::Outbox;
use super::owner_requests::OwnerRequests;
use super::record_saves::RecordSaves;
use super::retries::Retries;
use super::scale_reads::ScaleReads;
use super::target_events::TargetEvents;
use super::watch_state::WatchState;
use crate::action::{Action, Attempt, Failure, Input, Outcome};
use crate::cluster::Scale;
use crate::event::BreakerEvent;
use crate::guard::CountedRestart;
use crate::ledger::Ledger;
use crate::pod_cache::PodCache;
use crate::policy::Policy;
use crate::record::{Contested, Record};
use crate::snapshot::{
    Counts, Hold, HoldReason, RevisionCounts, Snapshot, closest_to_trip, count_revisions, limits,
};
use crate::state::{Override, State, TripReason};
use crate::webhook::Endpoint;
use crate::workload::WorkloadRef;

/// The circuit breaker of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Breaker {
    pub(super) policy: Policy,
    pub(super) target: WorkloadRef,
    pub(super) restore_hint: Option<String>,
    pub(super) pods: PodCache,
    pub(super) watch: WatchState,
    pub(super) clock_skew: ClockSkew,
    pub(super) ledger: Ledger,

    // Fields that the Record keeps, beside containers, Events and notifications.
    pub(super) target_uid: String,
    pub(super) episode: Episode,
    ids: EpisodeIds,
    pub(super) counts_from: Option<Timestamp>,
    pub(super) state: State,
    pub(super) override_: Override,
    pub(super) contested: Option<Contested>,
    pub(super) trips: Vec<Timestamp>,
    pub(super) cooldown_secs: Option<i64>,
    pub(super) requests: OwnerRequests,

    pub(super) scale: ScaleReads,
    pub(super) holds: Holds,
    pub(super) hook: HookCalls,
    pub(super) outbox: Outbox,
    pub(super) events: TargetEvents,
    pub(super) saves: RecordSaves,
    pub(super) retries: Retries,

    /// The first list of pods has arrived.
    pub(super) started: bool,
    /// A trip that could not be carried out at once goes on after the next list of pods.
    pub(super) trip_waits_for_list: bool,
    /// A list of pods has arrived in this step.
    pub(super) listed_now: bool,
    /// A person asked for a trip, and the scale is being read.
    pub(super) pressing: bool,
    /// Another client seems to have scaled the target up, this one; the Record is being read.
    pub(super) contest: Option<String>,
    /// The trip was asked for by [`Command::Press`](crate::action::Command::Press): a refusal ends
    /// it.
    pub(super) press_once: bool,
    /// The trial replicas may have been written: by this breaker, or by the watcher before it.
    pub(super) trial_sent: bool,
    /// Trial replicas that do not start were reported.
    pub(super) trial_reported: bool,
    /// The counts of each revision as of the last step; empty while no restart is in the window.
    pub(super) revisions: Vec<RevisionCounts>,
    pub(super) out: Vec<Action>,
}

impl Breaker {
    /// Creates a breaker for the target with its current scale. `record` is the stored Record of an
    /// earlier watcher, if there is one. A Record with another UID is not used.
    ///
    /// The first [`Input::PodsListed`] starts it.
    pub fn new(policy: Policy, target: WorkloadRef, scale: Scale, record: Option<Record>) -> Self {
        // The requests are about the breaker, whichever object its target is.
        let handled = record.as_ref().map(|record| record.handled.clone()).unwrap_or_default();
        let record = record.filter(|record| record.target_uid == scale.uid).unwrap_or_default();
        let mut ledger = Ledger::default();
        ledger.merge_record(&record.containers);
        let mut saves = RecordSaves::default();
        let mut ids = EpisodeIds::random();
        let episode = match &record.episode {
            0 => Episode { number: 1, id: Some(ids.next()) },
            _ => Episode::of(&record),
        };
        saves.stored(Episode::of(&record), &record.state);
        Self {
            pods: PodCache::new(target.clone(), scale.uid.clone()),
            watch: WatchState::default(),
            clock_skew: ClockSkew::default(),
            policy,
            target,
            restore_hint: None,
            ledger,
            target_uid: scale.uid.clone(),
            episode,
            ids,
            counts_from: record.counts_from,
            state: record.state,
            override_: record.override_,
            contested: record.contested,
            trips: record.trips,
            cooldown_secs: record.cooldown_secs,
            requests: OwnerRequests::new(handled),
            scale: ScaleReads::new(scale),
            holds: Holds::default(),
            hook: HookCalls::default(),
            outbox: Outbox::new(record.notices),
            events: TargetEvents::new(record.undelivered),
            saves,
            retries: Retries::default(),
            started: false,
            trip_waits_for_list: false,
            listed_now: false,
            pressing: false,
            contest: None,
            press_once: false,
            trial_sent: true,
            trial_reported: false,
            revisions: Vec::new(),
            out: Vec::new(),
        }
    }

    /// Appends this sentence to the Event of a trip: how a person restores the replicas.
    #[must_use]
    pub fn with_restore_hint(mut self, hint: impl Into<String>) -> Self {
        self.restore_hint = Some(hint.into());
        self
    }

    /// Keeps the Record in memory: it is lost with the process.
    #[must_use]
    pub fn keeping_record_in_memory(mut self) -> Self {
        self.saves.in_memory = true;
        self
    }

    /// Publishes no Events on the target and sends no notifications.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.events.mute();
        self.outbox.mute();
        self
    }

    /// Handles one input and returns the actions that follow, in order.
    ///
    /// Pure: an equal breaker, input and `now` give equal actions.
    ///
    /// ```
    /// use breaker_core::action::{Action, Command, Input};
    /// use breaker_core::cluster::Scale;
    /// use breaker_core::jiff::Timestamp;
    /// use breaker_core::{Breaker, Policy, WorkloadRef};
    ///
    /// let target = WorkloadRef::deployment("sre", "swype-app");
    /// let (uid, version) = ("u1".to_owned(), "1".to_owned());
    /// let selector = "app=swype-app".to_owned();
    /// let scale = Scale { uid, resource_version: version, replicas: 2, selector };
    /// let mut breaker = Breaker::new(Policy::default(), target, scale, None);
    ///
    /// let actions = breaker.step(Input::Command(Command::Press), Timestamp::UNIX_EPOCH);
    /// assert!(actions.contains(&Action::ReadScale));
    /// ```
    #[must_use]
    pub fn step(&mut self, input: Input, now: Timestamp) -> Vec<Action> {
        let heartbeat = matches!(input, Input::Heartbeat);
        match input {
            Input::Pod(pod) => self.pod(pod, now),
            Input::PodDeleted(uid) => self.pod_deleted(&uid, now),
            Input::PodsListed { pods, asked_at } => self.pods_listed(pods, asked_at, now),
            Input::WatchAlive => self.watch_accepted(now),
            Input::WatchDown(why) => self.watch_failed(why, now),
            Input::ClockStepped(by) => self.clock_stepped(by),
            Input::Verdict(id, verdict) => self.ledger.decide(&id, verdict),
            Input::Done(outcome) => self.done(outcome, now),
            Input::Failed(failure) => self.failed(failure, now),
            Input::Command(command) => self.command(command, now),
            Input::Heartbeat | Input::Tick => {}
        }
        self.retry_what_is_due(now);
        if self.scale.take_refresh(now) && self.state == State::Closed {
            self.read_scale();
        }
        if self.scale.take_recheck(now) {
            self.read_scale();
        }
        self.read_unseen_scale(now);
        self.recover(now);
        self.reconsider(now);
        if heartbeat {
            self.heartbeat(now);
        }
        self.send_due(now);
        self.save_if_needed(now);
        self.listed_now = false;
        std::mem::take(&mut self.out)
    }

    fn done(&mut self, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::ScaleRead(scale) => self.scale_read(scale, now),
            Outcome::ScaleWritten(scale) => self.scale_written(scale, now),
            Outcome::RecordSaved => self.record_saved(now),
            Outcome::RecordFound(record) => {
                self.record_found(record.map(|record| *record), now);
                // The other watcher may not have known of them.
                self.follow_requests(now);
            }
            Outcome::Scaler(by) => {
                self.retries.succeeded(Attempt::FindScaler);
                self.scaler_found(by, now);
            }
            Outcome::Published(key) => {
                self.retries.succeeded(Attempt::Publish);
                self.delivered(&key);
            }
            Outcome::HookAnswered { id, answer } => self.hook_answered(&id, answer, now),
            Outcome::Notified { to, id, failure } => self.notified(&to, &id, failure, now),
        }
    }

    fn failed(&mut self, failure: Failure, now: Timestamp) {
        self.retries.ended(failure.of);
        match failure.of {
            Attempt::SaveRecord => self.save_failed(&failure, now),
            Attempt::LoadRecord => self.load_failed(&failure, now),
            Attempt::ReadScale => self.scale_read_failed(&failure, now),
            Attempt::WriteScale => self.write_failed(&failure, now),
            Attempt::FindScaler => self.scaler_found(None, now),
            Attempt::Publish => self.publish_failed(&failure, now),
            Attempt::ListPods => {
                let why = format!("the pods cannot be listed: {}", failure.why);
                self.watch_failed(why.clone(), now);
                self.hold(HoldReason::StaleView, why, now);
                self.retry_failed(&failure, now);
            }
        }
    }

    pub(super) fn emit(&mut self, event: BreakerEvent) {
        self.out.push(Action::Emit(event));
    }

    fn heartbeat(&mut self, now: Timestamp) {
        let blind = self.watch.blind(now).cloned();
        let latest = closest_to_trip(&self.revisions);
        let event = BreakerEvent::Heartbeat {
            phase: self.state.phase(),
            pods: self.pods.live_count(),
            counts: self.latest_counts(),
            by_cause: latest.map(|revision| revision.by_cause.clone()).unwrap_or_default(),
            by_peer: latest.map(|revision| revision.by_peer.clone()).unwrap_or_default(),
            held: self.current_hold().cloned(),
            blind_seconds: blind.as_ref().map(|blind| now.duration_since(blind.since).as_secs()),
            blind,
        };
        self.emit(event);
    }

    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The target.
    pub fn target(&self) -> &WorkloadRef {
        &self.target
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The target's scale as last read or written; `None` once the target is gone.
    pub fn scale(&self) -> Option<&Scale> {
        self.scale.last.as_ref()
    }

    /// The number of the current episode, from 1.
    pub fn episode(&self) -> u64 {
        self.episode.number
    }

    /// Whether the first list of pods has arrived.
    pub fn is_started(&self) -> bool {
        self.started
    }

    /// Whether nothing is being read, written or waiting to be tried again.
    pub fn is_settled(&self) -> bool {
        let asking = self.hook.is_asked() && matches!(self.state, State::Tripping { .. });
        self.retries.is_idle()
            && !asking
            && !self.pressing
            && !self.saves.is_requested()
            && self.events.undelivered().is_empty()
    }

    /// Whether the scale or the Record is being written, or is about to be.
    pub(crate) fn is_writing(&self) -> bool {
        let save_waits = self.retries.waits(Attempt::SaveRecord);
        self.retries.in_flight(Attempt::WriteScale)
            || self.retries.in_flight(Attempt::SaveRecord)
            || (self.saves.is_requested() && !save_waits)
    }

    /// Names of the target's pods that still exist, those being deleted included.
    pub fn pods_left(&self) -> Vec<String> {
        self.pods.pods().filter(|pod| !pod.finished).map(|pod| pod.name.clone()).collect()
    }

    /// The number of notifications that a receiver of the policy has not acknowledged.
    pub fn pending_notifications(&self) -> usize {
        let known: Vec<_> = self.policy.hooks.notify.iter().map(Endpoint::tag).collect();
        let waiting = self.outbox.waiting().iter();
        waiting.filter(|notification| notification.to.iter().any(|tag| known.contains(tag))).count()
    }

    /// The counts of each revision, the newest first.
    pub fn count_revisions(&self, now: Timestamp) -> Vec<RevisionCounts> {
        let replicas = self.scale.replicas();
        count_revisions(&self.ledger, &self.pods, &self.policy, replicas, self.oldest(now), now)
    }

    /// The phase and the counts, for a status or a metric.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        let revisions = self.count_revisions(now);
        let closest = closest_to_trip(&revisions);
        Snapshot {
            phase: self.state.phase(),
            pods: self.pods.live_count(),
            counts: closest.map(|revision| revision.counts).unwrap_or_default(),
            by_cause: closest.map(|revision| revision.by_cause.clone()).unwrap_or_default(),
            by_peer: closest.map(|revision| revision.by_peer.clone()).unwrap_or_default(),
            hold: self.current_hold().cloned(),
            blind: self.watch.blind(now).cloned(),
            would_trip: self.would_trip().cloned(),
            contested: self.contested.clone(),
        }
    }

    /// Whether the breaker does not see its pods, and has not for longer than is routine.
    pub(crate) fn is_blind(&self, now: Timestamp) -> bool {
        self.watch.blind(now).is_some()
    }

    /// Whether [`Self::snapshot`] equals `last`; `now` is the time of the last step. Counts nothing
    /// again.
    pub(crate) fn is_still(&self, last: &Snapshot, now: Timestamp) -> bool {
        let same_restarts = match closest_to_trip(&self.revisions) {
            Some(latest) => last.by_cause == latest.by_cause && last.by_peer == latest.by_peer,
            None => last.by_cause.is_empty(),
        };
        same_restarts
            && last.phase == self.state.phase()
            && last.pods == self.pods.live_count()
            && last.counts == self.latest_counts()
            && last.hold.as_ref() == self.current_hold()
            && last.blind.as_ref() == self.watch.blind(now)
            && last.would_trip.as_ref() == self.would_trip()
            && last.contested == self.contested
    }

    /// The counts as of the last step.
    fn latest_counts(&self) -> Counts {
        match closest_to_trip(&self.revisions) {
            Some(revision) => revision.counts,
            None if self.pods.live_count() == 0 => Counts::default(),
            None => limits(&self.policy, self.pods.started_count(), self.scale.replicas()),
        }
    }

    pub(super) fn current_hold(&self) -> Option<&Hold> {
        match self.state {
            State::Closed | State::Tripping { .. } | State::HalfOpen { .. } => self.holds.current(),
            _ => None,
        }
    }

    fn would_trip(&self) -> Option<&TripReason> {
        self.holds.would_trip(self.episode.number).filter(|_| self.state == State::Closed)
    }

    /// The restarts that count and lie in the window, in no particular order: input for a fleet's
    /// [`Guard`](crate::guard::Guard).
    pub fn counted_restarts(&self, now: Timestamp) -> impl Iterator<Item = CountedRestart<'_>> {
        let restarts = self.ledger.restarts_since(self.oldest(now));
        restarts.filter(|restart| restart.counts(&self.policy)).map(|restart| {
            let verdict = restart.verdict();
            CountedRestart {
                at: restart.at(),
                peer: verdict.and_then(|verdict| verdict.peer.as_deref()),
                kind: verdict.and_then(|verdict| verdict.kind),
            }
        })
    }

    /// The Record: what must survive a restart of the watcher.
    pub fn record(&self, now: Timestamp) -> Record {
        Record {
            target_uid: self.target_uid.clone(),
            episode: self.episode.number,
            episode_id: self.episode.id.clone(),
            counts_from: self.counts_from,
            state: self.state.clone(),
            override_: self.override_,
            contested: self.contested.clone(),
            trips: self.trips.clone(),
            cooldown_secs: self.cooldown_secs,
            containers: self.ledger.to_record(self.oldest(now)),
            undelivered: self.events.undelivered().to_vec(),
            notices: self.outbox.waiting().to_vec(),
            handled: self.requests.handled.clone(),
        }
        .fit()
    }

    /// The oldest instant at which a restart counts. On a trial every restart counts that was first
    /// seen since the breaker opened.
    pub(super) fn oldest(&self, now: Timestamp) -> Timestamp {
        if self.state.is_on_trial() {
            return Timestamp::MIN;
        }
        self.policy.oldest_counted(self.counts_from, now)
    }

    /// Only the number and the id change.
    pub(super) fn next_episode(&mut self) {
        self.episode = Episode { number: self.episode.number + 1, id: Some(self.ids.next()) };
    }

    pub(super) fn start_episode(&mut self, now: Timestamp) {
        self.next_episode();
        self.counts_from = Some(now);
        self.scale.read_ahead = false;
        self.holds.start_episode();
        self.hook.start_episode();
        self.ledger.start_episode();
        self.clock_skew.clear();
    }
}
