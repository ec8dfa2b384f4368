//! A verdict together with the place of its evidence.

use std::fmt;

use crate::Verdict;

/// A verdict, and where the words that decided it stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why the container ended.
    pub verdict: Verdict,
    /// Where [`Verdict::quote`] was found; absent when no words decided.
    pub place: Option<EvidenceSource>,
}

/// A place in the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceSource {
    /// This line of the termination message, from 1.
    Message(usize),
    /// This line of the log's end, from 1.
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
