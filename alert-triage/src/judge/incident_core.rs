//! Incidents and groups of alerts, as they are judged.

use std::ops::Range;

use crate::verdict::Priority;

/// One incident. Small, for there may be a million of them; what people read of it is made when it is asked for.
#[derive(Debug)]
pub(crate) struct Core {
    /// The same as long as it goes on.
    pub(crate) id: u64,
    /// Its part of [`Judgement::members`].
    pub(crate) members: Range<u32>,
    pub(crate) headline: u32,
    pub(crate) priority: Priority,
    /// Distinct scopes.
    pub(crate) scopes: u32,
    /// Members that another member explains or supersedes.
    pub(crate) explained: u32,
    pub(crate) rung: u8,
    /// Members that page by themselves.
    pub(crate) pages: u32,
    /// Seconds.
    pub(crate) lasted: u32,
    pub(crate) count: u64,
    /// One transient over several scopes, joined by nothing else.
    pub(crate) is_pattern: bool,
    /// The group that takes its row and its notification.
    pub(crate) group: u32,
}

/// One alert standing in several scopes.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) alert: Box<str>,
    /// By [`Judgement::scopes`], in the order of their labels.
    pub(crate) scopes: Vec<u32>,
    /// In the order of the report.
    pub(crate) incidents: Vec<u32>,
    /// Headed by this alert, in so many scopes that they take one row and one notification.
    pub(crate) folded: Vec<u32>,
}
