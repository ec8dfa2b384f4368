//! How much of a report is shown without `--all`.

/// Incidents that the table and Markdown show.
pub(super) const MAX_INCIDENTS: usize = 20;
