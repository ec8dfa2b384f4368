//! A line of an input.

use serde::Serialize;

/// A line of an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Location {
    /// The name of the input; `None` if there is only one input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The line number, counted from 1.
    pub line: u64,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}:{}", self.line),
            None => write!(f, "{}", self.line),
        }
    }
}
