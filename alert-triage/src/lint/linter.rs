//! What all lints share.

use std::collections::BTreeSet;

use super::finding::{Finding, Lint};
use crate::rules::Rules;

pub(super) struct Linter<'r> {
    pub(super) rules: &'r Rules,
    pub(super) found: BTreeSet<Finding>,
}

impl Linter<'_> {
    /// Only rows of the file have a line.
    pub(super) fn find(&mut self, id: &str, lint: Lint, message: impl Into<String>) {
        if let Some(&line) = self.rules.table().lines.get(id) {
            self.find_at(line, id, lint, message);
        }
    }

    pub(super) fn is_mine(&self, id: &str) -> bool {
        self.rules.table().lines.contains_key(id)
    }

    pub(super) fn find_at(&mut self, line: u64, id: &str, lint: Lint, message: impl Into<String>) {
        self.found.insert(Finding { line, lint, id: id.to_owned(), message: message.into() });
    }
}
