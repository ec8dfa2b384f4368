//! Sums of a report.

use crate::verdict::{Notify, Priority};

/// Sums over all inputs.
///
/// `records` = `duplicates` + `alerts` + `retired`, and for line formats `lines` = `blank` +
/// `malformed` + `records`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Totals {
    /// The number of lines.
    pub lines: u64,
    /// The number of blank lines.
    pub blank: u64,
    /// The number of lines, or records of a document, that could not be read.
    pub malformed: u64,
    /// The number of records that could be read.
    pub records: u64,
    /// The number of records that repeat one with the same labels, start and state.
    pub duplicates: u64,
    /// The number of records without duplicates, of the alerts in the report.
    pub alerts: u64,
    /// The number of records without duplicates, of [retired](crate::Engine::retire) alerts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retired: u64,
    /// The number of distinct alerts.
    pub distinct: u64,
    /// The number of alerts that the sender reports as left out.
    pub truncated: u64,
    /// The number of incidents, including those that notify nobody.
    pub incidents: u64,
    /// The number of pages. A folded group counts once.
    pub pages: u64,
    /// The number of tickets. A folded group counts once.
    pub tickets: u64,
}

/// The alerts beyond the limit on distinct identities: the mildest ones, which are only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Overflow {
    /// The number of records of critical alerts.
    pub critical: u64,
    /// The number of records of errors.
    pub error: u64,
    /// The number of records of warnings and of unknown severity.
    pub warning: u64,
    /// The number of records of informational alerts, and of resolves with an unknown key.
    pub info: u64,
    /// The sum of all records.
    pub count: u64,
    /// The priority of the most severe.
    pub priority: Priority,
    /// The notification that the priority calls for.
    pub notify: Notify,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
