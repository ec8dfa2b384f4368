//! The laws of holding: the outage guard, the one-node rule, and a policy that is edited.

mod common;

use std::sync::{Arc, Mutex};

use breaker_core::action::Command;
use breaker_core::policy::{MinFailingPods, Recovery};
use breaker_core::sim::{Fault, Health};
use breaker_core::snapshot::HoldReason;
use breaker_core::state::{Override, State};
use breaker_core::supervisor::RunUntil;
use breaker_core::{BreakerEvent, Policy};
use common::{REFUSED, Watch};
use jiff::SignedDuration;
use proptest::prelude::*;

const WHY: &str = "5 of 6 targets had counted restarts in the last 10 min";

fn guard_on(at: i64) -> (i64, Command) {
    (at, Command::Guard(Some(WHY.into())))
}

fn guard_off(at: i64) -> (i64, Command) {
    (at, Command::Guard(None))
}

fn scales(watch: &Watch) -> Vec<u32> {
    watch.sim.with(|world| world.scales_written().to_vec())
}

fn held_for(seen: &common::Seen, reason: HoldReason) -> usize {
    let told = |notice: &&BreakerEvent| matches!(notice, BreakerEvent::Held(held) if held.reason == reason);
    seen.notices.iter().filter(told).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: while the guard is on nothing trips, and the hold is reported once. Once it is off, a
    /// target that still fails trips.
    #[test]
    fn under_the_guard_nothing_trips(replicas in 1u32..4, on in 0i64..20, lasts in 300i64..3000) {
        let watch = Watch::with_replicas(replicas);
        watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
        let seen = watch.with_commands(vec![guard_on(on)], (on + lasts) / 60);
        prop_assert!(scales(&watch).is_empty());
        prop_assert_eq!(held_for(&seen, HoldReason::Guard), 1, "{:?}", seen.lines);

        let seen = watch.with_commands(vec![guard_on(0), guard_off(lasts)], lasts / 60 + 10);
        prop_assert_eq!(scales(&watch), [0]);
        prop_assert_eq!(seen.lines_with("tripping").len(), 1);
    }

    /// Law: a person's trip passes the guard and the one-node rule, by command or by override,
    /// before or while they hold.
    #[test]
    fn a_persons_trip_passes_guard_and_one_node_rule(
        replicas in 2u32..5,
        by_override in any::<bool>(),
        at in 0i64..400,
        guarded in any::<bool>(),
    ) {
        let policy = Policy { one_node: true, min_failing_pods: MinFailingPods::Pods(1), ..Policy::default() };
        let watch = Watch::with(replicas, policy);
        watch.sim.with(|world| {
            world.set_pod_node(1, "node-2");
            world.set_pod_health(0, Health::dies(REFUSED));
        });
        let press = if by_override { Command::Override(Override::ForcedOpen) } else { Command::Press };
        let commands = if guarded { vec![guard_on(0), (at, press)] } else { vec![(at, press)] };
        watch.with_commands(commands, 30);
        prop_assert_eq!(scales(&watch), [0]);
        let state = watch.sim.with(|world| world.record().map(|record| record.state.clone()));
        let pressed = matches!(&state, Some(State::Open { trip, .. }) if trip.because.pressed);
        prop_assert!(pressed, "{:?}", state);
    }

    /// Law: failing pods all on one node hold the trip exactly if a pod on another node is Ready,
    /// and only where the policy asks for the rule.
    #[test]
    fn one_node_holds_exactly_while_a_pod_elsewhere_is_ready(
        pods in prop::collection::vec((0u8..3, any::<bool>()), 1..5),
        one_node in prop::bool::weighted(0.8),
    ) {
        prop_assume!(pods.iter().any(|(_, fails)| *fails));
        let policy = Policy { one_node, min_failing_pods: MinFailingPods::Pods(1), ..Policy::default() };
        let watch = Watch::with(u32::try_from(pods.len()).unwrap(), policy);
        watch.sim.with(|world| {
            for (index, (node, fails)) in pods.iter().enumerate() {
                world.set_pod_node(index, &format!("node-{node}"));
                world.set_pod_health(index, if *fails { Health::dies(REFUSED) } else { Health::well() });
            }
        });
        let seen = watch.for_minutes(45);
        let bad = pods.iter().find(|(_, fails)| *fails).unwrap().0;
        let one = pods.iter().all(|(node, fails)| !fails || *node == bad);
        let elsewhere = pods.iter().any(|(node, fails)| !fails && *node != bad);
        let holds = one_node && one && elsewhere;
        prop_assert_eq!(scales(&watch).is_empty(), holds, "{:?}", seen.lines);
        prop_assert_eq!(held_for(&seen, HoldReason::OneNode), usize::from(holds));
        if holds {
            prop_assert_eq!(seen.lines_with(&format!("on node node-{bad},")).len(), 1, "{:?}", seen.lines);
        }
    }
}

#[test]
fn when_the_guard_goes_off_the_trip_is_decided_on_fresh_pods() {
    for (lost_news, replicas) in [(3, 1), (0, 1)] {
        let watch = Watch::with_replicas(replicas);
        watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
        // The pod is replaced by a healthy one; the watch may not have shown it.
        watch.sim.after_secs(1195, move |world| {
            world.set_health(Health::well());
            (0..lost_news).for_each(|_| world.fault(Fault::DropNews));
            world.delete_pod(0);
        });
        let seen = watch.with_commands(vec![guard_on(0), guard_off(1200)], 40);
        assert_eq!(held_for(&seen, HoldReason::Guard), 1);
        assert!(scales(&watch).is_empty(), "{lost_news} lost: {:?}", seen.lines);
    }
}

#[test]
fn a_failing_probe_is_neither_given_up_nor_a_survivor_under_the_guard() {
    let minute = SignedDuration::from_mins(1);
    let recovery = Recovery::HalfOpen {
        cooldown: minute,
        max_cooldown: minute * 60,
        probe_replicas: 1,
        probe_for: minute * 2,
    };
    for (well_again, want) in [(false, [0, 1, 0]), (true, [0, 1, 3])] {
        let watch = Watch::with(3, Policy { recovery, ..Policy::default() });
        watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
        if well_again {
            watch.sim.after_secs(900, |world| world.set_health(Health::well()));
        }
        let under_guard = Arc::new(Mutex::new(vec![]));
        let written = Arc::clone(&under_guard);
        watch.sim.after_secs(1799, move |world| *written.lock().unwrap() = world.scales_written().to_vec());
        // The trip comes before 100 s, its probe after 60 s more.
        let seen = watch.with_commands(vec![guard_on(100), guard_off(1800)], 34);
        assert_eq!(*under_guard.lock().unwrap(), [0, 1], "{:?}", seen.lines);
        assert_eq!(held_for(&seen, HoldReason::Guard), 1, "{:?}", seen.lines);
        assert_eq!(scales(&watch)[..3], want, "{:?}", seen.lines);
    }
}

#[test]
fn a_policy_that_is_edited_changes_thresholds_and_keeps_counts_and_state() {
    let patient = Policy { max_restarts: 100, ..Policy::default() };
    let watch = Watch::with(2, patient.clone());
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    let strict = Command::Policy(Box::default());
    let seen = watch.with_commands(vec![(900, strict), (1200, Command::Policy(Box::new(patient)))], 40);
    assert_eq!(scales(&watch), [0]);
    let tripped = seen.notices.iter().find_map(|notice| match notice {
        BreakerEvent::Tripping { because, .. } => Some((because.counts.counted, because.counts.threshold)),
        _ => None,
    });
    assert!(matches!(tripped, Some((8.., 3))), "{tripped:?}");
    watch.command(Command::Reset);
    assert_eq!(scales(&watch), [0, 2]);
}

#[test]
fn a_policy_that_only_observes_stops_a_trip_that_has_not_scaled_yet() {
    let watch = Watch::with_replicas(1);
    watch.sim.with(|world| {
        world.set_health(Health::dies(REFUSED));
        world.fault(Fault::Lag(breaker_core::sim::Call::SaveRecord, SignedDuration::from_secs(400)));
    });
    let observe = Policy { mode: breaker_core::policy::Mode::Observe, ..Policy::default() };
    let seen = watch.with_commands(vec![(300, Command::Policy(Box::new(observe)))], 60);
    assert!(scales(&watch).is_empty(), "{:?}", seen.lines);
    assert_eq!(seen.lines_with("trip abandoned").len(), 1, "{:?}", seen.lines);
    assert_eq!(watch.until(RunUntil::Tripped).lines_with("trip abandoned").len(), 0);
}
