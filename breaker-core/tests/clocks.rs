//! Clocks: the wall clock of the watcher is set, and the clocks of nodes differ from it.

mod common;

use std::sync::Arc;

use breaker_core::policy::{Recovery, Window};
use breaker_core::sim::{Call, Fault, Health, Sim};
use breaker_core::snapshot::HoldReason;
use breaker_core::supervisor::{Dependencies, Observer, RunUntil, SupervisorOptions};
use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, OnFailure};
use breaker_core::{BreakerEvent, Classifier, Policy, Snapshot, Supervisor};
use common::{REFUSED, Watch, seconds};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// The events of a watcher, with the seconds of the cluster's clock since the start.
struct Lines {
    sim: Sim,
    start: Timestamp,
    all: Vec<(i64, BreakerEvent)>,
    snapshots: Vec<Snapshot>,
}

impl Observer for Lines {
    fn event(&mut self, _: Timestamp, event: &BreakerEvent) {
        self.all.push((self.sim.now().duration_since(self.start).as_secs(), event.clone()));
    }

    fn snapshot(&mut self, _: Timestamp, snapshot: &Snapshot) {
        self.snapshots.push(snapshot.clone());
    }
}

impl Lines {
    fn seconds_of(&self, is: impl Fn(&BreakerEvent) -> bool) -> Vec<i64> {
        self.all.iter().filter(|(_, event)| is(event)).map(|(secs, _)| *secs).collect()
    }
}

fn is_heartbeat(event: &BreakerEvent) -> bool {
    matches!(event, BreakerEvent::Heartbeat { .. })
}

/// Runs a watcher with heartbeats for some minutes of the cluster's clock. Its wall clock is ahead
/// by `ahead` seconds, and is set forward or back by `steps`, each after a number of seconds.
fn run(watch: &Watch, ahead: i64, steps: &[(i64, i64)], minutes: i64) -> Lines {
    let sim = &watch.sim;
    sim.with(|world| world.step_clock(seconds(ahead)));
    for (secs, by) in steps.iter().copied() {
        sim.after_secs(secs, move |world| world.step_clock(seconds(by)));
    }
    let mut lines = Lines { sim: sim.clone(), start: sim.now(), all: vec![], snapshots: vec![] };
    let dependencies = Dependencies {
        client: Arc::new(sim.clone()),
        clock: Arc::new(sim.clone()),
        classifier: Arc::new(Classifier::default()),
        webhooks: Some(Arc::new(sim.clone())),
    };
    let options = SupervisorOptions { heartbeat: Some(seconds(60)), ..SupervisorOptions::default() };
    let watched = async {
        let target = sim.target().clone();
        let mut supervisor =
            Supervisor::start(dependencies, watch.policy.clone(), target, options).await.unwrap();
        let no_commands = futures::stream::pending().boxed();
        supervisor.run(no_commands, RunUntil::Forever, &mut lines).await
    };
    let end = sim.sleep_for(SignedDuration::from_mins(minutes));
    sim.run(futures::future::select(Box::pin(watched), Box::pin(end)));
    lines
}

#[test]
fn a_clock_that_is_set_back_delays_neither_a_retry_nor_a_heartbeat() {
    let watch = Watch::with_replicas(1);
    watch.sim.with(|world| {
        world.set_health(Health::dies(REFUSED));
        (0..12).for_each(|_| world.fault(Fault::Refuse(Call::SaveRecord)));
    });
    let lines = run(&watch, 0, &[(20, -3600)], 10);
    let scaled = lines.seconds_of(|event| matches!(event, BreakerEvent::Scaled { .. }));
    assert!(matches!(scaled[..], [90..240]), "{scaled:?} {:?}", lines.all);
    assert_eq!(lines.seconds_of(is_heartbeat).len(), 10, "{:?}", lines.all);
}

#[test]
fn a_clock_that_is_set_back_does_not_lengthen_the_time_of_a_hook() {
    let to = Endpoint::new("https://rollback.example.org/x");
    let hook = BeforeTrip { to, timeout: seconds(10), on_failure: OnFailure::Proceed };
    let hooks = Hooks { before_trip: Some(hook), ..Hooks::default() };
    let watch = Watch::with(1, Policy { hooks, ..Policy::default() });
    watch.sim.with(|world| {
        world.set_health(Health::dies(REFUSED));
        (0..200).for_each(|_| world.fault(Fault::Refuse(Call::Post)));
    });
    // The trip comes at the fourth restart, after 158 s.
    let lines = run(&watch, 0, &[(160, -3600)], 10);
    let tripping = lines.seconds_of(|event| matches!(event, BreakerEvent::Tripping { .. }));
    let answered = lines.seconds_of(|event| matches!(event, BreakerEvent::Hook { .. }));
    assert!(tripping[0] < 160 && answered[0] > 160, "{tripping:?} {answered:?}");
    assert!(answered[0] - tripping[0] <= 11, "{tripping:?} {answered:?}");
}

#[test]
fn a_node_whose_clock_is_behind_is_told_in_held_and_in_each_heartbeat() {
    for (ahead, steps) in [(7200, vec![]), (0, vec![(1, 7200)])] {
        let watch = Watch::with_replicas(1);
        watch.sim.after_secs(120, |world| world.set_health(Health::dies(REFUSED)));
        let lines = run(&watch, ahead, &steps, 20);
        let held: Vec<_> = lines
            .all
            .iter()
            .filter_map(|(_, event)| match event {
                BreakerEvent::Held(hold) => Some((hold.reason, hold.to_string())),
                _ => None,
            })
            .collect();
        assert!(matches!(held[..], [(HoldReason::Clock, _)]), "{held:?}");
        let why = &held[0].1;
        assert!(why.contains("the last one of swype-app-") && why.contains("behind the clock"), "{why}");
        let last = lines.all.iter().rfind(|(_, event)| is_heartbeat(event)).unwrap().1.to_string();
        assert!(last.contains("; held: ") && last.contains("behind the clock"), "{last}");
    }
}

#[test]
fn restarts_count_as_before_while_the_clocks_agree_to_a_few_minutes() {
    for ahead in [-300, 0, 300] {
        let watch = Watch::with_replicas(1);
        watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
        let lines = run(&watch, ahead, &[], 20);
        assert_eq!(lines.seconds_of(|event| matches!(event, BreakerEvent::Scaled { .. })).len(), 1);
        assert!(lines.seconds_of(|event| matches!(event, BreakerEvent::Held(_))).is_empty());
    }
}

fn steps() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let by = prop_oneof![-7200i64..7200, -60i64..60];
    prop::collection::vec((1i64..3000, by), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: nothing waits on the wall clock. Heartbeats come each minute, and a trial starts after
    /// the cool-down, however the wall clock is set.
    #[test]
    fn waits_take_as_long_as_was_decided(steps in steps()) {
        let minute = SignedDuration::from_mins(1);
        let recovery = Recovery::HalfOpen {
            cooldown: minute * 7,
            max_cooldown: minute * 60,
            probe_replicas: 1,
            probe_for: minute * 60,
        };
        // Without a window the clock of the node does not matter. A step of up to 2 s is none.
        let watch = Watch::with(2, Policy { recovery, window: Window::NONE, ..Policy::default() });
        watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
        watch.sim.after_secs(400, |world| world.set_health(Health::well()));
        let lines = run(&watch, 0, &steps, 55);
        let beats = lines.seconds_of(is_heartbeat);
        prop_assert!((54..=55).contains(&beats.len()), "{beats:?}");
        prop_assert!(beats.windows(2).all(|pair| (57..=63).contains(&(pair[1] - pair[0]))), "{beats:?}");
        let scaled = lines.seconds_of(|event| matches!(event, BreakerEvent::Scaled { .. }));
        let trials = lines.seconds_of(|event| matches!(event, BreakerEvent::Probing { .. }));
        prop_assume!(!scaled.is_empty());
        prop_assert!((417..=426).contains(&(trials[0] - scaled[0])), "{scaled:?} {trials:?}");
    }
}
