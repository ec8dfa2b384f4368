//! What happens to an open target while no pod shows it: it is created again, its storage goes back
//! to a backup, another client scales it.

mod common;

use breaker_core::action::Command;
use breaker_core::sim::{Call, Fault};
use breaker_core::state::Phase;
use breaker_core::{ClusterClient, Policy};
use common::day::{Day, Step, health};
use common::policies::half_open;
use common::seconds;

/// A target whose pods die by the network from the start. With one replica it trips at 158 s, with
/// three at 76 s.
fn outage(replicas: u32, policy: Policy) -> Day {
    let day = Day::new(replicas, policy);
    day.plan(0, Step::Outage(true));
    day
}

/// The version of the scale, which each conflict raises.
fn version(day: &Day) -> u64 {
    let scale = day.sim.run(day.sim.read_scale(day.sim.target()));
    scale.expect("no crash").expect("a scale").resource_version.parse().expect("a number")
}

#[test]
fn a_target_that_is_created_again_with_other_pods_while_none_is_left_is_watched() {
    for policy in [Policy::default(), half_open(Policy::default())] {
        let mut day = outage(1, policy);
        day.run_until(260);
        assert_eq!((day.replicas(), day.sim.with(|world| world.pods().len())), (0, 0));
        day.plan(261, Step::Replace);
        day.run_until(1500);
        let lines = day.seen.text();
        assert_eq!(day.seen.lines_with("created again").len(), 1, "{lines}");
        assert_eq!(day.replicas_at(600), 0, "{lines}");
        assert_eq!(day.violations_of(seconds(62), true), [""; 0], "{lines}");
    }
}

#[test]
fn a_backup_of_a_trial_is_taken_over_and_keeps_the_number() {
    // The trial begins at 94 s, and the breaker is open again from 106 s on.
    for (from, back) in [(95, 144), (96, 40), (100, 300)] {
        let mut day = outage(2, half_open(Policy::default()));
        day.plan(from, Step::GoBack(back));
        day.run_until(from + back + 200);
        let lines = day.seen.text();
        assert_eq!(day.seen.lines_with("contested"), [""; 0], "{lines}");
        assert_eq!(day.violations_of(seconds(62), true), [""; 0], "{lines}");
        day.sim.with(|world| world.set_health(health(false)));
        day.command(Command::Reset);
        day.run_until(from + back + 500);
        assert_eq!((day.replicas(), day.seen.last_snapshot().phase), (2, Phase::Closed), "{lines}");
    }
}

#[test]
fn a_target_that_is_scaled_up_while_the_watch_is_silent_is_contested() {
    for replicas in [1, 3] {
        let mut day = outage(1, half_open(Policy::default()));
        day.plan(170, Step::StallWatch(600));
        day.plan(171, Step::ScaleByHand(replicas));
        day.run_until(600);
        let lines = day.seen.text();
        assert_eq!(day.seen.lines_with("contested: kubectl").len(), 1, "{lines}");
        assert_eq!(day.violations_of(seconds(62), true), [""; 0], "{lines}");
    }
}

#[test]
fn a_backup_from_before_the_trip_is_noticed_although_the_watch_is_silent() {
    let mut day = outage(1, half_open(Policy::default()));
    day.plan(64, Step::StallWatch(113));
    day.plan(105, Step::GoBack(70));
    day.run_until(1500);
    assert_eq!(day.violations_of(seconds(62), true), [""; 0], "{}", day.seen.text());
}

#[test]
fn saves_that_conflict_again_and_again_have_pauses() {
    for call in [Call::SaveRecord, Call::WriteScale] {
        let mut day = outage(1, Policy::default());
        day.plan(150, Step::Lasting(300, Fault::Conflict(call)));
        day.run_until(150);
        let before = version(&day);
        day.run_until(450);
        let conflicts = version(&day) - before;
        assert!((10..120).contains(&conflicts), "{call:?}: {conflicts} in 300 s");
    }
}

#[test]
fn a_target_found_at_zero_that_no_record_explains_is_named_once() {
    let mut day = Day::new(1, Policy::default());
    day.sim.with(|world| world.scale_by_hand(0, "kubectl"));
    day.run_until(300);
    assert_eq!(day.seen.lines_with("a reset restores none").len(), 1, "{}", day.seen.text());
    let mut day = outage(1, Policy::default());
    day.run_until(260);
    // The next watcher has the Record of the trip.
    day.run_until(500);
    assert_eq!(day.seen.lines_with("a reset restores none"), [""; 0], "{}", day.seen.text());
}
