//! Sums of a report.

use crate::verdict::{Notify, Priority};

/// Sums over the input, so that nothing is lost unsaid: `records` = `duplicates` + the sum of all counts (`alerts`) + `retired`, and for
/// formats read line by line `lines` = `blank` + `malformed` + `records`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Totals {
    /// Lines of all inputs.
    pub lines: u64,
    /// Lines of white space only.
    pub blank: u64,
    /// Lines, or records of a document, that could not be read.
    pub malformed: u64,
    /// What could.
    pub records: u64,
    /// Records that repeat one of the same labels, start and state.
    pub duplicates: u64,
    /// Records that are none, of the alerts that are known.
    pub alerts: u64,
    /// Records that are none, of alerts that were [forgotten](crate::Engine::retire).
    #[serde(skip_serializing_if = "is_zero")]
    pub retired: u64,
    /// Members of all incidents.
    pub distinct: u64,
    /// Alerts that a sender says it left out.
    pub truncated: u64,
    /// Incidents, those that notify nobody included.
    pub incidents: u64,
    /// Notifications that wake somebody; a group counts once.
    pub pages: u64,
    /// Notifications that wait for the morning.
    pub tickets: u64,
}

/// Alerts beyond the limit on distinct identities: the mildest, counted and no longer told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Overflow {
    /// Records of alerts that are critical.
    pub critical: u64,
    /// Records of alerts that are errors.
    pub error: u64,
    /// Records of alerts that are warnings, or of an unknown severity.
    pub warning: u64,
    /// Records of alerts that are for information, and of ends that name an unknown key.
    pub info: u64,
    /// All of them.
    pub count: u64,
    /// By the most severe.
    pub priority: Priority,
    /// By the priority.
    pub notify: Notify,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
