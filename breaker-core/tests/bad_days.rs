//! Bad days of a cluster, one kind each: lost and late answers, refusals, rivals, storage that goes
//! back. The auditor judges each write by what was true when it was sent.

mod common;

use breaker_core::Policy;
use breaker_core::action::Command;
use breaker_core::sim::{Call, Fault, Oddity};
use breaker_core::snapshot::Snapshot;
use breaker_core::state::{Override, Phase, State};
use common::day::{Day, Step, health};
use common::policies::{half_open, with_hooks};
use common::seconds;
use jiff::SignedDuration;

/// When one pod that dies from the start has restarted for the fourth time, which trips.
const FOURTH: i64 = 158;

/// A target whose pods die by the network from the start. With one replica it trips at
/// [`FOURTH`], with three at 76 s.
fn outage(replicas: u32) -> Day {
    outage_with(replicas, Policy::default())
}

fn outage_with(replicas: u32, policy: Policy) -> Day {
    let day = Day::new(replicas, policy);
    day.plan(0, Step::Outage(true));
    day
}

/// The outage ends, a person resets, and the replicas are back.
#[track_caller]
fn a_reset_restores(day: &mut Day, replicas: u32) {
    day.end_faults();
    day.sim.with(|world| world.set_health(health(false)));
    day.command(Command::Reset);
    day.run_until(day.now() + 600);
    assert_eq!(day.replicas(), replicas, "{}", day.seen.text());
    day.audit();
}

/// Says a hold, and the reason contains this.
fn holds(snapshot: &Snapshot, word: &str) -> bool {
    snapshot.hold.as_ref().is_some_and(|hold| hold.why.to_lowercase().contains(word))
}

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// Each way in which a call can end without a right answer, for this call.
fn unclear(call: Call) -> [Fault; 6] {
    [
        Fault::Refuse(call),
        Fault::LoseAnswer(call),
        Fault::TimeOut(call, seconds(1)),
        Fault::TimeOut(call, MINUTE),
        Fault::BadGateway(call),
        Fault::GarbleAnswer(call),
    ]
}

#[test]
fn a_lost_answer_of_the_scale_write_loses_neither_the_trip_nor_the_number() {
    for fault in unclear(Call::WriteScale) {
        let mut day = outage(3);
        day.plan(0, Step::Fault(0, fault));
        day.run_until(600);
        assert_eq!(day.replicas(), 0, "{fault:?}: {}", day.seen.text());
        assert_eq!(day.seen.last_snapshot().phase, Phase::Open, "{fault:?}");
        a_reset_restores(&mut day, 3);
    }
}

#[test]
fn a_lost_answer_of_a_record_save_neither_trips_without_a_record_nor_prevents_the_trip() {
    for fault in unclear(Call::SaveRecord) {
        for nth in 0..8 {
            let mut day = outage(3);
            day.plan(0, Step::Fault(nth, fault));
            day.run_until(600);
            assert_eq!(day.replicas(), 0, "{fault:?} {nth}: {}", day.seen.text());
            day.audit();
            a_reset_restores(&mut day, 3);
        }
    }
}

#[test]
fn refused_saves_of_the_record_hold_the_trip_until_they_end() {
    for fault in
        [Fault::Deny(Call::SaveRecord), Fault::Reject(Call::SaveRecord), Fault::NotFound(Call::SaveRecord)]
    {
        let mut day = outage(1);
        day.plan(100, Step::Lasting(500, fault));
        day.run_until(1200);
        assert_eq!(day.replicas_at(590), 1, "{fault:?}: {}", day.seen.text());
        assert!(holds(day.seen.snapshot_at(590), "record"), "{fault:?}: {:?}", day.seen.snapshot_at(590));
        assert_eq!(day.scales(), [0], "{fault:?}: {}", day.seen.text());
        assert_eq!(day.seen.lines_with(" s held: ").len(), 1, "{fault:?}: {}", day.seen.text());
        a_reset_restores(&mut day, 1);
    }
}

#[test]
fn a_record_that_becomes_unreadable_holds_the_trip_until_it_is_mended() {
    let mut day = outage(1);
    day.plan(40, Step::DamageRecord(600));
    day.run_until(1300);
    assert_eq!(day.replicas_at(600), 1, "{}", day.seen.text());
    assert!(holds(day.seen.snapshot_at(600), "record"), "{:?}", day.seen.snapshot_at(600));
    assert_eq!(day.scales(), [0], "{}", day.seen.text());
    a_reset_restores(&mut day, 1);
}

/// The trip is decided, and its Record takes this time.
fn slow_record(replicas: u32, lag: i64) -> Day {
    let day = outage(replicas);
    day.plan(FOURTH - 1, Step::Lasting(1, Fault::Lag(Call::SaveRecord, seconds(lag))));
    // The saves of restarts before the last one are done.
    day.plan(FOURTH, Step::Fault(0, Fault::Lag(Call::SaveRecord, seconds(lag))));
    day
}

#[test]
fn pods_that_have_healed_between_the_decision_and_the_write_are_not_shut_down() {
    for (lag, healed) in [(30, 165), (50, 190), (900, 165), (1500, 200)] {
        let mut day = slow_record(1, lag);
        day.plan(healed, Step::Outage(false));
        // A new pod is healthy at once; the old one is after ten minutes.
        if lag < 600 {
            day.sim.after_secs(healed + 1, |world| world.delete_pod(0));
        }
        day.run_until(3600);
        assert_eq!(day.replicas(), 1, "{lag} {healed}: {}", day.seen.text());
        day.audit();
    }
}

#[test]
fn a_roll_out_between_the_decision_and_the_write_ends_the_trip() {
    for lag in [20, 59, 90, 300] {
        let mut day = slow_record(1, lag);
        day.plan(FOURTH + 5, Step::RollOut(1, false));
        day.run_until(3600);
        assert_eq!(day.replicas(), 1, "{lag}: {}", day.seen.text());
        day.audit();
    }
}

#[test]
fn a_rival_between_the_decision_and_the_write_gets_its_number_back() {
    for lag in [20, 59, 90] {
        let mut day = slow_record(1, lag);
        day.plan(FOURTH + 5, Step::ScaleByHand(4));
        day.run_until(1800);
        day.audit();
        assert_eq!(day.replicas(), 0, "{lag}: {}", day.seen.text());
        a_reset_restores(&mut day, 4);
    }
}

#[test]
fn a_scale_write_that_is_refused_for_ten_minutes_is_one_trip_with_one_key_and_one_hold() {
    for fault in [Fault::Deny(Call::WriteScale), Fault::Reject(Call::WriteScale)] {
        let mut day = outage_with(1, with_hooks(Policy::default()));
        day.plan(100, Step::Lasting(600, fault));
        day.run_until(1300);
        let lines = day.seen.text();
        let snapshot = day.seen.snapshot_at(690);
        assert!(snapshot.hold.is_some(), "{fault:?}: {snapshot:?} {lines}");
        assert_eq!(day.replicas_at(690), 1);
        assert_eq!(day.scales(), [0], "{fault:?}: {lines}");
        assert_eq!(day.posted("before_trip").len(), 1, "{fault:?}: {lines}");
        assert_eq!((day.posted("held").len(), day.posted("abandoned").len()), (1, 0), "{fault:?}: {lines}");
        assert_eq!(day.posted("tripped").len(), 1, "{fault:?}: {lines}");
        assert_eq!(day.ends, 0, "{fault:?}: the watcher ended: {lines}");
        a_reset_restores(&mut day, 1);
    }
}

#[test]
fn a_restore_that_is_refused_for_ten_minutes_is_carried_out_then() {
    for fault in [Fault::Deny(Call::WriteScale), Fault::Reject(Call::WriteScale)] {
        let mut day = outage(3);
        day.plan(201, Step::Outage(false));
        day.plan(202, Step::Lasting(600, fault));
        day.plan(203, Step::Command(Command::Reset));
        day.run_until(1500);
        assert_eq!(day.scales(), [0, 3], "{fault:?}: {}", day.seen.text());
        assert_eq!(day.seen.last_snapshot().phase, Phase::Closed);
        day.audit();
    }
}

#[test]
fn a_trial_pod_that_waits_for_a_node_is_not_a_trial_that_survived() {
    for pending in [20, 150, 900] {
        let mut day = outage_with(3, half_open(Policy::default()));
        day.plan(80, Step::Pending(pending));
        day.run_until(1500);
        let lines = day.seen.text();
        assert!(!day.scales().contains(&3), "{pending}: {lines}");
        assert!(day.scales().starts_with(&[0, 1, 0]), "{pending}: {lines}");
        day.audit();
    }
}

#[test]
fn a_trial_lasts_as_long_as_the_policy_says_from_the_first_start_of_its_container() {
    for pending in [0, 90, 600] {
        let mut day = outage_with(3, half_open(Policy::default()));
        day.plan(77, Step::Outage(false));
        day.plan(77, Step::Pending(pending));
        day.run_until(1800);
        let at = |replicas| {
            let changes = day.sim.with(|world| world.changes().to_vec());
            let is = |change: &&breaker_core::sim::Change| {
                change.kind == breaker_core::sim::ChangeKind::Scaled(replicas)
            };
            changes.iter().find(is).map(|change| change.at).expect("written")
        };
        let trial = at(3).duration_since(at(1)).as_secs();
        assert!((120 + pending..=125 + pending).contains(&trial), "{pending}: {trial}");
        day.audit();
    }
}

#[test]
fn a_list_that_comes_late_buries_no_pod() {
    for late in [5, 30] {
        let mut day = Day::new(2, Policy::default());
        day.plan(10, Step::LateList(late));
        day.sim.after_secs(11, |world| {
            world.set_health(health(true));
            world.delete_pod(0);
            world.delete_pod(0);
        });
        day.run_until(600);
        assert_eq!(day.scales(), [0], "{late}: {}", day.seen.text());
        a_reset_restores(&mut day, 2);
    }
}

#[test]
fn the_pods_of_a_target_that_was_created_again_with_another_selector_are_counted() {
    let mut day = Day::new(2, Policy::default());
    day.plan(30, Step::Replace);
    day.plan(40, Step::Outage(true));
    day.run_until(900);
    assert_eq!(day.scales(), [0], "{}", day.seen.text());
    a_reset_restores(&mut day, 2);
}

#[test]
fn the_pods_of_another_selector_are_counted_while_an_old_pod_is_still_terminating() {
    let mut day = Day::new(2, Policy::default());
    day.sim.after_secs(30, |world| {
        world.set_grace(SignedDuration::from_hours(1));
        world.replace_target("uid-of-another", 2, "app=another");
    });
    day.plan(40, Step::Outage(true));
    day.run_until(900);
    assert_eq!(day.scales(), [0], "{}", day.seen.text());
    a_reset_restores(&mut day, 2);
}

#[test]
fn a_selector_that_is_changed_is_followed() {
    let mut day = Day::new(2, Policy::default());
    day.sim.after_secs(30, |world| world.set_selector("app=other"));
    day.plan(40, Step::Outage(true));
    day.run_until(900);
    assert_eq!(day.scales(), [0], "{}", day.seen.text());
    a_reset_restores(&mut day, 2);
}

#[test]
fn storage_that_goes_back_to_before_the_trip_trips_again() {
    let mut day = outage(1);
    day.plan(150, Step::GoBack(150));
    day.run_until(3000);
    assert_eq!(day.replicas(), 0, "{}", day.seen.text());
    assert_eq!(day.violations_of(seconds(60), true), [""; 0], "{}", day.seen.text());
    day.end_faults();
    day.sim.with(|world| world.set_health(health(false)));
    day.command(Command::Reset);
    day.run_until(3600);
    assert_eq!(day.replicas(), 1, "{}", day.seen.text());
}

#[test]
fn storage_that_goes_back_to_before_a_reset_does_not_lose_the_number() {
    for restart in [false, true] {
        let mut day = outage(3);
        day.plan(200, Step::GoBack(200));
        day.plan(201, Step::Outage(false));
        day.plan(210, Step::Command(Command::Reset));
        if restart {
            day.plan(405, Step::Fault(0, Fault::Crash { after: 0 }));
        }
        day.run_until(900);
        assert_eq!(day.replicas_at(390), 3);
        let lines = day.seen.text();
        let removed = |state: &State| state.trip().map(|trip| trip.replicas);
        let known = day.sim.with(|world| world.record().and_then(|record| removed(&record.state)));
        assert!(day.replicas() == 3 || known == Some(3), "{restart}: {lines}");
        day.command(Command::Reset);
        day.run_until(1500);
        assert_eq!(day.replicas(), 3, "{restart}: {lines}");
        assert_eq!(day.violations_of(seconds(60), true), [""; 0], "{restart}: {lines}");
    }
}

#[test]
fn one_404_of_the_scale_does_not_end_the_watch() {
    for nth in 0..4 {
        let mut day = outage(1);
        // The read at the start is the first one.
        day.plan(0, Step::Fault(nth + 1, Fault::NotFound(Call::ReadScale)));
        day.run_until(600);
        let lines = day.seen.text();
        assert_eq!((day.ends, day.scales()), (0, vec![0]), "{nth}: {lines}");
        a_reset_restores(&mut day, 1);
    }
}

#[test]
fn a_press_during_a_restore_ends_at_zero() {
    for (call, lag) in [(Call::SaveRecord, 20), (Call::WriteScale, 20), (Call::ReadScale, 20)] {
        for fault in [Fault::Lag(call, seconds(lag)), Fault::DelayAnswer(call, seconds(lag))] {
            let mut day = outage(3);
            day.plan(201, Step::Outage(false));
            day.plan(202, Step::Fault(0, fault));
            day.plan(203, Step::Command(Command::Reset));
            day.plan(210, Step::Command(Command::Press));
            day.run_until(600);
            assert_eq!(day.replicas(), 0, "{fault:?}: {}", day.seen.text());
            day.audit();
            a_reset_restores(&mut day, 3);
        }
    }
}

#[test]
fn a_reset_during_a_trip_whose_answer_is_late_ends_with_the_replicas() {
    let call = Call::WriteScale;
    let late = seconds(30);
    for fault in [
        Fault::Lag(call, late),
        Fault::DelayAnswer(call, late),
        Fault::TimeOut(call, late),
        Fault::LoseAnswer(call),
        Fault::GarbleAnswer(call),
    ] {
        let mut day = outage(3);
        day.plan(0, Step::Fault(0, fault));
        // The trip comes at 76 s.
        day.plan(77, Step::Outage(false));
        day.plan(78, Step::Command(Command::Reset));
        day.run_until(900);
        assert_eq!(day.replicas(), 3, "{fault:?}: {}", day.seen.text());
        assert_eq!(day.seen.last_snapshot().phase, Phase::Closed, "{fault:?}");
        day.audit();
    }
}

#[test]
fn a_breaker_that_is_disabled_while_a_trial_fails_writes_no_scale() {
    for fault in [Fault::Lag(Call::SaveRecord, seconds(30)), Fault::Refuse(Call::WriteScale)] {
        let mut day = outage_with(3, half_open(Policy::default()));
        // The trial starts at 136 s, and its first counted restart comes at 148 s.
        day.plan(145, Step::Lasting(30, fault));
        day.plan(155, Step::Command(Command::Override(Override::Disabled)));
        day.run_until(1800);
        assert_eq!(day.scales(), [0, 1], "{fault:?}: {}", day.seen.text());
        day.audit();
    }
}

#[test]
fn a_write_that_takes_effect_when_the_pods_have_healed_is_known_and_can_be_undone() {
    for late in [15, 60, 110] {
        let mut day = outage(3);
        day.plan(0, Step::Fault(0, Fault::TimeOut(Call::WriteScale, seconds(late))));
        day.plan(77, Step::Outage(false));
        day.sim.after_secs(80, |world| (0..3).for_each(|_| world.delete_pod(0)));
        day.run_until(900);
        let lines = day.seen.text();
        if day.replicas() == 0 {
            assert_eq!(day.seen.last_snapshot().phase, Phase::Open, "{late}: {lines}");
            a_reset_restores(&mut day, 3);
        }
        day.audit();
        assert_eq!(day.replicas(), 3, "{late}: {lines}");
    }
}

#[test]
fn a_pod_that_cannot_be_read_is_named_and_hides_no_other() {
    for oddity in [Oddity::RestartCount, Oddity::LastState, Oddity::StartedAt, Oddity::Created] {
        let mut day = Day::new(3, Policy::default());
        day.sim.with(|world| world.set_pod_oddity(0, Some(oddity)));
        day.plan(30, Step::Outage(true));
        day.run_until(900);
        let lines = day.seen.text();
        assert_eq!(day.replicas(), 0, "{oddity:?}: {lines}");
        assert_eq!(day.seen.lines_with("cannot be read completely").len(), 1, "{oddity:?}: {lines}");
        a_reset_restores(&mut day, 3);
    }
}

#[test]
fn a_breaker_that_is_blind_says_so_in_each_heartbeat_and_trips_when_it_sees_again() {
    let mut day = Day::new(1, Policy::default());
    day.plan(30, Step::BreakWatch(600));
    day.plan(40, Step::Outage(true));
    day.run_until(1200);
    let lines = day.seen.text();
    assert_eq!(day.seen.lines_with("blind for").len(), 10, "{lines}");
    assert_eq!(day.scales(), [0], "{lines}");
    a_reset_restores(&mut day, 1);
}

#[test]
fn a_storm_of_conflicts_delays_a_trip_and_repeats_nothing() {
    for call in [Call::WriteScale, Call::SaveRecord] {
        let mut day = outage_with(1, with_hooks(Policy::default()));
        day.plan(100, Step::Lasting(300, Fault::Conflict(call)));
        day.run_until(1200);
        let lines = day.seen.text();
        assert_eq!(day.scales(), [0], "{call:?}: {lines}");
        assert_eq!(
            (day.posted("before_trip").len(), day.posted("tripped").len()),
            (1, 1),
            "{call:?}: {lines}"
        );
        a_reset_restores(&mut day, 1);
    }
}

#[test]
fn a_trip_that_cannot_go_on_says_what_it_waits_for() {
    for call in [Call::SaveRecord, Call::ReadScale, Call::WriteScale] {
        let failures = [
            Fault::Refuse(call),
            Fault::BadGateway(call),
            Fault::GarbleAnswer(call),
            Fault::Deny(call),
            Fault::Reject(call),
            Fault::NotFound(call),
        ];
        for fault in failures.into_iter().filter(|fault| *fault != Fault::NotFound(Call::ReadScale)) {
            let mut day = outage_with(1, with_hooks(Policy::default()));
            day.plan(100, Step::Lasting(600, fault));
            day.run_until(1300);
            let lines = day.seen.text();
            let took_effect = day.replicas_at(690) == 0;
            let snapshot = day.seen.snapshot_at(FOURTH + 120);
            assert!(took_effect || snapshot.hold.is_some(), "{fault:?}: {snapshot:?} {lines}");
            assert_eq!(day.scales(), [0], "{fault:?}: {lines}");
            assert_eq!(day.posted("before_trip").len(), 1, "{fault:?}: {lines}");
            a_reset_restores(&mut day, 1);
        }
    }
}

#[test]
fn a_trip_whose_pods_cannot_be_listed_says_so() {
    for fault in
        [Fault::Refuse(Call::ListPods), Fault::BadGateway(Call::ListPods), Fault::Deny(Call::ListPods)]
    {
        let mut day = outage(1);
        // The view is stale when the fourth restart is seen.
        day.plan(90, Step::StallWatch(100));
        day.plan(90, Step::Lasting(600, fault));
        day.run_until(1300);
        let snapshot = day.seen.snapshot_at(FOURTH + 120);
        assert!(snapshot.hold.is_some(), "{fault:?}: {snapshot:?} {}", day.seen.text());
        assert_eq!(day.scales(), [0], "{fault:?}: {}", day.seen.text());
        day.audit();
        a_reset_restores(&mut day, 1);
    }
}

#[test]
fn a_trial_that_dies_fails_although_the_clocks_of_watcher_and_node_differ() {
    for ahead in [-3600, -300, 300, 3600] {
        let policy = Policy { window: breaker_core::policy::Window::NONE, ..half_open(Policy::default()) };
        let mut day = outage_with(3, policy);
        day.plan(100, Step::SetClock(ahead));
        day.run_until(1500);
        let lines = day.seen.text();
        assert!(day.scales().starts_with(&[0, 1, 0]), "{ahead}: {:?} {lines}", day.scales());
        assert!(!day.scales().contains(&3), "{ahead}: {lines}");
    }
}

#[test]
fn a_reset_while_a_failed_trial_opens_again_restores_all() {
    for call in [Call::SaveRecord, Call::WriteScale] {
        for fault in
            [Fault::Lag(call, seconds(30)), Fault::DelayAnswer(call, seconds(30)), Fault::Refuse(call)]
        {
            let mut day = outage_with(3, half_open(Policy::default()));
            // The trial starts at 136 s, and its first counted restart comes at 148 s.
            day.plan(147, Step::Lasting(10, fault));
            day.plan(151, Step::Outage(false));
            day.plan(152, Step::Command(Command::Reset));
            day.run_until(900);
            assert_eq!(day.replicas(), 3, "{fault:?}: {:?} {}", day.scales(), day.seen.text());
            day.audit();
        }
    }
}

#[test]
fn a_press_that_is_refused_is_told_and_does_nothing_later() {
    for fault in [Fault::Deny(Call::WriteScale), Fault::Reject(Call::WriteScale)] {
        let mut day = Day::new(3, Policy::default());
        day.plan(5, Step::Lasting(60, fault));
        day.plan(10, Step::Command(Command::Press));
        day.run_until(900);
        let lines = day.seen.text();
        assert_eq!(day.scales(), [0; 0], "{fault:?}: {lines}");
        assert_eq!(day.seen.lines_with("trip abandoned").len(), 1, "{fault:?}: {lines}");
        assert_eq!(day.seen.last_snapshot().phase, Phase::Closed, "{fault:?}: {lines}");
    }
}

#[test]
fn storage_that_goes_back_counts_no_restart_twice() {
    for (backup, restored) in [(15, 50), (40, 100), (80, 140)] {
        let mut day = outage(1);
        // Three restarts at most have come until then, and no more will.
        day.plan(backup, Step::GoBack(restored - backup));
        day.plan(restored - 1, Step::Outage(false));
        day.run_until(900);
        assert_eq!(day.scales(), [0; 0], "{backup}: {}", day.seen.text());
        let counted = day.seen.snapshot_at(restored + 10).counts.counted;
        assert!(counted <= 3, "{backup}: {counted} {}", day.seen.text());
    }
}

#[test]
fn replicas_of_another_client_are_no_trial_although_they_are_as_many() {
    let mut day = outage_with(3, half_open(Policy::default()));
    // The breaker opens at 76 s; at the end of the cool-down it does not see the new pod.
    day.plan(100, Step::StallWatch(200));
    day.plan(120, Step::ScaleByHand(1));
    day.run_until(140);
    assert_eq!(day.scales(), [0], "{}", day.seen.text());
    let contested = day.seen.text().lines().filter(|line| line.contains("contested")).count();
    assert_eq!(contested, 1, "{}", day.seen.text());
}

#[test]
fn a_trial_is_not_judged_by_an_old_view() {
    let mut day = outage_with(3, half_open(Policy::default()));
    // The trial starts at 136 s, and its pod dies from 138 s on.
    day.plan(137, Step::StallWatch(170));
    day.run_until(900);
    let lines = day.seen.text();
    assert!(!day.scales().contains(&3), "{:?} {lines}", day.scales());
    day.audit();
}

#[test]
fn a_write_under_way_does_not_make_the_breaker_read_without_end() {
    let mut day = outage(2);
    // The trip comes at 34 s. The pods of the new target are at the limit before the write to the
    // old one is answered.
    day.plan(0, Step::Fault(0, Fault::Lag(Call::WriteScale, seconds(300))));
    day.plan(40, Step::Replace);
    day.run_until(1500);
    assert_eq!(day.replicas(), 0, "{}", day.seen.text());
    a_reset_restores(&mut day, 2);
}
