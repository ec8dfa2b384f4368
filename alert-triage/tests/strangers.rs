//! Answers, exports and pasted text of tools that people on call have.
//!
//! The inputs in `strangers/` have the shapes of the tools' documentation, with values made up.
//! `strangers/expected.json` says what is right of each: the alerts, or that it cannot be read.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;

use alert_triage::record::Status;
use alert_triage::trial::Reading;
use alert_triage::{Record, Rules, Severity};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    Unread(String),
    Alerts(Vec<Alert>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alert {
    name: String,
    status: String,
    severity: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// How its start or its newest time begins.
    time: Option<String>,
}

fn status(record: &Record<'_>) -> &'static str {
    match record.status {
        Status::Pending => "pending",
        Status::Event => "event",
        Status::Firing => "firing",
        Status::Resolved => "resolved",
    }
}

impl Alert {
    fn differs(&self, record: &Record<'_>) -> Option<String> {
        let label = |wanted: &str| {
            record.labels.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_ref())
        };
        let word = record.severity.as_deref().or_else(|| label("severity"));
        let times: Vec<String> =
            [record.starts, record.time].into_iter().flatten().map(|at| at.to_string()).collect();
        let severity = |word: &str| Severity::from_word(word);
        if record.alert != self.name {
            Some(format!("the name is {}, not {}", record.alert, self.name))
        } else if status(record) != self.status {
            Some(format!("{} is {}, not {}", self.name, status(record), self.status))
        } else if self.severity.as_deref().is_some_and(|want| word.map(severity) != Some(severity(want))) {
            Some(format!("the severity of {} is {word:?}, not {:?}", self.name, self.severity))
        } else if let Some((name, want)) = self.labels.iter().find(|(name, want)| label(name) != Some(want)) {
            Some(format!("the label {name} of {} is {:?}, not {want}", self.name, label(name)))
        } else {
            let wrong = self.time.as_ref().is_some_and(|want| !times.iter().any(|at| at.starts_with(want)));
            wrong.then(|| format!("the times of {} are {times:?}, not {:?}", self.name, self.time))
        }
    }
}

fn fault(rules: &Rules, input: &[u8], expected: &Expected) -> Option<String> {
    let reading = Reading::new(rules, input);
    match expected {
        Expected::Unread(word) => {
            assert_eq!(word, "unread");
            reading.unread.is_none().then(|| format!("read as {}", reading.format))
        }
        Expected::Alerts(alerts) if alerts.len() != reading.records.len() => Some(format!(
            "{} alerts, not {}, in the format {}: {:?}",
            reading.records.len(),
            alerts.len(),
            reading.format,
            reading.malformed.first()
        )),
        Expected::Alerts(alerts) => {
            alerts.iter().zip(&reading.records).find_map(|(alert, (_, record))| alert.differs(record))
        }
    }
}

#[test]
fn what_people_have_is_read_or_refused() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers");
    let read = |name: &str| std::fs::read(directory.join(name)).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_slice(&read("expected.json")).unwrap();
    assert_eq!(expected.len() + 1, std::fs::read_dir(&directory).unwrap().count());
    let rules = Rules::builtin();
    let faults: Vec<String> = expected
        .iter()
        .filter_map(|(name, want)| Some(format!("{name}: {}", fault(&rules, &read(name), want)?)))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
