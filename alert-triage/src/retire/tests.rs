use proptest::prelude::*;

use super::*;
use crate::report::Incident;
use crate::source_position::SourcePosition;
use crate::{Format, Priority, Rules, Verdict};

const NOON: Timestamp = Timestamp::constant(1_795_521_600, 0);

fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn engine() -> (Engine, usize) {
    let mut engine = Engine::new(Rules::builtin());
    let source = engine.add_source("-");
    (engine, source)
}

fn first(engine: &mut Engine, now: Timestamp) -> Incident {
    engine.report(Some(now)).incidents().next().unwrap()
}

proptest! {
    /// Law: reading a source in parts, split at any line ends, gives the report of reading it
    /// whole.
    #[test]
    fn reading_on_is_reading(
        lines in prop::collection::vec(prop::sample::select(vec![
            "Zone AB: LLMModelStale", "Zone AB: LLMModelVeryStale at 10:42", "nonsense", "", "Zone XQ: A\r",
            "{\"alertname\": \"A\", \"zone\": \"AB\"}", "{\"alertname\": 7}", "<11>Nov 23 06:51:59 web app: Zone AB: A",
        ]), 0..40),
        cuts in prop::collection::vec(0usize..10, 0..6),
    ) {
        for format in [Format::Lines, Format::Jsonl, Format::Syslog] {
            let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
            let mut whole = Engine::new(Rules::builtin());
            whole.read("-", format, lines.concat().as_bytes());
            let (mut live, source) = engine();
            let mut rest = lines.as_slice();
            for cut in &cuts {
                let (now, later) = rest.split_at(*cut.min(&rest.len()));
                live.read_on(source, format, now.concat().as_bytes());
                rest = later;
            }
            live.read_on(source, format, rest.concat().as_bytes());
            let json = |engine: &mut Engine| serde_json::to_string(&engine.report(None)).unwrap();
            prop_assert_eq!(json(&mut live), json(&mut whole), "{}", format);
        }
    }
}

#[test]
fn a_source_without_end_keeps_its_line_numbers_and_takes_no_memory() {
    let (mut engine, source) = engine();
    for _ in 0..1_000 {
        engine.read_on(source, Format::Lines, b"Zone AB: A\n");
    }
    assert_eq!(engine.blocks.len(), 1);
    // As if much more had been read.
    engine.add_lines(SourcePosition::new(source, 0, 0), (1 << 23) - 1_000);
    engine.read_on(source, Format::Lines, b"nonsense\n");
    engine.add_lines(SourcePosition::new(source, 1, 0), (1 << 24) - 3);
    engine.read_on(source, Format::Lines, b"Zone AB: A\nnonsense\n");
    let lines: Vec<u64> = engine.take_malformed().iter().map(|malformed| malformed.line).collect();
    assert_eq!(lines, [(1 << 23) + 1, (1 << 23) + (1 << 24)]);
    assert_eq!(engine.blocks.len(), 3);
}

#[test]
fn one_large_piece_is_read_like_many_small_ones() {
    let (mut engine, source) = engine();
    let mut text = vec![b'\n'; (1 << 24) + 10];
    text.extend_from_slice(b"nonsense\n");
    engine.read_on(source, Format::Lines, &text);
    let malformed = engine.take_malformed();
    assert_eq!((malformed.len(), malformed[0].line), (1, (1 << 24) + 11));
}

#[test]
fn malformed_lines_are_taken_once_and_counted_for_good() {
    let (mut engine, source) = engine();
    engine.read_on(source, Format::Lines, b"one\nZone AB: A\n");
    engine.read_on(source, Format::Lines, b"three\n");
    let lines = |engine: &mut Engine| {
        engine.take_malformed().into_iter().map(|one| (one.line, one.text)).collect::<Vec<_>>()
    };
    assert_eq!(lines(&mut engine), [(1, "one".to_owned()), (3, "three".to_owned())]);
    assert_eq!(lines(&mut engine), []);
    engine.read_on(source, Format::Lines, b"four\n");
    assert_eq!(lines(&mut engine), [(4, "four".to_owned())]);
    let report = engine.report(None);
    assert_eq!((report.totals().malformed, report.malformed().len()), (3, 0));
}

#[test]
fn what_is_heard_is_seen() {
    let hours = SignedDuration::from_hours;
    let json = |extra: &str| format!("{{\"labels\": {{\"alertname\": \"A\", \"zone\": \"AB\"}}, {extra}}}\n");
    let (old, new) = (NOON - hours(20), NOON - hours(1));
    let status = json("\"status\": \"firing\"");
    let start = json(&format!("\"startsAt\": \"{old}\""));
    let snapshot = json(&format!("\"startsAt\": \"{old}\", \"status\": {{\"state\": \"active\"}}"));
    let timed = json(&format!("\"timestamp\": \"{new}\""));
    for (case, before, later, obsolete_after) in [
        ("a line of before: said no later than noon", "Zone AB: A\n", "", 24),
        ("a line that comes again", "Zone AB: A\n", "Zone AB: A\n", 34),
        ("a line that comes", "", "Zone AB: A\n", 34),
        ("a state of before", &status, "", 24),
        ("a state that comes again", &status, &status, 34),
        ("a start of before: seen then", &start, "", 4),
        ("a start that is sent again", &start, &start, 34),
        ("an answer about the present of before", &snapshot, "", 24),
        ("an answer about the present that comes again", &snapshot, &snapshot, 34),
        ("a time of before: it says when", &timed, "", 23),
    ] {
        let (mut engine, source) = engine();
        let format = if before.starts_with('{') { Format::Jsonl } else { Format::Lines };
        engine.read_on(source, format, before.as_bytes());
        engine.set_arrival(NOON);
        engine.set_arrival(NOON + hours(10));
        engine.read_on(source, format, later.as_bytes());
        let end = NOON + hours(obsolete_after);
        assert_eq!(first(&mut engine, end - mins(1)).state, Verdict::Active, "{case}");
        let over = first(&mut engine, end + mins(1));
        assert_eq!((over.state, over.priority), (Verdict::Obsolete, Priority::P5), "{case}");
    }
}

#[test]
fn a_transient_that_keeps_arriving_lasts() {
    let line = b"Zone AB: EndpointRegistrationTransientFailure\n";
    for (case, minutes, now, want) in [
        (
            "every ten minutes for an hour",
            vec![0, 10, 20, 30, 40, 50, 60],
            60,
            (Verdict::Sustained, Priority::P2),
        ),
        ("a little less", vec![0, 10, 20, 30, 40, 50, 59], 60, (Verdict::Transient, Priority::P4)),
        ("with a gap", vec![0, 10, 20, 30, 46, 56, 60], 60, (Verdict::Transient, Priority::P4)),
        ("fell silent", vec![0, 10, 20, 30, 40, 50, 60], 76, (Verdict::Transient, Priority::P4)),
        ("heard once, long ago", vec![0], 60, (Verdict::Transient, Priority::P4)),
    ] {
        let (mut engine, source) = engine();
        for minute in minutes {
            engine.set_arrival(NOON + mins(minute));
            engine.read_on(source, Format::Lines, line);
        }
        let incident = first(&mut engine, NOON + mins(now));
        assert_eq!((incident.state, incident.priority), want, "{case}");
    }
    let (mut engine, source) = engine();
    engine.read_on(source, Format::Lines, &line.repeat(100));
    engine.set_arrival(NOON);
    let incident = first(&mut engine, NOON + mins(60));
    assert_eq!(incident.state, Verdict::Transient, "what was there before says nothing of how long it lasts");
}

#[test]
fn what_is_long_over_is_forgotten_and_stays_in_the_sums() {
    let at = |minutes: i64| (NOON + mins(minutes)).to_string();
    let event = |alert: &str, status: &str, minutes: i64, more: &str| {
        let at = at(minutes);
        format!(
            "{{\"labels\": {{\"alertname\": \"{alert}\", \"zone\": \"AB\"{more}}}, \"status\": \"{status}\", \
             \"startsAt\": \"{}\", \"endsAt\": \"{}\", \"timestamp\": \"{at}\"}}\n",
            if minutes < 0 { at.clone() } else { NOON.to_string() },
            if status == "resolved" { &at } else { "0001-01-01T00:00:00Z" },
        )
    };
    let (mut engine, source) = engine();
    let mut text = String::new();
    text.push_str(&event("Over", "firing", 0, ""));
    text.push_str(&event("Over", "firing", 0, ""));
    text.push_str(&event("Over", "resolved", 5, ""));
    text.push_str(&event("Stands", "firing", 0, ""));
    text.push_str(&event("Stands", "firing", 0, ", \"uid\": \"1\""));
    text.push_str(&event("Stands", "resolved", 5, ", \"uid\": \"1\""));
    text.push_str(&event("NewlyOver", "firing", 0, ""));
    text.push_str(&event("NewlyOver", "resolved", 100, ""));
    text.push_str("{\"alertname\": \"Untimed\", \"zone\": \"AB\"}\n");
    engine.read_on(source, Format::Jsonl, text.as_bytes());
    let now = NOON + mins(120);
    let before = engine.report(Some(now)).totals();

    assert_eq!(engine.retire(now, mins(60)), 1);
    let totals = engine.report(Some(now)).totals();
    assert_eq!((totals.records, totals.duplicates), (before.records, before.duplicates));
    assert_eq!((totals.alerts, totals.retired, totals.distinct), (before.alerts - 2, 2, 3));
    let report = engine.report(Some(now));
    let counts: Vec<(String, u64)> =
        report.incidents().flat_map(|one| one.members).map(|member| (member.alert, member.count)).collect();
    assert!(counts.contains(&("Stands".to_owned(), 3)), "label sets that are over still count: {counts:?}");
    assert_eq!(
        engine.entries.iter().map(|entry| entry.label_sets().count()).sum::<usize>(),
        2,
        "but are not kept"
    );

    engine.read_on(source, Format::Jsonl, text.as_bytes());
    let again = engine.report(Some(now)).totals();
    assert_eq!((again.records, again.distinct), (2 * before.records, before.distinct), "all are found again");
    assert_eq!(again.records, again.duplicates + again.alerts + again.retired);
}

#[test]
fn ends_of_nothing_are_forgotten_too() {
    let (mut engine, source) = engine();
    let event = |action: &str, key: &str| {
        let payload = "\"payload\": {\"class\": \"A\", \"summary\": \"s\", \"severity\": \"error\"}, ";
        let payload = if action == "trigger" { payload } else { "" };
        format!(
            "{{\"routing_key\": \"r\", \"event_action\": \"{action}\", {payload}\"dedup_key\": \"{key}\"}}\n"
        )
    };
    engine.set_arrival(NOON);
    let text = [event("trigger", "1"), event("resolve", "1"), event("resolve", "2")].concat();
    engine.read_on(source, Format::Jsonl, text.as_bytes());
    assert_eq!((engine.keyed_ends.len(), engine.retire(NOON + mins(59), mins(60))), (2, 0));
    assert_eq!(engine.retire(NOON + mins(61), mins(60)), 1);
    let totals = engine.report(Some(NOON)).totals();
    assert_eq!((engine.keyed_ends.len(), totals.distinct, totals.records, totals.retired), (0, 0, 3, 3));
}
