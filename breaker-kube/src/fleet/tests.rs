use breaker_core::record::Contested;
use breaker_core::snapshot::{Counts, Hold, HoldReason};
use breaker_core::state::{Override, State, Trip, TripReason};
use breaker_core::{BreakerEvent, Record};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::resource::PartialBreaker;
use super::status::{ConditionState, StatusModel};
use crate::crd::{CircuitBreakerStatus, Condition};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn watching() -> StatusModel {
    let mut sheet = StatusModel::of(CircuitBreakerStatus::default(), Some(1));
    sheet.ready = ConditionState::new(true, "Watching", "watching");
    sheet.target_found = Some(ConditionState::new(true, "Found", "sre/deployment/swype-app"));
    sheet
}

fn with(sheet: &mut StatusModel, record: &Record, second: i64) -> CircuitBreakerStatus {
    sheet.status(Some((record, serde_json::to_value(record).unwrap())), at(second))
}

fn find(status: &CircuitBreakerStatus, kind: &str) -> Option<Condition> {
    status.conditions.iter().find(|condition| condition.kind == kind).cloned()
}

fn open(since: i64) -> Record {
    let because = TripReason {
        counts: Counts { counted: 4, threshold: 3, ..Counts::default() },
        cause: "network:refused".into(),
        quote: "connection refused".into(),
        ..TripReason::default()
    };
    let state = State::Open { since: at(since), trip: Trip { replicas: 2, because } };
    Record { state, episode: 2, ..Record::default() }
}

fn held() -> BreakerEvent {
    BreakerEvent::Held(Hold {
        reason: HoldReason::OneNode,
        total: 4,
        counts: Counts { counted: 4, threshold: 3, ..Counts::default() },
        why: "all on node-a".into(),
        would_trip_with: None,
    })
}

#[test]
fn a_watched_breaker_without_a_record_is_closed_and_one_that_is_not_watched_has_no_phase() {
    let status = watching().status(None, at(0));
    assert_eq!((status.phase.as_deref(), status.counted), (Some("Closed"), Some(0)));
    let mut idle = StatusModel::of(CircuitBreakerStatus::default(), Some(1));
    let status = idle.status(None, at(0));
    assert_eq!((status.phase.as_deref(), status.counted), (None, None));
    assert_eq!(find(&status, "Ready").unwrap().reason, "Starting");
}

#[test]
fn a_condition_keeps_its_time_until_its_status_changes() {
    let mut sheet = watching();
    let first = sheet.status(None, at(0));
    sheet.ready = ConditionState::new(true, "Observing", "observing");
    let later = sheet.status(None, at(60));
    assert_eq!(find(&later, "Ready").unwrap().reason, "Observing");
    assert_eq!(find(&later, "Ready").unwrap().last_transition_time, at(0));
    sheet.told(&held());
    let held = sheet.status(None, at(120));
    assert_eq!(find(&held, "Held").unwrap().last_transition_time, at(120));
    // Read back by the next controller.
    let mut next =
        StatusModel::of(serde_json::from_value(serde_json::to_value(first).unwrap()).unwrap(), Some(1));
    next.ready = ConditionState::new(true, "Watching", "watching");
    assert_eq!(find(&next.status(None, at(600)), "Ready").unwrap().last_transition_time, at(0));
}

#[test]
fn an_open_breaker_says_what_tripped_it_and_remembers_it_when_it_is_closed_again() {
    let mut sheet = watching();
    with(&mut sheet, &Record::default(), 9);
    let status = with(&mut sheet, &open(10), 11);
    assert_eq!(
        (status.phase.as_deref(), status.counted, status.original_replicas),
        (Some("Open"), Some(4), Some(2))
    );
    let trip = status.last_trip.unwrap();
    assert_eq!(
        (trip.at, trip.cause.as_str(), trip.quote.as_str()),
        (at(10), "network:refused", "connection refused")
    );
    let tripped = status.conditions.iter().find(|condition| condition.kind == "Tripped").unwrap();
    assert!(
        tripped.status == "True" && tripped.message.ends_with("a reset gives back 2 replicas"),
        "{tripped:?}"
    );
    sheet.count.counted = 4;
    let closed = Record { episode: 3, counts_from: Some(at(20)), ..Record::default() };
    let status = with(&mut sheet, &closed, 20);
    assert_eq!(
        (status.phase.as_deref(), status.original_replicas, status.counted),
        (Some("Closed"), None, Some(0))
    );
    assert_eq!(status.last_trip.unwrap().at, at(10));
}

#[test]
fn a_trip_that_holds_is_told_in_one_word_and_ends_with_the_trip() {
    let mut sheet = watching();
    assert!(sheet.told(&held()));
    let condition = find(&sheet.status(None, at(0)), "Held").unwrap();
    assert_eq!(
        (condition.status.as_str(), condition.reason.as_str(), condition.message.as_str()),
        ("True", "OneNode", "all on node-a")
    );
    sheet.told(&BreakerEvent::Tripping { replicas: 1, because: TripReason::default() });
    assert_eq!(find(&sheet.status(None, at(1)), "Held").unwrap().status, "False");
}

#[test]
fn conditions_that_warn_stand_only_while_they_hold() {
    let mut sheet = watching();
    sheet.overlook = Some("short".into());
    sheet.conflict = Some("older".into());
    let contested = Some(Contested { by: "argocd".into(), at: at(0) });
    let status = with(&mut sheet, &Record { contested, ..Record::default() }, 0);
    assert_eq!(status.contested_by.as_deref(), Some("argocd"));
    for kind in ["WindowTooShort", "Conflict", "Contested"] {
        assert_eq!(find(&status, kind).unwrap().status, "True", "{kind}");
    }
    (sheet.overlook, sheet.conflict) = (None, None);
    let status = with(&mut sheet, &Record::default(), 1);
    for kind in ["WindowTooShort", "Conflict", "Contested"] {
        assert_eq!(find(&status, kind), None);
    }
}

#[test]
fn an_override_is_handled_once_a_record_carries_it() {
    let mut sheet = watching();
    sheet.override_pending = Some(Override::ForcedOpen);
    assert_eq!(with(&mut sheet, &Record::default(), 0).override_handled, None);
    let pressed = Record { override_: Override::ForcedOpen, ..Record::default() };
    assert_eq!(with(&mut sheet, &pressed, 1).override_handled.as_deref(), Some("ForcedOpen"));
    // A reset lets the button come up again; that is no new wish.
    assert_eq!(with(&mut sheet, &Record::default(), 2).override_handled.as_deref(), Some("ForcedOpen"));
}

#[test]
fn a_breaker_is_read_to_what_is_used_whatever_its_spec_looks_like() {
    let breaker: PartialBreaker = serde_json::from_value(json!({
        "metadata": {
            "name": "swype", "namespace": "sre", "uid": "u1", "resourceVersion": "7", "generation": 2,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "annotations": {"bigredbutton.dev/reset-requested-at": "2026-01-02T03:04:05Z", "other": "x"},
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {"mode": 7},
    }))
    .unwrap();
    assert_eq!(breaker.name().to_string(), "sre/swype");
    assert_eq!(breaker.reset_requested(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(breaker.metadata.annotations.as_ref().map(std::collections::BTreeMap::len), Some(1));
    assert!(breaker.metadata.managed_fields.is_none());
    assert_eq!(breaker.status, Value::Null);
}
