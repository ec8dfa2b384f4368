//! The laws of the breaker, over generated histories.

mod common;

use breaker_core::action::{Command, Input};
use breaker_core::policy::{MinFailingPods, Mode, Window};
use breaker_core::sim::{Call, Fault, Health};
use breaker_core::state::{Override, State};
use breaker_core::supervisor::RunUntil;
use breaker_core::{Policy, Record};
use common::harness::{Harness, InstanceRun, history, merged, start};
use common::oracle::Oracle;
use common::{REFUSED, Watch, seconds};
use jiff::SignedDuration;
use proptest::prelude::*;

fn instance_run() -> impl Strategy<Value = InstanceRun> {
    let seconds = prop_oneof![4 => 0i64..30, 1 => 500i64..900, 1 => 3000i64..4000];
    (seconds, prop::bool::weighted(0.7), prop_oneof![3 => 0i64..60, 1 => 100i64..400])
        .prop_map(|(seconds, network, backoff)| InstanceRun { seconds, network, backoff })
}

fn pods() -> impl Strategy<Value = Vec<Vec<InstanceRun>>> {
    prop::collection::vec(prop::collection::vec(instance_run(), 1..12), 1..5)
}

fn policy() -> impl Strategy<Value = Policy> {
    let share =
        prop_oneof![(1u8..=100).prop_map(MinFailingPods::Percent), (1u32..5).prop_map(MinFailingPods::Pods)];
    let window = prop_oneof![Just(Window::NONE), (1u32..120).prop_map(Window::mins)];
    (0u32..5, window, share).prop_map(|(max_restarts, window, min_failing_pods)| Policy {
        max_restarts,
        window,
        min_failing_pods,
        ..Policy::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: it trips exactly when the rule says so: never at counted <= max x need, always at one
    /// more when `need` pods fail now.
    #[test]
    fn it_trips_exactly_when_the_rule_says_so(runs in pods(), policy in policy(), replicas in 1u32..6) {
        let histories = runs.iter().enumerate().map(|(pod, runs)| history(pod, runs)).collect();
        let mut harness = Harness::new(policy.clone(), replicas);
        let mut oracle = Oracle::default();
        for (now, report) in merged(histories) {
            oracle.see(&report);
            harness.give(Input::Pod(report), now);
            let should = oracle.should_trip(&policy, replicas, None, now);
            prop_assert_eq!(harness.breaker.state() != &State::Closed, should);
            if should {
                prop_assert_eq!(&harness.scaled, &[0]);
                break;
            }
        }
    }

    /// Law: an observation replayed or duplicated, at any later time, changes nothing.
    #[test]
    fn replays_change_nothing(
        runs in pods(),
        policy in policy(),
        replays in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..20),
    ) {
        let histories = runs.iter().enumerate().map(|(pod, runs)| history(pod, runs)).collect();
        let seen = merged(histories);
        let mut with_replays: Vec<_> =
            seen.iter().map(|(now, report)| (*now, report.clone(), false)).collect();
        for (late, early) in replays {
            let late = late.index(with_replays.len());
            let early = early.index(late + 1);
            let (now, report) = (with_replays[late].0, with_replays[early].1.clone());
            with_replays.insert(late + 1, (now, report, true));
        }
        let mut plain = Harness::new(policy.clone(), 3);
        let mut replayed = Harness::new(policy, 3);
        let end = seen.last().map_or(start(), |(at, _)| *at);
        for (now, report) in seen {
            plain.give(Input::Pod(report), now);
        }
        for (now, report, replay) in with_replays {
            match replay {
                true => replayed.give_late(Input::Pod(report), now),
                false => replayed.give(Input::Pod(report), now),
            }
        }
        prop_assert_eq!(plain.breaker.state(), replayed.breaker.state());
        prop_assert_eq!(plain.breaker.count_revisions(end), replayed.breaker.count_revisions(end));
        prop_assert_eq!(plain.scaled, replayed.scaled);
    }

    /// Law: reports of one moment may arrive in any order.
    #[test]
    fn order_within_a_burst_changes_nothing(runs in prop::collection::vec(instance_run(), 1..8), seed in any::<u64>()) {
        let policy = Policy { max_restarts: 1000, window: Window::NONE, ..Policy::default() };
        let mut seen = history(0, &runs);
        let end = seen.last().map_or(start(), |(at, _)| *at);
        let mut plain = Harness::new(policy.clone(), 1);
        for (_, report) in seen.clone() {
            plain.give(Input::Pod(report), end);
        }
        let mut state = seed;
        for at in (1..seen.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seen.swap(at, (state >> 33) as usize % (at + 1));
        }
        let mut shuffled = Harness::new(policy, 1);
        for (_, report) in seen {
            shuffled.give(Input::Pod(report), end);
        }
        prop_assert_eq!(plain.breaker.count_revisions(end), shuffled.breaker.count_revisions(end));
    }

    /// Law: Observe and Disabled never scale, whatever is observed and commanded.
    #[test]
    fn observe_and_disabled_never_scale(runs in pods(), disabled in any::<bool>(), press in any::<bool>()) {
        let mode = if disabled { Mode::Enforce } else { Mode::Observe };
        let mut harness = Harness::new(Policy { mode, max_restarts: 0, ..Policy::default() }, 3);
        if disabled {
            harness.give(Input::Command(Command::Override(Override::Disabled)), start());
        }
        let histories = runs.iter().enumerate().map(|(pod, runs)| history(pod, runs)).collect();
        for (now, report) in merged(histories) {
            harness.give(Input::Pod(report), now);
            if press {
                harness.give(Input::Command(Command::Press), now);
                harness.give(Input::Command(Command::Reset), now);
            }
        }
        prop_assert!(harness.scaled.is_empty());
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: a Record survives being written and read, and stays under 32 KiB.
    #[test]
    fn a_record_survives_and_stays_small(crowd in 1usize..150, runs in prop::collection::vec(instance_run(), 1..12)) {
        let policy = Policy { max_restarts: 1000, window: Window::NONE, ..Policy::default() };
        let mut harness = Harness::new(policy, 3);
        let mut end = start();
        for pod in 0..crowd {
            for (now, report) in history(pod, &runs[..=pod % runs.len()]) {
                end = end.max(now);
                harness.give(Input::Pod(report), end);
            }
        }
        let record = harness.breaker.record(end);
        let json = serde_json::to_string(&record).unwrap();
        prop_assert!(json.len() <= Record::MAX_BYTES, "{} bytes", json.len());
        prop_assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    let call = prop_oneof![
        Just(Call::ReadScale),
        Just(Call::WriteScale),
        Just(Call::SaveRecord),
        Just(Call::LoadRecord),
        Just(Call::PodEvents),
        Just(Call::Publish),
        Just(Call::ScaledBy),
    ];
    prop_oneof![
        call.clone().prop_map(Fault::Refuse),
        call.clone().prop_map(Fault::LoseAnswer),
        call.clone().prop_map(Fault::Conflict),
        (call, 0i64..20).prop_map(|(call, secs)| Fault::Lag(call, seconds(secs))),
        Just(Fault::DropNews),
        Just(Fault::DuplicateNews),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: a crash after any call, then a start, ends in the same state with one trip; a reset,
    /// crashed and repeated as well, restores exactly the replicas that the trip removed.
    #[test]
    fn crashes_end_in_the_same_state(
        replicas in 1u32..5,
        crashes in prop::collection::vec(0u32..30, 0..3),
        faults in prop::collection::vec(fault(), 0..3),
        reset_crash in prop::option::of(0u32..12),
    ) {
        let watch = Watch::with_replicas(replicas);
        watch.sim.with(|world| {
            world.set_health(Health::dies(REFUSED));
            faults.iter().for_each(|fault| world.fault(*fault));
        });
        for minutes in 1..20 {
            watch.sim.after_secs(minutes * 60, |world| world.relist());
        }
        for after in &crashes {
            watch.sim.with(|world| world.fault(Fault::Crash { after: *after }));
            watch.until(RunUntil::Tripped);
        }
        watch.sim.with(|world| world.fault(Fault::Crash { after: u32::MAX }));
        let seen = loop {
            // The read at start is not repeated: a process manager would start the watcher again.
            let seen = watch.until(RunUntil::Tripped);
            if seen.error.is_none() {
                break seen;
            }
        };
        prop_assert!(seen.tripped(), "{:?}", seen.lines);
        prop_assert_eq!(watch.sim.with(|world| world.scales_written().to_vec()), [0]);

        watch.sim.with(|world| world.set_health(Health::well()));
        if let Some(after) = reset_crash {
            watch.sim.with(|world| world.fault(Fault::Crash { after }));
            watch.command(Command::Reset);
            watch.sim.with(|world| world.fault(Fault::Crash { after: u32::MAX }));
        }
        for _ in 0..3 {
            if watch.sim.with(|world| world.replicas()) == 0 {
                watch.command(Command::Reset);
            }
        }
        prop_assert_eq!(watch.sim.with(|world| world.replicas()), replicas);
        prop_assert_eq!(watch.sim.with(|world| world.scales_written().to_vec()), vec![0, replicas]);
    }

    /// Law: after a reset only newer restarts count.
    #[test]
    fn after_a_reset_only_newer_restarts_count(before in 1i64..600, again in 0i64..400) {
        let watch = Watch::with_replicas(1);
        watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
        watch.sim.sleep(seconds(before));
        watch.command(Command::Reset);
        let reset_at = watch.sim.now();
        watch.sim.after_secs(again, |world| world.set_health(Health::well()));
        let seen = watch.for_minutes(120);
        let newer = seen.notices.iter().filter(|notice| match notice {
            breaker_core::BreakerEvent::Restart(restart) => restart.finished_at >= reset_at && restart.counts,
            _ => false,
        });
        let tripped = watch.sim.with(|world| world.replicas() == 0);
        prop_assert_eq!(tripped, newer.count() > 3);
        let older = seen.notices.iter().any(|notice| match notice {
            breaker_core::BreakerEvent::Restart(restart) => restart.finished_at < reset_at,
            _ => false,
        });
        prop_assert!(!older);
    }
}

/// Law: half open, any counted restart opens it again with twice the cool-down; survival restores
/// all replicas.
#[test]
fn half_open_doubles_its_cooldown_until_the_probe_survives() {
    let minute = SignedDuration::from_mins(1);
    let recovery = breaker_core::policy::Recovery::HalfOpen {
        cooldown: minute,
        max_cooldown: minute * 4,
        probe_replicas: 1,
        probe_for: minute * 5,
    };
    let watch = Watch::with(3, Policy { recovery, ..Policy::default() });
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    watch.sim.after_secs(1800, |world| world.set_health(Health::well()));
    let seen = watch.for_minutes(90);
    assert_eq!(watch.sim.with(|world| world.replicas()), 3, "{:?}", seen.lines);
    assert!(seen.lines_with("half open").len() >= 4, "{:?}", seen.lines);
    assert_eq!(seen.lines_with("closed: restored 3 replicas").len(), 1);
    let written = watch.sim.with(|world| world.scales_written().to_vec());
    assert_eq!(written.last(), Some(&3));
    assert!(written[..written.len() - 1].chunks(2).all(|pair| pair == [0, 1]), "{written:?}");
}
