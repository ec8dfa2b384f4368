//! Scenarios of a workload on the in-memory cluster.

mod common;

use breaker_core::Policy;
use breaker_core::action::Command;
use breaker_core::policy::{CauseSet, Mode, Window};
use breaker_core::sim::{Call, Fault, Health};
use breaker_core::state::State;
use breaker_core::supervisor::{RunUntil, StopReason};
use common::{REFUSED, Watch, seconds};

#[test]
fn the_fourth_network_restart_trips_and_not_the_third() {
    let watch = Watch::with_replicas(1);
    watch.sim.after_secs(60, |world| world.set_health(Health::dies(REFUSED)));
    let seen = watch.until_tripped();
    assert_eq!(seen.end, Some(StopReason::Tripped { left: vec![] }));
    assert_eq!(
        seen.lines_with("network:refused swype-app"),
        [
            "1/3 network:refused swype-app-7c9f8d6b5-01357/app exit 1 \"dial tcp 10.96.0.7:8080: connect: connection refused\"; peer 10.96.0.7:8080",
            "2/3 network:refused swype-app-7c9f8d6b5-01357/app exit 1 \"dial tcp 10.96.0.7:8080: connect: connection refused\"; peer 10.96.0.7:8080",
            "3/3 network:refused swype-app-7c9f8d6b5-01357/app exit 1 \"dial tcp 10.96.0.7:8080: connect: connection refused\"; peer 10.96.0.7:8080",
            "4/3 network:refused swype-app-7c9f8d6b5-01357/app exit 1 \"dial tcp 10.96.0.7:8080: connect: connection refused\"; peer 10.96.0.7:8080",
        ]
    );
    assert_eq!(watch.sim.with(|world| world.scales_written().to_vec()), [0]);
    assert_eq!(watch.sim.with(|world| world.published()), ["Tripped"]);
}

#[test]
fn last_words_in_the_log_count_like_a_termination_message() {
    let watch = Watch::with_replicas(1);
    watch.sim.after_secs(60, |world| world.set_health(Health::dies(REFUSED).in_log_only()));
    assert!(watch.until_tripped().tripped());
}

#[test]
fn other_deaths_never_trip_and_are_held_with_the_causes_that_would() {
    for (case, health, causes) in [
        ("a bug", Health::dies("panic: index out of range"), "causes network,application"),
        ("nothing said", Health::dies("").with_exit(1, "Error"), "causes network,unknown"),
        ("killed", Health::dies("connection refused").with_exit(137, "OOMKilled"), "causes network,oom"),
        (
            "a failed probe behind network noise",
            Health::dies("connection refused").by_liveness_probe(),
            "causes network,probe",
        ),
    ] {
        let watch = Watch::with_replicas(1);
        watch.sim.after_secs(5, move |world| world.set_health(health));
        let seen = watch.for_minutes(120);
        assert_eq!(watch.sim.with(|world| world.scales_written().len()), 0, "{case}");
        let held = seen.lines_with("held: ");
        assert!(held.iter().any(|line| line.contains(causes)), "{case}: {held:?}");
    }
}

#[test]
fn one_bad_pod_of_three_never_trips_and_two_do_at_the_seventh_restart() {
    let watch = Watch::with_replicas(3);
    watch.sim.with(|world| world.set_pod_health(0, Health::dies(REFUSED)));
    watch.for_minutes(90);
    assert_eq!(watch.sim.with(|world| world.replicas()), 3);

    let watch = Watch::with_replicas(3);
    watch.sim.with(|world| world.set_pod_health(0, Health::dies(REFUSED)));
    watch.sim.with(|world| world.set_pod_health(1, Health::dies(REFUSED)));
    let seen = watch.until_tripped();
    assert!(seen.tripped());
    assert!(
        seen.lines_with("tripping").iter().all(|line| line.contains("7 network:refused restarts")),
        "{:?}",
        seen.lines
    );
}

#[test]
fn a_blip_that_restarts_each_of_ten_pods_once_does_not_trip() {
    let watch = Watch::with_replicas(10);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    watch.sim.after_secs(5, |world| world.set_health(Health::well()));
    let seen = watch.for_minutes(60);
    assert_eq!(seen.lines_with("network:refused").len() % 10, 0);
    assert_eq!(watch.sim.with(|world| world.replicas()), 10);
}

#[test]
fn a_watcher_started_late_counts_what_it_did_not_see() {
    let watch = Watch::with_replicas(1);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    watch.sim.sleep(seconds(200));
    assert!(watch.until_tripped().tripped());
}

#[test]
fn a_reset_restores_the_replicas_and_counts_from_zero() {
    let watch = Watch::with_replicas(3);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    assert!(watch.until_tripped().tripped());
    watch.sim.with(|world| world.set_health(Health::well()));
    assert_eq!(watch.command(Command::Reset).end, Some(StopReason::Settled));
    assert_eq!(watch.sim.with(|world| (world.replicas(), world.scales_written().to_vec())), (3, vec![0, 3]));
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    watch.sim.after_secs(3, |world| world.set_health(Health::well()));
    watch.for_minutes(10);
    assert_eq!(watch.sim.with(|world| world.replicas()), 3);
}

#[test]
fn pressing_the_button_needs_no_restart() {
    let watch = Watch::with_replicas(2);
    watch.command(Command::Press);
    assert_eq!(watch.sim.with(|world| world.replicas()), 0);
    watch.command(Command::Reset);
    assert_eq!(watch.sim.with(|world| world.replicas()), 2);
}

#[test]
fn somebody_who_scales_it_up_is_left_alone_and_named() {
    let watch = Watch::with_replicas(2);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    watch.sim.after_secs(700, |world| {
        world.set_health(Health::well());
        world.scale_by_hand(2, "kubectl-scale");
    });
    let seen = watch.for_minutes(60);
    assert_eq!(seen.lines_with("contested: kubectl-scale scaled it up to 2").len(), 1, "{:?}", seen.lines);
    assert_eq!(watch.sim.with(|world| world.replicas()), 2);
}

#[test]
fn a_contested_target_is_tripped_at_most_three_times_an_hour() {
    let watch = Watch::with_replicas(1);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    for minute in 1..60 {
        watch.sim.after_secs(minute * 60, |world| {
            if world.replicas() == 0 {
                world.scale_by_hand(1, "argocd-controller");
            }
        });
    }
    let seen = watch.for_minutes(59);
    assert_eq!(seen.lines_with("scaled to 0").len(), 3, "{:?}", seen.lines);
    assert_eq!(seen.lines_with("held: another client scales it up").len(), 1);
}

#[test]
fn an_old_revision_that_dies_during_the_roll_out_of_the_fix_does_not_trip() {
    let watch = Watch::with_replicas(1);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    watch.sim.after_secs(100, |world| world.roll_out("5b9d77c4f", 1, Health::well()));
    watch.sim.after_secs(500, |world| world.delete_pod(0));
    watch.for_minutes(30);
    assert_eq!(watch.sim.with(|world| world.scales_written().len()), 0);
}

#[test]
fn a_dry_run_says_what_it_would_do_once_and_writes_nothing() {
    let policy = Policy { mode: Mode::Observe, ..Policy::default() };
    let watch = Watch::with(1, policy);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    let seen = watch.for_minutes(30);
    assert_eq!(seen.lines_with("would trip").len(), 1);
    let written =
        watch.sim.with(|world| (world.scales_written().len(), world.record().is_some(), world.published()));
    assert_eq!(written, (0, false, vec![]));
}

#[test]
fn a_dry_run_reports_a_later_outage_again() {
    let watch = Watch::with(1, Policy { mode: Mode::Observe, ..Policy::default() });
    for (after_mins, health) in [
        (1, Health::dies(REFUSED)),
        (30, Health::well()),
        (240, Health::dies(REFUSED)),
        (270, Health::well()),
    ] {
        watch.sim.after_secs(after_mins * 60, move |world| world.set_health(health));
    }
    let seen = watch.for_minutes(480);
    assert_eq!(seen.lines_with("would trip").len(), 2, "{:#?}", seen.lines);
}

#[test]
fn faults_on_the_way_delay_a_trip_and_never_double_it() {
    for fault in [
        Fault::Conflict(Call::WriteScale),
        Fault::Refuse(Call::WriteScale),
        Fault::LoseAnswer(Call::WriteScale),
        Fault::Refuse(Call::SaveRecord),
        Fault::LoseAnswer(Call::SaveRecord),
        Fault::Conflict(Call::SaveRecord),
        Fault::Refuse(Call::ReadScale),
        Fault::Refuse(Call::PodEvents),
        Fault::Forbid(Call::PodEvents),
        Fault::Forbid(Call::LoadRecord),
        Fault::Forbid(Call::Publish),
        Fault::Refuse(Call::Publish),
        Fault::LoseAnswer(Call::Publish),
        Fault::Lag(Call::WriteScale, seconds(40)),
        Fault::DuplicateNews,
        Fault::DropNews,
    ] {
        let watch = Watch::with_replicas(1);
        watch.sim.after_secs(30, move |world| {
            world.set_health(Health::dies(REFUSED));
            world.fault(fault);
        });
        watch.sim.after_secs(300, |world| world.relist());
        let seen = watch.until_tripped();
        assert!(seen.tripped(), "{fault:?}: {:?}", seen.lines);
        assert_eq!(watch.sim.with(|world| world.scales_written().to_vec()), [0], "{fault:?}");
        assert_eq!(
            seen.lines_with("scaled to 0").len() + seen.lines_with("already at 0").len(),
            1,
            "{fault:?}"
        );
    }
}

#[test]
fn a_scale_that_is_refused_holds_one_trip_names_the_missing_rule_and_ends_a_command() {
    let watch = Watch::with_replicas(1);
    watch.sim.with(|world| {
        world.set_health(Health::dies(REFUSED));
        world.fault(Fault::Forbid(Call::WriteScale));
    });
    let seen = watch.for_minutes(30);
    assert_eq!(seen.lines_with("tripping").len(), 1, "{:?}", seen.lines);
    let held = seen.lines_with("held");
    assert!(held.len() == 1 && held[0].contains("missing rule: - {"), "{held:?}");
    let record = watch.sim.with(|world| world.record().cloned()).expect("a record");
    assert!(
        matches!(&record.state, State::Tripping { trip, .. } if trip.replicas == 1),
        "{:?}",
        record.state
    );

    let pressed = Watch::with_replicas(1);
    pressed.sim.with(|world| world.fault(Fault::Forbid(Call::WriteScale)));
    let error = pressed.command(Command::Press).error.expect("an error");
    assert!(error.missing_rule().is_some_and(|rule| rule.contains("patch")), "{error}");
    let record = pressed.sim.with(|world| world.record().cloned()).expect("a record");
    assert_eq!(record.state, State::Closed);
}

#[test]
fn without_a_stored_record_nothing_is_scaled_and_that_is_said() {
    let watch = Watch::with_replicas(1);
    watch.sim.with(|world| {
        world.set_health(Health::dies(REFUSED));
        world.fault(Fault::Forbid(Call::SaveRecord));
    });
    let seen = watch.for_minutes(30);
    assert!(watch.sim.with(|world| world.scales_written().is_empty()));
    assert_eq!(seen.lines_with("held: the record cannot be stored").len(), 1, "{:?}", seen.lines);
    assert_eq!(seen.lines_with("warning: the record cannot be stored").len(), 1, "{:?}", seen.lines);
}

#[test]
fn two_watchers_make_one_trip() {
    let watch = Watch::with_replicas(1);
    watch.sim.after_secs(30, |world| world.set_health(Health::dies(REFUSED)));
    let (one, two) = watch.two_until_tripped();
    assert!(one.tripped() && two.tripped(), "{:?}\n{:?}", one.lines, two.lines);
    assert_eq!(
        watch.sim.with(|world| (world.scales_written().to_vec(), world.published())),
        (vec![0], vec!["Tripped".into()])
    );
}

#[test]
fn a_deleted_target_is_lost_and_a_namesake_is_counted_from_zero() {
    let watch = Watch::with_replicas(1);
    watch.sim.after_secs(30, |world| world.delete_target(None));
    assert_eq!(watch.until_tripped().end, Some(StopReason::Lost));

    let watch = Watch::with_replicas(1);
    watch.sim.with(|world| world.set_health(Health::dies(REFUSED)));
    watch.sim.after_secs(60, |world| {
        world.set_health(Health::well());
        world.delete_target(Some("another-uid"));
    });
    watch.for_minutes(20);
    assert_eq!(watch.sim.with(|world| world.scales_written().len()), 0);
}

#[test]
fn the_plain_count_is_the_cause_set_any() {
    let policy = Policy { causes: CauseSet::ANY, window: Window::NONE, ..Policy::default() };
    let watch = Watch::with(1, policy);
    watch.sim.after_secs(30, |world| world.set_health(Health::dies("panic: index out of range")));
    assert!(watch.until_tripped().tripped());
}

#[test]
fn a_trip_interrupted_by_a_crash_ends_the_same() {
    for healed in [false, true] {
        for after in 0..24 {
            let watch = Watch::with_replicas(2);
            watch.sim.with(|world| {
                world.set_health(Health::dies(REFUSED));
                world.fault(Fault::Crash { after });
            });
            let first = watch.until(RunUntil::Tripped);
            if healed && watch.sim.with(|world| world.replicas()) > 0 {
                watch.sim.with(|world| world.set_health(Health::well()));
                watch.sim.sleep(seconds(1800));
                watch.for_minutes(10);
                let scaled = watch.sim.with(|world| world.scales_written().len());
                assert_eq!(scaled, 0, "after {after}: a healed service was shut down");
                continue;
            }
            let second = watch.until(RunUntil::Tripped);
            assert!(first.tripped() || second.tripped(), "after {after}: {:?}", second.lines);
            let world = watch.sim.with(|world| (world.scales_written().to_vec(), world.record().cloned()));
            assert_eq!(world.0, [0], "after {after}");
            assert_eq!(
                world.1.and_then(|record| record.state.trip().map(|trip| trip.replicas)),
                Some(2),
                "after {after}"
            );
        }
    }
}

#[test]
fn a_trip_that_cannot_be_carried_out_does_not_hit_a_service_that_has_healed_meanwhile() {
    for healed in [true, false] {
        let watch = Watch::with_replicas(1);
        watch.sim.with(|world| {
            world.set_health(Health::dies(REFUSED));
            (0..200).for_each(|_| world.fault(Fault::Refuse(Call::WriteScale)));
        });
        watch.sim.after_secs(100, move |world| {
            if healed {
                world.set_health(Health::well());
            }
        });
        let seen = watch.for_minutes(40);
        assert_eq!(watch.sim.with(|world| world.replicas()), u32::from(healed), "{:?}", seen.lines);
        assert_eq!(seen.lines_with("trip abandoned").is_empty(), !healed, "{:?}", seen.lines);
    }
}
