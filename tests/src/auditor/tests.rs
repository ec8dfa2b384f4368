//! The auditor on histories made by hand: each law is found when it is broken, and only then.

use std::time::Duration;

use breaker_core::Record;
use breaker_core::state::{State, Trip, TripReason};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::history::{HookCall, PodRevision, Revision, Stored};
use super::laws::{Expected, Law, audit};

/// A history in the making; each revision is one second and one version after the one before.
struct History {
    revisions: Vec<Revision>,
    now: Timestamp,
}

impl History {
    /// A target of three replicas whose first pod has restarted four times because of the network.
    fn failing() -> Self {
        let mut history =
            Self { revisions: Vec::new(), now: "2026-01-01T00:00:00Z".parse().expect("a time") };
        history.replicas(3).pod(0, Some(SignedDuration::ZERO));
        for restarts in 1..=4 {
            history.pod(restarts, Some(SignedDuration::ZERO));
        }
        history
    }

    fn push(&mut self, stored: Stored) -> &mut Self {
        self.now += SignedDuration::from_secs(1);
        let version = self.revisions.len() as u64 + 1;
        self.revisions.push(Revision { version, at: self.now, stored });
        self
    }

    fn replicas(&mut self, replicas: u32) -> &mut Self {
        self.push(Stored::Replicas(replicas))
    }

    /// The first pod, which runs for this time; `None` when it does not run.
    fn pod(&mut self, restarts: u32, runs_for: Option<SignedDuration>) -> &mut Self {
        self.pod_of(0, restarts, runs_for)
    }

    fn pod_of(&mut self, ordinal: u32, restarts: u32, runs_for: Option<SignedDuration>) -> &mut Self {
        let pod = PodRevision {
            uid: format!("u{ordinal}"),
            restarts,
            is_network: restarts > 0,
            running_since: runs_for.map(|time| self.now - time),
        };
        self.push(Stored::Pod(format!("app-{ordinal}"), Some(pod)))
    }

    fn record(&mut self, episode: u64, state: State) -> &mut Self {
        self.push(Stored::Record(Some(Box::new(Record { episode, state, ..Record::default() }))))
    }

    /// A Record with a trip, as it is stored; `more` has the other fields of its state.
    fn trip(&mut self, episode: u64, phase: &str, trip: Trip, more: Value) -> &mut Self {
        let mut state =
            json!({"phase": phase, "since": self.now, "replicas": trip.replicas, "because": trip.because});
        for (key, value) in more.as_object().into_iter().flatten() {
            state[key] = value.clone();
        }
        self.record(episode, serde_json::from_value(state).expect("a state"))
    }

    fn tripping(&mut self, episode: u64, trip: Trip) -> &mut Self {
        self.trip(episode, "Tripping", trip, json!({}))
    }

    fn open(&mut self, episode: u64, trip: Trip) -> &mut Self {
        self.trip(episode, "Open", trip, json!({}))
    }

    fn restoring(&mut self, episode: u64, trip: Trip, probe: Option<u32>) -> &mut Self {
        self.trip(episode, "Restoring", trip, json!({"probe": probe}))
    }

    fn half_open(&mut self, episode: u64, trip: Trip, probe: u32) -> &mut Self {
        self.trip(episode, "HalfOpen", trip, json!({"probe": probe}))
    }

    /// A trip from three replicas, as it should be.
    fn tripped(&mut self) -> &mut Self {
        self.tripping(1, three()).replicas(0).open(2, three())
    }

    #[track_caller]
    fn obeys(&self, expected: &Expected) {
        assert_eq!(audit(self.revisions.clone(), expected), []);
    }

    /// The history breaks this law, and no other.
    #[track_caller]
    fn breaks(&self, law: Law, expected: &Expected) {
        let found = audit(self.revisions.clone(), expected);
        let laws: Vec<_> = found.iter().map(|violation| violation.law).collect();
        assert_eq!(laws, [law], "{found:#?}");
    }
}

fn three() -> Trip {
    Trip { replicas: 3, because: TripReason::default() }
}

fn pressed() -> Trip {
    Trip { replicas: 3, because: TripReason::pressed() }
}

fn probe_failed() -> Trip {
    Trip { replicas: 3, because: TripReason { probe_failed: true, ..TripReason::default() } }
}

fn one_reset() -> Expected {
    Expected { resets: 1, ..Expected::default() }
}

#[test]
fn a_trip_and_a_reset_obey_the_laws_in_whatever_order_the_revisions_were_read() {
    let mut history = History::failing();
    history.tripped().restoring(2, three(), None).replicas(3).record(3, State::Closed);
    history.obeys(&one_reset());
    history.revisions.reverse();
    history.obeys(&one_reset());
}

#[test]
fn a_trial_that_fails_and_one_that_survives_obey_the_laws() {
    let mut history = History::failing();
    history.tripped().half_open(2, three(), 1).replicas(1).pod(5, Some(SignedDuration::ZERO));
    history.tripping(2, probe_failed()).replicas(0).open(3, probe_failed());
    history.half_open(3, probe_failed(), 1).replicas(1);
    history.restoring(3, probe_failed(), Some(1)).replicas(3).record(4, State::Closed);
    history.obeys(&Expected::default());
}

#[test]
fn a_write_of_zero_without_a_record_of_its_trip_is_found() {
    let mut history = History::failing();
    history.replicas(0);
    history.breaks(Law::RecordBeforeZero, &Expected::default());

    let mut history = History::failing();
    history.record(1, State::Closed).replicas(0).open(2, three());
    history.breaks(Law::RecordBeforeZero, &Expected::default());

    // The Record has other replicas than the target had.
    let mut history = History::failing();
    let two = Trip { replicas: 2, ..three() };
    history.tripping(1, two).replicas(0).open(2, three());
    history.breaks(Law::RecordBeforeZero, &Expected::default());

    // The Record is stored after the write.
    let mut history = History::failing();
    history.replicas(0).tripping(1, three()).open(2, three());
    history.breaks(Law::RecordBeforeZero, &Expected::default());
}

#[test]
fn a_record_that_loses_the_replicas_to_restore_is_found() {
    for lost in [
        Stored::Record(None),
        Stored::Record(Some(Box::default())),
        Stored::Record(Some(Box::new(Record {
            state: State::Open { since: Timestamp::UNIX_EPOCH, trip: Trip { replicas: 1, ..three() } },
            ..Record::default()
        }))),
    ] {
        let mut history = History::failing();
        history.tripped().push(lost);
        history.breaks(Law::NumberKept, &Expected::default());
    }
    // A trial has replicas, but not all of them.
    let mut history = History::failing();
    history.tripped().half_open(2, three(), 1).replicas(1).record(3, State::Closed);
    history.breaks(Law::NumberKept, &Expected::default());
}

#[test]
fn a_restore_of_another_number_is_found() {
    let mut history = History::failing();
    history.tripped().restoring(2, three(), None).replicas(2);
    history.breaks(Law::RestoresWhatWasTaken, &one_reset());

    let mut history = History::failing();
    history.replicas(4);
    history.breaks(Law::RestoresWhatWasTaken, &one_reset());
}

#[test]
fn a_restore_after_a_trial_that_failed_is_found() {
    let mut history = History::failing();
    history.tripped().half_open(2, three(), 1).replicas(1).pod(5, Some(SignedDuration::ZERO));
    history.restoring(2, three(), Some(1)).replicas(3).record(3, State::Closed);
    history.breaks(
        Law::RestoresAfterAGoodTrial,
        &Expected { view_delay: Duration::ZERO, ..Expected::default() },
    );
    // A breaker whose view is late by some seconds could not know.
    history.obeys(&Expected::default());
}

#[test]
fn a_write_of_zero_while_the_pods_run_is_found() {
    let twenty = Some(SignedDuration::from_mins(20));
    let mut history = History::failing();
    history.tripping(1, three()).pod(4, twenty);
    for _ in 0..10 {
        history.pod(4, twenty);
    }
    history.replicas(0).open(2, three());
    history.breaks(Law::FailingAtZero, &Expected::default());
    // A breaker whose view is late by a minute could not know.
    history.obeys(&Expected { view_delay: Duration::from_secs(60), ..Expected::default() });

    // A container that waits to be restarted is failing.
    let mut history = History::failing();
    history.pod(4, None).tripped();
    history.obeys(&Expected::default());
}

#[test]
fn a_write_of_zero_while_less_than_half_of_the_started_pods_fail_is_found() {
    let zero = Some(SignedDuration::ZERO);
    let at_once = Expected { view_delay: Duration::ZERO, ..Expected::default() };
    // Seven restarts of one pod of three.
    let mut history = History::failing();
    for restarts in 5..=7 {
        history.pod(restarts, zero);
    }
    history.pod_of(1, 0, zero).pod_of(2, 0, zero).tripped();
    history.breaks(Law::FailingAtZero, &at_once);
    // A breaker whose view is late had not seen the others start.
    history.obeys(&Expected::default());

    // Two pods fail, with three restarts for each.
    let mut history = History::failing();
    history.pod_of(1, 0, zero).pod_of(1, 2, zero).pod_of(2, 0, zero).tripped();
    history.breaks(Law::EnoughRestarts, &at_once);
    let mut history = History::failing();
    history.pod_of(1, 0, zero).pod_of(1, 3, zero).pod_of(2, 0, zero).tripped();
    history.obeys(&at_once);
}

#[test]
fn a_write_of_zero_after_too_few_restarts_is_found() {
    let mut history = History::failing();
    history.tripped();
    history.breaks(Law::EnoughRestarts, &Expected { max_restarts: 4, ..Expected::default() });

    // After a reset only newer restarts count.
    let mut history = History::failing();
    history.tripped().restoring(2, three(), None).replicas(3).record(3, State::Closed);
    history.pod(5, Some(SignedDuration::ZERO)).tripping(3, three()).replicas(0).open(4, three());
    history.breaks(Law::EnoughRestarts, &one_reset());

    // A trial that no restart ended.
    let mut history = History::failing();
    history.tripped().half_open(2, three(), 1).replicas(1);
    history.tripping(2, probe_failed()).replicas(0).open(3, probe_failed());
    history.breaks(Law::EnoughRestarts, &Expected::default());
}

#[test]
fn a_second_write_of_zero_in_an_episode_is_found() {
    let mut history = History::failing();
    history.tripped().restoring(2, three(), None).replicas(3).record(1, State::Closed);
    for restarts in 5..=8 {
        history.pod(restarts, Some(SignedDuration::ZERO));
    }
    history.tripped();
    history.breaks(Law::OneZeroForAnEpisode, &one_reset());
}

#[test]
fn a_press_or_a_reset_that_is_carried_out_twice_is_found() {
    let mut history = History::failing();
    history.tripping(1, pressed()).replicas(0).open(2, pressed());
    let one_press = Expected { presses: 1, ..one_reset() };
    history.obeys(&one_press);
    history.breaks(Law::OneZeroForAPress, &Expected::default());
    history.restoring(2, pressed(), None).replicas(3).record(3, State::Closed);
    history.obeys(&one_press);
    history.tripping(3, pressed()).replicas(0).open(4, pressed());
    history.breaks(Law::OneZeroForAPress, &one_press);

    let mut history = History::failing();
    history.tripped().restoring(2, three(), None).replicas(3).record(3, State::Closed);
    history.breaks(Law::OneRestoreForAReset, &Expected::default());
}

#[test]
fn a_hook_that_is_not_called_or_has_two_keys_for_a_trip_is_found() {
    let mut history = History::failing();
    let call = HookCall { id: "u.1".into(), episode: 1, at: history.now };
    history.tripped();
    let expected = |calls| Expected { hook_calls: Some(calls), ..Expected::default() };
    history.obeys(&expected(vec![call.clone(), call.clone()]));
    history.breaks(Law::OneKeyForATrip, &expected(vec![]));
    history.breaks(Law::OneKeyForATrip, &expected(vec![HookCall { at: history.now, ..call.clone() }]));
    let other = HookCall { id: "v.1".into(), ..call.clone() };
    history.breaks(Law::OneKeyForATrip, &expected(vec![call, other]));
}

#[test]
fn a_scale_that_is_written_by_an_observer_is_found() {
    let mut history = History::failing();
    history.tripped();
    history.breaks(Law::ObserverWritesNothing, &Expected { may_scale: false, ..Expected::default() });
}

#[test]
fn what_another_client_scales_up_belongs_to_that_client() {
    let mut history = History::failing();
    history.tripped().replicas(5);
    let version = history.revisions.len() as u64;
    history.record(3, State::Closed);
    history.obeys(&Expected { foreign: [version].into(), ..Expected::default() });
    history.breaks(Law::RestoresWhatWasTaken, &one_reset());
}
