//! Which alerts a row is for.

use std::fmt;

use wildmatch::WildMatch;

/// An alert's name, or a pattern of names, and labels that must be equal.
#[derive(Debug, Clone)]
pub(crate) struct Matches {
    pub(crate) alert: WildMatch,
    pub(crate) pattern: String,
    pub(crate) labels: Vec<(String, WildMatch, String)>,
}

impl Matches {
    pub(crate) fn alert(&self, alert: &str) -> bool {
        if self.is_exact() { self.pattern == alert } else { self.alert.matches(alert) }
    }

    pub(crate) fn is_exact(&self) -> bool {
        !self.pattern.contains(['*', '?'])
    }

    pub(crate) fn all<'l>(&self, alert: &str, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.alert(alert)
            && self.labels.iter().all(|(name, value, _)| label(name).is_some_and(|told| value.matches(told)))
    }
}

/// As people would write it: `X` or `X{zone="AB"}`.
impl fmt::Display for Matches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)?;
        if self.labels.is_empty() {
            return Ok(());
        }
        let labels: Vec<String> =
            self.labels.iter().map(|(name, _, value)| format!("{name}=\"{value}\"")).collect();
        write!(f, "{{{}}}", labels.join(", "))
    }
}
