//! Everything in force, with the ids by which it can be overridden or disabled.

use serde::Serialize;

use super::heuristics::HEURISTICS;
use super::rule_set::Rules;
use crate::mask;

/// One row or heuristic in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// What `builtin: {disable: [id]}` takes, and the output shows.
    pub id: String,
    /// The section a row stands in; `heuristics` for what is code and no row.
    pub section: &'static str,
    /// What it says.
    pub what: String,
    /// The row's line in the file; none for what is built in.
    pub line: Option<u64>,
}

impl Rules {
    /// All rows in force and all heuristics, section by section in the order in which they are
    /// looked at.
    ///
    /// ```
    /// use alert_triage::Rules;
    ///
    /// let rules = Rules::parse("builtin: {disable: [severity/name]}").unwrap();
    /// assert!(rules.ids().iter().any(|listed| listed.id == "ladder/name"));
    /// assert!(!rules.ids().iter().any(|listed| listed.id == "severity/name"));
    /// ```
    pub fn ids(&self) -> Vec<Listed> {
        let table = &self.0;
        let mut ids: Vec<Listed> = Vec::new();
        let mut push = |section: &'static str, id: &str, what: String| {
            ids.push(Listed { id: id.to_owned(), section, what, line: table.lines.get(id).copied() });
        };
        for (id, template) in &table.templates {
            push("templates", id, template.shown().to_owned());
        }
        for row in &table.severities {
            push("severities", &row.id, format!("{} is {}", row.matches, row.says));
        }
        for (id, rungs) in &table.ladders {
            push("ladders", id, rungs.join(" < "));
        }
        for edge in &table.edges {
            push("edges", &edge.id, format!("{} -> {}", edge.cause, edge.symptoms.join(", ")));
        }
        for row in &table.transients {
            push("transients", &row.id, format!("{} is the transient form of {}", row.matches, row.says));
        }
        for row in &table.informational {
            push("informational", &row.id, format!("{}: {}", row.matches, row.says));
        }
        for silence in &table.silences {
            let from = silence.from.map_or(String::new(), |from| format!(" from {from}"));
            let until = silence.until.map_or(" for ever".to_owned(), |until| format!(" until {until}"));
            push("silences", &silence.id, format!("{}{from}{until}: {}", silence.matches, silence.because));
        }
        for row in &table.ttls {
            push("ttls", &row.id, format!("{} is obsolete after {:#}", row.matches, row.says));
        }
        for row in &table.runbooks {
            push("runbooks", &row.id, format!("{}: {}", row.matches, row.says));
        }
        // A row may carry an id that is disabled as built in.
        for (id, what) in HEURISTICS.into_iter().filter(|(id, _)| self.is_on(id)) {
            push("heuristics", id, what.to_owned());
        }
        for id in mask::ids().filter(|id| self.is_on(id)) {
            push("heuristics", id, format!("masks {} in free text", &id["mask/".len()..]));
        }
        ids
    }

    /// How many rows the file has, built-in ones aside.
    pub fn rows(&self) -> usize {
        self.0.lines.len()
    }
}
