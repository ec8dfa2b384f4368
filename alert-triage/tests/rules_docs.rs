//! The examples of `docs/triage-rules.md`, and the sample files, are what they say they are.

use std::collections::BTreeMap;

use alert_triage::Rules;
use alert_triage::rule_tests::{RuleTests, TestOutcome};

const DOCS: &str = include_str!("samples/triage-rules.md");

/// The fenced blocks of that kind and the heading they stand under, in their order.
fn blocks() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut blocks = Vec::new();
    let mut heading = "";
    let mut rest = DOCS;
    while let Some((before, fenced)) = rest.split_once("\n```") {
        if let Some(line) = before.lines().rev().find(|line| line.starts_with("## ")) {
            heading = line;
        }
        let (kind, inside) = fenced.split_once('\n').expect("a block has lines");
        let (body, after) = inside.split_once("\n```").expect("a block ends");
        blocks.push((heading, kind, body));
        rest = after;
    }
    blocks
}

fn failures(outcomes: &[TestOutcome]) -> Vec<String> {
    let failed = outcomes.iter().flat_map(|outcome| {
        outcome
            .failures
            .iter()
            .map(|failure| format!("{}, line {}: {}", outcome.name, failure.line, failure.message))
    });
    failed.collect()
}

#[test]
fn every_example_is_clean_and_its_test_passes() {
    let now = "2026-11-23T07:00:00Z".parse().unwrap();
    let mut rules = (String::new(), Rules::builtin());
    let (mut sections, mut count) = (0, 0);
    for (heading, kind, body) in blocks() {
        match kind {
            "yaml rules" => {
                let parsed = Rules::parse(body).unwrap_or_else(|error| panic!("{heading}: {error}"));
                assert_eq!(parsed.check(Some(now), None), [], "{heading}");
                rules = (heading.to_owned(), parsed);
                sections += 1;
            }
            "yaml cases" => {
                let tests = RuleTests::parse(body).unwrap_or_else(|error| panic!("{heading}: {error}"));
                let by = if rules.0 == heading { rules.1.clone() } else { Rules::builtin() };
                let outcomes = tests.run(&by, &BTreeMap::new());
                assert_eq!(failures(&outcomes), Vec::<String>::new(), "{heading}");
                count += outcomes.len();
            }
            _ => {}
        }
    }
    // Fourteen sections and the backtest; each section's test and that of the format.
    assert_eq!((sections, count), (15, 15));
}

/// Every section of a rules file, and every lint, has its place in the page.
#[test]
fn nothing_is_left_out() {
    let error = Rules::parse("x: 1\n").unwrap_err().to_string();
    let sections = error.split("expected one of ").nth(1).unwrap();
    for section in sections.split(", ") {
        assert!(DOCS.contains(&format!("\n## {section}: ")), "{section}");
    }
    for lint in ["unreachable", "shadowed", "cyclic", "never matched", "too broad", "ignored", "no link"] {
        assert!(DOCS.contains(&format!("\n| {lint} | ")), "{lint}");
    }
}

#[test]
fn the_sample_files_pass() {
    for (rules, cases) in [
        ("", include_str!("samples/upcommerce-cases.yaml")),
        (include_str!("samples/team-rules.yaml"), include_str!("samples/team-cases.yaml")),
    ] {
        let rules = Rules::parse(rules).unwrap();
        assert_eq!(rules.check(Some("2026-11-23T06:00:00Z".parse().unwrap()), None), []);
        let tests = RuleTests::parse(cases).unwrap();
        let log = include_bytes!("samples/upcommerce.log").to_vec();
        let files = BTreeMap::from([("upcommerce.log".to_owned(), log)]);
        assert_eq!(failures(&tests.run(&rules, &files)), Vec::<String>::new());
    }
}
