//! Which changes are restarts, and how unobserved restarts are counted.

mod common;

use breaker_core::Policy;
use breaker_core::action::Input;
use breaker_core::pod::{ContainerState, PodReport, Terminated};
use breaker_core::policy::Window;
use breaker_core::policy::{CauseSet, Unobserved};
use common::harness::{Harness, InstanceRun, history, merged, report, start};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn at(secs: i64) -> Timestamp {
    start() + SignedDuration::from_secs(secs)
}

fn id(n: u32) -> String {
    format!("containerd://{n:012x}")
}

fn terminated(n: u32, finished: i64, network: bool) -> Terminated {
    Terminated {
        container_id: id(n),
        exit_code: 1,
        reason: "Error".into(),
        message: if network { "network" } else { "bug" }.into(),
        started_at: Some(at(finished - 1)),
        finished_at: Some(at(finished)),
        signal: None,
    }
}

fn running(count: u32, since: i64, last: Option<Terminated>) -> PodReport {
    let state = ContainerState::Running { started_at: Some(at(since)) };
    report(0, count, &id(count), state, last)
}

/// Counted restarts and all restarts after these reports, each at its time.
fn tally(policy: &Policy, reports: &[(i64, PodReport)]) -> (u32, u32) {
    let policy = Policy { max_restarts: 1000, ..policy.clone() };
    let mut harness = Harness::new(policy, 1);
    let mut now = start();
    for (secs, report) in reports {
        now = at(*secs);
        harness.give(Input::Pod(report.clone()), now);
    }
    let count_revisions = harness.breaker.count_revisions(now);
    count_revisions.first().map_or((0, 0), |tally| (tally.counts.counted, tally.total))
}

#[test]
fn restarts_that_nobody_saw_inherit_only_when_the_evidence_allows() {
    let default = Policy::default();
    let ignore = Policy { unobserved: Unobserved::Ignore, ..Policy::default() };
    let any = Policy { causes: CauseSet::ANY, ..Policy::default() };
    let four = || running(4, 101, Some(terminated(3, 100, true)));
    let two_deaths = |first: bool| {
        let state = ContainerState::Terminated(Box::new(terminated(4, 110, true)));
        report(0, 4, &id(4), state, Some(terminated(3, 100, first)))
    };
    for (case, policy, reports, want) in [
        ("started late, failing now", &default, vec![(105, four())], (4, 4)),
        ("told to ignore them", &ignore, vec![(105, four())], (1, 4)),
        ("it has run for ten minutes", &default, vec![(101 + 600, four())], (1, 4)),
        (
            "the pod is older than the window",
            &default,
            vec![(3700, running(4, 3650, Some(terminated(3, 3649, true))))],
            (1, 1),
        ),
        (
            "not even when every cause counts",
            &any,
            vec![(3700, running(4, 3650, Some(terminated(3, 3649, true))))],
            (1, 1),
        ),
        ("both known terminations agree", &default, vec![(111, two_deaths(true))], (4, 4)),
        ("a known terminated had another cause", &default, vec![(111, two_deaths(false))], (0, 4)),
        ("seen at first, then a jump", &default, vec![(10, running(0, 1, None)), (105, four())], (4, 4)),
    ] {
        assert_eq!(tally(policy, &reports), want, "{case}");
    }
}

#[test]
fn a_death_counts_once_the_successor_shows() {
    let policy = Policy::default();
    let dead = report(0, 0, &id(0), ContainerState::Terminated(Box::new(terminated(0, 10, true))), None);
    let waiting = ContainerState::Waiting { reason: "CrashLoopBackOff".into() };
    let waiting = report(0, 0, &id(0), waiting, Some(terminated(0, 10, true)));
    let again = running(1, 20, Some(terminated(0, 10, true)));
    let steps = [(10, dead), (11, waiting), (20, again.clone()), (21, again)];
    for (seen, want) in [(1, 0), (2, 0), (3, 1), (4, 1)] {
        assert_eq!(tally(&policy, &steps[..seen]).0, want, "after {seen} reports");
    }
}

#[test]
fn a_count_that_falls_starts_a_new_series() {
    let before = running(2, 30, Some(terminated(1, 29, true)));
    let mut after = running(0, 40, None);
    after.containers[0].container_id = id(50);
    let mut then = running(1, 50, Some(Terminated { container_id: id(50), ..terminated(50, 49, true) }));
    then.containers[0].container_id = id(51);
    let reports = [(30, before), (40, after), (50, then)];
    assert_eq!(tally(&Policy::default(), &reports[..1]), (2, 2));
    assert_eq!(tally(&Policy::default(), &reports), (3, 3));
}

#[test]
fn deaths_of_pods_on_their_way_out_never_count() {
    let mut leaving = running(1, 20, Some(terminated(0, 10, true)));
    leaving.deleting = true;
    assert_eq!(tally(&Policy { causes: CauseSet::ANY, ..Policy::default() }, &[(20, leaving)]), (0, 0));
}

#[test]
fn a_container_that_the_runtime_lost_is_counted_once_by_its_number() {
    let lost = |count| {
        let terminated =
            Terminated { exit_code: 137, reason: "ContainerStatusUnknown".into(), ..Terminated::default() };
        running(count, 20, Some(terminated))
    };
    let any = Policy { causes: CauseSet::ANY, ..Policy::default() };
    assert_eq!(tally(&any, &[(20, lost(1)), (21, lost(1)), (22, lost(2))]), (2, 2));
}

#[test]
fn siblings_stopped_by_a_restart_of_all_containers_do_not_count() {
    let mut pod = running(1, 20, Some(terminated(0, 10, true)));
    let mut sibling = pod.containers[0].clone();
    sibling.name = "sidecar".into();
    sibling.last =
        Some(Box::new(Terminated { exit_code: 137, message: String::new(), ..terminated(0, 11, false) }));
    pod.containers.push(sibling);
    pod.restarting_all = true;
    let any = Policy { causes: CauseSet::ANY, ..Policy::default() };
    assert_eq!(tally(&any, &[(20, pod)]), (1, 1));
}

/// The histories of two pods, with other container IDs.
fn renamed(runs: &[InstanceRun], id: impl Fn(&str) -> String) -> Vec<(Timestamp, PodReport)> {
    let mut reports = merged(vec![history(0, runs), history(1, runs)]);
    for (_, report) in &mut reports {
        for container in &mut report.containers {
            container.container_id = id(&container.container_id);
            let ended = match &mut container.state {
                ContainerState::Terminated(ended) => Some(ended),
                _ => None,
            };
            for ended in container.last.iter_mut().chain(ended) {
                ended.container_id = id(&ended.container_id);
            }
        }
    }
    reports
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: what counts does not depend on how a runtime names its containers: by IDs that share
    /// their beginning, or by one ID for every instance.
    #[test]
    fn every_restart_counts_however_the_runtime_names_its_containers(
        runs in prop::collection::vec(
            (0i64..30, any::<bool>(), 0i64..60)
                .prop_map(|(seconds, network, backoff)| InstanceRun { seconds, network, backoff }),
            1..12,
        ),
    ) {
        let policy = Policy { max_restarts: 1000, window: Window::NONE, ..Policy::default() };
        let counts = |reports: Vec<(Timestamp, PodReport)>| {
            let mut harness = Harness::new(policy.clone(), 2);
            let end = reports.last().map_or(start(), |(at, _)| *at);
            for (now, report) in reports {
                harness.give(Input::Pod(report), now);
            }
            harness.breaker.count_revisions(end)
        };
        let want = counts(renamed(&runs, str::to_owned));
        let number = |id: &str| id.trim_start_matches("containerd://").to_owned();
        let short = |id: &str| format!("containerd://000000000000{}", number(id));
        let long = |id: &str| format!("containerd://{}{}", "0".repeat(52), number(id));
        prop_assert_eq!(counts(renamed(&runs, short)), want.clone());
        prop_assert_eq!(counts(renamed(&runs, long)), want.clone());
        prop_assert_eq!(counts(renamed(&runs, |_| "containerd://same".into())), want);
    }
}
