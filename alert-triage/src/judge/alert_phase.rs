//! The phase of an alert.

/// The phase of an alert at the instant of the evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AlertPhase {
    /// Its source reports its end.
    Resolved,
    /// No record of it for too long, and no end.
    Obsolete,
    /// About to fire.
    Pending,
    /// It fires, suppressed or not.
    Open,
}
