//! Rows of the rules, and where a severity comes from.

use jiff::Timestamp;
use wildmatch::WildMatch;

use super::alert_matcher::AlertMatcher;

/// A row that gives the alerts it matches a value.
#[derive(Debug, Clone)]
pub(crate) struct RuleRow<T> {
    pub(crate) id: String,
    pub(crate) matches: AlertMatcher,
    pub(crate) value: T,
}

/// A cause edge: `cause` explains `symptoms` within one scope.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) id: String,
    pub(crate) cause: String,
    pub(crate) symptoms: Vec<String>,
    /// Labels that may differ although both alerts carry them.
    pub(crate) ignore: Vec<String>,
    /// Labels that name the workload of an alert that has no other label for it.
    pub(crate) workload: Vec<String>,
}

/// Labels of a scope for the alerts of some sources.
#[derive(Debug, Clone)]
pub(crate) struct ScopeConstant {
    pub(crate) source: WildMatch,
    pub(crate) labels: Vec<(String, String)>,
}

/// A silence of the rules.
#[derive(Debug, Clone)]
pub(crate) struct Silence {
    pub(crate) id: String,
    pub(crate) matches: AlertMatcher,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) because: String,
}

/// Labels that say the severity of an alert without the label `severity`, if their word is known.
pub(crate) const SEVERITY_ALIASES: [&str; 5] = ["priority", "level", "criticality", "urgency", "importance"];

impl SeveritySource {
    /// The label that gives the severity, if a label does.
    pub(crate) fn label(self) -> Option<&'static str> {
        match self {
            SeveritySource::Label | SeveritySource::UnknownWord => Some("severity"),
            SeveritySource::Alias(number) => SEVERITY_ALIASES.get(usize::from(number)).copied(),
            SeveritySource::Row(_) | SeveritySource::Name | SeveritySource::Default => None,
        }
    }
}

/// Where a severity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeveritySource {
    Label,
    /// The label `severity` has a word that is not known.
    UnknownWord,
    /// The label at this position of [`SEVERITY_ALIASES`].
    Alias(u8),
    Row(u32),
    Name,
    Default,
}
