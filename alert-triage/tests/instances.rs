//! Instances of one alert in one scope: one incident, one notification.

use alert_triage::incident_tracker::Change;
use alert_triage::jiff::Timestamp;
use alert_triage::{Engine, IncidentTracker, Priority, Record, Rules, SourcePosition};
use proptest::prelude::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_795_158_000 + 60 * minute).unwrap()
}

fn host(number: usize, minute: i64) -> Record<'static> {
    Record::firing("HostDown").label("cluster", "c1").label("node", format!("n{number}")).since(at(minute))
}

fn engine(rules: &str, records: &[Record<'_>]) -> Engine {
    let mut engine = Engine::new(Rules::parse(rules).unwrap());
    for (line, record) in (1..).zip(records) {
        engine.ingest(SourcePosition::new(0, 0, line), record);
    }
    engine
}

#[test]
fn a_storm_is_one_incident_and_one_page() {
    for hosts in [2, 40, 5_000] {
        let records: Vec<_> = (0..hosts).map(|number| host(number, 0)).collect();
        let mut engine = engine("", &records);
        let report = engine.report(None);
        let totals = report.totals();
        assert_eq!((totals.distinct, totals.incidents, totals.pages), (hosts as u64, 1, 1));
        assert_eq!(report.rows(3, 1).next().unwrap().instances, hosts as u64);
        assert_eq!(report.incidents().next().unwrap().members.len(), hosts);
    }
}

#[test]
fn what_differs_in_more_than_the_instance_is_apart() {
    let named = |name: &'static str, value: &'static str| host(2, 0).label(name, value);
    for (case, rules, other, incidents) in [
        ("another host", "", host(2, 0), 1),
        ("another namespace", "", named("namespace", "a"), 2),
        ("another service", "", named("service", "a"), 2),
        ("another workload", "", named("pod", "api-0"), 2),
        ("another cluster", "", named("cluster", "c2"), 2),
        ("a rule", "separate: [Host*]", host(2, 0), 2),
        ("a disabled heuristic", "builtin: {disable: [instances]}", host(2, 0), 2),
    ] {
        let mut engine = engine(rules, &[host(1, 0), other]);
        assert_eq!(engine.report(None).totals().incidents, incidents, "{case}");
    }
}

/// Plain lines have no label for the host: its name is the text.
#[test]
fn hosts_in_the_text_are_instances_if_they_differ_in_a_number() {
    for (case, lines, incidents) in [
        ("numbers", "Zone A: HostDown node-1\nZone A: HostDown node-2\nZone A: HostDown node-10\n", 1),
        ("domains", "Zone A: HostDown db1.t.example\nZone A: HostDown db2.t.example\n", 1),
        ("zones", "Zone A: HostDown node-1\nZone B: HostDown node-2\n", 2),
        ("other hosts", "Zone A: HostDown node-1\nZone A: HostDown store-2\n", 2),
        ("letters", "Zone A: HostDown node-a\nZone A: HostDown node-b\n", 2),
        ("more than a host", "Zone A: HostDown node-1 slow\nZone A: HostDown node-2 gone\n", 2),
        ("numbers alone", "Zone A: HostDown 1\nZone A: HostDown 2\n", 2),
    ] {
        let mut engine = Engine::new(Rules::builtin());
        engine.read("lines", alert_triage::Format::Lines, lines.as_bytes());
        assert_eq!(engine.report(None).totals().incidents, incidents, "{case}");
    }
}

#[test]
fn an_instance_that_joins_late_notifies_once_more() {
    let mut engine = Engine::new(Rules::builtin());
    let mut tracker = IncidentTracker::default();
    let mut changes = Vec::new();
    // The minute of each start; the report is made at once.
    for (line, minute) in (1..).zip([0, 4, 13, 24, 25]) {
        engine.ingest(SourcePosition::new(0, 0, line), &host(line as usize, minute));
        for notification in tracker.notifications(&engine.report(Some(at(minute)))) {
            changes.push((minute, notification.change, notification.notify.to_string()));
        }
    }
    let want = [
        (0, Change::Opened, "page"),
        (4, Change::Changed, "none"),
        (13, Change::Changed, "none"),
        (24, Change::Grew, "page"),
        (25, Change::Changed, "none"),
    ];
    assert_eq!(changes, want.map(|(minute, change, notify)| (minute, change, notify.to_owned())));
}

proptest! {
    /// Grouping never lowers the priority of any of the instances, whatever the order of arrival.
    #[test]
    fn an_incident_is_as_urgent_as_its_most_urgent_instance(
        severities in prop::collection::vec(prop::sample::select(vec!["critical", "error", "warning"]), 1..9),
    ) {
        let records: Vec<_> = (severities.iter().enumerate())
            .map(|(number, severity)| host(number, 0).label("severity", *severity))
            .collect();
        let mut alone = engine("builtin: {disable: [instances]}", &records);
        let mut grouped = engine("", &records);
        let most = |engine: &mut Engine| engine.report(None).incidents().map(|incident| incident.priority).min();
        let before: Option<Priority> = most(&mut alone);
        prop_assert_eq!(most(&mut grouped), before);
        let reversed: Vec<_> = records.iter().rev().cloned().collect();
        prop_assert_eq!(engine("", &reversed).report(None).totals().pages, grouped.report(None).totals().pages);
    }
}
