//! Incidents and groups of an evaluation.

use std::ops::Range;

use jiff::Timestamp;

use super::index::{AlertIx, GroupIx, IncidentIx, ScopeIx};
use crate::verdict::Priority;

/// The core of an incident. It is small because there may be a million incidents; the report
/// derives the rest on demand.
#[derive(Debug)]
pub(crate) struct IncidentCore {
    /// Hash of the member that began first; for a pattern, of the alert name.
    pub(crate) id: u64,
    /// The positions of its members in `Evaluation::all_members`.
    pub(crate) members: Range<u32>,
    pub(crate) headline: AlertIx,
    pub(crate) priority: Priority,
    /// The number of distinct scopes.
    pub(crate) scopes: u32,
    /// The number of members that another member explains or supersedes.
    pub(crate) explained: u32,
    /// The highest rung of the members that set the priority.
    pub(crate) rung: u8,
    /// The number of members that page on their own.
    pub(crate) pages: u32,
    /// The number of firing members with the name of the headline.
    pub(crate) instances: u32,
    /// When the last of them began, if that is known.
    pub(crate) joined: Option<Timestamp>,
    /// For how many seconds the longest open member has been open.
    pub(crate) lasted: u32,
    /// The number of records, without duplicates.
    pub(crate) count: u64,
    /// Is it one transient in several scopes?
    pub(crate) is_pattern: bool,
    /// The group whose notification covers this incident.
    pub(crate) group: Option<GroupIx>,
}

/// One alert that is firing in several scopes.
#[derive(Debug)]
pub(crate) struct AlertGroup {
    pub(crate) alert: Box<str>,
    /// In the order of their labels.
    pub(crate) scopes: Vec<ScopeIx>,
    /// The incidents that contain the alert, in the order of the report.
    pub(crate) incidents: Vec<IncidentIx>,
    /// The incidents with this headline, if there are enough for one common row and notification.
    pub(crate) folded: Vec<IncidentIx>,
}
