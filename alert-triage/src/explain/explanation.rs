//! Explanations of incidents and lines.

use serde::Serialize;

use super::evidence_lines::EvidenceLines;
use super::line_explanation::LineExplanation;
use super::rank::Rank;
use super::what_if::WhatIf;
use crate::report::Incident;

/// The answer to a [`Query`](crate::explain::Query).
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Explanation {
    /// The query was about an incident.
    Incident(Box<IncidentExplanation>),
    /// The query was about a line.
    Line(LineExplanation),
}

/// Why an incident has its rank and priority, and what would change them.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct IncidentExplanation {
    /// The incident as in the report.
    pub incident: Incident,
    /// The id in the query, if it is an earlier id of the incident: that of another member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Its rank, with reasons.
    pub rank: Rank,
    /// Why it pages or does not page, one sentence each.
    pub paging: Vec<String>,
    /// The lines of each member's records, in the order of the members.
    pub evidence: Vec<EvidenceLines>,
    /// Changes to the alerts or the rules, each with the incident that would result.
    pub what_ifs: Vec<WhatIf>,
    /// False if no change was simulated, because more than 20,000 alerts share a scope with the
    /// incident.
    pub is_tried: bool,
}
