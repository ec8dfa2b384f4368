//! All lints of a file, one after the other.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::check::Check;
use super::finding::Finding;
use super::history::History;
use crate::rules::Rules;

impl Rules {
    /// Faults of the file these rules were parsed from, by line; built-in rows are not looked at.
    ///
    /// `now` finds silences that are over, `history` finds rows that match nothing there.
    ///
    /// ```
    /// use alert_triage::{Lint, Rules};
    ///
    /// let rules = Rules::parse("edges:\n- {id: loop, cause: X, symptoms: [X]}\n").unwrap();
    /// let found = rules.check(None, None);
    /// assert_eq!((found[0].line, found[0].lint), (2, Lint::Cyclic));
    /// ```
    pub fn check(&self, now: Option<Timestamp>, history: Option<&History>) -> Vec<Finding> {
        let mut check = Check { rules: self, found: BTreeSet::new() };
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
