//! Unit tests of rules, with a clock of their own.
//!
//! A file of cases says what arrives when, and what a report at some instant must then hold. Only what an expectation
//! names is compared; `docs/triage-rules.md` describes the format with examples.

mod compare;
mod file;
mod run;

pub use self::run::{Failure, Outcome};
use crate::format::Format;
use crate::record::Record;
use crate::yaml::{FileError, Text};

/// A file of cases.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use alert_triage::{Cases, Rules};
///
/// let cases = Cases::parse(
///     "tests:
/// - name: a stale model asks for no page
///   input:
///   - {at: 0m, alert: LLMModelStale, labels: {zone: AB}}
///   checks:
///   - {at: 5m, expect: {pages: 1}}
/// ",
/// )
/// .unwrap();
/// let outcomes = cases.run(&Rules::builtin(), &BTreeMap::new());
/// assert_eq!(outcomes[0].failures[0].message, "pages: expected 1, got 0");
/// ```
#[derive(Debug)]
pub struct Cases {
    rules: Option<Text>,
    tests: Vec<Test>,
}

#[derive(Debug)]
struct Test {
    name: Text,
    input: Vec<Input>,
    checks: Vec<file::Check>,
}

#[derive(Debug)]
struct Input {
    line: u64,
    /// When it arrives; none is before everything.
    at: Option<jiff::Timestamp>,
    what: What,
}

#[derive(Debug)]
enum What {
    Record(Box<Record<'static>>),
    Lines(Option<Format>, String),
    File(Option<Format>, Text),
}

impl Cases {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// Says line, column and the fix: YAML that does not parse, an unknown field, a word that is no verdict, a check
    /// before the one above it, a file without tests.
    pub fn parse(yaml: &str) -> Result<Self, FileError> {
        file::parse(yaml)
    }

    /// The rules file that the cases are for, as they name it: relative to their own file.
    pub fn rules(&self) -> Option<&str> {
        self.rules.as_ref().map(|rules| rules.value.as_str())
    }

    /// The files that inputs name, each with the line that names it: relative to the file of cases.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        let inputs = self.tests.iter().flat_map(|test| &test.input);
        inputs.filter_map(|input| match &input.what {
            What::File(_, name) => Some((name.value.as_str(), name.referenced.line())),
            What::Record(_) | What::Lines(..) => None,
        })
    }
}

#[cfg(test)]
mod tests;
