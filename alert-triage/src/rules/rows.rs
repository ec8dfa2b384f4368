//! Rows of the rules, and where a severity comes from.

use jiff::Timestamp;

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

/// Where a severity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeveritySource {
    Label,
    Row(u32),
    Name,
    Default,
}
