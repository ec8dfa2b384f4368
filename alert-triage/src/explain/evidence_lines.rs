//! The lines of an alert's records.

use std::collections::BTreeMap;

use serde::Serialize;

use super::location::Location;
use super::naming::location;
use crate::printable;
use crate::record_trace::RecordPositions;
use crate::report::Report;

/// Evidence by the identity keys of alerts.
pub(super) type EvidenceByKey = BTreeMap<Box<[u8]>, RecordPositions>;

/// The lines of an alert's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EvidenceLines {
    /// The name of the alert.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// The number of records, including duplicates.
    pub records: u64,
    /// The first and the last lines, each once.
    pub lines: Vec<Location>,
    /// Does the list leave out lines between the first and the last?
    pub is_cut: bool,
}

impl EvidenceLines {
    pub(super) fn new(report: &Report<'_>, alert: &str, evidence: Option<&RecordPositions>) -> Self {
        let mut lines: Vec<Location> = Vec::new();
        let (mut records, mut kept) = (0, 0);
        if let Some(evidence) = evidence {
            records = evidence.records;
            let mut positions = evidence.first.clone();
            positions.extend(&evidence.last);
            kept = positions.len() as u64;
            lines = positions.into_iter().map(|position| location(report, position)).collect();
            lines.dedup();
        }
        // One line may contain several records.
        let is_cut = kept < records
            && lines.len() > 1
            && evidence.is_some_and(|found| found.first.last() < found.last.first());
        Self { alert: alert.to_owned(), records, lines, is_cut }
    }
}
