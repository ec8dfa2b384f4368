use alert_triage::incident_tracker::{Change, Notification};
use alert_triage::{Format, Rules};
use jiff::{SignedDuration, Timestamp};

use super::stream::{Stream, Summary};

const SAMPLE: &str = include_str!("../../../../docs/samples/upcommerce.log");

fn at(minutes: i64) -> Timestamp {
    "2026-11-23T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

/// Follows a file that held `before` at noon.
fn follow(rules: &str, before: &str) -> (Stream, Summary) {
    let mut stream = Stream::new("a.log", Rules::parse(rules).unwrap(), None, at(0)).unwrap();
    stream.read(before.into(), at(0)).unwrap();
    let summary = stream.caught_up(at(0)).unwrap();
    (stream, summary)
}

fn texts(notices: &[Notification]) -> Vec<String> {
    let text = |notice: &Notification| format!("{} {} {}", notice.priority, notice.change, notice.headline);
    notices.iter().map(text).collect()
}

impl Stream {
    fn write(&mut self, text: &str, minutes: i64) -> Vec<String> {
        self.read(text.into(), at(minutes)).unwrap();
        texts(&self.judge(at(minutes)))
    }

    fn wait(&mut self, minutes: i64) -> Vec<String> {
        texts(&self.judge(at(minutes)))
    }
}

#[test]
fn content_at_the_start_is_summed_up_and_only_changes_are_emitted() {
    let (mut stream, summary) = follow("", SAMPLE);
    let open: Vec<String> =
        summary.open.iter().map(|one| format!("{} {}", one.priority, one.headline)).collect();
    assert_eq!(open, ["P1 TooFewEndpointsRegistered", "P4 EndpointRegistrationTransientFailure"]);
    for (case, text, want) in [
        ("a repeat of all", SAMPLE, vec![]),
        ("half a line", "Zone XQ: LLMModel", vec![]),
        ("its other half", "VeryStale\r\n", vec!["P2 opened LLMModelVeryStale"]),
        ("a lower rung", "Zone XQ: LLMModelStale\n", vec![]),
        ("blank", "\n \r\n", vec![]),
        (
            "two at once",
            "Zone Q: EtcdDown\nZone R: LLMModelStale\n",
            vec!["P1 opened EtcdDown", "P3 opened LLMModelStale"],
        ),
    ] {
        assert_eq!(stream.write(text, 1), want, "{case}");
    }
    let summary = stream.summary();
    assert_eq!((summary.totals.records, summary.open.len(), summary.emitted[&Change::Opened]), (66, 5, 3));
}

#[test]
fn time_alone_changes_incidents() {
    let rules = "silences: [{id: s, alert: EtcdDown, until: 2026-11-23T13:00:00Z}]\n\
                 ttls: [{id: t, alert: LLMModelStale, ttl: 2h}]";
    let (mut stream, summary) = follow(rules, "Zone A: EtcdDown\nZone B: LLMModelStale\n");
    assert_eq!(texts(&summary.open), ["P3 opened LLMModelStale"]);
    assert_eq!(stream.wait(59), [""; 0]);
    assert_eq!(stream.wait(61), ["P1 unsilenced EtcdDown"], "its silence ended");
    assert_eq!(stream.wait(119), [""; 0]);
    assert_eq!(stream.wait(121), ["P5 closed LLMModelStale"], "no record for its TTL");
    assert_eq!(stream.write("Zone B: LLMModelStale\n", 130), ["P3 reopened LLMModelStale"]);
    assert_eq!(stream.wait(24 * 60 + 1), ["P5 closed LLMModelStale", "P5 closed EtcdDown"]);
}

#[test]
fn a_transient_that_lasts_is_escalated() {
    let line = "Zone A: EndpointRegistrationTransientFailure\n";
    let (mut stream, _) = follow("", "");
    assert_eq!(stream.write(line, 0), ["P4 opened EndpointRegistrationTransientFailure"]);
    for minutes in (10..60).step_by(10) {
        assert_eq!(stream.write(line, minutes), [""; 0]);
    }
    assert_eq!(stream.write(line, 60), ["P2 escalated EndpointRegistrationTransientFailure"]);
    // A page stays one until it is closed: a lower priority is not a change.
    assert_eq!(stream.wait(80), [""; 0]);
}

#[test]
fn a_flapping_alert_is_closed_once_it_is_quiet() {
    let (mut stream, _) = follow("", "");
    let event = |status: &str, minutes: i64| {
        let at = at(minutes);
        format!(
            "{{\"alertname\": \"LinkDown\", \"zone\": \"A\", \"status\": \"{status}\", \"timestamp\": \"{at}\"}}\n"
        )
    };
    assert_eq!(stream.write(&event("firing", 0), 0), ["P1 opened LinkDown"]);
    assert_eq!(stream.write(&event("resolved", 1), 1), ["P5 closed LinkDown"]);
    for minutes in [2, 4] {
        assert_eq!(stream.write(&event("firing", minutes), minutes), ["P1 reopened LinkDown"]);
        assert_eq!(stream.write(&event("resolved", minutes + 1), minutes + 1), ["P5 closed LinkDown"]);
    }
    assert_eq!(stream.write(&event("firing", 6), 6), ["P1 reopened LinkDown"]);
    assert_eq!(stream.write(&event("resolved", 7), 7), [""; 0], "the fourth time: it flaps");
    assert_eq!(stream.write(&event("firing", 8), 8), [""; 0]);
    assert_eq!(stream.write(&event("resolved", 9), 9), [""; 0]);
    assert_eq!(stream.wait(38), [""; 0]);
    assert_eq!(stream.wait(40), ["P5 closed LinkDown"], "quiet for half an hour");
}

#[test]
fn formats_are_detected_from_the_first_line() {
    let payload = "{\"version\": \"4\", \"alerts\": [{\"labels\": {\"alertname\": \"EtcdDown\"}}]}\n";
    for (case, text, want) in [
        ("lines", "Zone A: EtcdDown\n", Some(Format::Lines)),
        ("blank lines first", "\n\n{\"alertname\": \"EtcdDown\"}\n", Some(Format::Jsonl)),
        ("a byte order mark", "\u{feff}{\"alertname\": \"EtcdDown\"}\n", Some(Format::Jsonl)),
        ("one payload on one line: more will come", payload, Some(Format::Jsonl)),
        ("broken JSON", "{\"alertname\": \n", Some(Format::Jsonl)),
        ("syslog", "<11>Nov 23 11:59:00 web app: Zone A: EtcdDown\n", Some(Format::Syslog)),
        ("half a line has no format yet", "{\"alertname\"", None),
        ("nothing", "", None),
    ] {
        let (_, summary) = follow("", text);
        assert_eq!(summary.format.as_deref(), want.map(Format::name), "{case}");
        assert_eq!(summary.open.len(), usize::from(text.contains("EtcdDown")), "{case}");
    }
}

#[test]
fn documents_are_refused() {
    for (case, text) in [
        ("a payload over several lines", "{\n \"alerts\": []}\n"),
        ("an array", "[{\"labels\": {\"alertname\": \"A\"}}]\n"),
        ("an array without a line end", "[{\"labels\": {\"alertname\": \"A\"}}]"),
    ] {
        let mut stream = Stream::new("a.json", Rules::builtin(), None, at(0)).unwrap();
        let read = stream.read(text.into(), at(0)).and_then(|()| stream.caught_up(at(0)).map(drop));
        let error = read.unwrap_err().to_string();
        assert!(
            error.starts_with("a.json cannot be followed as alertmanager, which is one document"),
            "{case}: {error}"
        );
    }
    assert!(Stream::new("a.json", Rules::builtin(), Some(Format::Prometheus), at(0)).is_err());
}

#[test]
fn a_time_without_a_year_is_of_this_year() {
    let (mut stream, _) = follow("", "Nov 23 11:30:00 Zone A: LinkTransientFailure\n");
    assert_eq!(stream.write("Nov 23 11:40:00 Zone A: LinkTransientFailure\n", 0), [""; 0]);
    for minutes in (0..30).step_by(10) {
        stream.write(&format!("Nov 23 12:{minutes:02}:00 Zone A: LinkTransientFailure\n"), minutes);
    }
    assert_eq!(stream.write("Nov 23 11:50:00 Zone A: LinkTransientFailure\n", 31), [""; 0]);
    assert_eq!(
        stream.write("Nov 23 12:30:00 Zone A: LinkTransientFailure\n", 31),
        ["P3 escalated LinkTransientFailure"]
    );
}

#[test]
fn malformed_lines_are_named_by_their_place_in_the_file() {
    let (mut stream, _) = follow("", "nonsense\nZone A: X\nnonsense\n");
    let first = "a.log:1 does not begin with `Zone`: write `Zone {zone}: {alert}`, or describe your lines with a template in --rules";
    assert_eq!(stream.warnings(), [format!("{first}; 1 more before the end")]);
    stream.write("Zone A: X\nnonsense\nZone Z", 1);
    assert!(stream.warnings()[0].starts_with("a.log:5 does not begin with"));
    stream.rotated(at(2)).unwrap();
    stream.write("\nnonsense\n", 2);
    let warnings = stream.warnings();
    assert!(warnings[0].starts_with("a.log:6 has no `:`"), "the last line of the old file: {warnings:?}");
    assert_eq!(warnings[1], "a.log was replaced: reading the new file from its start");
    assert!(warnings[2].starts_with("a.log:2 does not begin with"), "{warnings:?}");
    stream.write("Zone \u{1b}[2J", 3);
    stream.truncated(at(3));
    stream.write("nonsense\n", 3);
    let warnings = stream.warnings();
    assert_eq!(
        warnings[0],
        r"a.log was truncated: reading it from its start; dropped a line whose end is lost: Zone \u{1b}[2J"
    );
    assert!(warnings[1].starts_with("a.log:1 does not begin with"), "{warnings:?}");
    let totals = stream.summary().totals;
    assert_eq!(totals.lines, totals.blank + totals.malformed + totals.records);
}

#[test]
fn the_last_line_needs_no_end_when_the_stream_has_one() {
    let (mut stream, _) = follow("", "");
    assert_eq!(stream.write("Zone A: EtcdDown", 0), [""; 0]);
    assert_eq!(texts(&stream.end(at(0)).unwrap()), ["P1 opened EtcdDown"]);
}

#[test]
fn a_clock_that_is_set_back_a_little_ends_nothing_twice() {
    let (mut stream, _) = follow("", "");
    stream.write("Zone A: EtcdDown\n", 0);
    assert_eq!(stream.wait(24 * 60 + 1), ["P5 closed EtcdDown"]);
    let back = at(24 * 60) + SignedDuration::from_secs(30);
    assert_eq!(texts(&stream.judge(back)), [""; 0]);
    assert_eq!(stream.wait(60), ["P1 reopened EtcdDown"], "a day back: that clock was wrong before");
}

#[test]
fn memory_does_not_grow_over_months() {
    let (mut stream, _) = follow("", "");
    let mut day = 0;
    for _ in 0..100 {
        day += 1;
        for hour in 0..24 {
            let minutes = (day * 24 + hour) * 60;
            stream.write(&format!("Zone A: Daily{day}\nZone A: EtcdDown\nnonsense\n"), minutes);
        }
    }
    let summary = stream.summary();
    assert!(summary.totals.distinct <= 5, "{} alerts are kept", summary.totals.distinct);
    assert_eq!(summary.totals.records, 2 * 24 * 100);
    assert_eq!(
        summary.totals.records,
        summary.totals.alerts + summary.totals.duplicates + summary.totals.retired
    );
    assert_eq!(summary.emitted[&Change::Opened], 101);
}

#[test]
fn alerts_that_a_sender_left_out_are_reported_once() {
    let (mut stream, _) = follow("", "");
    stream.write("{\"receiver\": \"r\", \"groupKey\": \"g\", \"alerts\": [], \"truncatedAlerts\": 3}\n", 0);
    let warnings = stream.warnings();
    assert!(warnings.iter().any(|one| one.starts_with("the sender left out 3 alerts")), "{warnings:?}");
    stream.wait(1);
    assert_eq!(stream.warnings(), [""; 0]);
}
