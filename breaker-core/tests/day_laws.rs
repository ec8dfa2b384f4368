//! The laws of the breaker over generated bad days: no zero without a Record, none that is not
//! right, no number lost, everything once.

mod common;

use std::collections::BTreeSet;

use breaker_core::Policy;
use breaker_core::action::Command;
use breaker_core::policy::{Mode, Window};
use breaker_core::sim::{Call, Fault};
use breaker_core::state::{Override, Phase};
use breaker_core::webhook::HookDecision;
use common::day::{Day, Step, health};
use common::policies::{half_open, with_hooks};
use common::seconds;
use jiff::SignedDuration;
use proptest::prelude::*;

/// Faults and other steps come in this time.
const BAD: i64 = 1500;

/// Each kind of answer that a call can get, right ones that come late included.
fn faults(call: Call) -> [Fault; 12] {
    let (soon, late) = (seconds(5), seconds(45));
    [
        Fault::Refuse(call),
        Fault::LoseAnswer(call),
        Fault::TimeOut(call, soon),
        Fault::TimeOut(call, late),
        Fault::BadGateway(call),
        Fault::GarbleAnswer(call),
        Fault::Conflict(call),
        Fault::NotFound(call),
        Fault::Deny(call),
        Fault::Reject(call),
        Fault::Lag(call, late),
        Fault::DelayAnswer(call, late),
    ]
}

/// Runs a trip, its trials, and a reset at the end. One fault applies. The pods die, or a person
/// presses.
fn a_trip_with(calls: u32, fault: Fault, policy: &Policy, press: bool) -> Day {
    let mut day = Day::new(3, policy.clone());
    let press = press.then_some(Step::Command(Command::Override(Override::ForcedOpen)));
    let trip = press.unwrap_or(Step::Outage(true));
    day.plan(0, Step::Fault(calls, fault));
    day.plan(5, trip);
    day.plan(305, Step::Outage(false));
    day.plan(306, Step::Command(Command::Reset));
    if let Fault::Crash { .. } = fault {
        // The process may be killed with the command; a person then repeats it.
        day.plan(600, Step::Command(Command::Reset));
    }
    day.run_until(1000);
    day
}

/// Every fault of a call, at the first calls of its kind, and what to do meanwhile. `wrong` judges
/// each run.
fn each_answer_of(calls: &[Call], wrong: impl Fn(&Day, bool) -> Vec<String>) {
    let manual = with_hooks(Policy::default());
    let policies = [(manual.clone(), false), (half_open(manual.clone()), false), (manual, true)];
    let mut broken = Vec::new();
    let mut reached = BTreeSet::new();
    for (number, (policy, press)) in policies.iter().enumerate() {
        for (kind, call) in calls.iter().flat_map(|call| faults(*call)).enumerate() {
            for skip in 0..6 {
                let day = a_trip_with(skip, call, policy, *press);
                if !day.sim.with(|world| world.struck().contains(&call)) {
                    break;
                }
                reached.insert(kind);
                let why = wrong(&day, *press);
                let place = format!("policy {number}, {skip} calls, then {call:?}");
                broken.extend(why.into_iter().map(|why| format!("{place}: {why}")));
            }
        }
    }
    assert_eq!(
        reached.len(),
        calls.len() * faults(calls[0]).len(),
        "each kind of answer is reached: {reached:?}"
    );
    let shown = broken.iter().take(50).cloned().collect::<Vec<_>>().join("\n");
    assert!(broken.is_empty(), "{} violations:\n{shown}", broken.len());
}

/// Law: whatever a write is answered, and whichever write it is, one trip stays one trip, one
/// press one zero, no number is lost, and all ends as without the fault.
#[test]
fn no_answer_of_any_write_breaks_a_law() {
    each_answer_of(&[Call::SaveRecord, Call::WriteScale], after_a_trip);
}

/// Law: the same for all other calls that a trip makes.
#[test]
fn no_answer_of_any_other_call_breaks_a_law() {
    each_answer_of(&[Call::ReadScale, Call::LoadRecord, Call::Publish, Call::Post], after_a_trip);
}

/// Law: the same for a process that is killed at any call.
#[test]
fn no_crash_breaks_a_law() {
    for policy in [with_hooks(Policy::default()), half_open(with_hooks(Policy::default()))] {
        for after in 0..60 {
            let day = a_trip_with(0, Fault::Crash { after }, &policy, false);
            assert_eq!(after_a_trip(&day, false), [""; 0], "{after} calls: {}", day.seen.text());
        }
    }
}

/// What is wrong after [`a_trip_with`].
fn after_a_trip(day: &Day, pressed: bool) -> Vec<String> {
    let mut wrong = day.violations();
    let zeroes = day.scales().iter().filter(|replicas| **replicas == 0).count();
    if zeroes == 0 || pressed && zeroes > 1 {
        wrong.push(format!("{zeroes} trips: {:?}", day.scales()));
    }
    if day.replicas() != 3 || day.seen.last_snapshot().phase != Phase::Closed {
        wrong.push(format!("{} replicas are left, {:?}", day.replicas(), day.scales()));
    }
    let asked = day.posted("before_trip").len();
    if asked > zeroes {
        wrong.push(format!("{zeroes} trips under {asked} keys"));
    }
    let told = day.posted("tripped").len();
    if told != zeroes {
        wrong.push(format!("{zeroes} trips and {told} notices of trips"));
    }
    if day.ends > 1 {
        wrong.push(format!("the watcher ended {} times", day.ends));
    }
    wrong
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        3 => Just(Call::SaveRecord),
        3 => Just(Call::WriteScale),
        2 => Just(Call::ReadScale),
        1 => Just(Call::LoadRecord),
        1 => Just(Call::ListPods),
        1 => Just(Call::Post),
        1 => Just(Call::Publish),
        1 => Just(Call::ScaledBy),
        1 => Just(Call::PodEvents),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    let delay = prop_oneof![1i64..20, 40i64..400];
    (call(), 0usize..12, delay).prop_map(|(call, kind, delay)| match faults(call)[kind] {
        // No API server carries out a call two minutes after it was sent.
        Fault::TimeOut(call, _) => Fault::TimeOut(call, seconds(delay.min(110))),
        Fault::Lag(call, _) => Fault::Lag(call, seconds(delay)),
        Fault::DelayAnswer(call, _) => Fault::DelayAnswer(call, seconds(delay)),
        other => other,
    })
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => Just(Command::Press),
        3 => Just(Command::Reset),
        1 => Just(Command::Override(Override::ForcedOpen)),
        1 => Just(Command::Guard(Some("5 of 6 targets had counted restarts".into()))),
        1 => Just(Command::Guard(None)),
    ]
}

/// What happens to the calls and to the pods. The watch works.
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u32..8, fault()).prop_map(|(calls, fault)| Step::Fault(calls, fault)),
        2 => (1i64..600, fault()).prop_map(|(secs, fault)| Step::Lasting(secs, fault)),
        2 => (0u32..30).prop_map(|after| Step::Fault(0, Fault::Crash { after })),
        2 => any::<bool>().prop_map(Step::Outage),
        1 => (0u8..3, any::<bool>()).prop_map(|(revision, ill)| Step::RollOut(revision, ill)),
        1 => Just(Step::Fault(0, Fault::DuplicateNews)),
        1 => (1i64..60).prop_map(Step::LateList),
        1 => (1i64..300).prop_map(Step::DamageRecord),
        1 => (1i64..200).prop_map(Step::Pending),
        2 => command().prop_map(Step::Command),
    ]
}

/// What makes the breaker see the past, or act beside others.
fn rare_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1i64..400).prop_map(Step::BreakWatch),
        2 => (1i64..60).prop_map(Step::StallWatch),
        // A rival that sets the number of trial replicas while an answer to the breaker's own write
        // of that number is missing cannot be told from the breaker.
        2 => (2u32..6).prop_map(Step::ScaleByHand),
        1 => Just(Step::Replace),
    ]
}

fn set_clock() -> impl Strategy<Value = Step> {
    prop_oneof![-7200i64..7200, -60i64..60].prop_map(Step::SetClock)
}

fn days(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<(i64, Step)>> {
    // The trips of three pods that die from the start come at 76 s, of one at 158 s.
    let at = prop_oneof![0i64..200, 0i64..BAD];
    prop::collection::vec((at, step), 0..8)
}

fn policies() -> impl Strategy<Value = Policy> {
    prop_oneof![
        Just(Policy::default()),
        Just(half_open(Policy::default())),
        Just(with_hooks(Policy::default())),
        Just(half_open(with_hooks(Policy::default()))),
    ]
}

/// After the faults: pods that die end at zero or on trial, others run or wait for a reset that
/// restores them.
fn converges(day: &mut Day, ill: bool, audit: impl Fn(&Day) -> Vec<String>) -> Result<(), TestCaseError> {
    day.run_until(BAD);
    day.end_faults();
    day.sim.with(|world| {
        world.set_pending(SignedDuration::ZERO);
        world.set_health(health(ill));
    });
    day.run_until(BAD + 3600);
    let lines = || format!("{:?}\n{}", day.scales(), day.seen.text());
    prop_assert_eq!(audit(day), [""; 0], "{}", lines());
    let phase = day.seen.last_snapshot().phase;
    if ill {
        let on_trial = phase == Phase::HalfOpen || phase == Phase::Tripping;
        prop_assert!(day.replicas() == 0 || on_trial, "still {:?}: {}", phase, lines());
    }
    if phase == Phase::Closed {
        prop_assert!(day.replicas() > 0, "nobody knows the replicas: {}", lines());
        return Ok(());
    }
    day.sim.with(|world| world.set_health(health(false)));
    day.command(Command::Reset);
    day.run_until(BAD + 3600 + 600);
    let lines = || format!("{:?}\n{}", day.scales(), day.seen.text());
    prop_assert_eq!(audit(day), [""; 0], "{}", lines());
    prop_assert_eq!(day.seen.last_snapshot().phase, Phase::Closed, "{}", lines());
    prop_assert!(day.replicas() > 0, "{}", lines());
    Ok(())
}

fn day_of(replicas: u32, policy: &Policy, steps: &[(i64, Step)]) -> Day {
    let day = Day::new(replicas, policy.clone());
    day.plan(0, Step::Outage(true));
    for (at, step) in steps {
        day.plan(*at, step.clone());
    }
    day
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: over any faults of calls, crashes and changes of the pods, each zero was recorded
    /// before and right when it was sent, no number to restore is lost, and in the end the
    /// breaker does what it is for.
    #[test]
    fn a_bad_day_breaks_no_law(
        replicas in 1u32..5,
        policy in policies(),
        steps in days(step()),
        ill in any::<bool>(),
    ) {
        let mut day = day_of(replicas, &policy, &steps);
        converges(&mut day, ill, Day::violations)?;
    }

    /// Law: no write is wrong and no number lost either when the wall clock of the watcher is set.
    /// Without a window the clocks of the nodes do not matter.
    #[test]
    fn a_day_on_which_the_clock_is_set_breaks_no_law(
        policy in policies(),
        steps in days(prop_oneof![step(), set_clock()]),
    ) {
        let policy = Policy { window: Window::NONE, ..policy };
        let mut day = day_of(2, &policy, &steps);
        day.run_until(2 * BAD);
        prop_assert_eq!(day.violations(), [""; 0], "{:?}\n{}", day.scales(), day.seen.text());
    }

    /// Law: as on a bad day, with rivals, an unseen past and a target that is created again. The
    /// view may be a minute old.
    #[test]
    fn a_worse_day_breaks_no_law(
        replicas in 1u32..5,
        policy in policies(),
        steps in days(prop_oneof![step(), rare_step()]),
        ill in any::<bool>(),
    ) {
        let mut day = day_of(replicas, &policy, &steps);
        converges(&mut day, ill, |day| day.violations_of(seconds(62), true))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: Observe and Disabled never write a scale, whatever happens.
    #[test]
    fn on_a_bad_day_observe_and_disabled_write_no_scale(steps in days(step()), disabled in any::<bool>()) {
        let mode = if disabled { Mode::Enforce } else { Mode::Observe };
        let policy = with_hooks(Policy { mode, ..Policy::default() });
        let overrides = |step: &Step| matches!(step, Step::Command(Command::Override(_)));
        let steps: Vec<_> = steps.into_iter().filter(|(_, step)| !overrides(step)).collect();
        let mut day = day_of(3, &policy, &steps);
        if disabled {
            day.command(Command::Override(Override::Disabled));
            day.end_faults();
            day.run_until(5);
        }
        day.run_until(BAD);
        prop_assert_eq!(day.scales(), [0u32; 0], "{}", day.seen.text());
        prop_assert!(day.posted("before_trip").is_empty());
    }

    /// Law: nobody waits on the wall clock. However it is set, faults that end delay a trip by no
    /// more than their own time and half a minute.
    #[test]
    fn a_clock_that_steps_delays_no_trip(
        steps in prop::collection::vec((0i64..400, prop_oneof![-7200i64..7200, -60i64..60]), 0..4),
        outage in prop_oneof![Just(Fault::Refuse(Call::SaveRecord)), Just(Fault::BadGateway(Call::WriteScale)),
            Just(Fault::Deny(Call::WriteScale)), Just(Fault::Refuse(Call::ReadScale)), Just(Fault::Reject(Call::SaveRecord))],
        lasts in 1i64..240,
    ) {
        let policy = Policy { window: Window::NONE, ..with_hooks(Policy::default()) };
        let mut day = day_of(1, &policy, &[(150, Step::Lasting(lasts, outage))]);
        for (at, by) in &steps {
            day.plan(*at, Step::SetClock(*by));
        }
        // The longest pause between tries is five minutes.
        let due = 158.max(150 + lasts + lasts.min(300)) + 35;
        day.run_until(due);
        prop_assert_eq!(day.scales(), [0], "due at {}: {}", due, day.seen.text());
        prop_assert_eq!(day.violations(), [""; 0]);
    }

    /// Law: whoever is blind says so. While the pods cannot be seen, each heartbeat after the first
    /// 90 seconds says for how long.
    #[test]
    fn whoever_is_blind_says_so(at in 0i64..200, lasts in 91i64..900, ill in any::<bool>()) {
        let mut day = Day::new(2, Policy::default());
        day.plan(0, Step::Outage(ill));
        day.plan(at, Step::BreakWatch(lasts));
        day.run_until(1200);
        let blind = |secs: &i64| (at + 90..at + lasts).contains(secs);
        for (secs, event) in &day.seen.events {
            if let breaker_core::BreakerEvent::Heartbeat { blind: said, .. } = event {
                prop_assert!(!blind(secs) || said.is_some(), "{} s: {}", secs, event);
            }
        }
        prop_assert_eq!(day.violations_of(seconds(62), false), [""; 0]);
    }
}

/// Law: a hook that asks to hold is asked again with pauses, and each attempt has its own key; no
/// attempt ends in a zero until it lets pass.
#[test]
fn a_hook_that_holds_while_everything_else_fails_is_obeyed() {
    for call in [Call::SaveRecord, Call::ReadScale, Call::WriteScale] {
        for fault in faults(call) {
            let mut day = day_of(1, &with_hooks(Policy::default()), &[(170, Step::Lasting(100, fault))]);
            day.sim.with(|world| world.set_hook_says(HookDecision::Hold));
            day.run_until(600);
            assert_eq!(day.scales(), [0; 0], "{fault:?}: {}", day.seen.text());
            day.sim.with(|world| world.set_hook_says(HookDecision::Proceed));
            day.run_until(1300);
            assert_eq!(day.scales(), [0], "{fault:?}: {}", day.seen.text());
            day.audit();
        }
    }
}
