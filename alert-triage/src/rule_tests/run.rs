//! Runs rule tests: each check compares the report on everything that has arrived by its time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::compare::{self, Actual};
use super::test::{InputKind, RuleTest, RuleTests};
use crate::incident_tracker::IncidentTracker;
use crate::ledger::Engine;
use crate::printable;
use crate::record::Record;
use crate::rules::Rules;
use crate::source_position::SourcePosition;

/// The result of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TestOutcome {
    /// The test's name.
    #[serde(serialize_with = "printable::serialize")]
    pub name: String,
    /// Line of the test in its file, counted from 1.
    pub line: u64,
    /// The expectations that were not met; empty if the test passed.
    pub failures: Vec<TestFailure>,
}

/// One expectation that was not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TestFailure {
    /// Line of the expectation, or of the check that contains it.
    pub line: u64,
    /// The check's time as written, empty if the check has none.
    pub at: String,
    /// The expected and the actual value.
    pub message: String,
}

impl RuleTests {
    /// Runs all tests. `files` contains the bytes of every [input file](RuleTests::files) by its
    /// name.
    pub fn run(&self, rules: &Rules, files: &BTreeMap<String, Vec<u8>>) -> Vec<TestOutcome> {
        let run = |test: &RuleTest| TestOutcome {
            name: test.name.value.clone(),
            line: test.name.referenced.line(),
            failures: test.run(rules, files),
        };
        self.tests.iter().map(run).collect()
    }
}

/// A record with the instant at which it arrives. `None` arrives before everything else.
type ScheduledRecord = (Option<Timestamp>, SourcePosition, Record<'static>);

impl RuleTest {
    fn run(&self, rules: &Rules, files: &BTreeMap<String, Vec<u8>>) -> Vec<TestFailure> {
        let mut failures = Vec::new();
        let (reader, mut arrivals) = self.read(rules, files, &mut failures);
        // The sort is stable: records that arrive at the same instant keep the order of the file.
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
            let got =
                Actual { totals: report.totals(), malformed: malformed_lines(&reader), incidents, notices };
            let failed = compare::compare(&check.expect, &got);
            failures.extend(failed.into_iter().map(|(line, message)| TestFailure {
                line: line.unwrap_or(check.line),
                at: check.shown.clone(),
                message,
            }));
        }
        failures
    }

    /// Reads all records with the time of their arrival. The returned engine holds the malformed
    /// lines.
    fn read(
        &self,
        rules: &Rules,
        files: &BTreeMap<String, Vec<u8>>,
        failures: &mut Vec<TestFailure>,
    ) -> (Engine, Vec<ScheduledRecord>) {
        let mut reader = Engine::recording(rules.clone());
        let mut arrivals = Vec::new();
        for input in &self.input {
            let (format, name, bytes) = match &input.kind {
                InputKind::Record(record) => {
                    let source = reader.add_source("input");
                    arrivals.push((input.at, SourcePosition::new(source, 0, input.line), (**record).clone()));
                    continue;
                }
                InputKind::Lines(format, lines) => (format, "lines", lines.as_bytes()),
                InputKind::File(format, name) => match files.get(&name.value) {
                    Some(bytes) => (format, name.value.as_str(), bytes.as_slice()),
                    None => {
                        let message = format!("{} was not read", printable::printable(&name.value));
                        failures.push(TestFailure { line: input.line, at: String::new(), message });
                        continue;
                    }
                },
            };
            let source = reader.add_source(format!("{name} of line {}", input.line));
            if let Some(now) = input.at {
                reader.set_reference(now);
            }
            reader.read_block(source, 0, format.unwrap_or_else(|| rules.detect(bytes)), bytes);
            for (position, mut record) in reader.take_records() {
                // A line without a time gets the time of its arrival.
                if record.time.is_none() && record.starts.is_none() {
                    record.time = input.at;
                }
                arrivals.push((input.at.or(record.newest()), position, record));
            }
        }
        (reader, arrivals)
    }
}

/// The number of malformed lines, and the first one with its reason.
fn malformed_lines(reader: &Engine) -> (u64, Option<String>) {
    let first = reader.faults.first_key_value().map(|((position, _), malformed)| {
        let source = reader.sources.get(position.source()).map(String::as_str).unwrap_or_default();
        format!(
            "`{}`, line {} of {}, {}",
            malformed.text,
            position.line(),
            printable::printable(source),
            malformed.fault
        )
    });
    (reader.malformed, first)
}
