//! Rows that match alerts by name and labels; the first match decides.

use jiff::{SignedDuration, Timestamp};

use super::finding::Lint;
use super::linter::Linter;
use crate::rules::{AlertMatcher, RuleRow};

/// A silence that ends later than this is probably a mistake in the year.
const MAX_SILENCE: SignedDuration = SignedDuration::from_hours(366 * 24);

impl Linter<'_> {
    pub(super) fn rows(&mut self) {
        let table = self.rules.table();
        self.first_wins("severity", &table.severities);
        self.first_wins("TTL", &table.ttls);
        self.first_wins("runbook", &table.runbooks);
        self.first_wins("reason", &table.informational);
        self.first_wins("lasting form", &table.transients);
        for row in &table.severities {
            self.conditions(&row.id, &row.matches);
            self.severity(row);
        }
        for row in &table.ttls {
            self.conditions(&row.id, &row.matches);
            if !self.rules.is_on("ttl") {
                self.find(&row.id, Lint::Ignored, "says a TTL, and `ttl` is disabled under builtin");
            }
        }
        for row in &table.runbooks {
            self.conditions(&row.id, &row.matches);
            self.runbook(row);
        }
        for row in &table.informational {
            self.conditions(&row.id, &row.matches);
            if let Some(severity) = table.severities.iter().find(|known| known.matches.covers(&row.matches)) {
                let message = format!(
                    "says there is no fault where `{}` says {}, which comes before it: remove one",
                    severity.id, severity.value
                );
                self.find(&row.id, Lint::Shadowed, message);
            }
        }
        for row in &table.transients {
            self.conditions(&row.id, &row.matches);
        }
    }

    /// Reports rows that an earlier, wider row hides.
    fn first_wins<T: PartialEq>(&mut self, what: &str, rows: &[RuleRow<T>]) {
        for (at, row) in rows.iter().enumerate() {
            if row.matches.is_everything() {
                let message = format!("gives every alert its {what}: name the alerts it is for");
                self.find(&row.id, Lint::TooBroad, message);
            }
            let Some(earlier) = rows[..at].iter().find(|earlier| earlier.matches.covers(&row.matches)) else {
                continue;
            };
            if earlier.value == row.value {
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

    /// Reports conditions that no identity can match.
    fn conditions(&mut self, id: &str, matches: &AlertMatcher) {
        if looks_like_regex(&matches.pattern) {
            let message = format!(
                "names `{}`, which looks like a regular expression: only * and ? stand for something else",
                matches.pattern
            );
            self.find(id, Lint::Unreachable, message);
        }
        for (label, _, value) in &matches.labels {
            let why = if matches!(label.as_str(), "alertname" | "__name__") {
                format!(
                    "asks for the label {label}, but the name is not a label here: write it under `alert`"
                )
            } else if self.rules.is_volatile(label) {
                format!(
                    "asks for the label {label}, which is dropped from every alert: keep it under \
                     identity.keep, or ask for another"
                )
            } else if label == "pod" && self.rules.is_on("identity/pod") && !self.rules.is_kept("pod") {
                "asks for the label pod, in whose place the workload stands: ask for workload, or keep pod under \
                 identity.keep"
                    .to_owned()
            } else if value.is_empty() {
                format!("asks for an empty {label}, and a label that is empty is none: ask for something")
            } else if looks_like_regex(value) {
                format!(
                    "asks for {label} `{value}`, which looks like a regular expression: only * and ? stand for \
                     something else"
                )
            } else {
                continue;
            };
            self.find(id, Lint::Unreachable, why);
        }
    }

    fn severity<T>(&mut self, row: &RuleRow<T>) {
        if row.matches.labels.iter().any(|(label, ..)| label == "severity") {
            let message = "asks for a severity label, and a severity label comes before any row";
            self.find(&row.id, Lint::Unreachable, message);
        }
        if !row.matches.is_exact() {
            return;
        }
        if let Some((lasting, by)) = self.rules.lasting_form(&row.matches.pattern) {
            let message = format!(
                "says a severity of a transient ({by}), which is P4 with any, and judged as {lasting} once it \
                 lasts: say it of {lasting}"
            );
            self.find(&row.id, Lint::Ignored, message);
        }
    }

    fn runbook(&mut self, row: &RuleRow<String>) {
        let url = row.value.trim();
        let rest = ["https://", "http://"].into_iter().find_map(|scheme| {
            let is_it = url.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
            is_it.then(|| &url[scheme.len()..])
        });
        let is_link = rest.is_some_and(|rest| {
            !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace)
        });
        if !is_link {
            let message = format!("names `{url}`, which nobody can open: write https://HOST/PATH");
            self.find(&row.id, Lint::NoLink, message);
        }
    }

    pub(super) fn silences(&mut self, now: Option<Timestamp>) {
        let silences = &self.rules.table().silences;
        for (at, silence) in silences.iter().enumerate() {
            self.conditions(&silence.id, &silence.matches);
            if silence.matches.is_everything() {
                let message = "silences every alert: name the alerts or the labels it is for";
                self.find(&silence.id, Lint::TooBroad, message);
            } else if silence.until.is_none() {
                let message = "has no end: give it an `until`, or it will hide a fault one day";
                self.find(&silence.id, Lint::TooBroad, message);
            }
            match (silence.until, now) {
                (Some(until), Some(now)) if until <= now => {
                    self.find(&silence.id, Lint::NeverMatched, format!("is over since {until}: remove it"));
                }
                (Some(until), Some(now)) if until.duration_since(now) > MAX_SILENCE => {
                    let message = format!("ends on {until}, more than a year from now: is the year right?");
                    self.find(&silence.id, Lint::TooBroad, message);
                }
                _ => {}
            }
            let always = silences[..at].iter().find(|earlier| {
                earlier.from.is_none() && earlier.until.is_none() && earlier.matches.covers(&silence.matches)
            });
            if let Some(earlier) = always {
                let message = format!("silences what `{}` silences for ever: remove one", earlier.id);
                self.find(&silence.id, Lint::Unreachable, message);
            }
        }
    }
}

/// Whether the pattern is a regular expression, which Alertmanager's matchers take and these rules
/// do not.
pub(super) fn looks_like_regex(pattern: &str) -> bool {
    [".*", ".+", "|", "\\", "=~"].into_iter().any(|mark| pattern.contains(mark))
        || pattern.starts_with('^')
        || pattern.ends_with('$')
        || pattern.starts_with(['(', '['])
}

impl AlertMatcher {
    pub(super) fn is_everything(&self) -> bool {
        self.labels.iter().all(|(_, _, value)| value == "*")
            && self.pattern.chars().all(|c| matches!(c, '*' | '?'))
    }

    /// Whether this certainly matches everything that `other` matches.
    pub(super) fn covers(&self, other: &AlertMatcher) -> bool {
        let name = self.pattern == other.pattern
            || self.pattern == "*"
            || other.is_exact() && self.is_name_match(&other.pattern);
        name && self.labels.iter().all(|(name, value, pattern)| {
            other.labels.iter().any(|(theirs, _, wanted)| {
                theirs == name && (wanted == pattern || !wanted.contains(['*', '?']) && value.matches(wanted))
            })
        })
    }
}
