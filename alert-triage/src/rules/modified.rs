//! Rules with a change, for what-if questions.

use std::sync::Arc;

use wildmatch::WildMatch;

use super::alert_matcher::AlertMatcher;
use super::rows::Silence;
use super::rule_set::Rules;
use super::table::RuleTable;

impl Rules {
    /// These rules with a change.
    pub(crate) fn modified(self, change: impl FnOnce(&mut RuleTable)) -> Self {
        let mut table = Arc::unwrap_or_clone(self.0);
        change(&mut table);
        Self(Arc::new(table))
    }
}

impl RuleTable {
    /// Adds a silence for one alert.
    pub(crate) fn silence<'l>(&mut self, alert: &str, labels: impl Iterator<Item = (&'l str, &'l str)>) {
        let matches = AlertMatcher {
            alert: WildMatch::new(alert),
            pattern: alert.to_owned(),
            labels: labels
                .map(|(name, value)| (name.to_owned(), WildMatch::new(value), value.to_owned()))
                .collect(),
        };
        let because = String::new();
        self.silences
            .insert(0, Silence { id: "a silence".to_owned(), matches, from: None, until: None, because });
    }

    pub(crate) fn without_edge(&mut self, id: &str) {
        self.edges.retain(|edge| edge.id != id);
    }

    /// Removes a ladder, a transient row or a heuristic.
    pub(crate) fn without_ladder(&mut self, id: &str) {
        let ladders = &self.ladders;
        self.ladder_of.retain(|_, (ladder, _)| ladders[*ladder].0 != id);
        self.transients.retain(|row| row.id != id);
        self.disabled.insert(id.to_owned());
    }
}
