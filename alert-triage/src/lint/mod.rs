//! Lints of a rules file: rows that cannot match, match too much, or change nothing.

mod finding;
mod history;
mod linter;
mod relations;
mod rows;
mod run;
mod settings;
mod templates;

pub use self::finding::{Finding, Lint};
pub use self::history::LintHistory;

#[cfg(test)]
mod tests;
