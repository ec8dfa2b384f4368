//! Which alerts a row is for.

use std::fmt;

use wildmatch::WildMatch;

/// A pattern for the alert's name, and patterns for labels.
#[derive(Debug, Clone)]
pub(crate) struct AlertMatcher {
    pub(crate) alert: WildMatch,
    pub(crate) pattern: String,
    pub(crate) labels: Vec<(String, WildMatch, String)>,
}

impl AlertMatcher {
    pub(crate) fn is_name_match(&self, alert: &str) -> bool {
        if self.is_exact() { self.pattern == alert } else { self.alert.matches(alert) }
    }

    pub(crate) fn is_exact(&self) -> bool {
        !self.pattern.contains(['*', '?'])
    }

    pub(crate) fn is_match<'l>(&self, alert: &str, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.is_name_match(alert)
            && self
                .labels
                .iter()
                .all(|(name, value, _)| label(name).is_some_and(|actual| value.matches(actual)))
    }
}

/// In the notation of PromQL: `X` or `X{zone="AB"}`.
impl fmt::Display for AlertMatcher {
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
