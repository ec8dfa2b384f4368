//! Snapshots: where a breaker is at one instant, with the counts behind its decision.

mod counts;
mod hold;
mod revision_counts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::counts::Counts;
pub use self::hold::{Hold, HoldReason};
pub use self::revision_counts::RevisionCounts;
pub(crate) use self::revision_counts::{closest_to_trip, count_revisions, failing_pods, limits};
use crate::record::Contested;
use crate::state::{Phase, TripReason};

/// Where a breaker is at one instant: all that a status or a metric needs beside the
/// [`Record`](crate::Record).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The phase of the breaker.
    pub phase: Phase,
    /// Live pods of the target.
    pub pods: u32,
    /// The counts of the revision that is closest to a trip; all zero while there is no pod and no restart.
    #[serde(flatten)]
    pub counts: Counts,
    /// Restarts of that revision inside the window, counted or not, by cause: `network:refused`, `oom`, ….
    pub by_cause: BTreeMap<String, u32>,
    /// Why a trip is held; `None` when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Why a breaker that only observes, or is disabled, would have tripped in this episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_trip: Option<TripReason>,
    /// The client that scaled the open target up, until the replicas are restored or the breaker is reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Contested>,
}
