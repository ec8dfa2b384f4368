use breaker_core::record::{Contested, HandledRequests};
use breaker_core::snapshot::{Blind, Counts, Hold, HoldReason};
use breaker_core::state::{Override, Phase, State, Trip, TripReason};
use breaker_core::{Record, Snapshot};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::partial_breaker::PartialBreaker;
use super::status::{ConditionState, StatusModel};
use crate::crd::{CircuitBreakerStatus, Condition};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn watching() -> StatusModel {
    let mut model = StatusModel::new(CircuitBreakerStatus::default(), Some(1));
    model.ready = ConditionState::new(true, "Watching", "watching");
    model.target_found = Some(ConditionState::new(true, "Found", "sre/deployment/swype-app"));
    model
}

fn with(model: &mut StatusModel, record: &Record, second: i64) -> CircuitBreakerStatus {
    let status = model.compose(Some((record, serde_json::to_value(record).unwrap())), at(second));
    model.written(status.clone());
    status
}

fn without_record(model: &mut StatusModel, second: i64) -> CircuitBreakerStatus {
    let status = model.compose(None, at(second));
    model.written(status.clone());
    status
}

fn find(status: &CircuitBreakerStatus, kind: &str) -> Option<Condition> {
    status.conditions.iter().find(|condition| condition.kind == kind).cloned()
}

fn counts() -> Counts {
    Counts { counted: 4, threshold: 3, ..Counts::default() }
}

fn open(since: i64) -> Record {
    let because = TripReason {
        counts: counts(),
        cause: "network:refused".into(),
        peer: Some("swype-gateway:443".into()),
        quote: "connection refused".into(),
        ..TripReason::default()
    };
    let state = State::Open { since: at(since), trip: Trip { replicas: 2, because } };
    Record { state, episode: 2, ..Record::default() }
}

fn held() -> Snapshot {
    let hold = Hold {
        reason: HoldReason::OneNode,
        total: 4,
        counts: counts(),
        why: "all on node-a".into(),
        would_trip_with: None,
        would_trip_with_peers: None,
    };
    Snapshot { counts: counts(), hold: Some(hold), ..Snapshot::default() }
}

#[test]
fn a_watched_breaker_without_a_record_is_closed_and_one_that_is_not_watched_has_no_phase() {
    let status = without_record(&mut watching(), 0);
    assert_eq!((status.phase.as_deref(), status.counted), (Some("Closed"), Some(0)));
    let mut idle = StatusModel::new(CircuitBreakerStatus::default(), Some(1));
    let status = without_record(&mut idle, 0);
    assert_eq!((status.phase.as_deref(), status.counted), (None, None));
    assert_eq!(find(&status, "Ready").unwrap().reason, "Starting");
}

#[test]
fn a_breaker_that_does_not_see_its_pods_is_not_ready_and_keeps_its_counts() {
    let mut model = watching();
    let blind = Blind { since: at(5), why: "the list failed: pods is forbidden (403)".into() };
    model.observe(&Snapshot { counts: counts(), blind: Some(blind), ..Snapshot::default() }, at(0));
    let status = without_record(&mut model, 60);
    let ready = find(&status, "Ready").unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "Blind"));
    assert_eq!(
        ready.message,
        "its pods cannot be seen since 2027-01-15T08:00:05Z: the list failed: pods is forbidden (403)"
    );
    assert_eq!((status.phase.as_deref(), status.counted), (Some("Closed"), Some(4)));
    model.observe(&Snapshot::default(), at(0));
    assert_eq!(find(&without_record(&mut model, 70), "Ready").unwrap().reason, "Watching");
}

#[test]
fn the_counts_of_an_earlier_controller_stay_until_there_is_a_snapshot() {
    let by_cause = || [("network:refused".to_owned(), 2)].into();
    let before = CircuitBreakerStatus {
        counted: Some(2),
        threshold: Some(3),
        by_cause: by_cause(),
        ..CircuitBreakerStatus::default()
    };
    let mut model = StatusModel::new(before, Some(1));
    model.ready = ConditionState::new(true, "Watching", "watching");
    for second in [0, 1] {
        let status = with(&mut model, &Record::default(), second);
        assert_eq!((status.counted, status.threshold, status.by_cause), (Some(2), Some(3), by_cause()));
    }
    let counts = Counts { counted: 1, threshold: 6, ..Counts::default() };
    model.observe(&Snapshot { counts, ..Snapshot::default() }, at(0));
    let status = with(&mut model, &Record::default(), 2);
    assert_eq!((status.counted, status.threshold, status.by_cause.len()), (Some(1), Some(6), 0));
}

#[test]
fn a_condition_keeps_its_time_until_its_status_changes() {
    let mut model = watching();
    let first = without_record(&mut model, 0);
    model.ready = ConditionState::new(true, "Observing", "observing");
    let later = without_record(&mut model, 60);
    assert_eq!(find(&later, "Ready").unwrap().reason, "Observing");
    assert_eq!(find(&later, "Ready").unwrap().last_transition_time, at(0));
    model.observe(&held(), at(0));
    let held = without_record(&mut model, 120);
    assert_eq!(find(&held, "Held").unwrap().last_transition_time, at(120));
    // As the next controller reads it.
    let read = serde_json::from_value(serde_json::to_value(first).unwrap()).unwrap();
    let mut next = StatusModel::new(read, Some(1));
    next.ready = ConditionState::new(true, "Watching", "watching");
    assert_eq!(find(&without_record(&mut next, 600), "Ready").unwrap().last_transition_time, at(0));
}

#[test]
fn an_open_breaker_shows_what_tripped_it_and_a_closed_one_remembers_it() {
    let mut model = watching();
    with(&mut model, &Record::default(), 9);
    let by_cause = || [("network:refused".to_owned(), 4)].into();
    let by_peer = || [("swype-gateway:443".to_owned(), 4)].into();
    let tripping = Snapshot {
        phase: Phase::Tripping,
        counts: counts(),
        by_cause: by_cause(),
        by_peer: by_peer(),
        ..Snapshot::default()
    };
    model.observe(&tripping, at(0));
    with(&mut model, &Record::default(), 10);
    model.observe(&Snapshot { phase: Phase::Open, ..Snapshot::default() }, at(0));
    let status = with(&mut model, &open(10), 11);
    assert_eq!(
        (status.phase.as_deref(), status.counted, status.original_replicas, status.by_cause, status.by_peer),
        (Some("Open"), Some(4), Some(2), by_cause(), by_peer())
    );
    let trip = status.last_trip.unwrap();
    assert_eq!(
        (trip.at, trip.cause.as_str(), trip.peer.as_deref(), trip.quote.as_str()),
        (at(10), "network:refused", Some("swype-gateway:443"), "connection refused")
    );
    let tripped = status.conditions.iter().find(|condition| condition.kind == "Tripped").unwrap();
    assert!(
        tripped.status == "True" && tripped.message.ends_with("a reset restores 2 replicas"),
        "{tripped:?}"
    );
    model.observe(&Snapshot::default(), at(0));
    let closed = Record { episode: 3, counts_from: Some(at(20)), ..Record::default() };
    let status = with(&mut model, &closed, 20);
    assert_eq!(
        (status.phase.as_deref(), status.original_replicas, status.counted),
        (Some("Closed"), None, Some(0))
    );
    assert!(status.by_cause.is_empty());
    assert_eq!(status.last_trip.unwrap().at, at(10));
}

#[test]
fn the_last_outages_of_a_dry_run_are_kept_each_once() {
    let mut model = watching();
    let because = TripReason { counts: counts(), cause: "network:dns".into(), ..TripReason::default() };
    let exceeded = Snapshot { counts: counts(), would_trip: Some(because.clone()), ..Snapshot::default() };
    for outage in 0..12 {
        let start = 1_000 * outage;
        assert!(model.would_trip(at(start), &because));
        model.observe(&exceeded, at(start));
        // The next controller sees the same outage again.
        let stored = without_record(&mut model, start + 1);
        assert_eq!(stored.would_trip[0].until, None);
        model = StatusModel::new(stored, Some(1));
        model.ready = ConditionState::new(true, "Observing", "observing");
        model.observe(&Snapshot { counts: counts(), ..Snapshot::default() }, at(start + 2));
        assert!(!model.would_trip(at(start + 2), &because));
        model.observe(&Snapshot::default(), at(start + 500));
        model.observe(&Snapshot::default(), at(start + 600));
    }
    let kept = without_record(&mut model, 20_000).would_trip;
    assert_eq!(kept.len(), 10);
    assert_eq!((kept[0].at, kept[0].until, kept[0].counted), (at(11_000), Some(at(11_500)), 4));
    assert_eq!(kept[9].at, at(2_000));
}

#[test]
fn a_hold_by_causes_and_peers_names_the_fields_that_would_trip() {
    let mut model = watching();
    let Some(hold) = held().hold else { unreachable!("it is held") };
    for (causes, peers, advice) in [
        (Some("network,oom"), None, "; spec.trip.causes: [Network, Oom] would trip"),
        (None, Some("swype-*,redis:6379"), "; spec.trip.peers: [\"swype-*\", \"redis:6379\"] would trip"),
        (Some("any"), Some("any"), "Unknown] with spec.trip.peers: [] would trip"),
    ] {
        let hold = Hold {
            would_trip_with: causes.map(|causes| causes.parse().unwrap()),
            would_trip_with_peers: peers.map(|peers| peers.parse().unwrap()),
            ..hold.clone()
        };
        model.observe(&Snapshot { hold: Some(hold), ..Snapshot::default() }, at(0));
        let message = find(&without_record(&mut model, 0), "Held").unwrap().message;
        assert!(message.ends_with(advice), "{message}");
    }
}

#[test]
fn a_hold_has_a_reason_of_one_word_and_ends_with_the_trip() {
    let mut model = watching();
    model.observe(&held(), at(0));
    let condition = find(&without_record(&mut model, 0), "Held").unwrap();
    assert_eq!(
        (condition.status.as_str(), condition.reason.as_str(), condition.message.as_str()),
        ("True", "OneNode", "all on node-a")
    );
    model.observe(&Snapshot { phase: Phase::Tripping, ..Snapshot::default() }, at(0));
    assert_eq!(find(&without_record(&mut model, 1), "Held").unwrap().status, "False");
}

#[test]
fn a_warning_is_a_condition_only_while_it_is_true() {
    let mut model = watching();
    model.window_too_short = Some("short".into());
    model.conflict = Some("older".into());
    let contested = Some(Contested { by: "argocd".into(), at: at(0) });
    let status = with(&mut model, &Record { contested, ..Record::default() }, 0);
    assert_eq!(status.contested_by.as_deref(), Some("argocd"));
    for kind in ["WindowTooShort", "Conflict", "Contested"] {
        assert_eq!(find(&status, kind).unwrap().status, "True", "{kind}");
    }
    (model.window_too_short, model.conflict) = (None, None);
    let status = with(&mut model, &Record::default(), 1);
    for kind in ["WindowTooShort", "Conflict", "Contested"] {
        assert_eq!(find(&status, kind), None);
    }
}

#[test]
fn an_hpa_is_a_condition_until_the_breaker_is_closed() {
    let mut model = watching();
    model.hpa_may_scale_up = Some("HorizontalPodAutoscaler swype has minReplicas 0".into());
    let status = with(&mut model, &open(10), 11);
    assert_eq!(find(&status, "HPAMayScaleUp").unwrap().reason, "MinReplicasZero");
    let status = with(&mut model, &Record::default(), 20);
    assert_eq!((find(&status, "HPAMayScaleUp"), model.hpa_may_scale_up), (None, None));
}

#[test]
fn a_request_is_handled_in_the_status_that_has_its_effect_and_a_write_that_fails_handles_nothing() {
    let mut model = watching();
    with(&mut model, &open(0), 0);
    let handled = HandledRequests { reset: Some("r1".into()), override_: Some(Override::ForcedOpen) };
    let effect = Record { handled, ..Record::default() };
    let composed = model.compose(Some((&effect, json!({}))), at(1));
    assert_eq!(
        (composed.reset_handled.as_deref(), composed.override_handled.as_deref()),
        (Some("r1"), Some("ForcedOpen"))
    );
    // That write failed. The next one has the former Record.
    let status = with(&mut model, &open(0), 2);
    assert_eq!((status.reset_handled, status.override_handled), (None, None));
    // An abandoned trip takes the mark of its press back.
    with(&mut model, &effect, 3);
    let status = with(&mut model, &Record::default(), 4);
    assert_eq!((status.reset_handled, status.override_handled), (None, None));
}

#[test]
fn a_record_of_an_earlier_version_takes_the_handled_requests_from_its_status() {
    let before = CircuitBreakerStatus {
        reset_handled: Some("r1".into()),
        override_handled: Some("ForcedOpen".into()),
        ..CircuitBreakerStatus::default()
    };
    let mut model = StatusModel::new(before, Some(1));
    let mut record = Record::default();
    model.add_handled(&mut record);
    let handled = HandledRequests { reset: Some("r1".into()), override_: Some(Override::ForcedOpen) };
    assert_eq!(record.handled, handled);
    // What another controller wrote replaces it.
    model.found(&CircuitBreakerStatus { override_handled: Some("Auto".into()), ..Default::default() });
    let mut record = Record::default();
    model.add_handled(&mut record);
    assert_eq!(record.handled, HandledRequests { reset: None, override_: Some(Override::Auto) });
}

#[test]
fn a_breaker_with_a_bad_spec_is_decoded_to_the_fields_that_are_used() {
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
