//! [`PodWatchHealth`]: whether the shared pod watch works.

use jiff::SignedDuration;

/// Whether the pod watch of a fleet works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PodWatchHealth {
    /// Time since its last sign of life; `None` before the pods were listed.
    pub silent_for: Option<SignedDuration>,
    /// Why the pods cannot be listed or watched; `None` while they can.
    pub error: Option<String>,
}
