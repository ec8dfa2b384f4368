//! Events as JSON: an event is read back equal, and the keys are those of the documentation.

mod common;

use breaker_core::action::Command;
use breaker_core::event::HookOutcome;
use breaker_core::policy::{CauseSet, Mode};
use breaker_core::record::NotificationKind;
use breaker_core::sim::Health;
use breaker_core::snapshot::{HoldReason, Snapshot};
use breaker_core::state::{Override, Phase};
use breaker_core::verdict::UnknownReason;
use breaker_core::webhook::CloudEvent;
use breaker_core::{BreakerEvent, Policy, Record};
use common::{REFUSED, Watch};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn read_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> serde_json::Value {
    let json = serde_json::to_value(value).unwrap();
    let back: T = serde_json::from_value(json.clone()).unwrap_or_else(|e| panic!("{json}: {e}"));
    assert_eq!(back, *value, "{json}");
    json
}

#[test]
fn every_event_of_an_outage_is_read_back_equal() {
    let watch = Watch::with(2, Policy { mode: Mode::Enforce, ..Policy::default() });
    watch.sim.after_secs(30, |world| world.set_health(Health::dies("panic: a bug")));
    watch.sim.after_secs(900, |world| world.set_health(Health::dies(REFUSED)));
    let tripped = watch.until_tripped();
    let reset = watch.command(Command::Reset);
    let mut kinds = Vec::new();
    for event in tripped.notices.iter().chain(&reset.notices) {
        kinds.push(read_back(event)["event"].as_str().unwrap_or_default().to_owned());
    }
    for kind in ["watching", "restart", "held", "tripping", "scaled", "already_open", "restored"] {
        assert!(kinds.iter().any(|seen| seen == kind), "{kind}: {kinds:?}");
    }
    let record = watch.sim.with(|world| world.record().cloned()).unwrap();
    read_back::<Record>(&record);
}

#[test]
fn the_keys_of_a_hold_and_of_a_restart_lie_flat_beside_the_event() {
    let watch = Watch::with(1, Policy { causes: "oom".parse::<CauseSet>().unwrap(), ..Policy::default() });
    watch.sim.after_secs(5, |world| world.set_health(Health::dies(REFUSED)));
    let seen = watch.for_minutes(60);
    let held = seen.notices.iter().find(|event| matches!(event, BreakerEvent::Held(_))).unwrap();
    let json = read_back(held);
    assert_eq!((&json["reason"], &json["counted"]), (&"causes".into(), &0.into()), "{json}");
    assert_eq!(json["wouldTripWith"], serde_json::json!(["network", "oom"]), "{json}");
    let restart = seen.notices.iter().find(|event| matches!(event, BreakerEvent::Restart(_))).unwrap();
    let json = read_back(restart);
    assert_eq!((&json["threshold"], &json["counts"]), (&3.into(), &false.into()), "{json}");
    assert_eq!((&json["cause"], &json["kind"]), (&"network".into(), &"refused".into()), "{json}");
}

#[test]
fn each_word_is_written_as_its_type_names_it() {
    fn check<T: Serialize>(all: impl IntoIterator<Item = T>, name: fn(&T) -> &'static str) {
        for value in all {
            assert_eq!(serde_json::to_value(&value).unwrap(), name(&value));
        }
    }
    check(Phase::ALL, |phase| phase.as_str());
    check(HoldReason::ALL, |reason| reason.as_str());
    check(HookOutcome::ALL, |outcome| outcome.as_str());
    check(NotificationKind::ALL, |kind| kind.as_str());
    check(UnknownReason::ALL, |reason| reason.as_str());
    check([Override::Auto, Override::ForcedOpen, Override::Disabled], |set| set.as_str());
    for reason in HoldReason::ALL {
        assert_eq!(reason.condition_reason().to_lowercase(), reason.as_str().replace('_', ""));
    }
}

#[test]
fn a_snapshot_and_a_message_are_read_back_equal() {
    let watch = Watch::with_replicas(1);
    watch.sim.after_secs(5, |world| world.set_health(Health::dies("panic: a bug")));
    let seen = watch.for_minutes(60);
    let held = seen.snapshots.iter().find(|snapshot| snapshot.hold.is_some()).unwrap();
    let json = read_back::<Snapshot>(held);
    assert_eq!((&json["phase"], &json["hold"]["reason"]), (&"Closed".into(), &"causes".into()), "{json}");
    let mut notified = Watch::with_replicas(1);
    notified.policy.hooks.notify = vec![breaker_core::webhook::Endpoint::new("https://example.org/hook")];
    notified.sim.after_secs(5, |world| world.set_health(Health::dies(REFUSED)));
    notified.until_tripped();
    let message = notified.posted("tripped").remove(0);
    let json = read_back::<CloudEvent>(&message);
    assert_eq!((&json["specversion"], &json["data"]["replicas"]), (&"1.0".into(), &1.into()), "{json}");
}

/// The observer gets the snapshots that the breaker returns, and none twice.
#[test]
fn a_snapshot_comes_with_each_change_and_only_then() {
    let watch = Watch::with_replicas(3);
    watch.sim.after_secs(30, |world| world.set_health(Health::dies(REFUSED)));
    let seen = watch.until_tripped();
    assert!(seen.snapshots.windows(2).all(|pair| pair[0] != pair[1]));
    let phases: Vec<_> = seen.snapshots.iter().map(|snapshot| snapshot.phase).collect();
    assert_eq!((phases.first(), phases.last()), (Some(&Phase::Closed), Some(&Phase::Open)));
    assert!(phases.contains(&Phase::Tripping));
    let highest = seen.snapshots.iter().map(|snapshot| snapshot.counts.counted).max();
    assert!(highest > Some(6), "{highest:?}");
    assert_eq!(seen.snapshots.last().map(|snapshot| snapshot.counts.counted), Some(0));
}
