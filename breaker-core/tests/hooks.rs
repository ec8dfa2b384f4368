//! The laws of the hook and of notifications.

mod common;

use std::collections::BTreeMap;

use breaker_core::action::Command;
use breaker_core::record::NotificationKind;
use breaker_core::sim::{Call, Fault, Health};
use breaker_core::snapshot::HoldReason;
use breaker_core::state::State;
use breaker_core::supervisor::RunUntil;
use breaker_core::webhook::{BeforeTrip, Endpoint, HookDecision, Hooks, OnFailure};
use breaker_core::{BreakerEvent, Policy, Record};
use common::{REFUSED, Watch, seconds};
use proptest::prelude::*;

fn asking(on_failure: OnFailure) -> Policy {
    let before_trip =
        BeforeTrip { to: Endpoint::new("https://rollback.example.org/x"), timeout: seconds(10), on_failure };
    let notify = vec![Endpoint::new("https://pager.example.org/y")];
    Policy { hooks: Hooks { before_trip: Some(before_trip), notify }, ..Policy::default() }
}

fn dying(replicas: u32, policy: Policy) -> Watch {
    let watch = Watch::with(replicas, policy);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    watch
}

fn scales(watch: &Watch) -> Vec<u32> {
    watch.sim.with(|world| world.scales_written().to_vec())
}

fn held_by_hook(seen: &common::Seen) -> usize {
    let told = |notice: &&BreakerEvent| matches!(notice, BreakerEvent::Held(held) if held.reason == HoldReason::Hook);
    seen.notices.iter().filter(told).count()
}

fn fault() -> impl Strategy<Value = Fault> {
    let call = prop_oneof![
        4 => Just(Call::Post),
        1 => Just(Call::ReadScale),
        1 => Just(Call::WriteScale),
        1 => Just(Call::SaveRecord),
        1 => Just(Call::LoadRecord),
        1 => Just(Call::Publish),
    ];
    prop_oneof![
        call.clone().prop_map(Fault::Refuse),
        call.clone().prop_map(Fault::LoseAnswer),
        (call, 0i64..20).prop_map(|(call, secs)| Fault::Lag(call, seconds(secs))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: a crash after any action, then a start, ends in the same state with one trip; the hook
    /// was called before the scale went to zero; a message that is sent twice is the same event;
    /// the Record stays small.
    #[test]
    fn a_crash_never_lets_a_trip_pass_the_hook(
        replicas in 1u32..4,
        hold in any::<bool>(),
        crashes in prop::collection::vec(0u32..30, 0..4),
        faults in prop::collection::vec(fault(), 0..4),
    ) {
        let watch = dying(replicas, asking(if hold { OnFailure::Hold } else { OnFailure::Proceed }));
        watch.sim.with(|world| faults.iter().for_each(|fault| world.fault(*fault)));
        for minutes in 1..20 {
            watch.sim.after_secs(minutes * 60, |world| world.relist());
        }
        for after in &crashes {
            watch.sim.with(|world| world.fault(Fault::Crash { after: *after }));
            watch.until(RunUntil::Tripped);
        }
        watch.sim.with(|world| world.fault(Fault::Crash { after: u32::MAX }));
        let seen = loop {
            let seen = watch.until(RunUntil::Tripped);
            if seen.error.is_none() {
                break seen;
            }
        };
        prop_assert!(seen.tripped(), "{:?}", seen.lines);
        prop_assert_eq!(scales(&watch), [0]);
        let record = watch.sim.with(|world| world.record().cloned()).unwrap();
        let open = matches!(&record.state, State::Open { trip, .. } if trip.replicas == replicas);
        prop_assert!(open, "{:?}", record.state);
        prop_assert!(serde_json::to_vec(&record).unwrap().len() <= Record::MAX_BYTES);
        prop_assert!(record.notices.is_empty());

        let posted = watch.sim.with(|world| world.posted().to_vec());
        let asked_before = posted.iter().any(|(event, scaled)| event.kind.ends_with("before_trip") && *scaled == 0);
        // A hook that could not be reached in time lets the trip proceed, if the policy says so.
        let failed = !hold && faults.iter().any(|fault| !matches!(fault, Fault::Lag(Call::ReadScale, _)));
        prop_assert!(asked_before || failed, "{:?}", posted);
        prop_assert!(!watch.posted("tripped").is_empty());
        let mut known = BTreeMap::new();
        for (event, _) in posted {
            let first = known.entry(event.id.clone()).or_insert_with(|| event.clone()).clone();
            prop_assert_eq!(first, event);
        }
    }

    /// Law: a notification arrives at least once, also after a long outage of its receiver and a
    /// crash of the watcher; the trip does not wait for it.
    #[test]
    fn notices_arrive_at_least_once_and_hold_nothing_up(refusals in 0usize..25, crash in prop::option::of(0u32..60)) {
        let mut policy = asking(OnFailure::Proceed);
        policy.hooks.before_trip = None;
        let watch = dying(1, policy);
        watch.sim.with(|world| (0..refusals).for_each(|_| world.fault(Fault::Refuse(Call::Post))));
        let down_from = watch.sim.now();
        if let Some(after) = crash {
            watch.sim.with(|world| world.fault(Fault::Crash { after }));
            watch.until(RunUntil::Tripped);
            watch.sim.with(|world| world.fault(Fault::Crash { after: u32::MAX }));
        }
        for _ in 0..20 {
            watch.for_minutes(5);
            watch.sim.sleep(seconds(1));
        }
        prop_assert_eq!(scales(&watch), [0]);
        let tripped = watch.posted("tripped");
        prop_assert!(!tripped.is_empty());
        prop_assert!(tripped[0].time < down_from + seconds(300), "the trip waited: {}", tripped[0].time);
        let record = watch.sim.with(|world| world.record().cloned()).unwrap();
        prop_assert!(record.notices.is_empty());
    }
}

#[test]
fn a_hook_that_answers_hold_is_asked_again_with_a_new_id_until_it_proceeds() {
    let watch = dying(2, asking(OnFailure::Proceed));
    watch.sim.with(|world| world.set_hook_says(HookDecision::Hold));
    watch.sim.after_secs(600, |world| world.set_hook_says(HookDecision::Proceed));
    let seen = watch.for_minutes(9);
    assert!(scales(&watch).is_empty());
    assert_eq!(held_by_hook(&seen), 1, "{:?}", seen.lines);
    assert!(seen.lines_with("held: the hook asks to hold; its reason is in the log").len() == 1);
    let ids: Vec<_> = watch.posted("before_trip").into_iter().map(|event| event.id).collect();
    // After 10, 20, 40, 80, 160 s.
    assert_eq!(ids.len(), 6, "{ids:?}");
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 6);
    assert_eq!(watch.posted("held").len(), 1);
    watch.for_minutes(10);
    assert_eq!(scales(&watch), [0]);
}

#[test]
fn a_hook_that_fails_lets_the_trip_go_on_or_holds_it_as_wished() {
    for (on_failure, want) in [(OnFailure::Proceed, vec![0]), (OnFailure::Hold, vec![])] {
        let mut policy = asking(on_failure);
        policy.hooks.notify.clear();
        let watch = dying(1, policy);
        watch.sim.with(|world| world.fault(Fault::Forbid(Call::Post)));
        let seen = watch.for_minutes(20);
        assert_eq!(scales(&watch), want, "{:?}", seen.lines);
        assert_eq!(held_by_hook(&seen), usize::from(on_failure == OnFailure::Hold));
        assert!(!seen.lines_with("hook https://rollback.example.org failed").is_empty());
    }
}

#[test]
fn a_hook_that_is_just_being_restarted_is_asked_again_in_its_time() {
    let watch = dying(1, asking(OnFailure::Proceed));
    watch.sim.with(|world| (0..4).for_each(|_| world.fault(Fault::Refuse(Call::Post))));
    let seen = watch.until_tripped();
    assert_eq!(watch.posted("before_trip").len(), 1);
    assert_eq!(seen.lines_with("answered: proceed").len(), 1, "{:?}", seen.lines);
}

#[test]
fn a_reset_or_a_guard_while_the_hook_thinks_stops_the_trip() {
    let why = Command::Guard(Some("most targets fail".into()));
    for (command, told) in [(Command::Reset, "closed: restored 1 replica"), (why, "held: most targets fail")]
    {
        let watch = dying(1, asking(OnFailure::Proceed));
        watch.sim.with(|world| world.fault(Fault::Lag(Call::Post, seconds(9))));
        // The fourth restart comes after 80 s or so; the hook then takes 9 s.
        let at = {
            let probe = dying(1, Policy::default());
            let start = probe.sim.now();
            probe.until_tripped();
            probe.sim.now().duration_since(start).as_secs()
        };
        let seen = watch.with_commands(vec![(at + 4, command)], at / 60 + 2);
        assert!(scales(&watch).is_empty(), "{:?}", seen.lines);
        assert_eq!(watch.posted("before_trip").len(), 1);
        assert_eq!(seen.lines_with(told).len(), 1, "{:?}", seen.lines);
    }
}

#[test]
fn a_press_asks_too_and_presses_again_while_the_button_is_down() {
    let watch = Watch::with(3, asking(OnFailure::Proceed));
    watch.sim.with(|world| world.set_hook_says(HookDecision::Hold));
    watch.sim.after_secs(60, |world| world.set_hook_says(HookDecision::Proceed));
    let seen = watch.with_commands(vec![(5, Command::Press)], 5);
    assert_eq!(scales(&watch), [0], "{:?}", seen.lines);
    assert_eq!(watch.posted("before_trip").len(), 4);

    // The override is cleared before the hook proceeds: nothing trips.
    let watch = Watch::with(3, asking(OnFailure::Proceed));
    watch.sim.with(|world| world.set_hook_says(HookDecision::Hold));
    watch.sim.after_secs(60, |world| world.set_hook_says(HookDecision::Proceed));
    let up = Command::Override(breaker_core::state::Override::Auto);
    watch.with_commands(vec![(5, Command::Press), (20, up)], 5);
    assert!(scales(&watch).is_empty());
}

#[test]
fn two_watchers_ask_the_same_question_and_make_one_trip() {
    let watch = dying(2, asking(OnFailure::Hold));
    let (first, second) = watch.two_until_tripped();
    assert!(first.tripped() && second.tripped());
    assert_eq!(scales(&watch), [0]);
    let asked = watch.posted("before_trip");
    assert!(asked.iter().all(|event| *event == asked[0]), "{asked:?}");
}

#[test]
fn each_receiver_gets_every_notification_in_order() {
    let mut policy = asking(OnFailure::Proceed);
    policy.hooks.before_trip = None;
    let watch = dying(2, policy);
    // The first is not acknowledged: the others wait behind it.
    watch.sim.with(|world| (0..3).for_each(|_| world.fault(Fault::Refuse(Call::Post))));
    watch.until_tripped();
    watch.sim.with(|world| world.set_health(Health::well()));
    watch.command(Command::Reset);
    watch.command(Command::Reset);
    watch.command(Command::Press);
    watch.sim.after_secs(60, |world| world.scale_by_hand(2, "argocd"));
    watch.for_minutes(3);
    let kinds: Vec<_> = watch
        .sim
        .with(|world| world.posted().to_vec())
        .into_iter()
        .map(|(event, _)| event.kind.trim_start_matches("dev.bigredbutton.").to_owned())
        .collect();
    assert_eq!(kinds, ["tripped", "restored", "reset", "tripped", "contested"]);
}

/// Law: with many notifications waiting, the Record stays under 32 KiB and keeps the newest.
#[test]
fn what_waits_is_bounded_and_the_newest_stays() {
    let mut policy = asking(OnFailure::Proceed);
    policy.hooks.before_trip = None;
    policy.hooks.notify = (0..8).map(|n| Endpoint::new(format!("https://pager-{n}.example.org"))).collect();
    let watch = Watch::with(40, Policy { max_restarts: 1, ..policy });
    watch.sim.with(|world| world.fault(Fault::Forbid(Call::Post)));
    let words = format!("{REFUSED}: {}", "x".repeat(180));
    watch.sim.with(|world| world.set_health(Health::dies(&words)));
    for _ in 0..30 {
        watch.command(Command::Reset);
        watch.command(Command::Press);
    }
    let record = watch.sim.with(|world| world.record().cloned()).unwrap();
    let bytes = serde_json::to_vec(&record).unwrap().len();
    assert!(bytes <= Record::MAX_BYTES, "{bytes}");
    assert!((10..=16).contains(&record.notices.len()), "{}", record.notices.len());
    assert_eq!(record.notices.last().map(|notification| notification.what), Some(NotificationKind::Tripped));
    assert!(record.notices.iter().all(|letter| letter.to.len() == 8));
}
