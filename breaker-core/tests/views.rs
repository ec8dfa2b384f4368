//! What a breaker knows of its pods: lists that come late, watches that fail and come back, pods
//! that cannot be read.

mod common;

use std::collections::BTreeSet;

use breaker_core::action::{Action, Input};
use breaker_core::pod::{ContainerState, PodReport};
use breaker_core::state::State;
use breaker_core::{Breaker, BreakerEvent, Policy, WorkloadRef};
use common::harness::{Harness, InstanceRun, history, report, scale, start};
use common::seconds;
use jiff::Timestamp;
use proptest::prelude::*;

fn at(secs: i64) -> Timestamp {
    start() + seconds(secs)
}

fn running(pod: usize) -> PodReport {
    report(pod, 0, "containerd://a", ContainerState::Running { started_at: Some(start()) }, None)
}

fn listed(pods: &[usize], asked: i64) -> Input {
    Input::PodsListed { pods: pods.iter().map(|pod| running(*pod)).collect(), asked_at: at(asked) }
}

fn breaker() -> Breaker {
    Breaker::new(Policy::default(), WorkloadRef::deployment("sre", "swype-app"), scale(3), None)
}

/// A breaker that has listed no pods at the start, and the inputs it receives, each after a number
/// of seconds.
fn after(inputs: Vec<(i64, Input)>) -> (Breaker, Vec<Action>) {
    let mut breaker = breaker();
    let mut actions = breaker.step(listed(&[], 0), at(0));
    for (secs, input) in inputs {
        actions.extend(breaker.step(input, at(secs)));
    }
    (breaker, actions)
}

fn names(pods: &[usize]) -> Vec<String> {
    pods.iter().map(|pod| running(*pod).name).collect()
}

fn warnings(actions: &[Action]) -> Vec<&str> {
    let warning = |action| match action {
        &Action::Emit(BreakerEvent::Warning { ref message }) => Some(message.as_str()),
        _ => None,
    };
    actions.iter().filter_map(warning).collect()
}

#[test]
fn a_late_list_does_not_bury_a_pod_born_meanwhile() {
    let (breaker, _) = after(vec![(10, Input::Pod(running(1))), (11, listed(&[], 9))]);
    assert_eq!(breaker.pods_left(), names(&[1]));
    let (breaker, _) = after(vec![(10, Input::Pod(running(1))), (12, listed(&[], 11))]);
    assert!(breaker.pods_left().is_empty(), "a list that could have shown it removes it");
}

#[test]
fn a_late_list_does_not_bring_back_a_pod_deleted_meanwhile() {
    let deleted = || vec![(5, Input::Pod(running(1))), (10, Input::PodDeleted("uid-1".into()))];
    let late = [deleted(), vec![(14, listed(&[1], 9))]].concat();
    assert!(after(late).0.pods_left().is_empty());
    let restored = [deleted(), vec![(14, listed(&[1], 11))]].concat();
    assert_eq!(after(restored).0.pods_left(), names(&[1]), "the storage was restored from a backup");
}

#[test]
fn a_pod_that_is_seen_alive_again_is_alive() {
    let relabelled = vec![
        (5, Input::Pod(running(1))),
        (10, Input::PodDeleted("uid-1".into())),
        (20, Input::Pod(running(1))),
    ];
    assert_eq!(after(relabelled).0.pods_left(), names(&[1]));
    let ended = PodReport { deleting: true, ..running(1) };
    let late =
        vec![(5, Input::Pod(running(1))), (10, Input::PodDeleted("uid-1".into())), (20, Input::Pod(ended))];
    assert!(after(late).0.pods_left().is_empty());
}

/// One thing that happens to the pods.
#[derive(Debug, Clone)]
enum Happening {
    Create,
    /// The watch shows the deletion of one of the pods, unless it is lost.
    Delete(prop::sample::Index, bool),
    Touch(prop::sample::Index),
    /// A list is asked for and delivered after this number of further happenings.
    List(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => Just(Happening::Create),
        2 => (index(), prop::bool::weighted(0.3)).prop_map(|(pod, lost)| Happening::Delete(pod, lost)),
        2 => index().prop_map(Happening::Touch),
        3 => (0usize..8).prop_map(Happening::List),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: a list removes exactly the pods that it could have shown, however late it comes.
    #[test]
    fn a_list_removes_exactly_what_it_could_have_shown(script in prop::collection::vec(happening(), 1..40)) {
        let mut breaker = breaker();
        let _ = breaker.step(listed(&[], 0), at(0));
        let mut exist = BTreeSet::new();
        // Pods whose deletion was lost, and when.
        let mut lost: Vec<(usize, i64)> = vec![];
        let mut lists: Vec<(usize, i64, Vec<usize>)> = vec![];
        for (step, happening) in script.iter().enumerate() {
            let now = 10 * (1 + i64::try_from(step).unwrap());
            let some = |index: &prop::sample::Index| exist.iter().nth(index.index(exist.len().max(1))).copied();
            match happening {
                Happening::Create => {
                    exist.insert(step);
                    let _ = breaker.step(Input::Pod(running(step)), at(now));
                }
                Happening::Touch(index) => if let Some(pod) = some(index) {
                    let _ = breaker.step(Input::Pod(running(pod)), at(now));
                },
                Happening::Delete(index, is_lost) => if let Some(pod) = some(index) {
                    exist.remove(&pod);
                    if *is_lost {
                        lost.push((pod, now));
                    } else {
                        let _ = breaker.step(Input::PodDeleted(running(pod).uid), at(now));
                    }
                },
                Happening::List(delay) => lists.push((step + delay, now, exist.iter().copied().collect())),
            }
            for (_, asked, pods) in lists.extract_if(.., |(due, ..)| *due <= step) {
                let _ = breaker.step(listed(&pods, asked), at(now + 1));
                lost.retain(|(_, deleted)| *deleted > asked);
            }
        }
        let mut want: Vec<usize> = exist.into_iter().chain(lost.iter().map(|(pod, _)| *pod)).collect();
        want.sort_unstable();
        let mut left = breaker.pods_left();
        let mut want = names(&want);
        left.sort();
        want.sort();
        prop_assert_eq!(left, want);
    }
}

#[test]
fn a_pod_that_cannot_be_read_is_named_once() {
    let odd = |what: &str| PodReport { odd: vec![format!("{what} is -1")], ..running(1) };
    let (_, actions) = after(vec![
        (1, Input::Pod(odd("a"))),
        (2, Input::Pod(odd("a"))),
        (3, Input::PodsListed { pods: vec![odd("a")], asked_at: at(3) }),
        (4, Input::Pod(odd("b"))),
    ]);
    let name = running(1).name;
    let want = ["a", "b"].map(|field| format!("pod {name} cannot be read completely: {field} is -1"));
    assert_eq!(warnings(&actions), want);
}

fn heartbeat(breaker: &mut Breaker, now: Timestamp) -> BreakerEvent {
    let actions = breaker.step(Input::Heartbeat, now);
    let beat = |action| match action {
        Action::Emit(event @ BreakerEvent::Heartbeat { .. }) => Some(event),
        _ => None,
    };
    actions.into_iter().find_map(beat).unwrap()
}

#[test]
fn a_heartbeat_says_for_how_long_the_breaker_is_blind_and_why() {
    let mut breaker = breaker();
    let actions = breaker.step(listed(&[1], 5), at(5));
    assert!(!actions.iter().any(|action| matches!(action, Action::Wake(_))), "{actions:?}");
    let actions = breaker.step(Input::WatchDown("pods is forbidden".into()), at(60));
    assert_eq!(actions, [Action::Wake(at(70))], "the status is due then");
    assert_eq!(breaker.snapshot(at(69)).blind, None, "a short interruption is routine");
    let blind = breaker.snapshot(at(70)).blind.unwrap();
    assert_eq!((blind.since, blind.why.as_str()), (at(60), "pods is forbidden"));
    let _ = breaker.step(Input::WatchDown("connection refused".into()), at(100));
    let beat = heartbeat(&mut breaker, at(150));
    assert_eq!(beat.to_string(), "0/3 closed, 1 pod; blind for 90 s: connection refused");
    let json = serde_json::to_value(&beat).unwrap();
    assert_eq!((&json["blindSeconds"], &json["blind"]["why"]), (&90.into(), &"connection refused".into()));
    let _ = breaker.step(Input::WatchAlive, at(151));
    assert_eq!(heartbeat(&mut breaker, at(200)).to_string(), "0/3 closed, 1 pod");
}

/// Four network deaths of pod 0, of which the last one is seen after an outage of the watch. By
/// then the pod is being deleted, and a healthy one takes its place.
fn trips_after_an_outage(signs: &[(i64, Input)], late: i64) -> bool {
    let runs = [InstanceRun { seconds: 2, network: true, backoff: 5 }; 5];
    let mut harness = Harness::new(Policy::default(), 1);
    let reports = history(0, &runs);
    let last = reports.iter().position(|(_, report)| report.containers[0].restart_count == 4).unwrap();
    for (now, report) in &reports[..last] {
        harness.give(Input::Pod(report.clone()), *now);
    }
    let outage = reports[last].0;
    harness.list(vec![PodReport { deleting: true, ..reports[last].1.clone() }, running(1)]);
    for (secs, sign) in signs {
        harness.give_late(sign.clone(), outage + seconds(*secs));
    }
    harness.give_late(Input::Pod(reports[last].1.clone()), outage + seconds(late));
    harness.breaker.state() != &State::Closed
}

#[test]
fn a_watch_that_comes_back_is_fresh_only_once_it_has_caught_up() {
    let down = || Input::WatchDown("the watch broke off".into());
    assert!(trips_after_an_outage(&[], 1), "without an outage it trips");
    assert!(trips_after_an_outage(&[(0, down()), (20, Input::WatchAlive)], 20), "a short outage");
    for (case, signs, late) in [
        ("a long outage", vec![(0, down()), (70, Input::WatchAlive)], 70),
        ("a process that was stopped", vec![(200, Input::WatchAlive)], 200),
        ("an event comes before the acceptance is noticed", vec![(0, down())], 70),
    ] {
        assert!(!trips_after_an_outage(&signs, late), "{case}");
    }
    for (case, signs, late) in [
        ("a long outage", vec![(0, down()), (70, Input::WatchAlive), (130, Input::WatchAlive)], 131),
        ("a process that was stopped", vec![(200, Input::WatchAlive), (260, Input::WatchAlive)], 261),
    ] {
        assert!(trips_after_an_outage(&signs, late), "{case}, and a turn of the watch since then");
    }
    let signs = [(0, down()), (70, Input::WatchAlive), (71, listed(&[0], 70))];
    assert!(trips_after_an_outage(&signs, 72), "a list has shown that the pod still exists");
}
