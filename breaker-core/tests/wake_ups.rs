//! The supervisor sleeps until something is due, and never until a time that has passed: such a
//! sleep returns at once, and a loop of them occupies a core and ignores signals.

mod common;

use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::action::Command;
use breaker_core::sim::{Call, Fault, Health, Sim};
use breaker_core::state::Override;
use breaker_core::supervisor::{Dependencies, RunUntil, SupervisorOptions};
use breaker_core::{Classifier, Clock, Policy, Supervisor};
use common::policies::{half_open, with_hooks};
use common::{REFUSED, Seen, Watch, seconds};
use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// The clock of a cluster that fails the test when a sleep could not take any time.
struct FutureOnly(Sim);

#[async_trait]
impl Clock for FutureOnly {
    fn now(&self) -> Timestamp {
        Clock::now(&self.0)
    }

    fn elapsed(&self) -> SignedDuration {
        self.0.elapsed()
    }

    async fn sleep_until(&self, until: Timestamp) {
        let now = Clock::now(self);
        assert!(until > now, "at {now} a sleep until {until}");
        self.0.sleep_until(until).await;
    }
}

fn commands(commands: Vec<Command>) -> BoxStream<'static, Command> {
    futures::stream::iter(commands).chain(futures::stream::pending()).boxed()
}

/// Runs one supervisor once for each of `runs`, as `watcher trip` does: a command, then the wait
/// for the pods. Each run takes at most 10 minutes.
fn supervise(watch: &Watch, heartbeat: Option<SignedDuration>, runs: Vec<(Vec<Command>, RunUntil)>) -> Seen {
    let sim = &watch.sim;
    let dependencies = Dependencies {
        client: Arc::new(sim.clone()),
        clock: Arc::new(FutureOnly(sim.clone())),
        classifier: Arc::new(Classifier::default()),
        webhooks: Some(Arc::new(sim.clone())),
    };
    let options = SupervisorOptions { heartbeat, ..SupervisorOptions::default() };
    let mut seen = Seen::default();
    sim.run(async {
        let started = Supervisor::start(dependencies, watch.policy.clone(), sim.target().clone(), options);
        let Ok(mut supervisor) = started.await else { return };
        for (sent, until) in runs {
            let run = Box::pin(supervisor.run(commands(sent), until, &mut seen));
            futures::future::select(run, Box::pin(sim.sleep_for(SignedDuration::from_mins(10)))).await;
        }
    });
    seen
}

/// As `watcher trip` does: the press, then the wait for the pods.
fn press_then_wait() -> Vec<(Vec<Command>, RunUntil)> {
    vec![(vec![Command::Press], RunUntil::Settled), (vec![], RunUntil::Tripped)]
}

#[test]
fn a_trip_by_a_person_sleeps_while_pods_are_slow_to_terminate() {
    let watch = Watch::with_replicas(2);
    watch.sim.with(|world| world.set_grace(seconds(300)));
    let seen = supervise(&watch, None, press_then_wait());
    assert_eq!(watch.sim.with(|world| world.replicas()), 0);
    // It says what it waits for, and how long it may still take.
    let waits = seen.lines_with("waiting up to");
    assert_eq!(waits.len(), 4, "{:?}", seen.lines);
    assert!(waits[0].starts_with("waiting up to 118 s for 2 pods to terminate: swype-app-"), "{waits:?}");
    assert!(waits[3].starts_with("waiting up to 28 s"), "{waits:?}");
}

#[test]
fn a_trip_by_a_person_sleeps_while_a_notification_is_not_acknowledged() {
    for fault in [Fault::Refuse(Call::Post), Fault::DelayAnswer(Call::Post, seconds(3600))] {
        let watch = Watch::with(2, with_hooks(Policy::default()));
        watch.sim.with(|world| world.fault_for(SignedDuration::from_hours(2), fault));
        let seen = supervise(&watch, None, press_then_wait());
        assert_eq!(watch.sim.with(|world| world.replicas()), 0, "{fault:?}");
        let waits = seen.lines_with("to be acknowledged");
        assert!(!waits.is_empty(), "{:?}", seen.lines);
    }
}

#[derive(Debug, Clone)]
struct Case {
    replicas: u32,
    half_open: bool,
    hooks: bool,
    dies: bool,
    grace: i64,
    heartbeat: Option<i64>,
    faults: Vec<(Call, i64)>,
    clock_steps: Vec<(i64, i64)>,
    /// Seconds that pass between two controllers.
    pause: i64,
    runs: Vec<(Vec<Command>, RunUntil)>,
}

fn runs() -> impl Strategy<Value = Vec<(Vec<Command>, RunUntil)>> {
    let command = prop_oneof![
        4 => Just(Command::Press),
        2 => Just(Command::Reset),
        1 => Just(Command::Override(Override::ForcedOpen)),
        1 => Just(Command::Override(Override::Auto)),
        1 => Just(Command::Override(Override::Disabled)),
    ];
    let until = prop_oneof![Just(RunUntil::Settled), Just(RunUntil::Tripped), Just(RunUntil::Forever)];
    prop::collection::vec((prop::collection::vec(command, 0..3), until), 1..4)
}

fn cases() -> impl Strategy<Value = Case> {
    let call = prop::sample::select(vec![
        Call::ListPods,
        Call::ReadScale,
        Call::WriteScale,
        Call::ScaledBy,
        Call::SaveRecord,
        Call::Publish,
        Call::Post,
    ]);
    (
        (1..4u32, any::<bool>(), any::<bool>(), any::<bool>(), prop_oneof![Just(1i64), Just(30), Just(300)]),
        prop::option::of(1..90i64),
        prop::collection::vec((call, 1..400i64), 0..3),
        prop::collection::vec((1i64..1000, prop_oneof![-7200i64..-2, 3i64..7200]), 0..3),
        0..4000i64,
        runs(),
    )
        .prop_map(|(world, heartbeat, faults, clock_steps, pause, runs)| {
            let (replicas, half_open, hooks, dies, grace) = world;
            Case { replicas, half_open, hooks, dies, grace, heartbeat, faults, clock_steps, pause, runs }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: no sleep ends in the past, whatever the supervisor waits for and whatever fails, also
    /// when it starts with a Record whose times have passed long ago.
    #[test]
    fn no_sleep_ends_in_the_past(case in cases()) {
        let policy = if case.half_open { half_open(Policy::default()) } else { Policy::default() };
        let policy = if case.hooks { with_hooks(policy) } else { policy };
        let watch = Watch::with(case.replicas, policy);
        watch.sim.with(|world| {
            world.set_grace(seconds(case.grace));
            if case.dies {
                world.set_health(Health::dies(REFUSED));
            }
            for (call, secs) in case.faults.iter().copied() {
                world.fault_for(seconds(secs), Fault::Refuse(call));
            }
        });
        for (secs, by) in case.clock_steps.iter().copied() {
            watch.sim.after_secs(secs, move |world| world.step_clock(seconds(by)));
        }
        for _ in 0..2 {
            supervise(&watch, case.heartbeat.map(seconds), case.runs.clone());
            watch.sim.sleep(seconds(case.pause));
        }
    }
}
