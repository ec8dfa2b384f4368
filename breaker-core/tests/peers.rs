//! The peer of a network restart: where it is named, and policies that count some peers only.

mod common;

use std::collections::BTreeMap;

use breaker_core::action::Input;
use breaker_core::cluster::{PeerService, ServiceAddress};
use breaker_core::pod::{ContainerState, PodReport, Terminated};
use breaker_core::policy::{CauseSet, PeerSet, Window};
use breaker_core::sim::{Call, Fault, Health};
use breaker_core::snapshot::{Hold, HoldReason};
use breaker_core::{BreakerEvent, Policy};
use common::harness::{Harness, InstanceRun, history, merged, report, start};
use common::{REFUSED, Seen, Watch};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const SWYPE: &str = "dial tcp: lookup swype-gateway.sre:443: i/o timeout";
const REDIS: &str = "Error: connect ECONNREFUSED redis:6379";
const NOBODY: &str = "fatal: connection refused";

fn peers(globs: &str) -> Policy {
    Policy { peers: globs.parse().unwrap(), ..Policy::default() }
}

fn first_hold(seen: &Seen) -> &Hold {
    let held = seen.notices.iter().find_map(|event| match event {
        BreakerEvent::Held(hold) => Some(hold),
        _ => None,
    });
    held.unwrap_or_else(|| panic!("nothing is held: {:?}", seen.lines))
}

#[test]
fn the_peer_of_a_trip_is_in_every_account_of_it() {
    let mut watch = Watch::with_replicas(1);
    watch.policy.hooks.notify = vec![breaker_core::webhook::Endpoint::new("https://example.org/hook")];
    watch.sim.after_secs(5, |world| world.set_health(Health::dies(REFUSED)));
    let seen = watch.until_tripped();
    assert!(seen.tripped());
    let restarts = seen.lines_with("network:refused swype-app");
    assert!(restarts.iter().all(|line| line.ends_with("; peer 10.96.0.7:8080")), "{restarts:?}");
    assert!(!seen.lines_with("tripping: ").is_empty());
    for line in seen.lines_with("tripping: ") {
        assert!(line.contains("; peer 10.96.0.7:8080; last quote: "), "{line}");
    }
    let events = watch.sim.with(|world| world.published_events());
    assert!(events[0].note.contains("; peer 10.96.0.7:8080; "), "{events:?}");
    let message = watch.posted("tripped").remove(0);
    assert_eq!(message.data.because.unwrap().peer.as_deref(), Some("10.96.0.7:8080"));
    assert!(message.data.message.contains("peer 10.96.0.7:8080"), "{}", message.data.message);
    let most = seen.snapshots.iter().filter_map(|snapshot| snapshot.by_peer.get("10.96.0.7:8080")).max();
    assert_eq!(most, Some(&4));
}

#[test]
fn only_failures_of_the_named_peers_trip() {
    for (last_words, globs, trips) in [
        (SWYPE, "swype-*", true),
        (SWYPE, "redis,swype-*:443", true),
        (SWYPE, "redis", false),
        (REDIS, "swype-*", false),
        (NOBODY, "swype-*", false),
        (NOBODY, "any", true),
    ] {
        let watch = Watch::with(1, peers(globs));
        watch.sim.after_secs(5, move |world| world.set_health(Health::dies(last_words)));
        let seen = watch.for_minutes(120);
        assert_eq!(seen.lines_with("tripping").len(), usize::from(trips), "{last_words} with {globs}");
    }
}

#[test]
fn restarts_by_other_causes_count_whatever_the_peers_are() {
    let causes: CauseSet = "network,application".parse().unwrap();
    let watch = Watch::with(1, Policy { causes, ..peers("swype-*") });
    watch.sim.after_secs(5, |world| world.set_health(Health::dies("panic: index out of range")));
    assert!(watch.until_tripped().tripped());
}

#[test]
fn a_hold_names_the_peers_that_were_seen_otherwise() {
    let watch = Watch::with(1, peers("swype-*"));
    watch.sim.after_secs(5, |world| world.set_health(Health::dies(REDIS)));
    let seen = watch.for_minutes(60);
    let hold = first_hold(&seen);
    assert_eq!(hold.reason, HoldReason::Peers);
    let want = "4 restarts, limit 3; 0 with a cause that counts (network) and a peer that counts (swype-*); by cause: \
                network:refused 4; other peers: redis:6379 4; peers swype-*,redis:6379 would trip";
    assert_eq!(hold.to_string(), want);

    let watch = Watch::with(1, peers("swype-*"));
    watch.sim.after_secs(5, |world| world.set_health(Health::dies(NOBODY)));
    let seen = watch.for_minutes(60);
    let said = first_hold(&seen).to_string();
    assert!(said.contains("; 4 network without a known peer; peers any would trip"), "{said}");
}

/// If the advice of a hold is followed, the breaker trips.
#[test]
fn the_peers_and_causes_that_a_hold_advises_would_trip() {
    for last_words in [SWYPE, REDIS, NOBODY, "panic: index out of range"] {
        let run = |policy: Policy| {
            let watch = Watch::with(1, policy);
            watch.sim.after_secs(5, move |world| world.set_health(Health::dies(last_words)));
            watch.for_minutes(60)
        };
        let policy = peers("kafka:9092");
        let seen = run(policy.clone());
        let hold = first_hold(&seen).clone();
        let advised = Policy {
            causes: hold.would_trip_with.unwrap_or(policy.causes),
            peers: hold.would_trip_with_peers.unwrap_or(policy.peers),
            ..Policy::default()
        };
        assert_eq!(run(advised).lines_with("tripping").len(), 1, "{last_words}");
    }
}

#[test]
fn a_new_watcher_counts_the_peers_of_the_record() {
    let watch = Watch::with(3, peers("swype-*"));
    for pod in 0..3 {
        let words = if pod == 0 { REDIS } else { SWYPE };
        watch.sim.with(|world| world.set_pod_health(pod, Health::dies(words)));
    }
    watch.for_minutes(1);
    let record = watch.sim.with(|world| world.record().cloned()).unwrap();
    let mut stored: Vec<_> = record
        .containers
        .iter()
        .flat_map(|container| &container.restarts)
        .map(|r| r.peer.as_deref())
        .collect();
    stored.sort_unstable();
    stored.dedup();
    assert_eq!(stored, [Some("redis:6379"), Some("swype-gateway.sre:443")]);
    let resumed = watch.for_minutes(1);
    let BreakerEvent::Watching { counts, by_peer, .. } = &resumed.notices[0] else {
        panic!("{:?}", resumed.lines)
    };
    assert_eq!(counts.counted, by_peer["swype-gateway.sre:443"], "{by_peer:?}");
    assert!(by_peer["redis:6379"] > 0, "{by_peer:?}");
}

fn at(secs: i64) -> Timestamp {
    start() + SignedDuration::from_secs(secs)
}

/// Two terminations are known of a container that was restarted four times.
fn unobserved_between(first: &str, second: &str) -> PodReport {
    let terminated = |n: u32, finished: i64, message: &str| Terminated {
        container_id: format!("containerd://{n:012x}"),
        exit_code: 1,
        reason: "Error".into(),
        message: message.into(),
        started_at: Some(at(finished - 1)),
        finished_at: Some(at(finished)),
        signal: None,
    };
    let state = ContainerState::Terminated(Box::new(terminated(4, 110, second)));
    report(0, 4, &format!("containerd://{:012x}", 4), state, Some(terminated(3, 100, first)))
}

#[test]
fn unobserved_restarts_inherit_no_peer_that_another_termination_contradicts() {
    for (first, second, globs, counted) in [
        ("network swype:443", "network swype:443", "swype", 4),
        ("network redis:6379", "network swype:443", "swype", 0),
        ("network", "network swype:443", "swype", 0),
        // Without peers in the policy, the cause alone decides.
        ("network redis:6379", "network swype:443", "any", 4),
    ] {
        let policy = Policy { max_restarts: 1000, ..peers(globs) };
        let mut harness = Harness::new(policy, 1);
        harness.give(Input::Pod(unobserved_between(first, second)), at(111));
        let counts = harness.breaker.count_revisions(at(111))[0].counts;
        assert_eq!(counts.counted, counted, "{first}, then {second}, counting {globs}");
    }
}

fn swype_gateway(ready: u32) -> (ServiceAddress, PeerService) {
    let address = ServiceAddress::of_peer("swype-gateway.sre:443", "sre").unwrap();
    let (namespace, name) = ("sre".into(), "swype-gateway".into());
    (address, PeerService { namespace, name, ready, total: 3, changed_at: Some(start()) })
}

#[test]
fn a_peer_that_is_a_service_is_shown_with_its_endpoints_wherever_it_is_named() {
    for (ready, status) in
        [(0, "0 ready endpoints since 08:00"), (3, "all 3 endpoints ready: the fault may be on the way")]
    {
        let watch = Watch::with_replicas(1);
        let (address, service) = swype_gateway(ready);
        watch.sim.with(|world| world.set_service(address, service));
        watch.sim.after_secs(5, |world| world.set_health(Health::dies(SWYPE)));
        let seen = watch.until_tripped();
        assert!(seen.tripped());
        let want = format!("; peer swype-gateway.sre:443, {status}");
        for kind in ["network:dns swype-app", "tripping: ", "scaled to 0"] {
            let lines = seen.lines_with(kind);
            assert!(!lines.is_empty() && lines.iter().all(|line| line.contains(&want)), "{:?}", seen.lines);
        }
        let events = watch.sim.with(|world| world.published_events());
        assert!(events[0].note.contains(&want), "{events:?}");
    }
}

/// Law: what the cluster knows of the peer, and whether it answers, changes no decision.
#[test]
fn what_the_cluster_knows_of_the_peer_never_decides() {
    let lag = Fault::Lag(Call::PeerService, SignedDuration::from_secs(400));
    for (case, last_words, ready, fault) in [
        ("no endpoints", SWYPE, Some(0), None),
        ("all endpoints ready", SWYPE, Some(3), None),
        ("not a Service", SWYPE, None, None),
        ("forbidden", SWYPE, Some(0), Some(Fault::Forbid(Call::PeerService))),
        ("no answer", SWYPE, Some(0), Some(Fault::Refuse(Call::PeerService))),
        ("a late answer", SWYPE, Some(0), Some(lag)),
        ("a bug", "panic: index out of range", Some(0), None),
    ] {
        let watch = Watch::with_replicas(1);
        if let Some(ready) = ready {
            let (address, service) = swype_gateway(ready);
            watch.sim.with(|world| world.set_service(address, service));
        }
        if let Some(fault) = fault {
            watch.sim.with(|world| (0..100).for_each(|_| world.fault(fault)));
        }
        watch.sim.after_secs(5, move |world| world.set_health(Health::dies(last_words)));
        let seen = watch.for_minutes(30);
        let trips = seen.lines_with("scaled to 0").len();
        assert_eq!(trips, usize::from(last_words == SWYPE), "{case}: {:?}", seen.lines);
        assert!(seen.lines_with("warning").is_empty(), "{case}: {:?}", seen.lines);
        let shown = seen.lines_with("endpoints").len();
        let knows = ready.is_some() && fault.is_none() && trips == 1;
        assert_eq!(shown > 0, knows, "{case}: {:?}", seen.lines);
    }
}

/// Gives each instance of the histories the termination message of its number.
fn with_messages(reports: &mut [(Timestamp, PodReport)], message: impl Fn(&str) -> String) {
    for (_, report) in reports {
        for container in &mut report.containers {
            let ended = match &mut container.state {
                ContainerState::Terminated(ended) => Some(ended),
                _ => None,
            };
            for ended in container.last.iter_mut().chain(ended) {
                ended.message = message(&ended.container_id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: a policy with peers counts what the same policy without peers counts when every network
    /// failure of another or an unknown peer is a failure of another cause.
    #[test]
    fn a_peer_that_does_not_count_is_as_good_as_another_cause(
        runs in prop::collection::vec((0i64..30, 0usize..4, 0i64..60), 1..12),
        globs in prop::sample::select(vec!["swype-*", "*:6379", "swype-gateway:443,redis"]),
    ) {
        let messages = ["network swype-gateway:443", "network redis:6379", "network", "bug"];
        let set: PeerSet = globs.parse().unwrap();
        let lives: Vec<_> = runs
            .iter()
            .map(|(seconds, _, backoff)| InstanceRun { seconds: *seconds, network: true, backoff: *backoff })
            .collect();
        let mut reports = merged(vec![history(0, &lives), history(1, &lives)]);
        let number = |id: &str| usize::from_str_radix(&id[id.len() - 6..], 16).unwrap();
        let of = |id: &str| messages[runs[number(id)].1];
        let counts = |policy: Policy, reports: &[(Timestamp, PodReport)]| {
            let policy = Policy { max_restarts: 1000, window: Window::NONE, ..policy };
            let mut harness = Harness::new(policy, 2);
            for (now, report) in reports {
                harness.give(Input::Pod(report.clone()), *now);
            }
            let end = reports.last().map_or(start(), |(at, _)| *at);
            let revisions = harness.breaker.count_revisions(end);
            revisions.first().map(|revision| revision.counts)
        };
        with_messages(&mut reports, |id| of(id).to_owned());
        let with_peers = counts(Policy { peers: set.clone(), ..Policy::default() }, &reports);
        with_messages(&mut reports, |id| match of(id).strip_prefix("network ") {
            Some(peer) if set.matches(peer) => "network".to_owned(),
            _ => "bug".to_owned(),
        });
        prop_assert_eq!(with_peers, counts(Policy::default(), &reports));
    }

    /// Law: however many peers there are, at most ten are named, and no restart is lost.
    #[test]
    fn restarts_by_peer_are_bounded_and_complete(peers in prop::collection::vec(0u32..40, 1..60)) {
        let lives: Vec<_> = peers.iter().map(|_| InstanceRun { seconds: 1, network: true, backoff: 1 }).collect();
        let mut reports = history(0, &lives);
        let number = |id: &str| usize::from_str_radix(&id[id.len() - 6..], 16).unwrap();
        with_messages(&mut reports, |id| format!("network peer-{}:443", peers[number(id)]));
        let mut harness = Harness::new(Policy { max_restarts: 1000, ..Policy::default() }, 1);
        let mut end = start();
        for (now, report) in reports {
            harness.give(Input::Pod(report), now);
            end = now;
        }
        let snapshot = harness.breaker.snapshot(end);
        prop_assert!(snapshot.by_peer.len() <= 11);
        prop_assert_eq!(snapshot.by_peer.values().sum::<u32>(), snapshot.counts.counted);
        let mut exact: BTreeMap<u32, u32> = BTreeMap::new();
        // The last instance has ended and not started again.
        for peer in &peers[..peers.len() - 1] {
            *exact.entry(*peer).or_default() += 1;
        }
        for (peer, count) in snapshot.by_peer.iter().filter(|(peer, _)| *peer != "other") {
            let number = peer.trim_start_matches("peer-").trim_end_matches(":443").parse::<u32>().unwrap();
            prop_assert_eq!(exact[&number], *count, "{}", peer);
        }
    }
}
