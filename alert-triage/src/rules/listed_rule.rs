//! All rows and heuristics in force, with the ids by which they can be overridden or disabled.

use serde::Serialize;

use super::heuristics::HEURISTICS;
use super::rule_set::Rules;
use crate::mask;

/// One row or heuristic in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListedRule {
    /// The id that `builtin: {disable: [id]}` takes and the output shows.
    pub id: String,
    /// The section of the row; `heuristics` for a heuristic.
    pub section: &'static str,
    /// A description.
    pub what: String,
    /// The row's line in the file; `None` for built-in rows.
    pub line: Option<u64>,
}

impl Rules {
    /// All rows and heuristics in force, by section, in the order of evaluation.
    ///
    /// ```
    /// use alert_triage::Rules;
    ///
    /// let rules = Rules::parse("builtin: {disable: [severity/name]}").unwrap();
    /// assert!(rules.ids().iter().any(|listed| listed.id == "ladder/name"));
    /// assert!(!rules.ids().iter().any(|listed| listed.id == "severity/name"));
    /// ```
    pub fn ids(&self) -> Vec<ListedRule> {
        let table = &self.0;
        let mut ids: Vec<ListedRule> = Vec::new();
        let mut push = |section: &'static str, id: &str, what: String| {
            ids.push(ListedRule { id: id.to_owned(), section, what, line: table.lines.get(id).copied() });
        };
        for (id, template) in &table.templates {
            push("templates", id, template.as_str().to_owned());
        }
        for row in &table.severities {
            push("severities", &row.id, format!("{} is {}", row.matches, row.value));
        }
        for (id, rungs) in &table.ladders {
            push("ladders", id, rungs.join(" < "));
        }
        for edge in &table.edges {
            push("edges", &edge.id, format!("{} -> {}", edge.cause, edge.symptoms.join(", ")));
        }
        for row in &table.transients {
            push("transients", &row.id, format!("{} is the transient form of {}", row.matches, row.value));
        }
        for row in &table.informational {
            push("informational", &row.id, format!("{}: {}", row.matches, row.value));
        }
        for silence in &table.silences {
            let from = silence.from.map_or(String::new(), |from| format!(" from {from}"));
            let until = silence.until.map_or(" for ever".to_owned(), |until| format!(" until {until}"));
            push("silences", &silence.id, format!("{}{from}{until}: {}", silence.matches, silence.because));
        }
        for row in &table.ttls {
            push("ttls", &row.id, format!("{} is obsolete after {:#}", row.matches, row.value));
        }
        for row in &table.runbooks {
            push("runbooks", &row.id, format!("{}: {}", row.matches, row.value));
        }
        for (_, format) in self.own_formats() {
            push("formats", &format.id, format.what.clone());
        }
        // A row may have the id of a disabled heuristic.
        for (id, what) in HEURISTICS.into_iter().filter(|(id, _)| self.is_on(id)) {
            push("heuristics", id, what.to_owned());
        }
        for id in mask::ids().filter(|id| self.is_on(id)) {
            push("heuristics", id, format!("masks {} in free text", &id["mask/".len()..]));
        }
        ids
    }

    /// The number of rows in the file, without built-in ones.
    pub fn rows(&self) -> usize {
        self.0.lines.len()
    }
}
