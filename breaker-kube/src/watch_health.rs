//! [`WatchHealth`]: whether a watch works.

use jiff::SignedDuration;

/// Whether a watch of a fleet works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchHealth {
    /// Time since its last sign of life; `None` before its objects were listed.
    pub silent_for: Option<SignedDuration>,
    /// Why the objects cannot be listed or watched; `None` while they can.
    pub error: Option<String>,
}
