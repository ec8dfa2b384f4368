//! The outage guard of a fleet: when every failing target names one peer, and when it still holds.
#![allow(missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use breaker_core::guard::{ClusterPeers, CommonPeerMode, CountedRestart, Guard, GuardVerdict};
use breaker_core::jiff::{SignedDuration, Timestamp};
use breaker_core::verdict::NetworkKind;
use proptest::prelude::*;

const GATEWAY: &str = "swype-gateway.pay:443";

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time")
}

/// A cluster whose API server has 10.96.0.1, and a node with an address and a name.
fn cluster() -> ClusterPeers {
    let addresses = ["10.96.0.1", "192.168.7.20"].map(|ip| ip.parse().expect("an address"));
    ClusterPeers::new(addresses, ["node-1"])
}

fn restart(peer: Option<&str>, kind: NetworkKind) -> CountedRestart<'_> {
    CountedRestart { at: now(), peer, kind: Some(kind) }
}

/// The guard over `all` targets, of which the first ones fail, each with these peers.
fn fleet(all: usize, failing: &[Vec<Option<&str>>]) -> Guard<usize> {
    let mut guard = Guard::new(3);
    (0..all).for_each(|target| guard.watch(target, "sre"));
    for (target, peers) in failing.iter().enumerate() {
        for peer in peers {
            guard.seen(target, restart(*peer, NetworkKind::Refused));
        }
    }
    guard
}

fn holds(verdict: &GuardVerdict) -> (Option<String>, Option<String>) {
    (verdict.hold(CommonPeerMode::Hold), verdict.hold(CommonPeerMode::Trip))
}

#[test]
fn eleven_of_twenty_on_one_dead_gateway_are_held_with_advice_or_trip() {
    let mut guard = fleet(20, &vec![vec![Some(GATEWAY)]; 11]);
    let verdict = guard.verdict(now(), Ok(&cluster())).expect("11 of 20 is most of them");
    assert_eq!(verdict.peer.as_deref(), Ok(GATEWAY));
    let (hold, trip) = holds(&verdict);
    assert_eq!(trip, None);
    let hold = hold.expect("held by default");
    assert!(hold.starts_with("11 of 20 targets had counted restarts in the last 10 min"), "{hold}");
    let advice = "every failing target names swype-gateway.pay:443: to trip in such an outage, set \
                  spec.outageGuard.commonPeer: Trip";
    assert!(hold.ends_with(advice), "{hold}");
    // Without knowledge of the cluster nothing trips, and the advice has its condition.
    let verdict = guard.verdict(now(), Err("nodes is forbidden")).expect("on");
    let (hold, trip) = holds(&verdict);
    let (hold, trip) = (hold.expect("held"), trip.expect("held"));
    assert!(
        hold.ends_with("not a part of the cluster, spec.outageGuard.commonPeer: Trip lets it trip"),
        "{hold}"
    );
    let why = "commonPeer: Trip does not apply: whether swype-gateway.pay:443 is a part of the cluster itself \
               is not known: nodes is forbidden";
    assert!(trip.ends_with(why), "{trip}");
}

#[test]
fn an_outage_of_the_cluster_itself_is_held_whatever_the_setting_is() {
    let named = |peer| vec![vec![Some(peer)]; 11];
    let with = |more: Vec<Option<&'static str>>| {
        let mut failing = named(GATEWAY);
        failing[4] = more;
        failing
    };
    let own = "is a part of the cluster itself";
    let different = "different peers, among them swype-gateway.pay:443 and redis:6379";
    for (failing, why) in [
        (named("kube-dns.kube-system.svc:53"), own),
        (named("10.96.0.10:53"), own),
        (named("kubernetes.default:443"), own),
        (named("10.96.0.1:443"), own),
        (named("192.168.7.20:30443"), own),
        (named("node-1:9100"), own),
        (named("127.0.0.1:15001"), own),
        (with(vec![Some("redis:6379")]), different),
        (with(vec![Some(GATEWAY), Some("redis:6379")]), different),
        (with(vec![None]), "the restarts of 4 name no peer"),
        (vec![vec![None]; 11], "the restarts of 0 name no peer"),
    ] {
        let verdict = fleet(20, &failing).verdict(now(), Ok(&cluster())).expect("on");
        let (hold, trip) = holds(&verdict);
        let (hold, trip) = (hold.expect("held"), trip.expect("held"));
        assert!(trip.contains("commonPeer: Trip does not apply: ") && trip.contains(why), "{trip}");
        assert!(!hold.contains("commonPeer"), "no advice that would not help: {hold}");
    }
}

#[test]
fn a_name_that_does_not_resolve_may_be_the_clusters_dns_and_one_name_may_be_two_services() {
    let mut guard = fleet(6, &vec![vec![Some("api.swype.com:443")]; 4]);
    assert!(guard.verdict(now(), Ok(&cluster())).expect("on").peer.is_ok());
    guard.seen(2, restart(Some("api.swype.com"), NetworkKind::Dns));
    let trip = guard.verdict(now(), Ok(&cluster())).expect("on").hold(CommonPeerMode::Trip);
    assert!(trip.expect("held").contains("may be the cluster's own DNS"));

    let in_namespaces = |other: &str| {
        let mut guard = Guard::new(3);
        for target in 0..4 {
            guard.watch(target, if target == 3 { other } else { "sre" });
            guard.seen(target, restart(Some("redis:6379"), NetworkKind::Timeout));
        }
        guard.verdict(now(), Ok(&cluster())).expect("on").peer
    };
    assert_eq!(in_namespaces("sre"), Ok("redis:6379".into()));
    let different = in_namespaces("pay").expect_err("two Services").to_string();
    assert!(different.contains("different peers"), "{different}");
}

#[test]
fn one_provider_in_several_spellings_is_one_peer_and_an_old_restart_names_none() {
    let spellings = [
        "swype-gateway.pay:443",
        "swype-gateway.pay",
        "Swype-Gateway.pay.svc:8443",
        "swype-gateway.pay.svc.cluster.local",
    ];
    let failing: Vec<_> = spellings.iter().map(|peer| vec![Some(*peer)]).collect();
    let mut guard = fleet(5, &failing);
    guard.seen(
        1,
        CountedRestart { at: now() - SignedDuration::from_mins(11), peer: Some("mq:5672"), kind: None },
    );
    let verdict = guard.verdict(now(), Ok(&cluster())).expect("on");
    assert_eq!(verdict.peer.as_deref(), Ok(spellings[0]));
}

/// Peers by what they are: two providers, parts of the cluster, and none.
fn peers() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        8 => Just(Some(GATEWAY)),
        1 => Just(Some("api.other.com:443")),
        1 => Just(Some("10.96.0.1:443")),
        1 => Just(Some("kube-dns.kube-system:53")),
        1 => Just(None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: a trip passes the guard only if every failing target names one peer that is not a part
    /// of the cluster, and none names another. With the default setting nothing ever passes, and
    /// the setting never turns the guard on or off.
    #[test]
    fn a_trip_passes_only_if_all_failing_targets_name_one_peer(
        all in 4usize..24,
        failing in prop::collection::vec(prop::collection::vec(peers(), 1..4), 1..24),
        known in any::<bool>(),
    ) {
        let failing = &failing[..failing.len().min(all)];
        let cluster = cluster();
        let facts = if known { Ok(&cluster) } else { Err("unknown") };
        let mut guard = fleet(all, failing);
        let verdict = guard.verdict(now(), facts);
        let most = failing.len() > 3 && failing.len() * 2 > all;
        prop_assert_eq!(verdict.is_some(), most);
        let Some(verdict) = verdict else { return Ok(()) };
        let (hold, trip) = holds(&verdict);
        prop_assert!(hold.is_some());
        let named: BTreeSet<_> = failing.iter().flatten().flatten().copied().collect();
        let all_name_it = failing.iter().all(|peers| peers.contains(&Some(GATEWAY)));
        let passes = known && all_name_it && named.len() == 1;
        let other_alone = known
            && failing.iter().all(|peers| peers.contains(&Some("api.other.com:443")))
            && named.len() == 1;
        prop_assert_eq!(trip.is_none(), passes || other_alone, "{:?}", failing);
    }

    /// Law: a further restart with another peer, in any failing target, holds what would have
    /// tripped; a further restart with the same peer, or a healthy target, never changes who is at
    /// fault.
    #[test]
    fn another_peer_in_any_failing_target_holds(
        failing in 4usize..14,
        target in any::<prop::sample::Index>(),
        other in prop_oneof![Just("api.other.com:443"), Just("redis:6379"), Just("10.0.0.8:5432"), Just("10.96.0.1:443")],
    ) {
        let cluster = cluster();
        let mut guard = fleet(failing + 2, &vec![vec![Some(GATEWAY)]; failing]);
        let peer = |guard: &mut Guard<usize>| guard.verdict(now(), Ok(&cluster)).map(|verdict| verdict.peer);
        let before = peer(&mut guard);
        prop_assert_eq!(&before, &Some(Ok(GATEWAY.to_owned())));
        let target = target.index(failing);
        guard.seen(target, restart(Some(GATEWAY), NetworkKind::Timeout));
        guard.watch(1000, "sre");
        prop_assert_eq!(&peer(&mut guard), &before);
        guard.seen(target, restart(Some(other), NetworkKind::Refused));
        prop_assert!(peer(&mut guard).is_some_and(|peer| peer.is_err()));
    }

    /// Law: the order in which restarts are seen does not matter.
    #[test]
    fn the_order_of_restarts_does_not_matter(
        failing in prop::collection::vec(prop::collection::vec(peers(), 1..4), 4..10),
        order in Just((0..64usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let cluster = cluster();
        let mut restarts: Vec<_> =
            failing.iter().enumerate().flat_map(|(target, peers)| peers.iter().map(move |peer| (target, *peer))).collect();
        let verdict = |restarts: &[(usize, Option<&str>)]| {
            let mut guard = Guard::new(3);
            let targets: BTreeMap<_, _> = restarts.iter().map(|(target, _)| (*target, ())).collect();
            targets.keys().for_each(|target| guard.watch(*target, "sre"));
            restarts.iter().for_each(|(target, peer)| guard.seen(*target, restart(*peer, NetworkKind::Refused)));
            guard.verdict(now(), Ok(&cluster)).map(|verdict| verdict.peer.is_ok())
        };
        let before = verdict(&restarts);
        let mut ranked: Vec<_> = restarts.drain(..).enumerate().collect();
        ranked.sort_by_key(|(n, _)| order.iter().position(|at| at == n));
        let shuffled: Vec<_> = ranked.into_iter().map(|(_, restart)| restart).collect();
        prop_assert_eq!(verdict(&shuffled), before);
    }
}
