use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::explain::Location;
use crate::format::Format;
use crate::ledger::Engine;
use crate::rules::Rules;
use crate::verdict::Priority;

fn backtest_of(candidate: &str, baseline: &str, format: Format, history: &str) -> Backtest {
    let by = |yaml: &str| {
        let mut engine = Engine::recording(Rules::parse(yaml).unwrap());
        engine.read("night.log", format, history.as_bytes());
        engine
    };
    Backtest::run(by(candidate), by(baseline), None)
}

fn backtest(candidate: &str, baseline: &str, history: &str) -> Backtest {
    backtest_of(candidate, baseline, Format::Lines, history)
}

fn shown(sent: &[UnmatchedNotification]) -> Vec<String> {
    let shown = |sent: &UnmatchedNotification| {
        let at = sent.at.map_or(String::new(), |at| format!("{} ", at.strftime("%H:%M")));
        format!("{at}{} {} {}", sent.priority, sent.change, sent.headline)
    };
    sent.iter().map(shown).collect()
}

const NIGHT: &str = "\
2026-11-23T06:00:00Z Zone AB: EndpointRegistrationFailure
2026-11-23T06:10:00Z Zone AB: TooFewEndpointsRegistered
2026-11-23T06:20:00Z Zone XQ: LLMModelStale
2026-11-23T06:30:00Z Zone XQ: LLMModelStale
";

#[test]
fn alerts_that_one_side_cannot_read_are_all_listed() {
    let history =
        "Zone A: DiskFull\nZone A: DiskVeryFull\nZone A: DiskTransientFailure\nZone A: DiskFailure\n";
    let backtest = backtest("builtin: {disable: [line/zone]}\n", "", history);
    let changed: Vec<(&str, bool)> = backtest
        .priorities
        .iter()
        .map(|change| (change.alert.as_str(), change.candidate.is_none()))
        .collect();
    let lost = ["DiskFailure", "DiskFull", "DiskTransientFailure", "DiskVeryFull"];
    assert_eq!(changed, lost.map(|alert| (alert, true)));
}

#[test]
fn a_silence_loses_pages_and_misses_a_critical() {
    let silence = "silences:\n- {id: quiet, alert: '*', labels: {zone: AB}, because: works}\n";
    let backtest = backtest(silence, "", NIGHT);
    assert_eq!((backtest.candidate.pages, backtest.baseline.pages), (0, 2));
    assert_eq!(
        shown(&backtest.pages_lost),
        ["06:00 P2 opened EndpointRegistrationFailure", "06:10 P1 escalated TooFewEndpointsRegistered"]
    );
    assert_eq!(
        backtest.pages_lost[1].instead,
        "P5, none: silenced, silenced by us: works; explained by EndpointRegistrationFailure \
        (upcommerce/registration)"
    );
    assert_eq!(backtest.pages_lost[0].evidence, [Location { source: None, line: 1 }]);
    assert_eq!(backtest.criticals_missed.len(), 1);
    assert_eq!(backtest.criticals_missed[0].alert, "TooFewEndpointsRegistered");
    assert!(
        backtest.misses_criticals() && backtest.pages_gained.is_empty() && backtest.tickets_lost.is_empty()
    );
}

#[test]
fn a_critical_that_is_silenced_is_missed_though_its_incident_pages() {
    let silence = "silences:\n- {id: quiet, alert: TooFewEndpointsRegistered, because: works}\n";
    let backtest = backtest(silence, "", NIGHT);
    assert_eq!(shown(&backtest.pages_lost), ["06:10 P1 escalated TooFewEndpointsRegistered"]);
    assert_eq!(backtest.criticals_missed.len(), 1);
    assert_eq!(
        backtest.criticals_missed[0].because,
        "P2, page: silenced, silenced by us: works; explained by EndpointRegistrationFailure \
         (upcommerce/registration), in the incident of EndpointRegistrationFailure"
    );
}

#[test]
fn a_severity_gains_pages() {
    let raised = "severities:\n- {id: upcommerce/model-stale, alert: LLMModelStale, severity: critical}\n";
    let backtest = backtest(raised, "", NIGHT);
    assert_eq!(shown(&backtest.pages_gained), ["06:20 P1 opened LLMModelStale"]);
    assert_eq!(shown(&backtest.tickets_lost), ["06:20 P3 opened LLMModelStale"]);
    let change = &backtest.priorities[0];
    assert_eq!((change.candidate, change.baseline), (Some(Priority::P1), Some(Priority::P3)));
    assert_eq!(change.evidence, [Location { source: None, line: 3 }, Location { source: None, line: 4 }]);
    assert_eq!(backtest.criticals_caught[0].alert, "LLMModelStale");
    assert!(!backtest.misses_criticals());
}

#[test]
fn a_severity_that_is_lowered_misses_a_critical() {
    let lowered = "severities:\n- {id: upcommerce/too-few-endpoints, alert: TooFewEndpointsRegistered, severity: info}\n";
    let alone = "2026-11-23T06:10:00Z Zone AB: TooFewEndpointsRegistered\n";
    let missed = backtest(lowered, "", alone).criticals_missed;
    assert_eq!(missed[0].because, "P5, none: informational, info by the rule upcommerce/too-few-endpoints");
    // In an incident that pages all the same nobody misses it.
    assert_eq!(backtest(lowered, "", NIGHT).criticals_missed, []);
}

#[test]
fn a_label_makes_a_critical_whatever_the_rules_say() {
    let json = r#"{"labels":{"alertname":"Queue","zone":"AB","severity":"critical"},"startsAt":"2026-11-23T06:00:00Z"}"#;
    let deaf = "identity: {drop: [severity]}\n";
    let backtest = backtest_of(deaf, "", Format::Jsonl, json);
    assert_eq!(backtest.criticals_missed[0].alert, "Queue");
}

#[test]
fn a_limit_moves_a_page() {
    let json = r#"{"labels":{"alertname":"EndpointRegistrationTransientFailure","zone":"AB"},"status":"firing","startsAt":"2026-11-23T06:00:00Z"}
{"labels":{"alertname":"Watchdog","zone":"XQ"},"status":"firing","startsAt":"2026-11-23T08:00:00Z"}
"#;
    let sooner = backtest_of("limits: {sustained: 30m}", "", Format::Jsonl, json);
    let moved = &sooner.pages_moved[0];
    let minute = |at: Option<Timestamp>| at.unwrap().to_string();
    assert_eq!(minute(moved.candidate), "2026-11-23T06:30:00Z");
    assert_eq!(minute(moved.baseline), "2026-11-23T07:00:00Z");
    assert!(sooner.pages_gained.is_empty() && sooner.pages_lost.is_empty());
    // Never is another time than late.
    let never = backtest_of("limits: {sustained: 3h}", "", Format::Jsonl, json);
    assert_eq!(shown(&never.pages_lost), ["07:00 P2 escalated EndpointRegistrationTransientFailure"]);
}

#[test]
fn a_shape_that_no_longer_reads_misses_what_it_read() {
    let other = "templates:\n- {id: line/zone, line: 'Place {zone}: {alert}'}\n";
    let backtest = backtest(other, "", NIGHT);
    assert_eq!(backtest.pages_lost.len(), 2);
    assert_eq!(backtest.criticals_missed[0].because, "no record of it could be read");
    assert_eq!(
        backtest.caveats,
        ["malformed: 4 with the candidate, 0 with the baseline; they are not compared"]
    );
}

#[test]
fn other_identities_are_the_same_notification() {
    let json = r#"{"labels":{"alertname":"DiskDown","zone":"AB","node":"n1"},"startsAt":"2026-11-23T06:00:00Z"}
{"labels":{"alertname":"DiskDown","zone":"AB","node":"n2"},"startsAt":"2026-11-23T06:01:00Z"}
"#;
    let apart = "separate: [DiskDown]";
    let dropped = backtest_of("identity: {drop: [node]}", apart, Format::Jsonl, json);
    assert_eq!((dropped.candidate.alerts, dropped.baseline.alerts), (1, 2));
    assert_eq!(shown(&dropped.pages_gained), Vec::<String>::new());
    assert_eq!(shown(&dropped.pages_lost), ["06:01 P1 opened DiskDown"], "one page for two nodes");
    assert_eq!(dropped.criticals_missed, [], "and nothing missed");
}

#[test]
fn a_group_is_one_page() {
    let zones = "Zone A: DiskDown\nZone B: DiskDown\nZone C: DiskDown\n";
    let backtest = backtest("builtin: {disable: [group]}", "", zones);
    assert_eq!((backtest.candidate.pages, backtest.baseline.pages), (3, 1));
    assert_eq!(backtest.pages_gained.len(), 2);
    assert_eq!((backtest.from, backtest.judged), (None, 1));
    assert!(backtest.caveats[0].starts_with("no record carries a time"), "{:?}", backtest.caveats);
}

#[test]
fn a_silence_that_ends_between_records_pages() {
    let silence = "silences:\n- {id: s, alert: DiskDown, until: 2026-11-23T06:31:07Z}\n";
    let history = "2026-11-23T06:00:00Z Zone A: DiskDown\n2026-11-23T07:00:00Z Zone A: DiskDown\n";
    let backtest = backtest(silence, "", history);
    assert_eq!(backtest.pages_moved[0].candidate.unwrap().to_string(), "2026-11-23T06:31:07Z");
    assert_eq!(backtest.criticals_missed, []);
}

#[test]
fn nothing_is_compared_with_nothing() {
    let backtest = backtest("", "", "");
    assert_eq!((backtest.candidate, backtest.priorities.len()), (ReplayTotals::default(), 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Laws: equal rules give no difference, and swapping the rules swaps gains and losses.
    #[test]
    fn a_backtest_has_two_sides(
        events in prop::collection::vec((0usize..6, 0usize..3, 0i64..400, any::<bool>()), 1..30),
        rules in 0usize..4,
    ) {
        const NAMES: [&str; 6] = [
            "EndpointRegistrationFailure", "TooFewEndpointsRegistered", "LLMModelStale", "LLMModelVeryStale",
            "EndpointRegistrationTransientFailure", "X",
        ];
        const RULES: [&str; 4] = [
            "silences:\n- {id: s, alert: '*', labels: {zone: Z1}, until: 2026-11-23T08:00:00Z}",
            "builtin: {disable: [upcommerce/registration, ladder/name, group]}\nlimits: {sustained: 20m}",
            "severities:\n- {id: x, alert: X, severity: critical}",
            "identity: {drop: [zone]}",
        ];
        let json: String = events.iter().map(|(name, zone, minute, is_over)| {
            let at: Timestamp = "2026-11-23T05:00:00Z".parse().unwrap();
            let at = at.checked_add(jiff::SignedDuration::from_mins(*minute)).unwrap();
            let status = if *is_over { "resolved" } else { "firing" };
            format!("{{\"labels\":{{\"alertname\":\"{}\",\"zone\":\"Z{zone}\"}},\"status\":\"{status}\",\"timestamp\":\"{at}\"}}\n", NAMES[*name])
        }).collect();
        let same = backtest_of(RULES[rules], RULES[rules], Format::Jsonl, &json);
        prop_assert_eq!(same.candidate, same.baseline);
        prop_assert!(same.pages_gained.is_empty() && same.pages_lost.is_empty() && same.pages_moved.is_empty());
        prop_assert!(same.tickets_gained.is_empty() && same.tickets_lost.is_empty());
        prop_assert!(same.priorities.is_empty() && same.criticals_missed.is_empty() && same.criticals_caught.is_empty());

        let (one, other) = (backtest_of(RULES[rules], "", Format::Jsonl, &json), backtest_of("", RULES[rules], Format::Jsonl, &json));
        prop_assert_eq!(one.candidate, other.baseline);
        prop_assert_eq!(&one.criticals_missed, &other.criticals_caught);
        // What is left over is as much on either side, however the rest was paired.
        let balance = |backtest: &Backtest| {
            let lost = backtest.baseline.pages - backtest.pages_lost.len() as u64;
            let gained = backtest.candidate.pages - backtest.pages_gained.len() as u64;
            (lost, gained)
        };
        let ((a, b), (c, d)) = (balance(&one), balance(&other));
        prop_assert_eq!(a, b);
        prop_assert_eq!(c, d);
    }
}
