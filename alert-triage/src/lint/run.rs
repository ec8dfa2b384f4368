//! All lints of a file, one after the other.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::finding::Finding;
use super::history::LintHistory;
use super::linter::Linter;
use crate::rules::Rules;

impl Rules {
    /// Lints the file that these rules were parsed from. Returns the findings by line; built-in
    /// rows are not checked.
    ///
    /// With `now`, silences that are over are found; with `history`, rows that match nothing in it.
    ///
    /// ```
    /// use alert_triage::lint::Lint;
    /// use alert_triage::Rules;
    ///
    /// let rules = Rules::parse("edges:\n- {id: loop, cause: X, symptoms: [X]}\n").unwrap();
    /// let found = rules.check(None, None);
    /// assert_eq!((found[0].line, found[0].lint), (2, Lint::Cyclic));
    /// ```
    pub fn check(&self, now: Option<Timestamp>, history: Option<&LintHistory>) -> Vec<Finding> {
        let mut check = Linter { rules: self, found: BTreeSet::new() };
        check.whole();
        check.templates();
        check.rows();
        check.silences(now);
        check.ladders();
        check.edges();
        check.transients();
        if let Some(history) = history {
            check.history(history);
        }
        check.found.into_iter().collect()
    }
}
