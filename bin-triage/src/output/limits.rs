//! How much of a report is shown without `--all`.

/// Incidents that the table and Markdown show.
pub(super) const MAX_INCIDENTS: usize = 20;

/// Malformed lines that the table and Markdown show, also with `--all`; the JSON lists 1,000.
pub(super) const MAX_MALFORMED: usize = 10;
