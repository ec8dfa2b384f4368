//! Every format by a capture of its real source, or by a file written from its documentation.

use std::fs;
use std::path::PathBuf;

use alert_triage::{Engine, Format, Report, Rules};
use jiff::Timestamp;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Read as what it is taken for.
fn read(input: &[u8], now: Option<&str>) -> (Format, Engine) {
    read_as(Format::detect(input), input, now)
}

fn read_as(format: Format, input: &[u8], now: Option<&str>) -> (Format, Engine) {
    let mut engine = Engine::new(Rules::builtin());
    if let Some(now) = now {
        engine.set_reference(now.parse().unwrap());
    }
    engine.read("fixture", format, input);
    (format, engine)
}

/// One row a member: name, labels, severity, verdict, count, times.
fn rows(report: &Report<'_>) -> Vec<String> {
    let mut rows: Vec<String> = (report.incidents())
        .flat_map(|incident| incident.members)
        .map(|member| {
            let labels: Vec<String> = (member.labels.iter())
                .filter(|(name, _)| !matches!(name.as_str(), "severity" | "cluster" | "namespace" | "team"))
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let at = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.strftime("%H:%M").to_string());
            let text = if member.text.is_empty() { String::new() } else { format!(" `{}`", member.text) };
            format!(
                "{} {{{}}}{text} {} {} x{} {}..{}",
                member.alert,
                labels.join(","),
                member.severity,
                member.verdict,
                member.count,
                at(member.first.at),
                at(member.last.at)
            )
        })
        .collect();
    rows.sort();
    rows
}

struct Row {
    fixture: &'static str,
    format: Format,
    members: &'static [&'static str],
}

const ROWS: &[Row] = &[
    Row {
        fixture: "alertmanager-api-v2-alerts.json",
        format: Format::Alertmanager,
        members: &[
            "EndpointRegistrationFailure {service=registry,zone=AB} critical active x1 06:06..06:06",
            "EndpointRegistrationTransientFailure {service=registry,zone=AB} info superseded x1 06:03..06:03",
            "EndpointRegistrationTransientFailure {service=registry,zone=OH-1} info silenced x1 06:01..06:01",
            "EndpointRegistrationTransientFailure {service=registry,zone=XQ} info transient x1 05:56..05:56",
            "KubePersistentVolumeFillingUp {persistentvolumeclaim=swype-queue,zone=AB} critical active x1 06:46..06:46",
            "KubePersistentVolumeFillingUp {persistentvolumeclaim=swype-queue,zone=AB} warning inhibited x1 06:31..06:31",
            "LLMBatchProcessingJobFailures {service=llm-batch,zone=AB} warning active x1 06:09..06:09",
            "LLMModelStale {service=llm-batch,zone=AB} warning superseded x1 06:21..06:21",
            "LLMModelVeryStale {service=llm-batch,zone=AB} critical active x1 06:41..06:41",
            "QueueBacklog {zone=Z0} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z1} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z2} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z3} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z4} warning active x1 06:42..06:42",
            "TargetDown {job=swype,service=swype} warning active x1 06:51..06:51",
            "TooFewEndpointsRegistered {service=registry,zone=AB} critical active x1 06:11..06:11",
        ],
    },
    Row {
        fixture: "alertmanager-api-v2-groups.json",
        format: Format::Alertmanager,
        members: &[
            "EndpointRegistrationFailure {service=registry,zone=AB} critical active x1 06:06..06:06",
            "EndpointRegistrationTransientFailure {service=registry,zone=AB} info superseded x1 06:03..06:03",
            "EndpointRegistrationTransientFailure {service=registry,zone=OH-1} info silenced x1 06:01..06:01",
            "EndpointRegistrationTransientFailure {service=registry,zone=XQ} info transient x1 05:56..05:56",
            "KubePersistentVolumeFillingUp {persistentvolumeclaim=swype-queue,zone=AB} critical active x1 06:46..06:46",
            "KubePersistentVolumeFillingUp {persistentvolumeclaim=swype-queue,zone=AB} warning inhibited x1 06:31..06:31",
            "LLMBatchProcessingJobFailures {service=llm-batch,zone=AB} warning active x1 06:09..06:09",
            "LLMModelStale {service=llm-batch,zone=AB} warning superseded x1 06:21..06:21",
            "LLMModelVeryStale {service=llm-batch,zone=AB} critical active x1 06:41..06:41",
            "QueueBacklog {zone=Z0} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z1} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z2} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z3} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z4} warning active x1 06:42..06:42",
            "TargetDown {job=swype,service=swype} warning active x1 06:51..06:51",
            "TooFewEndpointsRegistered {service=registry,zone=AB} critical active x1 06:11..06:11",
        ],
    },
    Row {
        fixture: "alertmanager-api-v2-ha-replicas.json",
        format: Format::Alertmanager,
        members: &[
            "TargetDown {job=swype,service=swype} warning active x2 06:51..06:53",
            "Watchdog {} none informational x1 06:51..06:51",
        ],
    },
    Row {
        fixture: "alertmanager-webhook-v4-firing.json",
        format: Format::Alertmanager,
        members: &[
            "EndpointRegistrationFailure {service=registry,zone=AB} critical active x1 06:06..06:06",
            "EndpointRegistrationTransientFailure {service=registry,zone=AB} info superseded x1 06:03..06:03",
            "KubePersistentVolumeFillingUp {persistentvolumeclaim=swype-queue,zone=AB} critical active x1 06:46..06:46",
            "LLMBatchProcessingJobFailures {service=llm-batch,zone=AB} warning active x1 06:09..06:09",
            "LLMModelStale {service=llm-batch,zone=AB} warning superseded x1 06:21..06:21",
            "LLMModelVeryStale {service=llm-batch,zone=AB} critical active x1 06:41..06:41",
            "TooFewEndpointsRegistered {service=registry,zone=AB} critical active x1 06:11..06:11",
        ],
    },
    Row {
        fixture: "alertmanager-webhook-v4-mixed.json",
        format: Format::Alertmanager,
        members: &[
            "EndpointRegistrationFailure {service=registry,zone=AB} critical active x1 06:06..06:06",
            "EndpointRegistrationTransientFailure {service=registry,zone=AB} info resolved x1 06:51..06:51",
            "KubePersistentVolumeFillingUp {persistentvolumeclaim=swype-queue,zone=AB} critical active x1 06:46..06:46",
            "LLMBatchProcessingJobFailures {service=llm-batch,zone=AB} warning active x1 06:09..06:09",
            "LLMModelStale {service=llm-batch,zone=AB} warning superseded x1 06:21..06:21",
            "LLMModelVeryStale {service=llm-batch,zone=AB} critical active x1 06:41..06:41",
            "TooFewEndpointsRegistered {service=registry,zone=AB} critical resolved x1 06:51..06:51",
        ],
    },
    Row {
        fixture: "alertmanager-webhook-v4-resolved.json",
        format: Format::Alertmanager,
        members: &[
            "EndpointRegistrationTransientFailure {service=registry,zone=XQ} info resolved x1 06:51..06:51",
        ],
    },
    Row {
        fixture: "alertmanager-webhook-v4-truncated.json",
        format: Format::Alertmanager,
        members: &[
            "QueueBacklog {zone=Z0} warning active x1 06:42..06:42",
            "QueueBacklog {zone=Z1} warning active x1 06:42..06:42",
        ],
    },
    Row {
        fixture: "alerts.jsonl",
        format: Format::Jsonl,
        members: &[
            "EndpointRegistrationFailure {zone=AB} critical active x1 06:06..06:06",
            "EndpointRegistrationTransientFailure {zone=OH-1} info transient x1 06:01..06:01",
            "EndpointRegistrationTransientFailure {zone=XQ} info resolved x2 05:56..06:51",
            "LLMBatchProcessingJobFailures {zone=AB} warning active x1 06:09..06:09",
            "LLMModelStale {zone=AB} warning superseded x1 06:21..06:21",
            "LLMModelVeryStale {zone=AB} critical active x1 06:41..06:41",
            "TooFewEndpointsRegistered {zone=AB} critical active x1 06:11..06:11",
        ],
    },
    Row {
        fixture: "cloudevents-batch.json",
        format: Format::CloudEvents,
        members: &[
            "EndpointRegistrationTransientFailure {source=/upcommerce/zones/XQ/registry,zone=XQ} info resolved x1 06:51..06:51",
            "LLMModelStale {source=/upcommerce/zones/AB/registry,zone=AB} warning active x1 06:21..06:21",
        ],
    },
    Row {
        fixture: "cloudevents-structured.json",
        format: Format::CloudEvents,
        members: &[
            "LLMModelVeryStale {source=/upcommerce/zones/AB/registry,zone=AB} critical active x1 06:41..06:41",
        ],
    },
    Row {
        fixture: "cloudevents-webhook.json",
        format: Format::CloudEvents,
        members: &[
            "LLMModelStale {zone=AB} warning resolved x1 06:01..06:01",
            "TooFewEndpointsRegistered {zone=AB} critical active x1 06:11..06:11",
        ],
    },
    Row {
        fixture: "grafana-webhook.json",
        format: Format::Grafana,
        members: &[
            "EndpointRegistrationTransientFailure {grafana_folder=UpCommerce,zone=XQ} info resolved x1 06:51..06:51",
            "TooFewEndpointsRegistered {grafana_folder=UpCommerce,zone=AB} critical active x1 06:12..06:12",
        ],
    },
    Row {
        fixture: "lines.log",
        format: Format::Lines,
        members: &[
            "EndpointRegistrationFailure {zone=AB} error active x1 06:06..06:06",
            "EndpointRegistrationTransientFailure {zone=OH-1} warning transient x1 -..-",
            "EndpointRegistrationTransientFailure {zone=XQ} warning transient x1 06:01..06:01",
            "LLMBatchProcessingJobFailures {zone=AB} warning active x1 06:09..06:09",
            "LLMModelStale {zone=AB} warning superseded x1 06:01..06:01",
            "LLMModelVeryStale {zone=AB} `took <n>` error active x1 06:41..06:41",
            "TooFewEndpointsRegistered {zone=AB} critical active x1 06:11..06:11",
        ],
    },
    Row {
        fixture: "pagerduty-events-v2-acknowledge.json",
        format: Format::Jsonl,
        members: &[
            "LLMModelStale {source=llm-batch,zone=XQ} warning resolved x2 06:21..06:21",
            "LLMModelVeryStale {source=llm-batch,zone=AB} error active x2 06:41..06:41",
        ],
    },
    Row {
        fixture: "pagerduty-events-v2-resolve.json",
        format: Format::PagerDuty,
        members: &["upcommerce/AB/EndpointRegistrationFailure {} warning resolved x1 -..-"],
    },
    Row {
        fixture: "pagerduty-events-v2-trigger.json",
        format: Format::PagerDuty,
        members: &[
            "EndpointRegistrationFailure {component=endpoint-registry,group=AB,source=registry.ab.upcommerce.example,zone=AB} critical active x1 06:06..06:06",
        ],
    },
    Row {
        fixture: "prometheus-api-v1-alerts.json",
        format: Format::Prometheus,
        members: &[
            "SwypePaymentGatewayDown {instance=127.0.0.1:19999,job=swype,service=swype,zone=AB} critical pending x1 06:51..06:51",
            "TargetDown {job=swype,service=swype} warning active x1 06:51..06:51",
            "Watchdog {} none informational x1 06:51..06:51",
        ],
    },
    Row {
        fixture: "prometheus-push-api-v2.json",
        format: Format::Alertmanager,
        members: &["TargetDown {job=swype,service=swype} warning active x1 06:51..06:51"],
    },
    Row {
        fixture: "syslog-rfc3164.log",
        format: Format::Syslog,
        members: &[
            "EndpointRegistrationFailure {app=endpoint-registry,host=registry-0,zone=AB} error active x1 06:06..06:06",
            "watchdog {app=watchdog,host=batch-1} `still here` info informational x1 06:09..06:09",
        ],
    },
    Row {
        fixture: "syslog-rfc5424.log",
        format: Format::Syslog,
        members: &[
            "EndpointRegistrationFailure {app=endpoint-registry,host=registry-0,zone=AB} error active x1 06:06..06:06",
            "LLMBatchProcessingJobFailures {app=llm-batch,host=batch-1} `3 jobs failed in <n>` warning active x1 06:09..06:09",
            "TooFewEndpointsRegistered {app=endpoint-registry,host=registry-0,zone=AB} critical active x1 06:11..06:11",
        ],
    },
];

/// The rows that this build can read.
fn readable_rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| cfg!(feature = "syslog") || row.format != Format::Syslog)
}

#[test]
fn each_fixture_says_what_its_source_says() {
    let mut listed: Vec<&str> = ROWS.iter().map(|row| row.fixture).collect();
    listed.sort_unstable();
    let mut all: Vec<String> = (fs::read_dir(fixtures()).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    all.sort_unstable();
    assert_eq!(listed, all, "every fixture has its row");
    for row in readable_rows() {
        let (format, mut engine) = read(&fixture(row.fixture), Some("2026-11-23T07:00:00Z"));
        assert_eq!(format, row.format, "{}", row.fixture);
        let report = engine.report(None);
        assert_eq!(report.totals().malformed, 0, "{}: {:?}", row.fixture, report.malformed().next());
        assert_eq!(rows(&report), row.members, "{}", row.fixture);
    }
}

/// The whole report, less how many lines and blank ones there were.
fn meaning(format: Format, input: &[u8]) -> serde_json::Value {
    let mut report = serde_json::to_value(read_as(format, input, None).1.report(None)).unwrap();
    for incident in report["incidents"].as_array_mut().unwrap() {
        for member in incident["members"].as_array_mut().unwrap() {
            (member["first"]["line"], member["last"]["line"]) = (0.into(), 0.into());
        }
    }
    (report["totals"]["lines"], report["totals"]["blank"]) = (0.into(), 0.into());
    report
}

#[test]
fn dressed_up_it_is_told_apart_all_the_same() {
    for row in readable_rows() {
        let plain = fixture(row.fixture);
        let crlf = String::from_utf8(plain.clone()).unwrap().replace('\n', "\r\n").into_bytes();
        let bom = [b"\xef\xbb\xbf".as_slice(), &plain].concat();
        let blank = [b"\n \r\n\n".as_slice(), &plain].concat();
        let want = meaning(row.format, &plain);
        for (dress, input) in [("CR LF", crlf), ("a byte order mark", bom), ("blank lines before", blank)] {
            assert_eq!(Format::detect(&input), row.format, "{} with {dress}", row.fixture);
            assert_eq!(meaning(row.format, &input), want, "{} with {dress}", row.fixture);
        }
    }
}

/// One document of one alert, judged at one instant.
fn verdict(json: &str, now: &str) -> String {
    let (_, mut engine) = read(json.as_bytes(), None);
    let report = engine.report(Some(now.parse().unwrap()));
    assert_eq!(report.totals().malformed, 0, "{json}");
    let verdicts: Vec<String> =
        report.incidents().flat_map(|i| i.members).map(|m| m.verdict.to_string()).collect();
    verdicts.join(",")
}

#[test]
fn an_end_means_what_its_source_means_by_it() {
    let get = |ends: &str| {
        format!(
            r#"[{{"labels":{{"alertname":"X","zone":"A"}},"startsAt":"2026-11-23T06:00:00Z","updatedAt":"2026-11-23T06:30:00Z","endsAt":"{ends}",
                "status":{{"state":"active","silencedBy":[],"inhibitedBy":[]}},"fingerprint":"f"}}]"#
        )
    };
    let post = |ends: &str| {
        format!(
            r#"[{{"labels":{{"alertname":"X","zone":"A"}},"startsAt":"2026-11-23T06:00:00Z","endsAt":"{ends}"}}]"#
        )
    };
    let hook = |status: &str, ends: &str| {
        format!(
            r#"{{"version":"4","status":"firing","alerts":[{{"status":"{status}","labels":{{"alertname":"X","zone":"A"}},
                "startsAt":"2026-11-23T06:00:00Z","endsAt":"{ends}"}}]}}"#
        )
    };
    let noon = "2026-11-23T12:00:00Z";
    for (case, json, now, want) in [
        ("a time-out to come is not an end", get("2026-11-23T12:04:00Z"), noon, "active"),
        (
            "a time-out that is past gives up, and resolves nothing",
            get("2026-11-23T06:34:00Z"),
            noon,
            "obsolete",
        ),
        ("pushed, an end to come is none yet", post("2026-11-23T12:04:00Z"), noon, "active"),
        ("pushed, a past end is the end", post("2026-11-23T06:34:00Z"), noon, "resolved"),
        ("the year 1 is open", post("0001-01-01T00:00:00Z"), noon, "active"),
        ("resolved by status", hook("resolved", "2026-11-23T06:34:00Z"), noon, "resolved"),
        (
            "the alert's own status counts, not the group's",
            hook("resolved", "0001-01-01T00:00:00Z"),
            noon,
            "resolved",
        ),
        ("firing with Go's zero time", hook("firing", "0001-01-01T00:00:00Z"), noon, "active"),
        (
            "a year later nobody has said that it is over",
            hook("firing", "0001-01-01T00:00:00Z"),
            "2027-11-23T12:00:00Z",
            "obsolete",
        ),
    ] {
        assert_eq!(verdict(&json, now), want, "{case}");
    }
}

#[test]
fn what_the_source_holds_back_says_by_what() {
    let (_, mut engine) = read(&fixture("alertmanager-api-v2-alerts.json"), None);
    let report = engine.report(None);
    let why = |verdict: &str| {
        let members = report.incidents().flat_map(|incident| incident.members);
        let mut found = members.filter(|member| member.verdict.to_string() == verdict);
        found.next().map(|member| (member.rule, member.why)).unwrap()
    };
    let (rule, silenced) = why("silenced");
    assert_eq!(rule, "source");
    assert!(silenced.starts_with("suppressed at its source by the silence "), "{silenced}");
    assert!(why("inhibited").1.starts_with("inhibited at its source by "));
}

#[test]
fn reasons_say_no_more_than_the_source_did() {
    let v2 = |rest: &str| {
        format!(
            r#"[{{"labels": {{"alertname": "X"}}, "startsAt": "2026-11-23T06:00:00Z", "endsAt": "2026-11-23T12:00:00Z",
            "fingerprint": "f", "receivers": [], "updatedAt": "2026-11-23T07:00:00Z", "generatorURL": "", "annotations": {{}},
            "status": {{"state": "suppressed", "silencedBy": [], "inhibitedBy": [], {rest}}}}}]"#
        )
    };
    let line = |rest: &str| {
        format!(
            r#"{{"labels": {{"alertname": "X"}}, "startsAt": "2026-11-23T06:00:00Z", "status": "resolved"{rest}}}"#
        )
    };
    for (input, want) in [
        (
            v2(r#""mutedBy": ["weekends"]"#),
            "suppressed at its source without a silence or an inhibiting alert: probably a mute time",
        ),
        (line(""), "its source reports the end; the input contains only its end"),
        (
            line(r#", "endsAt": "2026-11-23T06:30:00Z""#),
            "its source reports the end at 2026-11-23T06:30:00Z; the input contains only its end",
        ),
    ] {
        let (_, mut engine) = read(input.as_bytes(), None);
        let members = engine.report(None).incidents().flat_map(|one| one.members).collect::<Vec<_>>();
        assert_eq!(members.iter().map(|one| one.why.as_str()).collect::<Vec<_>>(), [want], "{input}");
    }
}

#[test]
fn what_a_sender_left_out_is_summed_and_said() {
    let twice = fixture("alertmanager-webhook-v4-truncated.json").repeat(2);
    let (_, mut engine) = read(&twice, None);
    let report = engine.report(None);
    let totals = report.totals();
    assert_eq!((totals.truncated, totals.duplicates, totals.alerts), (6, 2, 2));
    assert!(report.caveats().iter().any(|caveat| caveat.contains("6 alerts were left out by the sender")));
}

#[test]
fn replicas_are_one_alert_and_leave_their_names_as_examples() {
    let (_, mut engine) = read(&fixture("alertmanager-api-v2-ha-replicas.json"), None);
    let report = engine.report(None);
    let down = report
        .incidents()
        .flat_map(|incident| incident.members)
        .find(|member| member.alert == "TargetDown")
        .unwrap();
    assert_eq!(down.examples, ["prometheus-k8s-0", "prometheus-k8s-1"]);
}

#[test]
fn a_key_joins_what_a_pager_says_apart() {
    let trigger = fixture("pagerduty-events-v2-trigger.json");
    let resolve = fixture("pagerduty-events-v2-resolve.json");
    for (case, input, want) in [
        ("in order", [trigger.clone(), resolve.clone()].join(&b'\n'), "resolved"),
        ("on one line", [trigger.clone(), resolve.clone()].concat(), "resolved"),
        ("the trigger alone", trigger.clone(), "active"),
        ("the trigger delivered again", [trigger.clone(), resolve, trigger].join(&b'\n'), "resolved"),
    ] {
        let (_, mut engine) = read_as(Format::PagerDuty, &input, None);
        let report = engine.report(None);
        let members: Vec<_> = report.incidents().flat_map(|incident| incident.members).collect();
        assert_eq!(members.len(), 1, "{case}");
        assert_eq!(members[0].verdict.to_string(), want, "{case}");
    }
}

/// Name, verdict and count of each alert; how many records repeat others.
fn told(input: &str) -> (String, u64) {
    let (_, mut engine) = read(input.as_bytes(), None);
    let report = engine.report(None);
    assert_eq!(report.totals().malformed, 0, "{input}: {:?}", report.malformed().next());
    let mut members: Vec<String> = (report.incidents().flat_map(|incident| incident.members))
        .map(|member| format!("{} {} x{}", member.alert, member.verdict, member.count))
        .collect();
    members.sort();
    (members.join(", "), report.totals().duplicates)
}

#[test]
fn a_fingerprint_tells_apart_only_where_labels_do_not() {
    let alert = |status: &str, at: u32, more: &str| {
        format!(
            r#"{{"status":"{status}","labels":{{"alertname":"X","zone":"A"}},"startsAt":"2026-11-23T06:{at:02}:00Z"{more}}}"#
        )
    };
    let grafana = |fingerprint: &str, status: &str, at: u32| {
        let more = format!(r#","silenceURL":"http://g/silence","fingerprint":"{fingerprint}""#);
        format!(r#"{{"orgId":1,"version":"1","alerts":[{}]}}"#, alert(status, at, &more))
    };
    let hook = |fingerprint: &str, status: &str, at: u32| {
        let more = format!(r#","fingerprint":"{fingerprint}""#);
        format!(r#"{{"version":"4","alerts":[{}]}}"#, alert(status, at, &more))
    };
    for (case, parts, want) in [
        (
            "two rules of Grafana with one title, of which one is over",
            vec![grafana("a", "firing", 1), grafana("b", "firing", 2), grafana("b", "resolved", 2)],
            ("X active x3", 0),
        ),
        (
            "one rule of Grafana, delivered twice",
            vec![grafana("a", "firing", 1), grafana("a", "firing", 1), grafana("a", "resolved", 1)],
            ("X resolved x2", 1),
        ),
        (
            "Alertmanager's is made of the labels, and those say as much",
            vec![format!("[{}]", alert("resolved", 1, "")), hook("a", "firing", 1)],
            ("X resolved x2", 0),
        ),
        (
            "Alertmanager's newest episode decides",
            vec![hook("a", "firing", 1), hook("a", "resolved", 1), hook("a", "firing", 3)],
            ("X active x3", 0),
        ),
    ] {
        let (members, repeats) = told(&parts.join("\n"));
        assert_eq!((members.as_str(), repeats), want, "{case}");
    }
}

/// A source may choose any event ids: a repeated delivery is recognized by its content.
#[test]
fn an_event_is_told_by_what_it_says_and_not_by_its_id() {
    let event = |source: &str, id: &str, name: &str, kind: &str, at: u32| {
        format!(
            r#"{{"specversion":"1.0","source":"/{source}","id":"{id}","type":"alert.{kind}","time":"2026-11-23T06:{at:02}:00Z","data":{{"alertname":"{name}"}}}}"#
        )
    };
    for (case, events, want) in [
        (
            "delivered twice",
            [event("a", "1", "X", "firing", 1), event("a", "1", "X", "firing", 1)],
            ("X active x1", 1),
        ),
        (
            "ended by another event",
            [event("a", "1", "X", "firing", 1), event("a", "2", "X", "resolved", 2)],
            ("X resolved x2", 0),
        ),
        (
            "one id of two sources",
            [event("a", "1", "X", "firing", 1), event("b", "1", "Y", "resolved", 2)],
            ("X active x1, Y resolved x1", 0),
        ),
    ] {
        let (members, repeats) = told(&format!("[{}]", events.join(",")));
        assert_eq!((members.as_str(), repeats), want, "{case}");
    }
}

#[test]
fn of_a_key_told_twice_the_later_counts_and_no_alert_is_lost() {
    for (case, json, want) in [
        ("a name", r#"{"alertname":"X","alertname":"Y"}"#, "Y active x1"),
        ("a name among labels", r#"{"labels":{"alertname":"X","alertname":"Y"}}"#, "Y active x1"),
        ("a state", r#"{"alertname":"X","status":"firing","status":"resolved"}"#, "X resolved x1"),
        (
            "a list",
            r#"{"alerts":[{"alertname":"X"}],"alerts":[{"alertname":"Y"}]}"#,
            "X active x1, Y active x1",
        ),
        ("two names for one thing", r#"{"name":"Z","alert":"Y","alertname":"X"}"#, "X active x1"),
        ("the same turned round", r#"{"alertname":"X","alert":"Y","name":"Z"}"#, "X active x1"),
        ("the lesser two", r#"{"name":"Z","alert":"Y"}"#, "Y active x1"),
    ] {
        assert_eq!(told(json).0, want, "{case}");
    }
    let zone = |json: &str| {
        let (_, mut engine) = read(json.as_bytes(), None);
        engine.report(None).incidents().flat_map(|incident| incident.members).next().unwrap().labels
    };
    assert_eq!(
        zone(r#"{"alertname":"X","zone":"A","zone":"B"}"#),
        zone(r#"{"labels":{"alertname":"X","zone":"A","zone":"B"}}"#)
    );
}

/// A line of PagerDuty Events v2: action, key, summary if there is a payload, and time in minutes.
fn page((action, key, summary, at): (&str, &str, &str, Option<u32>)) -> String {
    let at = at.map_or(String::new(), |at| format!(r#","timestamp":"2026-11-23T06:{at:02}:00Z""#));
    let payload = match summary {
        "" => String::new(),
        summary => {
            format!(r#","payload":{{"summary":"{summary}","source":"s","severity":"critical"{at}}}"#)
        }
    };
    format!(r#"{{"routing_key":"r","event_action":"{action}","dedup_key":"{key}"{payload}}}"#)
}

#[test]
fn a_label_may_be_a_number_or_a_boolean_and_null_is_none() {
    for line in [
        r#"{"labels":{"alertname":"X","zone":5,"severity":"critical","planned":false,"team":null}}"#,
        r#"{"alertname":"X","zone":5,"severity":"critical","team":null}"#,
    ] {
        let (_, mut engine) = read(line.as_bytes(), None);
        let report = engine.report(None);
        let member = report.incidents().next().expect(line).members.remove(0);
        assert_eq!((member.labels["zone"].as_str(), member.severity.word()), ("5", "critical"), "{line}");
        assert!(!member.labels.contains_key("team"), "{line}");
    }
}

#[test]
fn a_page_whose_summary_tells_a_measurement_is_one_alert() {
    let told = |percent: u32| page(("trigger", "k", &format!("checkout 5xx rate {percent}% for 5m"), None));
    let (_, mut engine) = read(format!("{}\n{}\n", told(12), told(14)).as_bytes(), None);
    let report = engine.report(None);
    let headlines: Vec<_> = report.incidents().map(|incident| incident.headline).collect();
    assert_eq!(headlines, ["checkout 5xx rate <n> for <n>"]);
}

#[test]
fn an_end_of_one_integration_ends_nothing_of_another() {
    let of = |integration: &str, event| page(event).replace(r#""r""#, &format!("\"{integration}\""));
    let lines = [
        of("shop", ("trigger", "disk", "Zone A: X", None)),
        of("bank", ("trigger", "disk", "Zone B: Y", None)),
        of("bank", ("resolve", "disk", "", None)),
    ];
    let (_, mut engine) = read((lines.join("\n") + "\n").as_bytes(), None);
    let verdicts: Vec<_> = engine
        .report(None)
        .incidents()
        .flat_map(|incident| incident.members)
        .map(|member| format!("{} {}", member.alert, member.verdict))
        .collect();
    assert_eq!(verdicts, ["X active", "Y resolved"]);
}

/// A row: the case, its events, and name and verdict of each alert.
type Paged = (&'static str, &'static [(&'static str, &'static str, &'static str, Option<u32>)], &'static str);

const PAGED: &[Paged] = &[
    (
        "of one alert under two keys one stands as long as the other is not over",
        &[
            ("trigger", "1", "Zone A: X", None),
            ("trigger", "2", "Zone A: X", None),
            ("resolve", "1", "", None),
        ],
        "X active x3",
    ),
    (
        "both are over",
        &[
            ("trigger", "1", "Zone A: X", None),
            ("trigger", "2", "Zone A: X", None),
            ("resolve", "2", "", None),
            ("resolve", "1", "", None),
        ],
        "X resolved x4",
    ),
    (
        "an end reaches every name that its key was given",
        &[
            ("trigger", "1", "Zone A: X", None),
            ("trigger", "1", "Zone A: Y", None),
            ("resolve", "1", "", None),
        ],
        "X resolved x1, Y resolved x2",
    ),
    (
        "an end has a summary of its own",
        &[("trigger", "1", "[FIRING:1] X (A)", Some(1)), ("resolve", "1", "[RESOLVED] X (A)", Some(2))],
        "X (A) resolved x2",
    ),
    (
        "with times the order of the lines is none",
        &[("resolve", "1", "over", Some(3)), ("trigger", "1", "Zone A: X", Some(2))],
        "X resolved x2",
    ),
    (
        "fired again",
        &[
            ("trigger", "1", "Zone A: X", None),
            ("resolve", "1", "", None),
            ("trigger", "1", "Zone A: X", None),
        ],
        "X active x3",
    ),
    (
        "heard of and still firing",
        &[("trigger", "1", "Zone A: X", None), ("acknowledge", "1", "", None)],
        "X active x2",
    ),
    (
        "heard of too late",
        &[("trigger", "1", "Zone A: X", None), ("resolve", "1", "", None), ("acknowledge", "1", "", None)],
        "X resolved x3",
    ),
    (
        "heard of too late, with a time",
        &[
            ("trigger", "1", "Zone A: X", Some(1)),
            ("resolve", "1", "over", Some(2)),
            ("acknowledge", "1", "mine", Some(3)),
        ],
        "X resolved x3",
    ),
    ("the end of nothing", &[("resolve", "1", "", None)], "1 resolved x1"),
];

/// As one input, with one engine and one file per event, and with those merged in reverse order.
#[test]
fn a_key_joins_its_own_events_and_no_others() {
    for (case, events, want) in PAGED {
        let lines: Vec<String> = events.iter().map(|event| page(*event)).collect();
        let said = |mut engine: Engine| {
            let report = engine.report(None);
            let counts: u64 = report.incidents().flat_map(|i| i.members).map(|member| member.count).sum();
            assert_eq!((report.totals().records, counts), (lines.len() as u64, lines.len() as u64), "{case}");
            let mut members: Vec<String> = (report.incidents().flat_map(|incident| incident.members))
                .map(|member| format!("{} {} x{}", member.alert, member.verdict, member.count))
                .collect();
            members.sort();
            members.join(", ")
        };
        let mut whole = Engine::new(Rules::builtin());
        whole.read("events", Format::Jsonl, lines.join("\n").as_bytes());
        assert_eq!(said(whole), *want, "{case}");

        let mut root = Engine::new(Rules::builtin());
        for number in 0..lines.len() {
            root.add_source(format!("{number}"));
        }
        for backwards in [false, true] {
            let mut merged = root.sibling();
            let mut parts: Vec<(usize, &String)> = lines.iter().enumerate().collect();
            if backwards {
                parts.reverse();
            }
            for (number, line) in parts {
                let mut part = root.sibling();
                part.read_block(number, 0, Format::PagerDuty, line.as_bytes());
                merged.merge(part);
            }
            assert_eq!(said(merged), *want, "{case}, in parts, backwards: {backwards}");
        }
    }
}

#[cfg(feature = "syslog")]
#[test]
fn a_year_is_given_only_by_a_reference() {
    let input = fixture("syslog-rfc3164.log");
    let (_, mut engine) = read(&input, None);
    let report = engine.report(None);
    assert_eq!(report.now(), None);
    assert!(
        report
            .caveats()
            .iter()
            .any(|caveat| caveat.contains("2 times without a year") && caveat.contains("--now"))
    );
    let one = input.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    let caveats = read(one, None).1.report(None).caveats().join("\n");
    assert!(caveats.contains("1 time without a year could not be resolved and was ignored"), "{caveats}");
    let (_, mut engine) = read(&input, Some("2027-01-02T00:00:00Z"));
    assert_eq!(
        engine.report(None).now(),
        Some("2026-11-23T06:09:59Z".parse().unwrap()),
        "last year, in January"
    );
}

/// Name, scope and text of each member, and how many lines were malformed.
fn said(input: &[u8], now: Option<&str>) -> (Vec<String>, usize) {
    let (_, mut engine) = read(input, now);
    let report = engine.report(None);
    let members = report.incidents().flat_map(|incident| incident.members);
    let mut said: Vec<String> = members
        .map(|member| {
            let zone = member.labels.get("zone").map_or(String::new(), |zone| format!(" in {zone}"));
            let text = if member.text.is_empty() { String::new() } else { format!(" `{}`", member.text) };
            format!("{}x {}{zone}{text}", member.count, member.alert)
        })
        .collect();
    said.sort();
    (said, report.malformed().len())
}

#[test]
fn odd_inputs_that_are_legal_are_read() {
    for (case, input, want, malformed) in [
        (
            "a log in brackets is not JSON",
            "[2026-11-23T06:51:59Z] Zone AB: X\n[12:00] nonsense\nZone AB: Y\n",
            vec!["1x X in AB", "1x Y in AB"],
            1,
        ),
        ("neither is one in braces", "{oops} nonsense\nZone AB: Y\n", vec!["1x Y in AB"], 1),
        (
            "an alert with a field that is called as a payload's",
            "{\"alertname\":\"X\",\"alerts\":[]}\n{\"alertname\":\"Y\",\"alerts\":3}\n{\"alertname\":\"Z\",\"routing_key\":\"k\"}\n{\"alertname\":\"V\",\"specversion\":\"1.0\"}\n",
            vec!["1x V", "1x X", "1x Y", "1x Z"],
            0,
        ),
        (
            "an event without data, whose subject says it all",
            "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"t.firing\",\"subject\":\"DiskDown\"}\n",
            vec!["1x DiskDown"],
            0,
        ),
        (
            "alerts around a break in one line",
            "[{\"alertname\":\"X\"},oops,{\"alertname\":\"Y\"}, {\"alertname\":\"Z\"},{\"labels\":oops}]",
            vec!["1x X", "1x Y", "1x Z"],
            2,
        ),
        (
            "labels of what is broken are not an alert",
            "[{\"labels\":{\"alertname\":\"X\"},oops,\"annotations\":{\"alertname\":\"no\"}},{\"alertname\":\"Y\"}]",
            vec!["1x Y"],
            1,
        ),
        (
            "a BOM before a syslog message",
            "<34>1 2026-10-11T22:14:15Z host app - - - \u{feff}Zone AB: DiskDown\n",
            vec!["1x DiskDown in AB"],
            0,
        ),
        ("a syslog message without a header", "<13>Zone AB: DiskDown\n", vec!["1x DiskDown in AB"], 0),
        (
            "ports that look like a time",
            "Zone AB: X dial 10.0.1.5:80 refused\nZone AB: X dial 10.0.2.116:443 refused at 12:30:45\nZone AB: X dial [fe80::1]:80 refused [12:30:45]\n",
            vec![
                "1x X in AB `dial <ip> refused [<time>]`",
                "1x X in AB `dial <ip> refused at <time>`",
                "1x X in AB `dial <ip> refused`",
            ],
            0,
        ),
    ] {
        if case.contains("syslog") && !cfg!(feature = "syslog") {
            continue;
        }
        let (said, faults) = said(input.as_bytes(), None);
        assert_eq!(said, want, "{case}");
        assert_eq!(faults, malformed, "{case}");
    }
}

#[test]
fn every_fault_of_one_line_is_listed() {
    let (said, faults) = said(
        br#"[{"alertname":"Good"},{"labels":{"alertname":"BadOne","n":[]}},{"labels":{"alertname":"BadTwo","n":{}}},{},3]"#,
        None,
    );
    assert_eq!((said, faults), (vec!["1x Good".to_owned()], 4));
}

#[cfg(feature = "syslog")]
#[test]
fn a_syslog_time_is_never_ahead() {
    for (stamp, now, want) in [
        ("Dec 25 00:00:00", "2026-11-23T07:00:00Z", "2025-12-25T00:00:00Z"),
        ("Nov 25 00:00:00", "2026-11-23T07:00:00Z", "2025-11-25T00:00:00Z"),
        ("Feb 10 00:00:00", "2027-01-15T00:00:00Z", "2026-02-10T00:00:00Z"),
        ("Feb 29 00:00:00", "2026-03-01T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("Nov 23 06:00:00", "2026-11-23T07:00:00Z", "2026-11-23T06:00:00Z"),
    ] {
        let line = format!("<34>{stamp} h a: Zone AB: FooDown\n");
        let (_, mut engine) = read(line.as_bytes(), Some(now));
        let report = engine.report(Some(now.parse().unwrap()));
        let first = report.incidents().next().unwrap().members[0].first.at;
        assert_eq!(first, Some(want.parse().unwrap()), "{line}");
    }
    let (said, faults) = said(b"<34>Feb 29 00:00:00 h a: Zone AB: FooDown\n", None);
    assert_eq!((said, faults), (vec!["1x FooDown in AB".to_owned()], 0));
}

#[cfg(not(feature = "syslog"))]
#[test]
fn without_the_feature_each_syslog_line_is_malformed_and_named() {
    let input = fixture("syslog-rfc3164.log");
    assert_eq!(Format::detect(&input), Format::Syslog);
    let (_, mut engine) = read(&input, None);
    let report = engine.report(None);
    let totals = report.totals();
    assert_eq!((totals.records, totals.malformed), (0, totals.lines - totals.blank));
    assert!(report.malformed().all(|one| one.error.contains("built without the `syslog` feature")));
}
