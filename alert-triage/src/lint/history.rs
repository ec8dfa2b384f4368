//! Rows against the alerts of the past.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::finding::Lint;
use super::linter::Linter;
use crate::ledger::Engine;
use crate::rules::{AlertMatcher, RuleRow, Rules};

/// With fewer alerts a silence that matches most of them is not reported.
const MIN_ALERTS_FOR_TOO_BROAD: usize = 10;

/// Alerts of the past, to find rows that match none.
///
/// ```
/// use alert_triage::lint::{LintHistory, Lint};
/// use alert_triage::{Engine, Format, Rules};
///
/// let rules = Rules::parse("severities:\n- {id: q, alert: QueueFull, severity: error}\n").unwrap();
/// let mut engine = Engine::new(rules.clone());
/// engine.read("night.log", Format::Lines, b"Zone AB: queuefull\n");
/// let found = rules.check(None, Some(&LintHistory::from_engine(&engine)));
/// assert_eq!(found[0].lint, Lint::NeverMatched);
/// assert!(found[0].message.contains("did you mean queuefull"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct LintHistory {
    /// Names with their labels.
    alerts: Vec<(String, Vec<(String, String)>)>,
    /// The ids of templates that matched a line; `None` if no plain lines were given.
    templates: Option<BTreeSet<String>>,
}

impl LintHistory {
    /// The distinct alerts of an engine.
    pub fn from_engine(engine: &Engine) -> Self {
        Self { alerts: engine.alerts(), templates: None }
    }

    /// Adds plain lines, to find templates that match none.
    pub fn lines<'l>(&mut self, rules: &Rules, lines: impl IntoIterator<Item = &'l [u8]>) {
        let seen = self.templates.get_or_insert_default();
        let mine =
            rules.table().templates.iter().filter(|(id, _)| rules.table().lines.contains_key(id)).count();
        for line in lines {
            if let Some(id) = rules.template(line).filter(|id| !seen.contains(*id)) {
                seen.insert(id.to_owned());
            }
            if seen.iter().filter(|id| rules.table().lines.contains_key(*id)).count() == mine {
                return;
            }
        }
    }
}

impl Linter<'_> {
    pub(super) fn history(&mut self, history: &LintHistory) {
        let matched = |matches: &AlertMatcher| {
            let met = history.alerts.iter().filter(|(alert, labels)| {
                matches.is_match(alert, |name| {
                    labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
                })
            });
            met.count()
        };
        let names: HashSet<&str> = history.alerts.iter().map(|(alert, _)| alert.as_str()).collect();
        let by_case: HashMap<String, &str> = names.iter().map(|name| (name.to_lowercase(), *name)).collect();
        let meant = |pattern: &str| {
            let other = by_case.get(&pattern.to_lowercase()).filter(|name| **name != pattern);
            other.map_or(String::new(), |name| format!("; did you mean {name}?"))
        };
        let missing = |matches: &AlertMatcher| match names.contains(matches.pattern.as_str()) {
            true => format!("{} does not occur in it with these labels", matches.pattern),
            false => format!("{} does not occur in it{}", matches.pattern, meant(&matches.pattern)),
        };
        let table = self.rules.table();
        let mut unmatched: Vec<(&str, String)> = Vec::new();
        fn miss<'r, T>(
            rows: &'r [RuleRow<T>],
            matched: impl Fn(&AlertMatcher) -> usize,
            missing: impl Fn(&AlertMatcher) -> String,
            to: &mut Vec<(&'r str, String)>,
        ) {
            for row in rows.iter().filter(|row| matched(&row.matches) == 0) {
                to.push((&row.id, missing(&row.matches)));
            }
        }
        miss(&table.severities, matched, missing, &mut unmatched);
        miss(&table.ttls, matched, missing, &mut unmatched);
        miss(&table.runbooks, matched, missing, &mut unmatched);
        miss(&table.informational, matched, missing, &mut unmatched);
        miss(&table.transients, matched, missing, &mut unmatched);
        for (id, rungs) in &table.ladders {
            if !rungs.iter().any(|rung| names.contains(rung.as_str())) {
                let other = rungs.iter().map(|rung| meant(rung)).find(|other| !other.is_empty());
                let other = other.unwrap_or_default();
                unmatched.push((id, format!("none of {} occurs in it{other}", rungs.join(", "))));
            }
        }
        for edge in &table.edges {
            let has_cause = names.contains(edge.cause.as_str());
            if !has_cause || !edge.symptoms.iter().any(|name| names.contains(name.as_str())) {
                let other = edge.symptoms.iter().chain([&edge.cause]).map(|name| meant(name));
                let other = other.into_iter().find(|other| !other.is_empty()).unwrap_or_default();
                let missing = match has_cause {
                    true => format!("{} does, and none of its symptoms{other}", edge.cause),
                    false => format!("{} does not occur in it{other}", edge.cause),
                };
                unmatched.push((&edge.id, missing));
            }
        }
        let mut wide: Vec<(&str, usize)> = Vec::new();
        for silence in &table.silences {
            match matched(&silence.matches) {
                0 => unmatched.push((&silence.id, missing(&silence.matches))),
                met if met >= MIN_ALERTS_FOR_TOO_BROAD && met * 2 > history.alerts.len() => {
                    wide.push((&silence.id, met))
                }
                _ => {}
            }
        }
        for (id, template) in &table.templates {
            if history.templates.as_ref().is_some_and(|seen| !seen.contains(id)) {
                unmatched.push((id, format!("no line of it has the shape `{}`", template.as_str())));
            }
        }
        for (id, what) in unmatched {
            self.find(id, Lint::NeverMatched, format!("met nothing in the history: {what}"));
        }
        for (id, met) in wide {
            let all = history.alerts.len();
            self.find(id, Lint::TooBroad, format!("silences {met} of the {all} alerts of the history"));
        }
    }
}
