//! One input, read without judging it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::ledger::Engine;
use crate::record::{Ends, Record, Status};
use crate::report::{Malformed, Unread};
use crate::rules::Rules;

/// An input as it was read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reading {
    /// The name of the format: a core format, or the id of a described one.
    pub format: String,
    /// The records with their lines, in the order of the input.
    pub records: Vec<(u64, Record<'static>)>,
    /// What could not be read, at most 1,000.
    pub malformed: Vec<Malformed>,
    /// What the input looks like, if nothing could be read.
    pub unread: Option<Unread>,
}

impl Reading {
    /// Reads an input in the format that is detected.
    ///
    /// ```
    /// use alert_triage::Rules;
    /// use alert_triage::trial::Reading;
    ///
    /// let reading = Reading::new(&Rules::builtin(), b"alert,zone\nTankFull,K1\n");
    /// assert_eq!(reading.format, "table/columns");
    /// assert_eq!(reading.records[0].1.alert, "TankFull");
    /// ```
    pub fn new(rules: &Rules, input: &[u8]) -> Self {
        let mut engine = Engine::recording(rules.clone());
        let format = rules.detect(input);
        engine.read("input", format, input);
        let records = engine.take_records();
        let records = records.into_iter().map(|(position, record)| (position.line(), record)).collect();
        let report = engine.report(None);
        let malformed = report.malformed().collect();
        let unread = report.unread().next();
        Self { format: rules.format_name(format).to_owned(), records, malformed, unread }
    }
}

/// A record in the words of examples.
pub(super) fn described(record: &Record<'_>) -> BTreeMap<&'static str, Value> {
    let labels: BTreeMap<&str, &str> =
        record.labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    let severity = record.severity.as_deref().or(labels.get("severity").copied()).map(|word| json!(word));
    let status = match record.status {
        Status::Pending => "pending",
        Status::Event => "event",
        Status::Firing => "firing",
        Status::Resolved => "resolved",
    };
    let ends = match record.ends {
        Ends::Open => None,
        Ends::At(at) | Ends::TimesOut(at) => Some(at),
    };
    let mut described = BTreeMap::from([
        ("name", json!(record.alert)),
        ("labels", json!(labels)),
        ("status", json!(status)),
        ("acknowledged", json!(record.acknowledged)),
        ("annotations", json!(record.annotations.iter().cloned().collect::<BTreeMap<_, _>>())),
    ]);
    let text = (!record.text.is_empty()).then(|| json!(record.text));
    for (field, value) in [
        ("text", text),
        ("severity", severity),
        ("starts_at", record.starts.map(|at| json!(at))),
        ("ends_at", ends.map(|at| json!(at))),
        ("updated_at", record.time.map(|at| json!(at))),
        ("key", record.key.as_ref().map(|key| json!(key))),
    ] {
        described.insert(field, value.unwrap_or(Value::Null));
    }
    described
}
