//! The survey of ticketing tools and its configurations name only alerts of the sample and files
//! that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use alert_triage::{Engine, Format, Rules};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn text(path: &str) -> String {
    fs::read_to_string(docs().join(path)).unwrap_or_else(|error| panic!("docs/{path}: {error}"))
}

/// The files beside the survey, by name.
fn files() -> BTreeMap<String, String> {
    fs::read_dir(docs().join("ticketing-toil"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().into_string().expect("UTF-8"))
        .map(|name| (name.clone(), text(&format!("ticketing-toil/{name}"))))
        .collect()
}

/// The alerts of the sample with the severities that `triage` gives them.
fn sample() -> BTreeMap<String, String> {
    let mut engine = Engine::new(Rules::builtin());
    engine.read("upcommerce.log", Format::Lines, text("samples/upcommerce.log").as_bytes());
    let report = engine.report(None);
    report
        .incidents()
        .flat_map(|incident| incident.members)
        .map(|member| (member.alert.to_string(), member.severity.to_string()))
        .collect()
}

/// Every word of the text that looks like an alert name of the sample.
fn alerts_named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| ["EndpointReg", "LLM", "TooFew"].iter().any(|start| word.starts_with(start)))
        .collect()
}

#[test]
fn every_alert_that_the_survey_names_is_in_the_sample() {
    let sample = sample();
    for (name, text) in
        files().into_iter().chain([("../ticketing-toil.md".to_owned(), text("ticketing-toil.md"))])
    {
        for alert in alerts_named(&text) {
            assert!(
                sample.contains_key(alert),
                "docs/ticketing-toil/{name} names {alert}, which the sample lacks"
            );
        }
    }
}

#[test]
fn the_rules_that_set_or_route_severities_know_every_alert_of_the_sample() {
    let files = files();
    let sample = sample();
    for name in ["prometheus-rules.yml", "pagerduty-orchestration.tf"] {
        let named = alerts_named(&files[name]);
        for alert in sample.keys() {
            assert!(named.contains(alert.as_str()), "{name} says nothing of {alert}");
        }
    }
}

#[test]
fn the_severities_for_prometheus_are_those_of_triage() {
    let files = files();
    let mut name = "";
    for line in files["prometheus-rules.yml"].lines().map(str::trim) {
        if let Some(alert) = line.strip_prefix("- alert: ") {
            name = alert;
        }
        // A transient needs a label to be routed to the low ticket by Alertmanager. `triage`
        // recognizes it by its name.
        if let Some(severity) =
            line.strip_prefix("severity: ").filter(|_| !name.ends_with("TransientFailure"))
        {
            assert_eq!(severity, sample()[name], "{name}");
        }
    }
}

#[test]
fn one_port_is_all_that_has_to_be_changed_to_run_the_alertmanager_files_elsewhere() {
    for (name, text) in files().iter().filter(|(name, _)| name.starts_with("alertmanager")) {
        let receivers = text.lines().filter(|line| line.contains("url: "));
        assert!(receivers.clone().count() > 0, "{name} has no receiver");
        for url in receivers {
            assert!(url.contains("http://127.0.0.1:9095/"), "{name}: {url}");
        }
    }
}

#[test]
fn what_the_survey_links_to_is_there_and_every_file_is_linked() {
    let survey = text("ticketing-toil.md");
    let links: BTreeSet<&str> = survey
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.starts_with("http") && !link.starts_with('#'))
        .collect();
    for link in &links {
        assert!(docs().join(link).exists(), "docs/ticketing-toil.md links to {link}");
    }
    for name in files().keys() {
        assert!(survey.contains(name.as_str()), "docs/ticketing-toil.md does not mention {name}");
    }
}

#[test]
fn headings_that_the_decision_table_links_to_exist() {
    let survey = text("ticketing-toil.md");
    let anchors: BTreeSet<String> = survey
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect();
    let linked = survey.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    assert!(linked.clone().count() >= 14, "the table links to every tool");
    for anchor in linked {
        assert!(anchors.contains(anchor), "#{anchor}");
    }
}
