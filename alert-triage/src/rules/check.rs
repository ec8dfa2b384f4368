//! Lints of a rules file: what cannot work, or would work too well.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::{Matches, Row, Rules};

/// One fault of a rules file that parses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Line of the row in its file.
    pub line: u64,
    /// What kind of fault.
    pub lint: Lint,
    /// The row's id.
    pub id: String,
    /// What is wrong and what would mend it.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: `{}` {}", self.line, self.lint, self.id, self.message)
    }
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lint {
    /// Can never come to its turn.
    Unreachable,
    /// An earlier row says something else of the same alerts.
    Shadowed,
    /// Leads back to itself.
    Cyclic,
    /// Matched nothing in the history given, or cannot match any more.
    NeverMatched,
    /// Matches everything, or nearly.
    TooBroad,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lint::Unreachable => "unreachable",
            Lint::Shadowed => "shadowed",
            Lint::Cyclic => "cyclic",
            Lint::NeverMatched => "never matched",
            Lint::TooBroad => "too broad",
        })
    }
}

impl Rules {
    /// Faults of the file these rules were parsed from, in its order; built-in rows are not looked at.
    ///
    /// `now` finds silences that are over, `history` (names with their labels) finds rows that match nothing there.
    pub fn check(
        &self,
        now: Option<Timestamp>,
        history: Option<&[(String, Vec<(String, String)>)]>,
    ) -> Vec<Finding> {
        let mut check = Check { rules: self, found: BTreeSet::new() };
        check.rows("severity", &self.0.severities);
        check.rows("TTL", &self.0.ttls);
        check.rows("runbook", &self.0.runbooks);
        check.rows("reason", &self.0.informational);
        check.rows("lasting form", &self.0.transients);
        check.templates();
        check.ladders();
        check.edges();
        check.silences(now);
        if let Some(history) = history {
            check.history(history);
        }
        check.found.into_iter().collect()
    }

    /// The ids of all rows in force and of all heuristics, with what each is, for `builtin: {disable: […]}`.
    pub fn ids(&self) -> Vec<(String, String)> {
        let table = &self.0;
        let mut ids: Vec<(String, String)> = Vec::new();
        let mut push = |id: &str, what: String| ids.push((id.to_owned(), what));
        for (id, template) in &table.templates {
            push(id, format!("line {}", template.shown()));
        }
        for row in &table.severities {
            push(&row.id, format!("{} is {}", row.matches.pattern, row.says));
        }
        for (id, rungs) in &table.ladders {
            push(id, rungs.join(" < "));
        }
        for edge in &table.edges {
            push(&edge.id, format!("{} -> {}", edge.cause, edge.symptoms.join(", ")));
        }
        for row in &table.transients {
            push(&row.id, format!("{} is the transient form of {}", row.matches.pattern, row.says));
        }
        for row in &table.informational {
            push(&row.id, format!("{} is for information: {}", row.matches.pattern, row.says));
        }
        for silence in &table.silences {
            push(&silence.id, format!("silences {}", silence.matches.pattern));
        }
        for row in &table.ttls {
            push(&row.id, format!("{} is obsolete after {:#}", row.matches.pattern, row.says));
        }
        for row in &table.runbooks {
            push(&row.id, format!("{}: {}", row.matches.pattern, row.says));
        }
        for (id, what) in super::HEURISTICS {
            push(id, what.to_owned());
        }
        for id in crate::mask::ids() {
            push(id, format!("masks {} in free text", &id["mask/".len()..]));
        }
        ids.retain(|(id, _)| self.is_on(id));
        ids
    }
}

struct Check<'r> {
    rules: &'r Rules,
    found: BTreeSet<Finding>,
}

impl Check<'_> {
    /// Only rows of the file have a line.
    fn find(&mut self, id: &str, lint: Lint, message: String) {
        if let Some(&line) = self.rules.0.lines.get(id) {
            self.found.insert(Finding { line, lint, id: id.to_owned(), message });
        }
    }

    /// The first row that matches decides, so that a wider one before makes a row useless.
    fn rows<T: PartialEq>(&mut self, what: &str, rows: &[Row<T>]) {
        for (at, row) in rows.iter().enumerate() {
            if row.matches.is_everything() {
                self.find(
                    &row.id,
                    Lint::TooBroad,
                    format!("gives every alert its {what}: name the alerts it is for"),
                );
            }
            let Some(earlier) = rows[..at].iter().find(|earlier| earlier.matches.covers(&row.matches)) else {
                continue;
            };
            if earlier.says == row.says {
                let message =
                    format!("says what `{}` already says of the same alerts: remove one", earlier.id);
                self.find(&row.id, Lint::Unreachable, message);
            } else {
                let message = format!(
                    "is hidden by `{}` above it, which matches the same alerts: move it up",
                    earlier.id
                );
                self.find(&row.id, Lint::Shadowed, message);
            }
        }
    }

    fn templates(&mut self) {
        let templates = &self.rules.0.templates;
        for (at, (id, template)) in templates.iter().enumerate() {
            if let Some((earlier, _)) =
                templates[..at].iter().find(|(_, earlier)| earlier.shown() == template.shown())
            {
                self.find(id, Lint::Unreachable, format!("is the template `{earlier}` again: remove one"));
            } else if let Some((earlier, _)) =
                templates[..at].iter().find(|(_, earlier)| earlier.is_catch_all())
            {
                self.find(
                    id,
                    Lint::Shadowed,
                    format!("comes behind `{earlier}`, which takes every line: move it up"),
                );
            }
            if template.is_catch_all() {
                let message =
                    "takes every line that begins with a word: no line will be malformed any more".to_owned();
                self.find(id, Lint::TooBroad, message);
            }
        }
    }

    fn ladders(&mut self) {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for (id, rungs) in &self.rules.0.ladders {
            let mut own = HashSet::new();
            for rung in rungs {
                if !own.insert(rung.as_str()) {
                    self.find(id, Lint::Cyclic, format!("has {rung} twice, which would be above itself"));
                    continue;
                }
                match seen.insert(rung, id) {
                    Some(other) if other != id => {
                        self.find(
                            id,
                            Lint::Shadowed,
                            format!("has {rung}, which stands on `{other}` already: join them"),
                        );
                    }
                    _ => {}
                }
            }
        }
    }

    fn edges(&mut self) {
        let edges = &self.rules.0.edges;
        let mut pairs: HashMap<(&str, &str), &str> = HashMap::new();
        let mut next: HashMap<&str, Vec<&str>> = HashMap::new();
        for edge in edges {
            for symptom in &edge.symptoms {
                next.entry(&edge.cause).or_default().push(symptom);
                if edge.cause.contains(['*', '?']) || symptom.contains(['*', '?']) {
                    let message = format!(
                        "has a pattern in {} -> {symptom}: edges join exact names, one by one",
                        edge.cause
                    );
                    self.find(&edge.id, Lint::TooBroad, message);
                }
                match pairs.insert((&edge.cause, symptom), &edge.id) {
                    Some(other) if other != edge.id => {
                        let message =
                            format!("joins {} -> {symptom}, as `{other}` does: remove one", edge.cause);
                        self.find(&edge.id, Lint::Unreachable, message);
                    }
                    _ => {}
                }
                let ladder = |name: &str| self.rules.ladder(name).map(|(ladder, _)| ladder);
                if ladder(&edge.cause).is_some() && ladder(&edge.cause) == ladder(symptom) {
                    let message = format!(
                        "joins two rungs of one ladder, {} and {symptom}: the ladder does it",
                        edge.cause
                    );
                    self.find(&edge.id, Lint::Unreachable, message);
                }
            }
        }
        for edge in edges {
            for symptom in &edge.symptoms {
                if let Some(path) = path(&next, symptom, &edge.cause) {
                    let message = format!("leads back to its cause: {} -> {path}", edge.cause);
                    self.find(&edge.id, Lint::Cyclic, message);
                }
            }
        }
    }

    fn silences(&mut self, now: Option<Timestamp>) {
        for silence in &self.rules.0.silences {
            if silence.matches.is_everything() {
                let message = "silences every alert: name the alerts or the labels it is for".to_owned();
                self.find(&silence.id, Lint::TooBroad, message);
            } else if silence.until.is_none() {
                let message = "has no end: give it an `until`, or it will hide a fault one day".to_owned();
                self.find(&silence.id, Lint::TooBroad, message);
            }
            if let (Some(until), Some(now)) = (silence.until, now) {
                if until <= now {
                    self.find(&silence.id, Lint::NeverMatched, format!("is over since {until}: remove it"));
                }
            }
        }
    }

    fn history(&mut self, history: &[(String, Vec<(String, String)>)]) {
        let matched = |matches: &Matches| {
            history.iter().any(|(alert, labels)| {
                matches.all(alert, |name| {
                    labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
                })
            })
        };
        let names: HashSet<&str> = history.iter().map(|(alert, _)| alert.as_str()).collect();
        let table = &self.rules.0;
        let mut unmatched: Vec<(&str, String)> = Vec::new();
        fn miss<'r, T>(
            rows: &'r [Row<T>],
            matched: impl Fn(&Matches) -> bool,
            to: &mut Vec<(&'r str, String)>,
        ) {
            for row in rows.iter().filter(|row| !matched(&row.matches)) {
                to.push((&row.id, row.matches.pattern.clone()));
            }
        }
        miss(&table.severities, matched, &mut unmatched);
        miss(&table.ttls, matched, &mut unmatched);
        miss(&table.runbooks, matched, &mut unmatched);
        miss(&table.informational, matched, &mut unmatched);
        miss(&table.transients, matched, &mut unmatched);
        for silence in table.silences.iter().filter(|silence| !matched(&silence.matches)) {
            unmatched.push((&silence.id, silence.matches.pattern.clone()));
        }
        for (id, rungs) in &table.ladders {
            if !rungs.iter().any(|rung| names.contains(rung.as_str())) {
                unmatched.push((id, rungs.join(", ")));
            }
        }
        for edge in &table.edges {
            if !names.contains(edge.cause.as_str())
                || !edge.symptoms.iter().any(|name| names.contains(name.as_str()))
            {
                unmatched.push((&edge.id, format!("{} with one of its symptoms", edge.cause)));
            }
        }
        for (id, what) in unmatched {
            self.find(
                id,
                Lint::NeverMatched,
                format!("met no alert of the history: {what} does not occur in it"),
            );
        }
    }
}

/// A way from one name to another, as text.
fn path(next: &HashMap<&str, Vec<&str>>, from: &str, to: &str) -> Option<String> {
    let mut trail: Vec<(&str, Option<usize>)> = vec![(from, None)];
    let mut seen = HashSet::from([from]);
    let mut at = 0;
    while let Some(&(name, _)) = trail.get(at) {
        if name == to {
            let mut names = vec![name];
            let mut step = trail[at].1;
            while let Some(back) = step {
                names.push(trail[back].0);
                step = trail[back].1;
            }
            names.reverse();
            return Some(names.join(" -> "));
        }
        for symptom in next.get(name).into_iter().flatten() {
            // The names live as long as the rules.
            if seen.insert(symptom) {
                trail.push((symptom, Some(at)));
            }
        }
        at += 1;
    }
    None
}

impl Matches {
    fn is_everything(&self) -> bool {
        self.labels.iter().all(|(_, _, value)| value == "*")
            && self.pattern.chars().all(|c| matches!(c, '*' | '?'))
    }

    /// Does it match whatever `other` matches? Only what is certain.
    fn covers(&self, other: &Matches) -> bool {
        let name = self.pattern == other.pattern
            || self.pattern == "*"
            || other.is_exact() && self.alert(&other.pattern);
        name && self.labels.iter().all(|(name, value, pattern)| {
            other.labels.iter().any(|(theirs, _, wanted)| {
                theirs == name && (wanted == pattern || !wanted.contains(['*', '?']) && value.matches(wanted))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str) -> Vec<String> {
        let now = "2026-11-23T07:00:00Z".parse().unwrap();
        let rules = Rules::parse(yaml).unwrap();
        rules
            .check(Some(now), None)
            .iter()
            .map(|finding| format!("{} {}: {}", finding.line, finding.id, finding.lint))
            .collect()
    }

    #[test]
    fn the_builtin_rules_have_no_fault() {
        let rules = Rules::parse(Rules::builtin_yaml()).unwrap();
        assert_eq!(rules.check(None, None), []);
    }

    #[test]
    fn faults_are_found() {
        for (yaml, want) in [
            (
                "severities:\n- {id: a, alert: 'X*', severity: error}\n- {id: b, alert: XY, severity: info}",
                "3 b: shadowed",
            ),
            (
                "severities:\n- {id: a, alert: XY, severity: info}\n- {id: b, alert: XY, severity: info}",
                "3 b: unreachable",
            ),
            (
                "edges:\n- {id: a, cause: X, symptoms: [Y]}\n- {id: b, cause: Y, symptoms: [X]}",
                "2 a: cyclic,3 b: cyclic",
            ),
            ("edges:\n- {id: a, cause: X, symptoms: [X]}", "2 a: cyclic"),
            ("ladders:\n- {id: a, rungs: [X, Y, X]}", "2 a: cyclic"),
            ("silences:\n- {id: a, alert: '*', until: 2026-11-24T00:00:00Z}", "2 a: too broad"),
            ("silences:\n- {id: a, alert: X}", "2 a: too broad"),
            ("silences:\n- {id: a, alert: X, until: 2026-11-22T00:00:00Z}", "2 a: never matched"),
            ("templates:\n- {id: a, line: '{alert}'}", "2 a: too broad"),
            (
                "templates:\n- {id: a, line: 'Zone  {zone}: {alert}'}\n- {id: b, line: 'Zone  {zone}: {alert}'}",
                "3 b: unreachable",
            ),
            (
                "severities:\n- {id: a, alert: X, labels: {zone: A}, severity: info}\n- {id: b, alert: X, severity: error}",
                "",
            ),
        ] {
            assert_eq!(check(yaml).join(","), want, "{yaml}");
        }
    }

    #[test]
    fn rows_without_history_are_found() {
        let rules = Rules::parse(
            "severities:\n- {id: a, alert: X, severity: error}\n- {id: b, alert: Y, severity: error}\n",
        )
        .unwrap();
        let history = [("X".to_owned(), vec![])];
        let found: Vec<_> =
            rules.check(None, Some(&history)).into_iter().map(|finding| (finding.id, finding.lint)).collect();
        assert_eq!(found, [("b".to_owned(), Lint::NeverMatched)]);
    }
}
