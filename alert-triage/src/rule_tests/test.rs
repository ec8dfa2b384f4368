//! Rule tests: which input arrives when, and what each check expects.

use jiff::Timestamp;

use super::file::Expectation;
use crate::format::Format;
use crate::record::Record;
use crate::yaml::Text;

/// The tests of one rule test file.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use alert_triage::rule_tests::RuleTests;
/// use alert_triage::Rules;
///
/// let tests = RuleTests::parse(
///     "tests:
/// - name: a stale model asks for no page
///   input:
///   - {at: 0m, alert: LLMModelStale, labels: {zone: AB}}
///   checks:
///   - {at: 5m, expect: {pages: 1}}
/// ",
/// )
/// .unwrap();
/// let outcomes = tests.run(&Rules::builtin(), &BTreeMap::new());
/// assert_eq!(outcomes[0].failures[0].message, "pages: expected 1, got 0");
/// ```
#[derive(Debug)]
pub struct RuleTests {
    pub(super) rules: Option<Text>,
    pub(super) tests: Vec<RuleTest>,
}

#[derive(Debug)]
pub(super) struct RuleTest {
    pub(super) name: Text,
    pub(super) input: Vec<TestInput>,
    pub(super) checks: Vec<ReportCheck>,
}

#[derive(Debug)]
pub(super) struct TestInput {
    pub(super) line: u64,
    /// When it arrives. `None` arrives before everything else.
    pub(super) at: Option<Timestamp>,
    pub(super) kind: InputKind,
}

#[derive(Debug)]
pub(super) enum InputKind {
    Record(Box<Record<'static>>),
    Lines(Option<Format>, String),
    File(Option<Format>, Text),
}

/// An expectation and the instant at which the report is made.
#[derive(Debug)]
pub(super) struct ReportCheck {
    pub(super) line: u64,
    /// The instant as written in the file, empty if the check has none.
    pub(super) shown: String,
    pub(super) at: Option<Timestamp>,
    pub(super) expect: Expectation,
}

impl RuleTests {
    /// The rules file that the tests name, relative to the test file.
    pub fn rules(&self) -> Option<&str> {
        self.rules.as_ref().map(|rules| rules.value.as_str())
    }

    /// The input files that the tests name, relative to the test file, each with the line that
    /// names it.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        let inputs = self.tests.iter().flat_map(|test| &test.input);
        inputs.filter_map(|input| match &input.kind {
            InputKind::File(_, name) => Some((name.value.as_str(), name.referenced.line())),
            InputKind::Record(_) | InputKind::Lines(..) => None,
        })
    }
}
