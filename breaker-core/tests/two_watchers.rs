//! Another watcher of the same target carries out a trip and undoes it at any moment of this one's
//! trip: what was undone is not carried out again. And what a watcher was asked for before it knew
//! the Record is not done twice.

mod common;

use std::collections::{BTreeSet, VecDeque};

use breaker_core::action::{Action, Attempt, Command, Failure, Input, Outcome};
use breaker_core::cluster::Scale;
use breaker_core::record::HandledRequests;
use breaker_core::state::{Override, State, Trip, TripReason};
use breaker_core::webhook::{BeforeTrip, Endpoint, HookDecision, Hooks, OnFailure};
use breaker_core::{Breaker, Policy, Record, WorkloadRef};
use common::harness::{scale, start};
use common::seconds;

const REPLICAS: u32 = 3;

/// What the API server stores, and one breaker whose actions it carries out in order.
struct Cluster {
    breaker: Breaker,
    scale: Scale,
    record: Option<Record>,
    /// The Record that the breaker saved or loaded last. A save over another one conflicts.
    known: Option<Record>,
    /// Actions that are not carried out yet.
    actions: VecDeque<Action>,
    /// How many were carried out.
    carried_out: usize,
    keys: BTreeSet<String>,
    /// Keys of the Events with the reason `Tripped`, of all watchers.
    tripped: BTreeSet<String>,
    /// Writes of the scale that were carried out although the Record did not ask for them.
    wrong: Vec<String>,
}

impl Cluster {
    fn new(policy: Policy, replicas: u32, record: Option<Record>) -> Self {
        let breaker = breaker(policy, replicas, record.clone());
        let mut cluster = Self {
            breaker,
            scale: scale(replicas),
            known: record.clone(),
            record,
            actions: VecDeque::new(),
            carried_out: 0,
            keys: BTreeSet::new(),
            tripped: BTreeSet::new(),
            wrong: Vec::new(),
        };
        cluster.give(Input::PodsListed { pods: vec![], asked_at: start() });
        cluster
    }

    fn give(&mut self, input: Input) {
        self.actions.extend(self.breaker.step(input, start()));
    }

    fn set_scale(&mut self, replicas: u32) {
        let version: u64 = self.scale.resource_version.parse().expect("a number");
        self.scale.resource_version = (version + 1).to_string();
        self.scale.replicas = replicas;
    }

    /// Carries out all actions; `other` acts right before the action with number `before`.
    fn run(&mut self, before: usize, other: fn(&mut Self)) {
        while let Some(action) = self.actions.pop_front() {
            if self.carried_out == before {
                other(self);
            }
            self.carried_out += 1;
            if let Some(input) = self.carry_out(action) {
                self.give(input);
            }
        }
    }

    fn carry_out(&mut self, action: Action) -> Option<Input> {
        let outcome = match action {
            Action::ReadScale => Outcome::ScaleRead(Some(self.scale.clone())),
            Action::SaveRecord(record) => {
                if self.record == self.known {
                    self.record = Some(*record);
                    self.known = self.record.clone();
                    Outcome::RecordSaved
                } else {
                    self.known = self.record.clone();
                    Outcome::RecordFound(self.known.clone().map(Box::new))
                }
            }
            Action::LoadRecord => {
                self.known = self.record.clone();
                Outcome::RecordFound(self.known.clone().map(Box::new))
            }
            Action::WriteScale { seen, replicas } => {
                if seen.resource_version != self.scale.resource_version {
                    let why = "the object has been modified".into();
                    let failure = Failure { of: Attempt::WriteScale, why, retryable: true, conflict: true };
                    return Some(Input::Failed(failure));
                }
                let state = self.record.as_ref().map(|record| &record.state);
                let asked = match state {
                    Some(State::Tripping { .. }) => replicas == 0,
                    Some(State::Restoring { .. }) => replicas > 0,
                    Some(State::HalfOpen { probe, .. }) => replicas == *probe,
                    _ => false,
                };
                if !asked {
                    self.wrong
                        .push(format!("{replicas} replicas are written, and the Record says {state:?}"));
                }
                self.set_scale(replicas);
                Outcome::ScaleWritten(self.scale.clone())
            }
            Action::ListPods => return Some(Input::PodsListed { pods: vec![], asked_at: start() }),
            Action::CallHook { event, .. } => {
                self.keys.insert(event.id.clone());
                Outcome::HookAnswered { id: event.id, answer: Ok(HookDecision::Proceed) }
            }
            Action::Publish(event) => {
                if event.reason == "Tripped" {
                    self.tripped.insert(event.key.clone());
                }
                Outcome::Published(event.key)
            }
            _ => return None,
        };
        Some(Input::Done(outcome))
    }

    fn phase(&self) -> &'static str {
        self.breaker.state().phase().as_str()
    }
}

fn breaker(policy: Policy, replicas: u32, record: Option<Record>) -> Breaker {
    Breaker::new(policy, WorkloadRef::deployment("sre", "swype-app"), scale(replicas), record)
}

fn with_hook() -> Policy {
    let to = Endpoint::new("https://rollback.example.org/x");
    let before_trip = BeforeTrip { to, timeout: seconds(10), on_failure: OnFailure::Proceed };
    Policy { hooks: Hooks { before_trip: Some(before_trip), notify: vec![] }, ..Policy::default() }
}

fn open() -> Record {
    let trip = Trip { replicas: REPLICAS, because: TripReason::pressed() };
    let handled = HandledRequests { override_: Some(Override::ForcedOpen), reset: None };
    let state = State::Open { since: start(), trip };
    Record { target_uid: scale(0).uid, episode: 2, state, handled, ..Record::default() }
}

/// The other watcher carries out the trip that is stored, and then a reset.
fn trips_and_restores(cluster: &mut Cluster) {
    let Some(record) = cluster.record.as_mut() else { return };
    if let State::Tripping { .. } = record.state {
        (record.state, record.episode) = (State::Closed, record.episode + 2);
        cluster.set_scale(0);
        cluster.set_scale(REPLICAS);
    }
}

/// The other watcher restores what is stored, and trips again.
fn restores_and_trips(cluster: &mut Cluster) {
    let Some(record) = cluster.record.as_mut() else { return };
    if let State::Restoring { trip, .. } = record.state.clone() {
        (record.state, record.episode) = (State::Open { since: start(), trip }, record.episode + 2);
        cluster.set_scale(REPLICAS);
        cluster.set_scale(0);
    }
}

/// Runs `play` with the other watcher before each action in turn. `play` returns the cluster and
/// whether it ended well.
fn before_each_action(play: impl Fn(usize) -> (Cluster, bool)) {
    let (alone, well) = play(usize::MAX);
    assert!(well && alone.wrong.is_empty(), "{}, {:?}", alone.phase(), alone.wrong);
    for before in 0..alone.carried_out {
        let (cluster, _) = play(before);
        assert!(cluster.wrong.is_empty(), "before action {before}: {:?}", cluster.wrong);
    }
}

#[test]
fn a_trip_that_another_watcher_has_carried_out_and_undone_is_not_carried_out_again() {
    for policy in [Policy::default(), with_hook()] {
        before_each_action(|before| {
            let mut cluster = Cluster::new(policy.clone(), REPLICAS, None);
            cluster.give(Input::Command(Command::Press));
            cluster.run(before, trips_and_restores);
            let well = cluster.phase() == "Open" && cluster.scale.replicas == 0;
            (cluster, well)
        });
    }
}

/// Both decide at one time, and the other one is quicker and reports its trip. This one takes over
/// the trip that is stored, and reports none of its own.
#[test]
fn two_watchers_that_decide_at_one_time_report_one_trip() {
    fn trips(cluster: &mut Cluster) {
        let episode = match &cluster.record {
            None => 1,
            Some(Record { state: State::Closed, episode, .. }) => *episode,
            Some(_) => return,
        };
        cluster.record = Some(Record { episode, episode_id: Some("other".into()), ..open() });
        cluster.set_scale(0);
        cluster.tripped.insert("other".into());
        // A read that was sent before this, and answered after.
        let read = Outcome::ScaleRead(Some(cluster.scale.clone()));
        cluster.give(Input::Done(read));
    }
    for policy in [Policy::default(), with_hook()] {
        before_each_action(|before| {
            let mut cluster = Cluster::new(policy.clone(), REPLICAS, None);
            cluster.give(Input::Command(Command::Press));
            cluster.run(before, trips);
            assert_eq!((cluster.phase(), cluster.scale.replicas), ("Open", 0), "before action {before}");
            assert_eq!(cluster.tripped.len(), 1, "before action {before}: {:?}", cluster.tripped);
            (cluster, true)
        });
    }
}

#[test]
fn replicas_that_another_watcher_has_restored_and_removed_again_are_not_restored() {
    before_each_action(|before| {
        let mut cluster = Cluster::new(Policy::default(), 0, Some(open()));
        cluster.give(Input::Command(Command::Reset));
        cluster.run(before, restores_and_trips);
        let well = cluster.phase() == "Closed" && cluster.scale.replicas == REPLICAS;
        (cluster, well)
    });
}

/// A Record that is deleted in between is stored again first.
#[test]
fn nothing_is_scaled_by_a_record_that_is_gone() {
    before_each_action(|before| {
        let mut cluster = Cluster::new(with_hook(), REPLICAS, None);
        cluster.give(Input::Command(Command::Press));
        cluster.run(before, |cluster| {
            cluster.record = None;
            cluster.set_scale(REPLICAS);
        });
        let well = cluster.phase() == "Open" && cluster.scale.replicas == 0;
        (cluster, well)
    });
}

/// The other watcher has stored that it tries a replica, and ends before it scales. This one starts
/// from an old list, and finds that Record when the scale is known already.
#[test]
fn a_trial_that_is_found_stored_and_not_begun_goes_on() {
    let trip = Trip { replicas: REPLICAS, because: TripReason::pressed() };
    let state = State::HalfOpen { since: start(), trip, probe: 1, probing: false, started: None };
    let mut cluster = Cluster::new(Policy::default(), 0, None);
    cluster.record = Some(Record { target_uid: scale(0).uid, episode: 2, state, ..Record::default() });
    cluster.run(usize::MAX, |_| {});
    assert_eq!((cluster.phase(), cluster.scale.replicas), ("HalfOpen", 1));
}

/// A controller that starts from an old list does not know the Record, and is asked for a trip that
/// an earlier controller has carried out.
#[test]
fn a_press_that_is_found_to_be_carried_out_is_not_carried_out_after_the_reset() {
    let mut cluster = Cluster::new(Policy::default(), 0, Some(open()));
    cluster.breaker = breaker(Policy::default(), 0, None);
    cluster.actions.clear();
    cluster.give(Input::PodsListed { pods: vec![], asked_at: start() });
    cluster.give(Input::Command(Command::Override(Override::ForcedOpen)));
    // The scale is read late, after the Record.
    let (late, soon): (Vec<_>, Vec<_>) =
        cluster.actions.drain(..).partition(|action| matches!(action, Action::ReadScale));
    assert!(!late.is_empty());
    cluster.actions.extend(soon);
    cluster.give(Input::Done(Outcome::RecordFound(Some(Box::new(open())))));
    cluster.actions.extend(late);
    cluster.run(usize::MAX, |_| {});
    assert_eq!(cluster.phase(), "Open");
    cluster.give(Input::Command(Command::ResetRequest("r".into())));
    cluster.run(usize::MAX, |_| {});
    assert_eq!((cluster.phase(), cluster.scale.replicas), ("Closed", REPLICAS));
    // No pod shows what happens to the target, so it is read again.
    for minutes in 1..3 {
        cluster.actions.extend(cluster.breaker.step(Input::Tick, start() + seconds(60 * minutes)));
        cluster.run(usize::MAX, |_| {});
    }
    assert_eq!((cluster.phase(), cluster.scale.replicas), ("Closed", REPLICAS), "tripped once more");
}

/// A CircuitBreaker that is deleted and created again, or whose Record is lost, counts its episodes
/// from 1 again. A receiver of the hook skips a key that it has seen.
#[test]
fn no_two_trips_have_one_key_even_if_the_record_is_lost_in_between() {
    let mut keys = BTreeSet::new();
    for _ in 0..20 {
        let mut cluster = Cluster::new(with_hook(), REPLICAS, None);
        for _ in 0..3 {
            cluster.give(Input::Command(Command::Press));
            cluster.run(usize::MAX, |_| {});
            cluster.give(Input::Command(Command::Reset));
            cluster.run(usize::MAX, |_| {});
        }
        assert_eq!((cluster.phase(), cluster.keys.len()), ("Closed", 3));
        keys.extend(cluster.keys);
    }
    assert_eq!(keys.len(), 60, "{keys:?}");
}

/// The hook was called before the watcher was killed; the next one calls it with the same key.
#[test]
fn a_trip_that_goes_on_keeps_its_key_also_from_an_earlier_version() {
    let state = |id: Option<&str>| {
        let trip = Trip { replicas: REPLICAS, because: TripReason::pressed() };
        let state = State::Tripping { since: start(), trip, probe: None };
        let episode_id = id.map(str::to_owned);
        Record { target_uid: scale(0).uid, episode: 7, episode_id, state, ..Record::default() }
    };
    for (id, key) in [(Some("0123456789abcdef"), "target.0123456789abcdef"), (None, "target.7")] {
        let mut cluster = Cluster::new(with_hook(), REPLICAS, Some(state(id)));
        cluster.run(usize::MAX, |_| {});
        assert_eq!(cluster.phase(), "Open");
        assert_eq!(cluster.keys.into_iter().collect::<Vec<_>>(), [key]);
    }
}
