//! Runs tests: what has arrived by then is read, and the report compared.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::compare::{self, Got};
use super::{Cases, Test, What};
use crate::format::Format;
use crate::incident_tracker::IncidentTracker;
use crate::ledger::Engine;
use crate::printable;
use crate::record::Record;
use crate::rules::Rules;
use crate::source_position::SourcePosition;

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// As the file says.
    #[serde(serialize_with = "printable::serialize")]
    pub name: String,
    /// Line of the test in its file.
    pub line: u64,
    /// Empty if it passed.
    pub failures: Vec<Failure>,
}

/// One expectation that was not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Line of the expectation, or of its check.
    pub line: u64,
    /// The check's time as written; empty for a check without one.
    pub at: String,
    /// What was expected and what there is.
    pub message: String,
}

impl Cases {
    /// Runs all tests; `files` holds the bytes of every [file](Cases::files) by its name.
    pub fn run(&self, rules: &Rules, files: &BTreeMap<String, Vec<u8>>) -> Vec<Outcome> {
        let run = |test: &Test| Outcome {
            name: test.name.value.clone(),
            line: test.name.referenced.line(),
            failures: test.run(rules, files),
        };
        self.tests.iter().map(run).collect()
    }
}

/// When it arrives; none is before everything.
type Arrival = (Option<Timestamp>, SourcePosition, Record<'static>);

impl Test {
    fn run(&self, rules: &Rules, files: &BTreeMap<String, Vec<u8>>) -> Vec<Failure> {
        let mut failures = Vec::new();
        let (reader, mut arrivals) = self.read(rules, files, &mut failures);
        // Stable: what arrives at one instant keeps the order of the file.
        arrivals.sort_by_key(|(at, ..)| *at);
        let mut arrivals = arrivals.into_iter().peekable();
        let mut engine = Engine::new(rules.clone());
        let mut tracker = IncidentTracker::default();
        for check in &self.checks {
            while let Some((_, position, record)) =
                arrivals.next_if(|(at, ..)| check.at.is_none_or(|now| at.is_none_or(|at| at <= now)))
            {
                engine.ingest(position, &record);
            }
            let report = engine.report(check.at);
            let (incidents, notices) = tracker.update(&report);
            let got = Got { totals: report.totals(), malformed: reader.faults(), incidents, notices };
            let failed = compare::compare(&check.expect, &got);
            failures.extend(failed.into_iter().map(|(line, message)| Failure {
                line: line.unwrap_or(check.line),
                at: check.shown.clone(),
                message,
            }));
        }
        failures
    }

    /// All records with the time of their arrival. The engine they were read with knows what was malformed.
    fn read(
        &self,
        rules: &Rules,
        files: &BTreeMap<String, Vec<u8>>,
        failures: &mut Vec<Failure>,
    ) -> (Engine, Vec<Arrival>) {
        let mut reader = Engine::recording(rules.clone());
        let mut arrivals = Vec::new();
        for input in &self.input {
            let (format, name, bytes) = match &input.what {
                What::Record(record) => {
                    let source = reader.add_source("input");
                    arrivals.push((input.at, SourcePosition::new(source, 0, input.line), (**record).clone()));
                    continue;
                }
                What::Lines(format, lines) => (format, "lines", lines.as_bytes()),
                What::File(format, name) => match files.get(&name.value) {
                    Some(bytes) => (format, name.value.as_str(), bytes.as_slice()),
                    None => {
                        let message = format!("{} was not read", printable::printable(&name.value));
                        failures.push(Failure { line: input.line, at: String::new(), message });
                        continue;
                    }
                },
            };
            let source = reader.add_source(format!("{name} of line {}", input.line));
            if let Some(now) = input.at {
                reader.set_reference(now);
            }
            reader.read_block(source, 0, format.unwrap_or_else(|| Format::detect(bytes)), bytes);
            for (position, mut record) in reader.take_records() {
                // A line that says no time of its own was said when it arrived.
                if record.time.is_none() && record.starts.is_none() {
                    record.time = input.at;
                }
                arrivals.push((input.at.or(record.newest()), position, record));
            }
        }
        (reader, arrivals)
    }
}

impl Engine {
    /// What could not be read, in words.
    fn faults(&self) -> (u64, Option<String>) {
        let first = self.faults.first_key_value().map(|((position, _), malformed)| {
            let source = self.sources.get(position.source()).map(String::as_str).unwrap_or_default();
            format!(
                "`{}`, line {} of {}, {}",
                malformed.text,
                position.line(),
                printable::printable(source),
                malformed.fault
            )
        });
        (self.malformed, first)
    }
}
