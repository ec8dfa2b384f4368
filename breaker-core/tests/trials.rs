//! A half-open trial: while it is not known why a trial replica has terminated, it has not
//! survived.

mod common;

use breaker_core::action::{Action, Input};
use breaker_core::pod::{ContainerState, PodReport, Terminated};
use breaker_core::policy::Recovery;
use breaker_core::state::{State, Trip, TripReason};
use breaker_core::verdict::{Cause, NetworkKind};
use breaker_core::{Breaker, Policy, Record, Verdict, WorkloadRef};
use common::harness::{report, scale, start};
use common::seconds;
use jiff::Timestamp;

const PROBE_FOR: i64 = 60;

fn at(secs: i64) -> Timestamp {
    start() + seconds(secs)
}

/// A breaker that an earlier watcher has left in a trial, which began at the start.
fn on_trial() -> Breaker {
    let recovery = Recovery::HalfOpen {
        cooldown: seconds(30),
        max_cooldown: seconds(600),
        probe_replicas: 1,
        probe_for: seconds(PROBE_FOR),
    };
    let trip = Trip { replicas: 3, because: TripReason::default() };
    let state = State::HalfOpen { since: at(0), trip, probe: 1, probing: true, started: Some(at(0)) };
    let record = Record { target_uid: scale(1).uid, episode: 2, state, ..Record::default() };
    let policy = Policy { recovery, ..Policy::default() };
    Breaker::new(policy, WorkloadRef::deployment("sre", "swype-app"), scale(1), Some(record))
}

fn terminated() -> Terminated {
    Terminated {
        container_id: "containerd://a".into(),
        exit_code: 1,
        signal: None,
        reason: "Error".into(),
        message: "dial tcp: connection refused".into(),
        started_at: Some(at(1)),
        finished_at: Some(at(20)),
    }
}

fn running_again() -> PodReport {
    let state = ContainerState::Running { started_at: Some(at(30)) };
    report(1, 1, "containerd://b", state, Some(terminated()))
}

fn waiting() -> PodReport {
    let state = ContainerState::Waiting { reason: "CrashLoopBackOff".into() };
    report(1, 0, "containerd://a", state, Some(terminated()))
}

/// What the breaker does with this trial pod, which its first list shows after the trial period.
fn listed(pod: PodReport) -> (Breaker, Vec<Action>) {
    let mut breaker = on_trial();
    let asked_at = at(PROBE_FOR + 1);
    let actions = breaker.step(Input::PodsListed { pods: vec![pod], asked_at }, at(PROBE_FOR + 1));
    (breaker, actions)
}

fn is_restoring(breaker: &Breaker) -> bool {
    matches!(breaker.state(), State::Restoring { .. })
}

/// Gives this verdict for every termination that the breaker has asked about.
fn decide(breaker: &mut Breaker, actions: &[Action], verdict: &Verdict) {
    let requests = actions.iter().filter_map(|action| match action {
        Action::GatherEvidence(request) => Some(request.id.clone()),
        _ => None,
    });
    let requests: Vec<_> = requests.collect();
    assert!(!requests.is_empty(), "it asks why the container has terminated");
    for id in requests {
        let _ = breaker.step(Input::Verdict(id, verdict.clone()), at(PROBE_FOR + 2));
    }
}

fn refused() -> Verdict {
    Verdict::new(Cause::Network, Some(NetworkKind::Refused), "refused")
}

#[test]
fn a_trial_whose_pod_restarted_while_nobody_watched_waits_for_the_cause_and_fails() {
    let (mut breaker, actions) = listed(running_again());
    assert!(!is_restoring(&breaker), "restored before the cause is known");
    decide(&mut breaker, &actions, &refused());
    let failed = matches!(breaker.state(), State::Tripping { trip, .. } if trip.because.probe_failed);
    assert!(failed, "{:?}", breaker.state());
}

#[test]
fn a_trial_whose_pod_restarted_for_another_cause_survives_once_that_is_known() {
    let (mut breaker, actions) = listed(running_again());
    decide(&mut breaker, &actions, &Verdict::new(Cause::Application, None, "panic"));
    assert!(is_restoring(&breaker), "{:?}", breaker.state());
}

#[test]
fn a_trial_whose_pod_has_terminated_and_does_not_run_again_does_not_survive() {
    let (mut breaker, actions) = listed(waiting());
    decide(&mut breaker, &actions, &refused());
    assert!(!is_restoring(&breaker), "{:?}", breaker.state());
    let _ = breaker.step(Input::Pod(running_again()), at(PROBE_FOR + 40));
    let failed = matches!(breaker.state(), State::Tripping { trip, .. } if trip.because.probe_failed);
    assert!(failed, "{:?}", breaker.state());
}
