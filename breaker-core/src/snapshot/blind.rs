//! Blindness: the breaker does not see what happens to its pods.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Since when the breaker does not see its pods, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Blind {
    /// Since when.
    pub since: Timestamp,
    /// Why, as one sentence without a full stop.
    pub why: String,
}

impl Blind {
    /// A watch that comes back within this time is not reported: it is routine.
    pub(crate) const REPORTED_AFTER: SignedDuration = SignedDuration::from_secs(10);
}
