//! Rows of the rules, and where a severity comes from.

use jiff::Timestamp;

use super::matches::Matches;

/// A row that says something of the alerts it matches.
#[derive(Debug, Clone)]
pub(crate) struct Row<T> {
    pub(crate) id: String,
    pub(crate) matches: Matches,
    pub(crate) says: T,
}

/// `cause` brings `symptoms` with it, inside one scope.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) id: String,
    pub(crate) cause: String,
    pub(crate) symptoms: Vec<String>,
    /// Labels that may differ although both carry them.
    pub(crate) ignore: Vec<String>,
}

/// Alerts held back by us, for a time.
#[derive(Debug, Clone)]
pub(crate) struct Silence {
    pub(crate) id: String,
    pub(crate) matches: Matches,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) because: String,
}

/// Where a severity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeverityBy {
    Label,
    Row(u32),
    Name,
    Default,
}
