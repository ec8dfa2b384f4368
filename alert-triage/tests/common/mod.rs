//! Generated histories that reach the corners: ties, ends before their beginnings, absent labels,
//! several rungs at once.

#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod any_bytes;

use alert_triage::record::{Ends, Status, Suppression};
use alert_triage::{Engine, Record, Rules, SourcePosition};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// A record and where it stands in the input, which is part of it.
#[derive(Debug, Clone)]
pub(crate) struct PlacedRecord {
    pub(crate) place: SourcePosition,
    pub(crate) record: Record<'static>,
}

/// Names that meet on ladders, edges and as transients, and some that meet nothing.
pub(crate) const NAMES: [&str; 14] = [
    "EndpointRegistrationTransientFailure",
    "EndpointRegistrationFailure",
    "TooFewEndpointsRegistered",
    "LLMBatchProcessingJobFailures",
    "LLMModelStale",
    "LLMModelVeryStale",
    "DiskFull",
    "DiskVeryFull",
    "DiskCriticallyFull",
    "KubeletDown",
    "KubeNodeNotReady",
    "TargetDown",
    "Watchdog",
    "QueueBacklog",
];

/// The instant at which generated histories are judged, unless a test says otherwise.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn minutes(before: i64) -> Timestamp {
    now() - SignedDuration::from_mins(before)
}

/// Few instants, so that many records share one; some are older than a day.
fn instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        8 => (0i64..=24).prop_map(|step| minutes(step * 5)),
        2 => (0i64..=6).prop_map(minutes),
        1 => (0i64..=2).prop_map(|step| minutes(1_430 + step * 60)),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    select(NAMES.to_vec())
}

fn labels() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let maybe = |name: &'static str, values: Vec<&'static str>, weight: u32| {
        prop_oneof![
            weight => select(values).prop_map(move |value| Some((name, value))),
            2 => Just(None),
        ]
    };
    (
        maybe("zone", vec!["A", "B", "C", "D"], 10),
        maybe("severity", vec!["critical", "error", "warning", "info", "mauve"], 1),
        maybe("node", vec!["n1", "n2"], 1),
        maybe("replica", vec!["0", "1"], 1),
        maybe("pod", vec!["swype-app-6d4f9c7b5-x2x9q", "swype-app-6d4f9c7b5-abc2d", "postgres-0"], 1),
    )
        .prop_map(|(a, b, c, d, e)| [a, b, c, d, e].into_iter().flatten().collect())
}

fn held() -> impl Strategy<Value = Suppression<'static>> {
    prop_oneof![
        12 => Just(Suppression::None),
        1 => Just(Suppression::Silenced("s1".into())),
        1 => Just(Suppression::Inhibited("i1".into())),
    ]
}

fn record(alert: &'static str, labels: Vec<(&'static str, &'static str)>) -> Record<'static> {
    labels.into_iter().fold(Record::firing(alert), |record, (name, value)| record.label(name, value))
}

/// A line of a log: said, perhaps with a time, never over.
pub(crate) fn event(timed: bool) -> impl Strategy<Value = Record<'static>> {
    (name(), labels(), instant()).prop_map(move |(alert, labels, at)| {
        let record = record(alert, labels).status(Status::Event);
        if timed { record.at(at) } else { record }
    })
}

/// A state, as Alertmanager and others tell it: with its start.
pub(crate) fn episode() -> impl Strategy<Value = Record<'static>> {
    let status =
        prop_oneof![4 => Just(Status::Firing), 3 => Just(Status::Resolved), 1 => Just(Status::Pending)];
    let ends = prop_oneof![
        4 => Just(None),
        2 => (instant(), any::<bool>()).prop_map(Some),
        1 => any::<bool>().prop_map(|times_out| Some((now() + SignedDuration::from_hours(1), times_out))),
    ];
    (name(), labels(), status, instant(), instant(), ends, held(), any::<bool>()).prop_map(
        |(alert, labels, status, starts, said, ends, held, snapshot)| {
            let ends = match (status, ends) {
                (_, None) => Ends::Open,
                (Status::Resolved, Some((at, _))) => Ends::At(at.min(now())),
                (_, Some((at, true))) => Ends::TimesOut(at),
                (_, Some((at, false))) => Ends::At(at),
            };
            let mut record =
                record(alert, labels).status(status).since(starts).at(said.max(starts)).ends(ends);
            (record.suppression, record.snapshot) = (held, snapshot);
            record
        },
    )
}

/// An end told with no start, by time alone.
fn bare_end() -> impl Strategy<Value = Record<'static>> {
    (name(), labels(), instant())
        .prop_map(|(alert, labels, at)| record(alert, labels).status(Status::Resolved).at(at))
}

/// Says that an alert fires at the usual instant, in any of the ways there are.
pub(crate) fn fire() -> impl Strategy<Value = Record<'static>> {
    let ends = prop_oneof![
        3 => Just(Ends::Open),
        1 => Just(Ends::At(now() + SignedDuration::from_mins(1))),
        1 => Just(Ends::TimesOut(now() + SignedDuration::from_mins(1))),
    ];
    let state = (
        name(),
        labels(),
        proptest::option::of(instant()),
        proptest::option::of(instant()),
        ends,
        any::<bool>(),
    )
        .prop_map(|(alert, labels, starts, said, ends, keyed)| {
            let mut record = record(alert, labels).ends(ends);
            record.starts = starts;
            record.time = said.max(starts.filter(|_| said.is_some()));
            record.keyed = keyed && record.time.is_some();
            record
        });
    prop_oneof![event(true), event(false), state]
}

/// Said once by its source, and perhaps joined by the source's own key.
pub(crate) fn keyed() -> impl Strategy<Value = Record<'static>> {
    let status = select(vec![Status::Firing, Status::Resolved, Status::Event, Status::Pending]);
    (name(), labels(), instant(), select(vec![Some("k1"), Some("k2"), None]), status, any::<bool>()).prop_map(
        |(alert, labels, at, key, status, ends_by_key)| {
            let mut record = record(alert, labels).status(status).at(at);
            (record.key, record.keyed, record.ends_by_key) = (key.map(Into::into), true, ends_by_key);
            record
        },
    )
}

/// One alert that goes on and off, minute by minute.
fn flaps() -> impl Strategy<Value = Vec<Record<'static>>> {
    (name(), labels(), 3i64..8, 2i64..8).prop_map(|(alert, labels, cycles, every)| {
        (0..cycles)
            .flat_map(|cycle| {
                let starts = minutes(1 + cycle * every);
                let ended = starts + SignedDuration::from_mins(1);
                let record = record(alert, labels.clone()).since(starts);
                [record.clone(), record.status(Status::Resolved).at(ended).ends(Ends::At(ended))]
            })
            .collect()
    })
}

/// One line said again and again for hours.
fn nagging() -> impl Strategy<Value = Vec<Record<'static>>> {
    (name(), labels(), 5i64..16, 2i64..9, 0i64..20).prop_map(|(alert, labels, every, times, quiet)| {
        let line = record(alert, labels).status(Status::Event);
        (0..times).map(|time| line.clone().at(minutes(quiet + time * every))).collect()
    })
}

/// Many names in one zone, at most with a severity beside it, so that ladders and edges meet.
fn crowd(timed: bool) -> impl Strategy<Value = Vec<Record<'static>>> {
    let one = (
        name(),
        proptest::option::weighted(0.2, select(vec!["critical", "error", "info"])),
        instant(),
        select(vec![Status::Event, Status::Firing, Status::Firing, Status::Resolved]),
    );
    (select(vec!["A", "B"]), proptest::collection::vec(one, 2..14)).prop_map(move |(zone, said)| {
        let told = |(alert, severity, at, status): (_, Option<_>, _, _)| {
            let severity = severity.map(|severity| ("severity", severity));
            let record = record(alert, [Some(("zone", zone)), severity].into_iter().flatten().collect());
            match (timed, status) {
                (false, _) => record.status(Status::Event),
                (true, Status::Event) => record.status(status).at(at),
                (true, status) => record.status(status).since(at).at(at),
            }
        };
        said.into_iter().map(told).collect()
    })
}

/// A transient that stands for an hour or more, often beside its lasting form, with what either
/// brings with it.
fn outage() -> impl Strategy<Value = Vec<Record<'static>>> {
    let others = proptest::collection::vec((select(NAMES[1..6].to_vec()), instant()), 1..5);
    let node = || select(vec![None, None, Some(("node", "n1")), Some(("node", "n2"))]);
    (select(vec!["A", "B"]), 60i64..120, node(), node(), others).prop_map(
        |(zone, stood, own, node, others)| {
            let told = |alert, node: Option<_>, since| {
                record(alert, [Some(("zone", zone)), node].into_iter().flatten().collect())
                    .since(since)
                    .at(since)
            };
            let others = others.into_iter().map(|(alert, since)| told(alert, node, since));
            [told(NAMES[0], own, minutes(stood))].into_iter().chain(others).collect()
        },
    )
}

pub(crate) fn placed(records: Vec<Record<'static>>) -> Vec<PlacedRecord> {
    let place = |(at, record)| PlacedRecord { place: SourcePosition::new(0, 0, at as u64 + 1), record };
    records.into_iter().enumerate().map(place).collect()
}

/// Repeats records in another state or at another time, so that records of one alert
/// meet.
fn echoed(
    parts: Vec<Record<'static>>,
    echoes: Vec<(prop::sample::Index, Status, Timestamp)>,
) -> Vec<Record<'static>> {
    let mut told = parts.clone();
    for (of, status, at) in echoes.into_iter().filter(|_| !parts.is_empty()) {
        let mut echo = parts[of.index(parts.len())].clone();
        if echo.status != Status::Event {
            echo.status = status;
        }
        if echo.time.is_some() && of.index(3) > 0 {
            echo.time = Some(at.max(echo.starts.unwrap_or(at)));
        }
        told.insert(of.index(told.len() + 1), echo);
    }
    told
}

fn echoes() -> impl Strategy<Value = Vec<(prop::sample::Index, Status, Timestamp)>> {
    let status = select(vec![Status::Firing, Status::Resolved, Status::Pending]);
    proptest::collection::vec((any::<prop::sample::Index>(), status, instant()), 0..12)
}

/// Records that all carry a time.
pub(crate) fn timed() -> impl Strategy<Value = Vec<PlacedRecord>> {
    let one = prop_oneof![
        4 => event(true).prop_map(|record| vec![record]),
        6 => episode().prop_map(|record| vec![record]),
        1 => bare_end().prop_map(|record| vec![record]),
        1 => keyed().prop_map(|record| vec![record]),
        1 => flaps(),
        1 => nagging(),
        1 => crowd(true),
        1 => outage(),
    ];
    (proptest::collection::vec(one, 0..20), echoes())
        .prop_map(|(parts, echoes)| placed(echoed(parts.concat(), echoes)))
}

/// Lines without times that only ever fire.
pub(crate) fn fire_only() -> impl Strategy<Value = Vec<PlacedRecord>> {
    let lines = proptest::collection::vec(event(false), 0..40);
    (lines, crowd(false), any::<bool>())
        .prop_map(|(lines, crowd, both)| placed(if both { [lines, crowd].concat() } else { lines }))
}

/// All of it together.
pub(crate) fn mixed() -> impl Strategy<Value = Vec<PlacedRecord>> {
    let untimed_end =
        (name(), labels()).prop_map(|(alert, labels)| record(alert, labels).status(Status::Resolved));
    let one =
        prop_oneof![3 => event(false), 2 => event(true), 4 => episode(), 1 => untimed_end, 1 => keyed()];
    (proptest::collection::vec(one, 0..30), echoes())
        .prop_map(|(parts, echoes)| placed(echoed(parts, echoes)))
}

/// An engine that has taken all of them, in that order.
pub(crate) fn engine<'t>(rules: Rules, told: impl IntoIterator<Item = &'t PlacedRecord>) -> Engine {
    let mut engine = Engine::new(rules);
    engine.add_source("history");
    take(&mut engine, told);
    engine
}

pub(crate) fn take<'t>(engine: &mut Engine, told: impl IntoIterator<Item = &'t PlacedRecord>) {
    for PlacedRecord { place, record } in told {
        engine.ingest(*place, record);
    }
}

/// The report as text, at the usual instant.
pub(crate) fn text(engine: &mut Engine) -> String {
    serde_json::to_string(&engine.report(Some(now()))).unwrap()
}

pub(crate) fn json(engine: &mut Engine) -> Value {
    serde_json::to_value(engine.report(Some(now()))).unwrap()
}

/// Every member with its incident.
pub(crate) fn members(report: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let incidents = report["incidents"].as_array().into_iter().flatten();
    incidents.flat_map(|incident| {
        incident["members"].as_array().into_iter().flatten().map(move |member| (incident, member))
    })
}

/// What makes a member the alert it is.
pub(crate) fn identity(member: &Value) -> String {
    format!("{} {} {}", member["alert"], member["labels"], member["text"])
}
