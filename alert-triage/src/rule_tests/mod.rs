//! Unit tests of rules, run with a simulated clock.
//!
//! A rule test file lists the input of each test, when it arrives, and what a report at a given
//! instant must contain. Only the fields that an expectation names are compared.
//! `docs/triage-rules.md` describes the format with examples.

mod compare;
mod file;
mod parse;
mod run;
mod test;

pub use self::run::{TestFailure, TestOutcome};
pub use self::test::RuleTests;

#[cfg(test)]
mod tests;
