//! How an alert stands.

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stand {
    Resolved,
    Obsolete,
    Pending,
    Open,
}
