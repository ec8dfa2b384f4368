//! Explanations: verdicts with the source of their evidence.

use std::fmt;

use crate::Verdict;

/// A verdict with the source of its quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why the container ended.
    pub verdict: Verdict,
    /// Where [`Verdict::quote`] was found; `None` when no text decided.
    pub place: Option<EvidenceSource>,
}

/// The source of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvidenceSource {
    /// A line of the termination message, from 1.
    Message(usize),
    /// A line of the log tail, from 1.
    Log(usize),
    /// The container's status, or an event of its pod.
    Kubernetes,
}

impl fmt::Display for EvidenceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(line) => write!(f, "message line {line}"),
            Self::Log(line) => write!(f, "log line {line}"),
            Self::Kubernetes => f.write_str("status or events"),
        }
    }
}
