use std::collections::BTreeMap;

use super::*;
use crate::rules::Rules;

/// `LINE: at TIME: message` for each failure of one test.
fn failures(yaml: &str) -> Vec<String> {
    let tests = RuleTests::parse(yaml).unwrap_or_else(|error| panic!("{yaml}\n{error}"));
    let outcomes = tests.run(&Rules::builtin(), &BTreeMap::new());
    let all = outcomes.into_iter().flat_map(|outcome| outcome.failures);
    all.map(|failure| format!("{}: at {}: {}", failure.line, failure.at, failure.message)).collect()
}

/// One test with one input and one check.
fn test(input: &str, expect: &str) -> String {
    format!("tests:\n- name: t\n  input:\n{input}\n  checks:\n  - at: 10m\n    expect:\n{expect}\n")
}

#[test]
fn a_mismatch_is_reported_with_its_reason() {
    let stale = "  - {at: 0m, alert: LLMModelStale, labels: {zone: AB}, startsAt: 0m}\n\
                 \u{20} - {at: 0m, alert: LLMModelVeryStale, labels: {zone: AB}, startsAt: 0m}\n\
                 \u{20} - {at: 0m, alert: TooFewEndpointsRegistered, labels: {zone: XQ}, startsAt: 0m}";
    for (case, expect, want) in [
        ("as it is", "      {pages: 2, tickets: 0, duplicates: 0}", ""),
        ("a figure", "      {pages: 3}", "8: at 10m: pages: expected 3, got 2"),
        (
            "an incident's priority",
            "      incidents:\n      - headline: LLMModelVeryStale\n        priority: P1",
            "12: at 10m: incident LLMModelVeryStale zone=AB: priority: expected P1, got P2; P2, notify page: \
             LLMModelVeryStale is error by the rule upcommerce/model-very-stale",
        ),
        (
            "the order",
            "      incidents: [{headline: LLMModelVeryStale}, {headline: TooFewEndpointsRegistered}]",
            "8: at 10m: order: expected LLMModelVeryStale zone=AB before TooFewEndpointsRegistered zone=XQ, which ranks \
             before it",
        ),
        (
            "a member that is not the headline",
            "      incidents:\n      - {headline: LLMModelStale, scope: {zone: AB}}",
            "11: at 10m: no incident headed by LLMModelStale zone=AB; there are P1 page TooFewEndpointsRegistered \
             zone=XQ; P2 page LLMModelVeryStale zone=AB; LLMModelStale zone=AB is superseded in the incident of \
             LLMModelVeryStale zone=AB: LLMModelVeryStale, a higher rung, is firing",
        ),
        (
            "another zone",
            "      incidents:\n      - {headline: TooFewEndpointsRegistered, scope: {zone: AB}}",
            "11: at 10m: no incident headed by TooFewEndpointsRegistered zone=AB; there are P1 page \
             TooFewEndpointsRegistered zone=XQ; P2 page LLMModelVeryStale zone=AB",
        ),
        (
            "no incident at all",
            "      incidents: []",
            "8: at 10m: incidents: expected none, got P1 page TooFewEndpointsRegistered zone=XQ; P2 page \
             LLMModelVeryStale zone=AB",
        ),
        (
            "a member",
            "      incidents: [{headline: LLMModelVeryStale, members: [{alert: X}]}]",
            "10: at 10m: incident LLMModelVeryStale zone=AB: X is not a member; members are LLMModelVeryStale zone=AB; \
             LLMModelStale zone=AB",
        ),
        (
            "the verdict on a member",
            "      incidents: [{headline: LLMModelVeryStale, members: [{alert: LLMModelStale, verdict: active, by: X}]}]",
            "10: at 10m: LLMModelStale zone=AB: verdict: expected active, got superseded; LLMModelVeryStale, a \
             higher rung, is firing [upcommerce/model-freshness]\n\
             10: at 10m: LLMModelStale zone=AB: by: expected X, got LLMModelVeryStale; LLMModelVeryStale, a higher \
             rung, is firing [upcommerce/model-freshness]",
        ),
        (
            "an alert's figures",
            "      alerts: [{alert: LLMModelStale, count: 2, flags: [recurring], role: cause}]",
            "10: at 10m: LLMModelStale zone=AB: role: expected cause, got member\n\
             10: at 10m: LLMModelStale zone=AB: count: expected 2, got 1\n\
             10: at 10m: LLMModelStale zone=AB: flags: expected recurring, got nothing",
        ),
        (
            "an alert that is not there",
            "      alerts: [{alert: LLMModelStale, labels: {zone: XQ}}]",
            "10: at 10m: no alert LLMModelStale zone=XQ; there are TooFewEndpointsRegistered zone=XQ; LLMModelVeryStale \
             zone=AB; LLMModelStale zone=AB",
        ),
        (
            "a notice more than there is",
            "      notices: [{}, {}, {}]",
            "8: at 10m: notices: expected 3, got 2: opened P1 page TooFewEndpointsRegistered; opened P2 page \
             LLMModelVeryStale",
        ),
        (
            "another notice",
            "      notices: [{change: escalated}, {change: opened}]",
            "10: at 10m: notice `opened P1 page TooFewEndpointsRegistered`: change: expected escalated, got opened",
        ),
    ] {
        assert_eq!(failures(&test(stale, expect)).join("\n"), want, "{case}");
    }
}

#[test]
fn a_report_holds_only_what_has_arrived() {
    let yaml = "
tests:
- name: one comes later
  start: 2026-11-23T06:00:00Z
  input:
  - {at: 0m, alert: LLMModelStale, labels: {zone: AB}}
  - {at: 5m, lines: 'Zone AB: TooFewEndpointsRegistered'}
  - {at: 2026-11-23T06:10:00Z, alert: LLMModelStale, labels: {zone: AB}, state: resolved}
  checks:
  - {at: 4m59s, expect: {pages: 0, alerts: [{alert: LLMModelStale, verdict: active}]}}
  - {at: 5m, expect: {pages: 1, alerts: [{alert: LLMModelStale, verdict: active}]}}
  - {at: 10m, expect: {pages: 1, alerts: [{alert: LLMModelStale, verdict: resolved}]}}
  - {at: 25h, expect: {pages: 0, alerts: [{alert: TooFewEndpointsRegistered, verdict: obsolete}]}}
";
    assert_eq!(failures(yaml), Vec::<String>::new());
}

#[test]
fn lines_keep_a_time_of_their_own() {
    let yaml = "
tests:
- name: they say when
  input:
  - lines: |
      2026-11-23T06:00:00Z Zone AB: LLMModelStale
      2026-11-23T06:10:00Z Zone AB: TooFewEndpointsRegistered
  checks:
  - {at: 2026-11-23T06:05:00Z, expect: {pages: 0, tickets: 1}}
  - {expect: {pages: 1, tickets: 1}}
";
    assert_eq!(failures(yaml), Vec::<String>::new());
}

#[test]
fn a_malformed_line_fails_a_test_that_does_not_expect_it() {
    let input = "  - lines: |\n      Zone AB: LLMModelStale\n      nonsense";
    assert_eq!(
        failures(&test(input, "      {tickets: 1}")),
        [
            "8: at 10m: malformed: expected 0, got 1: `nonsense`, line 2 of lines of line 4, does not begin with `Zone`: \
          write `Zone {zone}: {alert}`, or describe your lines with a template in --rules"
        ]
    );
    assert_eq!(failures(&test(input, "      {tickets: 1, malformed: 1}")), Vec::<String>::new());
}

#[test]
fn a_bad_rule_test_file_is_rejected_with_its_line() {
    let check = "\n  checks: [{expect: {pages: 0}}]";
    for (case, yaml, want) in [
        ("nothing", "".to_owned(), "contains no tests: write `tests:` and rows with name, input and checks"),
        (
            "a word too many",
            "test: []".to_owned(),
            "line 1 column 1: unknown field `test`, expected one of rules, tests",
        ),
        (
            "no checks",
            "tests:\n- {name: t, checks: []}".to_owned(),
            "line 2 column 10: test `t` has no checks: write at least one row under `checks`",
        ),
        (
            "an expectation of another name",
            "tests:\n- name: t\n  checks: [{expect: {page: 0}}]".to_owned(),
            "line 3 column 22: unknown field `page`, expected one of pages, tickets, duplicates, malformed, incidents, \
             alerts, notices",
        ),
        (
            "an input of nothing",
            format!("tests:\n- name: t\n  input: [{{at: 0m}}]{check}"),
            "line 3 column 11: an input has exactly one of `alert`, `lines` and `file`; `at` is allowed with each, \
             `format` with `lines` and `file`, all other fields with `alert`",
        ),
        (
            "an input of two",
            format!("tests:\n- name: t\n  input: [{{lines: x, state: firing}}]{check}"),
            "line 3 column 11: an input has exactly one of `alert`, `lines` and `file`; `at` is allowed with each, \
             `format` with `lines` and `file`, all other fields with `alert`",
        ),
        (
            "a state",
            format!("tests:\n- name: t\n  input: [{{alert: X, state: open}}]{check}"),
            "line 3 column 29: `open` is not a state: write firing, resolved, pending or event",
        ),
        (
            "a time",
            format!("tests:\n- name: t\n  input: [{{alert: X, at: noon}}]{check}"),
            "line 3 column 26: `noon` is not a time: write 0m, 90s, 1h30m after the start, or 2026-11-23T06:51:59Z",
        ),
        (
            "a time before the start",
            format!("tests:\n- name: t\n  input: [{{alert: X, at: -5m}}]{check}"),
            "line 3 column 26: `-5m` is not a time: write 0m, 90s, 1h30m after the start, or 2026-11-23T06:51:59Z",
        ),
        (
            "repeats of nothing",
            format!("tests:\n- name: t\n  input: [{{alert: X, times: 3}}]{check}"),
            "line 3 column 29: `times` needs `every` and a first time in `at`",
        ),
        (
            "a format",
            format!("tests:\n- name: t\n  input: [{{lines: x, format: xml}}]{check}"),
            "line 3 column 30: `xml` is not a format: write one of lines, jsonl, alertmanager, prometheus, pagerduty, \
             cloudevents, grafana, syslog, yaml",
        ),
        (
            "a verdict",
            "tests:\n- name: t\n  checks: [{expect: {alerts: [{alert: X, verdict: ok}]}}]".to_owned(),
            "line 3 column 51: `ok` is not a verdict: write silenced, inhibited, flapping, resolved, obsolete, pending, \
             superseded, sustained, transient, informational, active",
        ),
        (
            "a priority",
            "tests:\n- name: t\n  checks: [{expect: {incidents: [{priority: high}]}}]".to_owned(),
            "line 3 column 45: `high` is not a priority: write P1, P2, P3, P4, P5",
        ),
        (
            "checks that go back",
            "tests:\n- name: t\n  checks: [{at: 5m, expect: {}}, {at: 1m, expect: {}}]".to_owned(),
            "line 3 column 39: this check comes before the one above it: sort the checks by time",
        ),
    ] {
        let error = RuleTests::parse(&yaml).expect_err(case);
        assert_eq!(error.to_string(), want, "{case}");
    }
}

#[test]
fn input_files_are_listed_and_passed_in() {
    let yaml = "
rules: r.yml
tests:
- name: t
  input: [{file: night.log}]
  checks: [{expect: {pages: 1}}]
";
    let tests = RuleTests::parse(yaml).unwrap();
    assert_eq!(tests.rules(), Some("r.yml"));
    assert_eq!(tests.files().collect::<Vec<_>>(), [("night.log", 5)]);
    let files = BTreeMap::from([("night.log".to_owned(), b"Zone AB: TooFewEndpointsRegistered\n".to_vec())]);
    assert_eq!(tests.run(&Rules::builtin(), &files)[0].failures, []);
    let outcome = &tests.run(&Rules::builtin(), &BTreeMap::new())[0];
    assert_eq!(outcome.failures[0].message, "night.log was not read");
}
